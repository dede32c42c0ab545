"""The words of a signalling blot: targets, genotypes, drugs and stimuli, with the spellings people
use for each.
"""

from __future__ import annotations

import re

PRIMARY = "pS6K_T389"
"""The phosphorylation that the classes rest on."""

TOTALS = {PRIMARY: "S6K", "4EBP1_pS65": "4EBP1", "pS6_S240": "S6", "pS6_S235": "S6"}
"""Phosphorylation -> the total protein it is divided by. S235/236 of S6 is also a target of RSK."""

RAG_BANDS = ("RagA", "RagB")
"""Bands that show whether the Rag GTPases are lost."""

STARVED, ALL, REFERENCE = "starved", "all", "reference"
WILD_TYPE, KNOCK_OUT = "WT", "RagAB_KO"
VEHICLE, TORIN = "vehicle", "Torin"
ARF1_ARMS = ("BFA", "ARF1_si")
"""What takes Arf1 away, the first that was used counts."""

STIMULUS_WORDS = {
    "Leu": "leucine", "Arg": "arginine", "Gln": "glutamine", "Asn": "asparagine", "Ser": "serine",
    "Gly": "glycine", "Ala": "alanine", "Asp": "aspartate", "Glu": "glutamate", "His": "histidine",
    "Ile": "isoleucine", "Lys": "lysine", "Met": "methionine", "Phe": "phenylalanine",
    "Pro": "proline", "Thr": "threonine", "Trp": "tryptophan", "Tyr": "tyrosine", "Val": "valine",
    "Cys": "cysteine",
}  # fmt: skip

TARGETS: dict[str, tuple[str, ...]] = {
    "pS6K_T389": ("ps6k", "ps6k1", "ps6kt389", "ps6k1t389", "phosphos6k", "phosphos6kt389", "ps6kthr389", "p70s6kpt389", "s6kpt389"),
    "S6K": ("s6k1", "p70s6k", "totals6k", "s6ktotal"),
    "4EBP1_pS65": ("p4ebp1", "p4ebp1s65", "4ebp1ps65", "phospho4ebp1"),
    "4EBP1": ("total4ebp1", "4ebp1total"),
    "pS6_S240": ("ps6", "ps6s240", "ps6s240244", "ps6ser240", "ps6ser240244"),
    "pS6_S235": ("ps6s235", "ps6s235236", "ps6ser235236"),
    "S6": ("totals6", "rps6"),
    "total_protein": ("totalprotein", "tpn", "revert", "ponceau", "stainfree", "coomassie"),
    "RagA": ("raga", "rraga"),
    "RagB": ("ragb", "rragb"),
    "RagC": ("ragc", "rragc"),
    "ARF1": ("arf1",),
    "actin": ("betaactin", "bactin", "actb"),
    "tubulin": ("alphatubulin", "betatubulin"),
    "GAPDH": (),
    "vinculin": (),
    "ladder": ("marker",),
    "off_target": ("offtarget", "nonspecific", "unspecific"),
}  # fmt: skip
GENOTYPES: dict[str, tuple[str, ...]] = {
    WILD_TYPE: ("wildtype", "parental", "control"),
    KNOCK_OUT: ("dko", "ragdko", "ragabdko", "ragako", "ragabko", "rragabko", "ragko", "ragaragbko"),
    "ref": (REFERENCE, "pool"),
}  # fmt: skip
DRUGS: dict[str, tuple[str, ...]] = {
    VEHICLE: ("veh", "dmso", "none", "untreated", "control", "sictl", "sicontrol", ""),
    "BFA": ("brefeldin", "brefeldina"),
    "ARF1_si": ("siarf1", "arf1sirna"),
    TORIN: ("torin1", "torin2"),
    "pool": (),
}
STIMULI: dict[str, tuple[str, ...]] = {
    STARVED: ("starvation", "starve", "aastarved", "minusaa", "noaa"),
    ALL: ("allaa", "aa", "allaminoacids", "fullaa"),
    REFERENCE: ("ref", "pool"),
    **{short: (word,) for short, word in STIMULUS_WORDS.items()},
}


def _fold(text: object) -> str:
    """Letters and digits in lower case: "p-S6K (T389)" and "pS6K_T389" are one name."""
    return re.sub(r"[^a-z0-9]", "", str(text).casefold())


def canonical(text: object, known: dict[str, tuple[str, ...]]) -> str | None:
    """The kit's name for a word of a table, or None where the word is not known.

    >>> canonical("p-S6K (T389)", TARGETS), canonical("leucine", STIMULI), canonical("x", DRUGS)
    ('pS6K_T389', 'Leu', None)
    """
    word = _fold(text)
    for name, others in known.items():
        if word == _fold(name) or word in others:
            return name
    return None


def is_reference_word(text: object) -> bool:
    """Whether a word says that the lane holds the pooled reference lysate."""
    return _fold(text) in ("reference", "ref", "pool")


def words_of(name: str) -> str:
    """A class in words.

    >>> words_of("rag_independent_arf1")
    'independent of Rag, through Arf1'
    """
    return {
        "rag_dependent": "dependent on Rag",
        "rag_independent_arf1": "independent of Rag, through Arf1",
        "rag_independent": "independent of Rag",
        "mixed": "partly dependent on Rag",
        "inconclusive": "inconclusive",
    }.get(name, "no class")
