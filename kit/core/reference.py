"""Reference data: panels, cell-line names, priors and claims, read from `data/reference` with their
provenance.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from kit.core.errors import InputError, Problem, did_you_mean
from kit.core.paths import share

PANELS = {"NCI-60": "nci60_asns", "CCLE": "ccle_asns"}
_FLAGS = ("disputed", "asns_swath_detected", "asns_ms_detected")
_MIN_STEM = 3  # "MOLT" stands for several lines; one or two letters stand for nothing


@dataclass(frozen=True)
class CellLineName:
    """A cell line as the world knows it; identifiers are empty where none is known."""

    name: str
    cellosaurus: str
    depmap: str
    lineage: str
    disease: str
    growth_mode: str
    note: str


@cache
def _read(name: str) -> pd.DataFrame:
    path = share() / "data" / "reference" / f"{name}.csv"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.csv"))
        raise InputError(
            Problem(
                f"data/reference/{name}.csv",
                "",
                "is not part of the kit",
                did_you_mean(name, known),
            )
        )
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""], encoding="utf-8")
    for column in frame:
        if column in _FLAGS:
            frame[column] = (
                frame[column]
                .map({True: True, False: False, "true": True, "false": False})
                .astype("boolean")
            )
        elif not pd.api.types.is_numeric_dtype(frame[column]) and name not in (
            "nci60_asns",
            "ccle_asns",
        ):
            frame[column] = frame[column].fillna("")
    frame.attrs["provenance"] = f"data/reference/{name}.csv"
    return frame


def table(name: str) -> pd.DataFrame:
    """A copy of `data/reference/<name>.csv`; an empty cell is NaN in a panel and empty text
    elsewhere.
    """
    return _read(name).copy()


def provenance(name: str | None = None) -> pd.DataFrame:
    """Where each column comes from: file, columns, unit, citation, where, licence, note; of one
    file or of all.
    """
    rows = table("provenance")
    return rows if name is None else rows[rows["file"] == f"{name}.csv"].reset_index(drop=True)


def citation(name: str) -> str:
    """The citations of one reference file as a line of text for a caption."""
    return "; ".join(dict.fromkeys(provenance(name)["citation"]))


def priors() -> pd.DataFrame:
    """The sensitivity profile the source expects, per cell line and amino acid; `disputed` marks
    what the literature contradicts.
    """
    return table("sensitivity_profile")


def claims() -> pd.DataFrame:
    """Each claim of the source beside what the literature found: claim, topic, source_says,
    finding, status, evidence, consequence.
    """
    return table("claims")


def amino_acid_roles() -> pd.DataFrame:
    """Asparagine, glutamine and serine compared, aspect by aspect, with the literature's correction
    and its citation.
    """
    return table("amino_acid_roles")


def treatment_groups() -> pd.DataFrame:
    """The five media of the protocol with their concentrations (uM), the question each answers, and
    what to correct.
    """
    return table("treatment_groups")


def control_lines() -> pd.DataFrame:
    """Lines the source proposes as ASNS-high and ASNS-low controls."""
    return table("control_lines")


def published_correlations() -> pd.DataFrame:
    """Published associations of ASNS with asparaginase sensitivity, with what was read of each
    paper.
    """
    return table("published_correlations")


def nci60(*, independent: bool = False) -> pd.DataFrame:
    """NCI-60: asparaginase GI50, ASNS mRNA, SWATH, MS and RPPA protein, one row per line (60).

    `independent` leaves out the lines derived from another panel line (57 remain).
    """
    panel = table("nci60_asns")
    return panel[panel["derivative_of"].isna()].reset_index(drop=True) if independent else panel


@cache
def _names() -> tuple[list[CellLineName], list[tuple[str, ...]]]:
    rows = table("cell_lines")
    fields = ("name", "cellosaurus_id", "depmap_id", "lineage", "disease", "growth_mode", "note")
    lines = [
        CellLineName(*(str(row[field]) for field in fields)) for row in rows.to_dict("records")
    ]
    aliases = [tuple(alias for alias in str(text).split("|") if alias) for text in rows["aliases"]]
    return lines, aliases


def line_letters(name: str) -> str:
    """Letters and digits alone; full-width and other compatibility forms count as the plain
    ones.
    """
    name = unicodedata.normalize("NFKC", name)
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _matches(name: str) -> list[CellLineName]:
    """Lines that `name` may mean, by the strictest rule that finds any: spelling, alias, letters
    and digits alone, identifier, the bench's
    short form (H1299 of NCI-H1299, LNCaP of LNCaP clone FGC), stem."""
    lines, aliases = _names()
    wanted, compact = unicodedata.normalize("NFKC", name).strip().casefold(), line_letters(name)
    rules = (
        lambda line, others: line.name.casefold() == wanted,
        lambda line, others: wanted in (other.casefold() for other in others),
        lambda line, others: (
            compact != "" and compact in (line_letters(other) for other in (line.name, *others))
        ),
        lambda line, others: (
            wanted != "" and wanted in (line.cellosaurus.casefold(), line.depmap.casefold())
        ),
        lambda line, others: (
            len(compact) >= _MIN_STEM
            and (
                line_letters(line.name) == f"nci{compact}"
                or line.name.casefold().startswith(f"{wanted} clone ")
            )
        ),
    )
    for rule in rules:
        found = [line for line, others in zip(lines, aliases) if rule(line, others)]
        if found:
            return found
    family = [
        line
        for line in lines
        if len(compact) >= _MIN_STEM and re.sub(r"\d+$", "", line_letters(line.name)) == compact
    ]
    return family if len(family) > 1 else []


def resolve_line(name: str, *, file: str = "", place: str = "") -> CellLineName | None:
    """The line that `name` means ("Molt 4" is MOLT-4), or None when nothing of that name is known.

    A name that fits several lines raises `InputError` with the candidates; `file` and `place` tell
    where it stands.
    """
    found = _matches(str(name))
    if not found:
        return None
    if len(found) > 1:
        candidates = ", ".join(
            f"{line.name} ({line.cellosaurus or line.depmap or line.lineage})"
            for line in found[:12]
        )
        more = f" and {len(found) - 12} more" if len(found) > 12 else ""
        raise InputError(
            Problem(
                file,
                place,
                f"cell line '{name}' may mean {candidates}{more}",
                "Write the full name.",
            )
        )
    return found[0]


def same_line(name: str, other: str) -> bool:
    """Whether two spellings mean one line; names unknown or ambiguous are compared by their letters
    and digits.
    """
    return line_key(name) == line_key(other)


@cache
def line_key(name: str) -> str:
    """A key that all spellings of one line share: its name in the list, else its letters and
    digits.
    """
    try:
        line = resolve_line(name)
    except InputError:
        line = None
    return line.name if line else line_letters(name) or name


def with_keys(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with a column `line_key` by which its `cell_line` joins other tables."""
    return frame.assign(line_key=[line_key(str(name)) for name in frame["cell_line"]])


def percentile(values: pd.Series, value: float) -> float:
    """Share of the panel below `value` in percent, ties counted half; NaN without a value or a
    panel.
    """
    known = values.dropna().to_numpy(float)
    if not len(known) or np.isnan(value):
        return float("nan")
    return float(100 * (np.mean(known < value) + 0.5 * np.mean(known == value)))
