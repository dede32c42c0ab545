"""Each claim of the source beside what these data say of it, where they say anything, and what the
cited papers found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from kit.asns.lines import panel_positions
from kit.core import reference
from kit.stats import holm

SUPPORTED, CONTRADICTED, OPEN = "supported", "contradicted", "left open"
HIGH, LOW = ("HeLa", "A549"), ("MOLT-4", "Jurkat")
NOT_HERE = "Not addressed by these data: judged by the cited papers."
LITERATURE = {"supported": SUPPORTED, "contradicted": CONTRADICTED, "corrected": CONTRADICTED}
"""What the status of a claim in the reference list comes to; disputed, unproven and open leave it
open.
"""
_STRICT = -0.9  # a correlation that may lie beyond is not shown to be less than strict
_CLAIMED_SERUM_UM = (100.0, 200.0)
_MIN_OTHERS = 2  # lines besides HeLa and A549 against which those two are judged
_PANEL = ("CCLE", "asns_rppa_log2", "RPPA protein")

Answer = tuple[str, str]


def claims_table(
    *,
    protein_lines: pd.DataFrame | None = None,
    correlation: pd.DataFrame | None = None,
    comparison: pd.DataFrame | None = None,
    sera: Mapping[str, Any] | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """`kit.core.reference.claims()` with `literature` (what the cited papers come to), `these_data`
    (a sentence) and `judged` (supported,
    contradicted or left open: by these data where they address the claim, else by the papers).

    `protein_lines` is `Western.asns_lines`; `correlation` and `comparison` the contract's tables;
    `sera` those of experiment.yaml.
    """
    found = {
        "S2": _has_none("Jurkat", protein_lines),
        "S3": _has_none("MOLT-4", protein_lines),
        "S4": _strict(correlation),
        "S7": _serum(sera or {}),
        "C1": _high(protein_lines),
        "C2": _low(protein_lines),
        "C3": _protein_over_mrna(comparison, alpha),
    }
    table = reference.claims()
    papers = [LITERATURE.get(status, OPEN) for status in table["status"]]
    answers = [
        found.get(claim) or (paper, NOT_HERE) for claim, paper in zip(table["claim"], papers)
    ]
    return table.assign(
        literature=papers,
        judged=[judged for judged, _ in answers],
        these_data=[sentence for _, sentence in answers],
    )


def _strict(correlation: pd.DataFrame | None) -> Answer:
    """S4: does any source's interval reach a strict (inverse) correlation? One that does takes
    nothing from one that does not.
    """
    rows = pd.DataFrame() if correlation is None else correlation[correlation["spearman"].notna()]
    if rows.empty:
        return OPEN, "Too few lines for a correlation here."
    inferred = rows[rows["spearman_ci_low"].notna()]
    if inferred.empty:
        return OPEN, f"At most {int(rows['n_lines'].max())} lines: descriptive only."
    said, weak = [], {}
    for source, own in inferred.groupby("source", sort=False):
        parts = [
            f"{row.predictor} rho {row.spearman:+.2f} ({row.spearman_ci_low:+.2f} to {row.spearman_ci_high:+.2f}, n {row.n_lines})"
            for row in own.itertuples()
        ]
        weak[source] = bool((own["spearman_ci_low"] > _STRICT).all())
        verdict = (
            f"no interval reaches {_STRICT:g}"
            if weak[source]
            else "a strict one is possible, not shown"
        )
        said.append(f"{source}: {'; '.join(parts)}: {verdict}")
    return (CONTRADICTED if any(weak.values()) else OPEN), ". ".join(said) + "."


def _known(protein_lines: pd.DataFrame | None) -> dict[str, dict[Any, Any]]:
    """Lines with a class, by their key."""
    if protein_lines is None:
        return {}
    rows = zip(
        [reference.line_key(str(name)) for name in protein_lines["cell_line"]],
        protein_lines.to_dict("records"),
    )
    return {key: row for key, row in rows if isinstance(row["class"], str)}


def percent_text(row: Any) -> str:
    """ASNS of a line in percent; one whose every lysate lies at the floor has at most that much."""
    return f"{'<= ' if at_most(row.get('floored')) else ''}{row['percent_of_reference']:.0f} %"


def at_most(floored: object) -> bool:
    """Whether a line's percent is an upper bound; a line without blots has no such flag."""
    return bool(pd.notna(floored)) and bool(floored)  # type: ignore[call-overload]


def _classes(
    names: Iterable[str], known: Mapping[str, Mapping[Any, Any]]
) -> tuple[dict[str, Mapping[Any, Any]], list[str]]:
    """The rows of those of `names` that were blotted, and a sentence part for each."""
    seen = {
        name: known[reference.line_key(name)] for name in names if reference.line_key(name) in known
    }
    said = [
        f"{name}: {row['class_range']} ({percent_text(row)} of reference, {row['n_replicates']}"
        " lysates)"
        for name, row in seen.items()
    ]
    return seen, said


def _places(names: Iterable[str]) -> tuple[dict[str, float], list[str]]:
    """Percentiles of lines in CCLE protein, and sentence parts of these and of NCI-60 mRNA."""
    said: list[str] = []
    protein: dict[str, float] = {}
    for panel, column, what in (_PANEL, ("NCI-60", "asns_mrna_log2", "mRNA")):
        places = panel_positions(names, panel, column).dropna(subset="percentile")
        found = dict(zip(places["cell_line"], places["percentile"]))
        protein = found if panel == _PANEL[0] else protein
        said += [
            f"{name} at the {_ordinal(value)} percentile of {panel} {what}"
            for name, value in found.items()
        ]
    return protein, said


def _missing(names: Iterable[str], seen: Mapping[str, Any]) -> list[str]:
    lacking = [name for name in names if name not in seen]
    return [f"no usable blot of {' and '.join(lacking)} here"] if lacking else []


def _high(protein_lines: pd.DataFrame | None) -> Answer:
    """C1: are HeLa and A549 high among other lines? Their own percent of the reference says
    nothing: they are the reference.
    """
    known = _known(protein_lines)
    seen, said = _classes(HIGH, known)
    percentiles, placed = _places(HIGH)
    keys = {reference.line_key(name) for name in HIGH}
    others = pd.Series(
        [row["percent_of_reference"] for key, row in known.items() if key not in keys], dtype=float
    )
    judged = []
    if seen and len(others) >= _MIN_OTHERS:
        ranks = [
            reference.percentile(others, float(row["percent_of_reference"]))
            for row in seen.values()
        ]
        said += [
            f"{name} above {rank:.0f} % of the {len(others)} other lines of the blot"
            for name, rank in zip(seen, ranks)
        ]
        judged.append(_among(ranks, len(ranks) == len(HIGH)))
    else:
        said.append(
            "left open by the blot: the reference is made of these lines, and fewer than"
            f" {_MIN_OTHERS} others are beside them"
        )
    judged.append(_among(list(percentiles.values()), len(percentiles) == len(HIGH)))
    decided = {verdict for verdict in judged if verdict != OPEN}
    return (decided.pop() if len(decided) == 1 else OPEN), "; ".join(
        [*said, *placed, *_missing(HIGH, seen)]
    ) + "."


def _among(percentiles: list[float], complete: bool) -> str:
    """High is the upper third of the other lines; a line in the lower half is not high."""
    if any(value < 50 for value in percentiles):
        return CONTRADICTED
    return SUPPORTED if complete and all(value >= 100 * 2 / 3 for value in percentiles) else OPEN


def _low(protein_lines: pd.DataFrame | None) -> Answer:
    """C2: are MOLT-4 and Jurkat low by their own bands? The panels are told beside, in their own
    unit.
    """
    seen, said = _classes(LOW, _known(protein_lines))
    classes = {str(row["class_range"]) for row in seen.values()}
    judged = (
        SUPPORTED
        if classes == {"low"} and len(seen) == len(LOW)
        else CONTRADICTED
        if any("low" not in c for c in classes)
        else OPEN
    )
    return judged, "; ".join([*said, *_places(LOW)[1], *_missing(LOW, seen)]) + "."


def _has_none(name: str, protein_lines: pd.DataFrame | None) -> Answer | None:
    """S2, S3: a line that is not low has ASNS; a low one may still have some, which a blot cannot
    tell from none.
    """
    seen, said = _classes([name], _known(protein_lines))
    if not seen:
        return None
    return (OPEN if "low" in str(seen[name]["class_range"]) else CONTRADICTED), f"{said[0]}."


def _serum(sera: Mapping[str, Any]) -> Answer | None:
    """S7: asparagine measured in sera that were not dialyzed; in dialyzed serum there is none to
    find.
    """
    measured = {name: serum for name, serum in sera.items() if serum.asparagine_uM is not None}
    if not measured:
        return None
    kinds = {True: "dialyzed", False: "not dialyzed", None: "dialysis not stated"}
    text = (
        "; ".join(
            f"{name} ({kinds[serum.dialyzed]}): {serum.asparagine_uM:g} uM measured"
            for name, serum in measured.items()
        )
        + "."
    )
    plain = [serum.asparagine_uM for serum in measured.values() if serum.dialyzed is False]
    inside = [_CLAIMED_SERUM_UM[0] <= value <= _CLAIMED_SERUM_UM[1] for value in plain]
    return (
        OPEN if not inside or len(set(inside)) > 1 else SUPPORTED if inside[0] else CONTRADICTED
    ), text


def _protein_over_mrna(comparison: pd.DataFrame | None, alpha: float) -> Answer:
    """C3: does any comparison on the same lines favour protein? Only where both correlations are
    inverse, as ASNS would have them.
    """
    rows = pd.DataFrame() if comparison is None else comparison[comparison["williams_p"].notna()]
    if rows.empty:
        return OPEN, "No set of at least 8 lines has protein, mRNA and sensitivity together."
    differ = rows[rows["williams_p"] < alpha]
    decided = differ[_inverse(differ)]
    favours = _favour_protein(decided)
    odd = len(differ) - len(decided)
    sentence = (
        f"Of {len(rows)} comparisons on complete pairs, {int(favours.sum())} favour protein and"
        f" {int((~favours).sum())} mRNA (Williams, p < {alpha:g}, not adjusted); "
        + (
            f"{odd} differ{'s' * (odd == 1)} with a sign that ASNS does not explain; "
            if odd
            else ""
        )
        + "the others show no difference, which is not equality."
    )
    primary = rows[rows["kind"] == "spearman"] if "kind" in rows else rows
    primary = primary[holm(primary["williams_p"]) < alpha]
    sure = _favour_protein(primary[_inverse(primary)])
    if not len(sure):
        return OPEN, sentence
    return (SUPPORTED if sure.all() else CONTRADICTED if not sure.any() else OPEN), sentence


def _inverse(rows: pd.DataFrame) -> pd.Series:
    """Both correlations are negative: more ASNS, less sensitive."""
    return (rows["r_a"] < 0) & (rows["r_b"] < 0)


def _favour_protein(rows: pd.DataFrame) -> pd.Series:
    """Whether the stronger of the two correlations is the protein's, per row."""
    first = rows["predictor_a"].str.startswith("protein") if len(rows) else pd.Series(dtype=bool)
    return (rows["r_a"].abs() > rows["r_b"].abs()).eq(first).astype(bool)


def _ordinal(value: float) -> str:
    number = math.floor(value + 0.5)
    suffix = (
        "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{suffix}"
