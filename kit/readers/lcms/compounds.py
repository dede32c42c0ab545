"""Which amino acid a compound's name means: names, three letters, German, HMDB and KEGG numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from kit.core import reference

_ISOTOPE = r"(?:(?:13c|15n|2h)\d*|d\d+)"
_LABEL = re.compile(
    rf"\[?\(?\b(?:u-?)?{_ISOTOPE}(?:[,\s]*{_ISOTOPE})*\)?\]?(?=$|[\s,\-+)])", re.IGNORECASE
)
_STANDARD = re.compile(r"\bistd\b|\(is\)|internal standard|norvaline|norleucine", re.IGNORECASE)
_AMBIGUOUS = {"asx": ("asparagine", "aspartate"), "glx": ("glutamine", "glutamate")}


@dataclass(frozen=True)
class Compound:
    """What a name means: `name` is empty where unknown, `choices` are several it may mean;
    `labelled` is an isotope-labelled or other internal standard.
    """

    name: str
    choices: tuple[str, ...] = ()
    labelled: bool = False


def fold(name: object) -> str:
    """A name for comparison: no case, accents, spaces or stereo prefix.

    >>> fold("L-Aspartic Acid")
    'asparticacid'
    """
    text = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().casefold()
    text = re.sub(r"^\s*l[-\s]+|\s*\((?:s|l|zwitterion|m\+0)\)$", "", text)
    return re.sub(r"[\s_\-]", "", text)


@cache
def _synonyms() -> dict[str, str]:
    found: dict[str, str] = {}
    for row in reference.table("amino_acids").to_dict("records"):
        others = str(row["other_names"]).split(";")
        short_hmdb = str(row["hmdb"]).replace("HMDB00", "HMDB")
        names = [row["name"], row["three"], row["german"], row["hmdb"], short_hmdb, row["kegg"]]
        found |= {fold(name): row["name"] for name in [*names, *others] if str(name).strip()}
    return found


def compound(name: str) -> Compound:
    """What a compound's name in a table means.

    >>> compound("L-asparagine").name, compound("HMDB0000168").name, compound("ASN").name
    ('asparagine', 'asparagine', 'asparagine')
    >>> compound("leucine+isoleucine").choices
    ('leucine', 'isoleucine')
    >>> compound("valine-d8").labelled
    True
    """
    plain = str(name).split("|")[0]
    bare = re.sub(r"^[\s\-]+|[\s\-,]+$", "", _LABEL.sub("", plain))
    labelled = bare != re.sub(r"^[\s\-]+|[\s\-,]+$", "", plain) or bool(_STANDARD.search(plain))
    if (key := fold(bare)) in _AMBIGUOUS:
        return Compound("", _AMBIGUOUS[key], labelled)
    if key in _synonyms():
        return Compound(_synonyms()[key], labelled=labelled)
    parts = [fold(part) for part in re.split(r"[+/&;]|\bor\b|\band\b", bare)]
    if len(parts) > 1 and all(part in _synonyms() for part in parts):
        return Compound("", tuple(_synonyms()[part] for part in parts), labelled)
    return Compound("", labelled=labelled)


@cache
def molar_mass(name: str) -> float:
    """g/mol of a compound by its name in the reference table; NaN where unknown."""
    rows = reference.table("amino_acids").set_index("name")["molar_mass_g_mol"]
    return float(rows.get(name, float("nan")))
