"""Each claim of the source beside what these data say of it, where they say anything."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from kit import reference
from kit.asns_lines import panel_positions
from kit.stats import holm

SUPPORTED, CONTRADICTED, OPEN = "supported", "contradicted", "left open"
HIGH, LOW = ("HeLa", "A549"), ("MOLT-4", "Jurkat")


def claims_table(
    *,
    protein_lines: pd.DataFrame | None = None,
    correlation: pd.DataFrame | None = None,
    comparison: pd.DataFrame | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """`kit.reference.claims()` with `these_data` (a sentence) and `judged` (supported, contradicted, left open, or empty: not addressed here).

    `protein_lines` is `Western.asns_lines`; `correlation` and `comparison` the contract's tables.
    """
    found = {
        "S4": _strict(correlation),
        "C1": _levels(HIGH, "high", protein_lines),
        "C2": _levels(LOW, "low", protein_lines),
        "C3": _protein_over_mrna(comparison, alpha),
    }
    table = reference.claims()
    answers = [found.get(claim, ("", "")) for claim in table["claim"]]
    return table.assign(judged=[judged for judged, _ in answers], these_data=[sentence for _, sentence in answers])


def _strict(correlation: pd.DataFrame | None) -> tuple[str, str]:
    """S4: is any correlation strict (|rho| of 1 inside its interval's reach)?"""
    rows = pd.DataFrame() if correlation is None else correlation[correlation["spearman"].notna()]
    if rows.empty:
        return OPEN, "Too few lines for a correlation here."
    inferred = rows[rows["spearman_ci_low"].notna()]
    if inferred.empty:
        return OPEN, f"At most {int(rows['n_lines'].max())} lines: descriptive only."
    parts = [
        f"{row.predictor}: rho {row.spearman:+.2f} ({row.spearman_ci_low:+.2f} to {row.spearman_ci_high:+.2f}, n {row.n_lines})"
        for row in inferred.itertuples()
    ]
    weak = (inferred[["spearman_ci_low", "spearman_ci_high"]].abs().max(axis=1) < 0.9).all()
    return (CONTRADICTED if weak else OPEN), "; ".join(parts) + ("; none is near 1." if weak else ".")


def _levels(names: Iterable[str], expected: str, protein_lines: pd.DataFrame | None) -> tuple[str, str]:
    """Are these lines of the expected class by their own band? The panels are told beside, in their own unit."""
    blots = (
        {}
        if protein_lines is None
        else dict(zip([reference.line_key(n) for n in protein_lines["cell_line"]], protein_lines.to_dict("records")))
    )
    names = list(names)
    seen = {name: blots[reference.line_key(name)] for name in names if reference.line_key(name) in blots}
    known = {name: row for name, row in seen.items() if isinstance(row["class"], str)}
    said = [
        f"{name}: {row['class_range']} ({row['percent_of_reference']:.0f} % of reference, {row['n_replicates']} lysates)"
        for name, row in known.items()
    ]
    for panel, column, what in (("CCLE", "asns_rppa_log2", "RPPA protein"), ("NCI-60", "asns_mrna_log2", "mRNA")):
        places = panel_positions(names, panel, column).dropna(subset="percentile")
        said += [
            f"{name} at the {_ordinal(value)} percentile of {panel} {what}"
            for name, value in zip(places["cell_line"], places["percentile"])
        ]
    classes = {row["class_range"] for row in known.values()}
    judged = (
        SUPPORTED
        if classes == {expected} and len(known) == len(names)
        else CONTRADICTED
        if any(expected not in c for c in classes)
        else OPEN
    )
    missing = [name for name in names if name not in known]
    return judged, "; ".join([*said, *([f"no usable blot of {' and '.join(missing)} here"] if missing else [])]) + "."


def _protein_over_mrna(comparison: pd.DataFrame | None, alpha: float) -> tuple[str, str]:
    """C3: does any comparison on the same lines favour protein?"""
    rows = pd.DataFrame() if comparison is None else comparison[comparison["williams_p"].notna()]
    if rows.empty:
        return OPEN, "No set of at least 8 lines has protein, mRNA and sensitivity together."
    decided = rows[rows["williams_p"] < alpha]
    favours = _favour_protein(decided)
    sentence = (
        f"Of {len(rows)} comparisons on complete pairs, {int(favours.sum())} favour protein and {int((~favours).sum())} mRNA "
        f"(Williams, p < {alpha:g}, not adjusted); the others show no difference, which is not equality."
    )
    primary = rows[rows["kind"] == "spearman"] if "kind" in rows else rows
    sure = _favour_protein(primary[holm(primary["williams_p"]) < alpha])
    if not len(sure):
        return OPEN, sentence
    return (SUPPORTED if sure.all() else CONTRADICTED if not sure.any() else OPEN), sentence


def _favour_protein(rows: pd.DataFrame) -> pd.Series:
    """Whether the stronger of the two correlations is the protein's, per row."""
    first = rows["predictor_a"].str.startswith("protein") if len(rows) else pd.Series(dtype=bool)
    return (rows["r_a"].abs() > rows["r_b"].abs()).eq(first).astype(bool)


def _ordinal(value: float) -> str:
    number = math.floor(value + 0.5)
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
