"""Which column of a flow export holds what: the one table of headings and population names the
reader knows.

A heading is either a column of the kit's own form (`viable_percent`, `Cell line`) or a population
followed by a statistic, as FlowJo
(`Cells/Singlets/Q3: AnnV+ , PI- | Freq. of Parent`), FACSDiva (`Q1-LL %Parent`) and CytExpert
(`Q1-UL % Parent`) write it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

QUADRANTS = ("viable", "early", "late", "necrotic")

_DASHES = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "⁻": "-",
        "⁺": "+",
        "＋": "+",
        "\xa0": " ",
        "_": " ",
    }
)

FIELDS: dict[str, str] = {
    "cell_line": r"cell ?lines?|lines?|cells?",
    "medium": r"medium|media|condition|treatment",
    "replicate": (
        r"(bio(logical)? ?)?(replicate|repeat|rep)( ?(no\.?|number))?|experiment( ?(no\.?|number))?"
    ),
    "sample": r"(sample|tube|file|data ?set|well)( ?(names?|id))?:?|",
    "specimen": r"specimen( ?name)?",
    "population": r"populations?|gate( ?name)?|region",
    "events": (
        r"events|singlets?( (events|count|#events))?|single ?cells( (events|count))?|n"
        r" ?events|number of (events|singlets)"
    ),
    "hours": r"hours|time ?\(?h\)?",
    "viable_per_mL": r"viable( cells)? ?(per|/) ?ml",
    "debris_percent": r"debris( ?\(?%\)?| percent)",
}
"""column -> headings that mean it, matched whole after folding case, dashes, underscores and
spaces.
"""

STATISTICS: tuple[tuple[str, str, str], ...] = (
    ("percent", "flowjo", r"\| ?freq\.? of parent( ?\(%\))?"),
    ("count", "flowjo", r"\| ?(count|#cells|# ?of ?events)"),
    ("percent", "diva", r"% ?(of )?parent"),
    ("count", "diva", r"# ?events"),
    ("percent", "", r"\(%\)|percent|percentage|%|fraction"),
    ("count", "", r"events|count|\(n\)"),
)
"""(kind, software, how a heading ends), tried in this order. Other statistics (of total, means,
medians) are left alone.
"""

_DYES = r"pi|propidium|7-?aad|dapi|sytox|zombie|viability|live/?dead"
_SIGN = rf"([+-])(?=$|[\s,/|)&]|ann|{_DYES})"
"""A plus or minus that ends a stain's name; the dashes in `V-FITC` or `PI-A` do not."""

POSITIONS: dict[str, str] = {"ll": "viable", "lr": "early", "ur": "late", "ul": "necrotic"}
"""Corner -> quadrant with Annexin V across and the dye up, the usual way round; names with signs
overrule it.
"""

NUMBERED: dict[str, dict[str, str]] = {
    "flowjo": {
        "q1": "necrotic",
        "q2": "late",
        "q3": "early",
        "q4": "viable",
    },  # clockwise from upper left
    "diva": {"q1": "necrotic", "q2": "late", "q3": "viable", "q4": "early"},  # in reading order
}
"""Bare quadrant numbers run differently in each program, so without a statistic that tells the
program they are refused.
"""

NAMES: dict[str, str] = {
    "viable": r"viable|live|living|healthy|double negative|dn",
    "early": r"early( apopto\w*)?",
    "late": r"late( apopto\w*)?( ?/ ?dead)?|double positive|dp",
    "necrotic": r"necro\w*|damaged",
}


@dataclass(frozen=True)
class Heading:
    """What a column holds: a field of FIELDS, or a quadrant's (or the singlets') `statistic`
    (percent or count).
    """

    field: str
    statistic: str = ""


def fold(text: object) -> str:
    """Case, dashes, underscores and spaces evened out."""
    return re.sub(r"\s+", " ", str(text).translate(_DASHES)).strip(" \"'").casefold()


def recognise(heading: object) -> Heading | None:
    """The meaning of one heading, or None for a column the kit has no use for."""
    text = fold("" if heading is None else heading)
    for field, pattern in FIELDS.items():
        if re.fullmatch(pattern, text):
            return Heading(field, "count" if field == "events" else "")
    statistic, software, population = statistic_of(text)
    if not statistic:
        return None
    quadrant = quadrant_of(population, software)
    if quadrant:
        return Heading(quadrant, statistic)
    leaf = population.split("/")[-1].strip()
    return (
        Heading("events", "count")
        if statistic == "count" and re.fullmatch(r"singlets?( ?\d)?|single ?cells", leaf)
        else None
    )


def statistic_of(text: str) -> tuple[str, str, str]:
    """(kind, software, population) of a folded heading; kind is empty for statistics of no use
    here.
    """
    for kind, software, ending in STATISTICS:
        match = re.search(rf"(?:^|(?<=[\s)|+\-\w]))(?:{ending})$", text)
        if match:
            return kind, software, text[: match.start()].strip(" |:")
    return "", "", text


def quadrant_of(population: str, software: str = "") -> str:
    """The quadrant a population's (folded) name or path means: by the signs of its stains, its
    words, its corner, its number.
    """
    signed = _by_signs(population)
    if signed is not None:
        return signed
    leaf = population.split("/")[-1].strip()
    for quadrant, words in NAMES.items():
        if re.fullmatch(rf"(?:q\d[ :-]*)?(?:{words})(?: cells)?", leaf):
            return quadrant
    corner = re.search(r"(?:^|[\s:-])(ll|lr|ur|ul)$", leaf)
    if corner:
        return POSITIONS[corner[1]]
    number = re.match(r"(q[1-4])(?::|$)", leaf)
    return NUMBERED.get(software, {}).get(number[1], "") if number else ""


def _by_signs(population: str) -> str | None:
    """The quadrant by `AnnV+ , PI-`; None without both stains, empty when it is not clear which
    sign belongs to which.
    """
    stains = re.search(rf"(ann|\b(?:{_DYES})).*$", population)
    part = stains[0] if stains else ""
    annexin, dye = (
        re.search(rf"ann[^+,|]*?{_SIGN}", part),
        re.search(rf"\b(?:{_DYES})[^+,|]*?{_SIGN}|(?<=[+-])(?:{_DYES})[^+,|]*?{_SIGN}", part),
    )
    if not annexin or not dye:
        return None
    if len(re.findall(_SIGN, part)) != 2:
        return ""
    return {"--": "viable", "+-": "early", "++": "late", "-+": "necrotic"}[
        annexin[1] + (dye[1] or dye[2])
    ]
