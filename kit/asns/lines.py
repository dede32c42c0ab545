"""One row per cell line: ASNS protein, ASNS mRNA and sensitivity to asparagine loss, from this
experiment, from several, or from a panel.

The unit of every correlation is the line: replicates and experiments are averaged before, never
counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kit.core import reference

PROTEIN, MRNA, MRNA_SCALE = "protein", "mRNA", "mRNA_scale"
OWN_LINES = "the mean of its own lines"
_VAGUE = {
    "",
    "log2",
    "log2 relative",
    "relative",
    "fold",
    "log2 fold",
    "log2 expression",
    "expression",
}
GR_OUTCOME = "1 - GR without asparagine"
IC50_OUTCOME = "-log10 IC50 of asparaginase"
GI50_OUTCOME = "-log10 GI50 of asparaginase"
SWATH = "protein (SWATH)"
PANEL_PREDICTORS = {
    "asns_swath_log10": SWATH,
    "asns_ms_log10": "protein (MS)",
    "asns_rppa_log2": "protein (RPPA)",
    "asns_mrna_log2": MRNA,
}


def mrna_by_line(expression: pd.DataFrame) -> pd.DataFrame:
    """`cell_line`, `mRNA` (mean over lysates of log2 `value`, basal condition only) and, where it
    is known, its `mRNA_scale`.
    """
    basal = (
        expression[expression["condition"].eq("basal")] if "condition" in expression else expression
    )
    known = basal[basal["value"].notna()].rename(columns={"value": MRNA})
    table = pd.DataFrame(known.groupby("cell_line", sort=False)[MRNA].mean()).reset_index()
    return (
        table.assign(**{MRNA_SCALE: " and ".join(dict.fromkeys(known["scale"]))})
        if "scale" in known
        else table
    )


def sensitivity_from_calls(calls: pd.DataFrame) -> pd.DataFrame:
    """`cell_line`, 1 - GR(-Asn), and `auxotroph` (True, False, or missing where the call is
    inconclusive).
    """
    own = calls[calls["amino_acid"] == "asparagine"]
    yes = {"auxotrophic": True, "partially_dependent": False, "prototrophic": False}
    auxotroph = own["call"].map(yes).astype("boolean")
    return pd.DataFrame(
        {
            "cell_line": own["cell_line"],
            GR_OUTCOME: 1 - own["gr"].astype(float),
            "auxotroph": auxotroph,
        }
    ).reset_index(drop=True)


def sensitivity_from_growth(
    growth: pd.DataFrame, dropout_media: Iterable[str], hours: float = 48.0, tolerance: float = 2.0
) -> pd.DataFrame:
    """`cell_line` and 1 - GR: replicates averaged, in the media that take asparagine away, near
    `hours`; for runs without calls.
    """
    near = growth[
        growth["medium"].isin(list(dropout_media)) & ((growth["hours"] - hours).abs() <= tolerance)
    ]
    means = (
        near.groupby(["cell_line", "replicate"], sort=False)["gr"]
        .mean()
        .groupby("cell_line", sort=False)
        .mean()
    )
    return pd.DataFrame(
        {"cell_line": means.index.astype(str), GR_OUTCOME: 1 - means.to_numpy(float)}
    )


def sensitivity_from_dose_response(
    dose_response: pd.DataFrame, control: str, agent: str = "asparaginase"
) -> pd.DataFrame:
    """`cell_line` and -log10 of the IC50 as the report prints it: that of all replicates together
    (`replicate` all), in the `control` medium, on GR (on viability only where no series has GR).
    Single replicates, other media and the other scale never enter; censored and failed fits are
    left out, never given a number.
    """
    lines = dose_response[
        dose_response["agent"].astype(str).str.casefold().str.contains(agent.casefold())
        & dose_response["replicate"].eq("all")
        & dose_response["medium"].eq(control)
    ]
    lines = lines[
        lines["scale"].eq("gr" if lines["scale"].eq("gr").any() else "relative_viability")
    ]
    fits = lines[lines["status"].eq("ok")]
    ic50 = fits["ic50_relative"].astype(float)
    table = pd.DataFrame(
        {"cell_line": fits["cell_line"], IC50_OUTCOME: -np.log10(ic50.where(ic50 > 0))}
    )
    return pd.DataFrame(table.groupby("cell_line", sort=False)[IC50_OUTCOME].mean()).reset_index()


def lines_table(
    *parts: pd.DataFrame | None,
    lineage: Mapping[str, str] | None = None,
    source: str = "this experiment",
) -> pd.DataFrame:
    """The tables of the functions above joined by line, whatever the spelling ("Molt 4" meets
    MOLT-4), with `lineage` and `source`.

    Lineage comes from `lineage`, else from the list of known lines. A line present in one part only
    keeps empty cells in the others.
    """
    table = pd.DataFrame(columns=["line_key", "cell_line"])
    for part in parts:
        if part is None or part.empty:
            continue
        keyed = reference.with_keys(part)
        keyed = keyed.drop_duplicates("line_key")
        table = table.merge(
            keyed.drop(columns="cell_line"), on="line_key", how="outer", validate="one_to_one"
        )
        names = keyed.set_index("line_key")["cell_line"]
        table["cell_line"] = table["cell_line"].where(
            table["cell_line"].notna(), table["line_key"].map(names)
        )
    given = {reference.line_key(name): value for name, value in (lineage or {}).items() if value}
    table["lineage"] = [
        given.get(key) or known_lineage(str(name))
        for key, name in zip(table["line_key"], table["cell_line"])
    ]
    return table.assign(source=source)


def known_lineage(name: str) -> str:
    """Lineage of a line in the kit's list; empty when it is not there or the name is ambiguous."""
    try:
        line = reference.resolve_line(name)
    except ValueError:
        return ""
    return line.lineage.casefold() if line else ""


def pool(tables: Iterable[pd.DataFrame], source: str = "all experiments") -> pd.DataFrame:
    """Lines of several experiments as one table: each line once, its values averaged over the
    experiments that have them.

    A line that is an auxotroph in one experiment and not in another has no class. mRNA is averaged
    within one unit and calibrator only
    (`mrna_scales`); the other experiments' mRNA is left out.
    """
    used = [table for table in tables if len(table)]
    kept, _ = mrna_scales(used)
    stacked = pd.concat(
        [_without_mrna(table) if index not in kept else table for index, table in enumerate(used)],
        ignore_index=True,
    )
    numbers = [column for column in stacked if pd.api.types.is_float_dtype(stacked[column])]
    grouped = stacked.groupby("line_key", sort=False)
    pooled = grouped[numbers].mean()
    for column in ("cell_line", "lineage"):
        pooled[column] = grouped[column].first()
    if "auxotroph" in stacked:
        votes = stacked.dropna(subset="auxotroph").groupby("line_key")["auxotroph"]
        pooled["auxotroph"] = votes.first().where(votes.nunique().eq(1)).astype("boolean")
    return pooled.assign(n_experiments=grouped.size(), source=source).reset_index()


def mrna_scales(tables: Sequence[pd.DataFrame]) -> tuple[set[int], dict[int, str]]:
    """Which tables' mRNA may be averaged, by position, and the scale of each that may not: the
    scale with the most lines wins.

    log2 TPM, delta-delta Cq against one line and against another differ by a shift that would pass
    for a difference between lines. A scale
    that is not stated, or is relative to the experiment's own lines, is like no other.
    """
    lines: dict[str, list[tuple[int, int]]] = {}
    scale: dict[int, str] = {}
    for index, table in enumerate(tables):
        if MRNA in table and (count := int(table[MRNA].notna().sum())):
            given = (
                list(dict.fromkeys(table[MRNA_SCALE].dropna().astype(str)))
                if MRNA_SCALE in table
                else []
            )
            scale[index] = str(given[0]) if len(given) == 1 else ""
            key = scale[index] if comparable(scale[index]) else f"{scale[index]} {index}"
            lines.setdefault(key.strip().casefold(), []).append((index, count))
    if not lines:
        return set(), {}
    best = max(lines.values(), key=lambda members: sum(count for _, count in members))
    kept = {index for index, _ in best}
    return kept, {
        index: text or "unit not stated" for index, text in scale.items() if index not in kept
    }


def comparable(scale: str) -> bool:
    """Whether a unit says relative to what: then equal ones of two experiments mean the same."""
    return scale.strip().casefold() not in _VAGUE and not scale.endswith(OWN_LINES)


def _without_mrna(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{MRNA: math.nan}) if MRNA in table else table


@dataclass(frozen=True)
class Panel:
    """A reference panel as a lines table, the predictors and outcome in it, and the caveat of each
    predictor's rows.
    """

    name: str
    lines: pd.DataFrame
    predictors: tuple[str, ...]
    outcome: str
    caveats: dict[str, str]


def nci60_panel(*, independent: bool = True, detected_only: bool = False) -> Panel:
    """NCI-60: four measures of ASNS and the GI50 of L-asparaginase.

    `independent` leaves out lines derived from another; `detected_only` blanks SWATH values at the
    floor of the file (not detected).
    """
    panel = reference.nci60(independent=independent).rename(
        columns={**PANEL_PREDICTORS, "asnase_neglog10_gi50": GI50_OUTCOME}
    )
    floor = ~panel["asns_swath_detected"].fillna(False).astype(bool)
    if detected_only:
        panel[SWATH] = panel[SWATH].where(~floor)
    censored = panel["asnase_gi50_censored"].notna()
    lines = reference.with_keys(panel).assign(source="NCI-60", censored=censored)
    at_floor = int((floor & panel[SWATH].notna()).sum())
    common = (
        f"{int(censored.sum())} of {len(panel)} GI50 lie at an end of the tested range and count as"
        " ties there; "
        + (
            "lines derived from another are left out"
            if independent
            else "derived lines are counted"
        )
    )
    swath = (
        "SWATH where detected"
        if detected_only
        else f"{at_floor} SWATH values are the file's floor (not detected) and count as ties"
    )
    caveats = {
        name: f"{common}; {swath}" if name == SWATH else common
        for name in PANEL_PREDICTORS.values()
    }
    return Panel("NCI-60", lines, tuple(PANEL_PREDICTORS.values()), GI50_OUTCOME, caveats)


def panel_positions(
    lines: Iterable[str], panel: str = "CCLE", column: str = "asns_rppa_log2"
) -> pd.DataFrame:
    """Where the user's lines stand in a panel: `cell_line`, `panel_line` (empty: not in the panel),
    `value`, `percentile`.

    The value is the panel's own measurement of the line, not the user's: the two have different
    units.
    """
    table = reference.with_keys(reference.table(reference.PANELS[panel]))
    by_key = table.drop_duplicates("line_key").set_index("line_key")
    rows = []
    for name in dict.fromkeys(lines):
        key = reference.line_key(name)
        found = key in by_key.index
        value = float(by_key.loc[key, column]) if found else math.nan  # type: ignore[arg-type]
        rows.append(
            {
                "cell_line": name,
                "panel_line": by_key.loc[key, "cell_line"] if found else "",
                "value": value,
            }
        )
    frame = pd.DataFrame(rows, columns=["cell_line", "panel_line", "value"])
    return frame.assign(
        percentile=[reference.percentile(table[column], value) for value in frame["value"]]
    )
