"""Lines -> correlation of ASNS with sensitivity, and whether protein predicts better than mRNA:
what may be said, and what not.

Tables `asns_correlation` and `correlation_comparison` of the contract. Spearman comes first,
Pearson beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from kit import stats
from kit.asns.lines import MRNA
from kit.core.columns import check, empty
from kit.core.findings import Finding, judged, p_text

BANNER = Finding("MRNA_ALONE", "warn").sentence
NOT_A_TEST = (
    "One correlation being significant and the other not is no test of their difference; this is."
)


class AsnsLimits(Protocol):
    """The settings this module reads."""

    min_lines_estimate: int
    min_lines_inference: int
    preferred_lines: int
    min_lines_per_class: int
    discordant_z: float
    asns_low_percent: float
    alpha: float
    bootstrap_draws: int
    seed: int


def correlations(
    lines: pd.DataFrame,
    predictors: Sequence[str],
    outcomes: Sequence[str],
    settings: AsnsLimits,
    *,
    source: str = "",
    caveats: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """`asns_correlation`: one row per predictor and outcome with at least one complete pair, with
    BCa interval, p of Pearson and how p was found.

    `lines` has one row per line (`kit.asns.lines`). Below `min_lines_estimate` lines there is no
    estimate, below `min_lines_inference`
    an estimate without p, interval or claim.
    """
    rows = [
        _correlation(
            lines, predictor, outcome, settings, source, (caveats or {}).get(predictor, "")
        )
        for outcome in outcomes
        if outcome in lines
        for predictor in predictors
        if predictor in lines
    ]
    rows = [row for row in rows if row["n_lines"]]
    return check(pd.DataFrame(rows), "asns_correlation") if rows else empty("asns_correlation")


def _correlation(
    lines: pd.DataFrame,
    predictor: str,
    outcome: str,
    settings: AsnsLimits,
    source: str,
    caveat: str,
) -> dict[str, Any]:
    pairs = lines[[predictor, outcome]].astype(float).dropna()
    x, y, n = pairs[predictor].to_numpy(), pairs[outcome].to_numpy(), len(pairs)
    nothing = stats.Correlation(math.nan, math.nan, math.nan, math.nan, n, "none")
    rho = stats.spearman(x, y) if n >= settings.min_lines_estimate else nothing
    r = stats.pearson(x, y) if n >= settings.min_lines_estimate else nothing
    infer = n >= settings.min_lines_inference
    bca = (
        stats.correlation_bca(x, y, n_draws=settings.bootstrap_draws, seed=settings.seed)
        if infer
        else (math.nan, math.nan)
    )
    influence = (
        stats.leave_one_out(x, y, alpha=settings.alpha)
        if n >= settings.min_lines_estimate
        else None
    )
    found = _limits(rho, n, influence, infer, settings)
    note, code = (judged(found)[name] for name in ("note", "code"))
    return {
        "predictor": predictor,
        "outcome": outcome,
        "source": (
            source or str(lines["source"].iloc[0] if "source" in lines and len(lines) else "")
        ),
        "n_lines": n,
        "pearson": r.r,
        "pearson_ci_low": r.ci_low if infer else math.nan,
        "pearson_ci_high": r.ci_high if infer else math.nan,
        "spearman": rho.r,
        "spearman_ci_low": rho.ci_low if infer else math.nan,
        "spearman_ci_high": rho.ci_high if infer else math.nan,
        "p": rho.p if infer else math.nan,
        "max_leave_one_out_change": influence.max_change if influence else math.nan,
        "note": "; ".join(part for part in (note, caveat) if part),
        "code": code,
        "pearson_p": r.p if infer else math.nan,
        "p_method": rho.p_method if infer else "none",
        "bca_low": float(bca[0]),
        "bca_high": float(bca[1]),
    }


def _limits(
    rho: stats.Correlation,
    n: int,
    influence: stats.LeaveOneOut | None,
    infer: bool,
    settings: AsnsLimits,
) -> list[Finding]:
    """What may be said at this n."""
    values = {"n": n, "preferred": settings.preferred_lines, "alpha": settings.alpha}
    if n < settings.min_lines_estimate:
        code = "LINES_FOUR" if n == 4 else "LINES_TOO_FEW"
        return [Finding(code, "info", "", values)]
    if math.isnan(rho.r):
        return [Finding("NO_VARIATION", "info")]
    found = []
    if not infer:
        need = stats.spearman_critical(n, settings.alpha)
        found.append(Finding("LINES_DESCRIPTIVE", "info", "", {**values, "need": need}))
    elif n < settings.preferred_lines:
        found.append(Finding("LINES_FEW", "info", "", values))
    if influence is not None and influence.sign_changes:
        found.append(Finding("SIGN_DEPENDS", "warn"))
    if infer and influence is not None and influence.significance_changes:
        found.append(Finding("SIGNIFICANCE_DEPENDS", "warn"))
    return found


def comparisons(
    lines: pd.DataFrame, pairs: Iterable[tuple[str, str]], outcome: str, settings: AsnsLimits
) -> pd.DataFrame:
    """`correlation_comparison`: predictor a against b on the lines that have both and the outcome;
    a row per `kind`, spearman and pearson.

    The tests are Williams' t (primary), Steiger's Z, Zou's interval of r_a - r_b; on ranks they are
    approximations.
    Signs are aligned by the tests themselves, as both predictors mean ASNS: a negative difference
    favours a stronger inverse a.
    """
    rows = []
    for a, b in pairs:
        if {a, b, outcome} <= set(lines):
            complete = lines[[a, b, outcome]].astype(float).dropna()
            rows += [
                _comparison(complete, a, b, outcome, kind, settings)
                for kind in ("spearman", "pearson")
                if len(complete)
            ]
    return (
        check(pd.DataFrame(rows), "correlation_comparison")
        if rows
        else empty("correlation_comparison")
    )


def _comparison(
    complete: pd.DataFrame, a: str, b: str, outcome: str, kind: str, settings: AsnsLimits
) -> dict[str, Any]:
    n = len(complete)
    corr = stats.pearson if kind == "pearson" else stats.spearman
    r_a, r_b, r_ab = (
        corr(complete[one], complete[two]).r if n >= settings.min_lines_estimate else math.nan
        for one, two in ((a, outcome), (b, outcome), (a, b))
    )
    infer = n >= settings.min_lines_inference and all(math.isfinite(r) for r in (r_a, r_b, r_ab))
    none = stats.Comparison(math.nan, math.nan)
    williams = stats.williams_test(r_a, r_b, r_ab, n) if infer else none
    steiger = stats.steiger_test(r_a, r_b, r_ab, n) if infer else none
    zou = stats.zou_interval(r_a, r_b, r_ab, n) if infer else (math.nan, math.nan)
    row = {
        "predictor_a": a,
        "predictor_b": b,
        "outcome": outcome,
        "n_lines": n,
        "r_a": r_a,
        "r_b": r_b,
        "r_ab": r_ab,
    }
    row |= {
        "williams_t": williams.statistic,
        "williams_p": williams.p,
        "steiger_z": steiger.statistic,
        "steiger_p": steiger.p,
    }
    row |= {"zou_ci_low": float(zou[0]), "zou_ci_high": float(zou[1]), "note": "", "kind": kind}
    found = compared(row, settings)
    return row | {"note": found.sentence, "code": found.code}


def compared(row: dict[str, Any], settings: AsnsLimits) -> Finding:
    """What a comparison of two predictors shows, and what it does not."""
    values = {name: row[name] for name in ("n_lines", "predictor_a", "predictor_b")}
    values |= {
        "p": p_text(row["williams_p"]),
        "low": row["zou_ci_low"],
        "high": row["zou_ci_high"],
        "signs": _signs(row),
    }
    values |= {"caveat": NOT_A_TEST, "needed": settings.min_lines_inference}
    if not math.isfinite(row["williams_p"]):
        return Finding("COMPARISON_TOO_FEW", "info", values=values)
    if row["williams_p"] >= settings.alpha:
        return Finding("COMPARISON_NO_DIFFERENCE", "info", values=values)
    if row["r_a"] < 0 and row["r_b"] < 0:
        better = row["predictor_a"] if row["r_a"] < row["r_b"] else row["predictor_b"]
        return Finding("COMPARISON_BETTER", "info", values=values | {"better": better})
    return Finding("COMPARISON_DIFFER", "info", values=values)


def _signs(row: dict[str, Any]) -> str:
    """What the signs of the two correlations mean, where they are not both inverse."""
    if row["r_a"] < 0 and row["r_b"] < 0:
        return ""
    both = "opposite signs" if row["r_a"] * row["r_b"] < 0 else "no inverse sign"
    return f" The two correlations have {both}: more ASNS should mean less sensitive."


def banner(table: pd.DataFrame) -> str:
    """The warning to stand above results that rest on mRNA alone; empty otherwise."""
    predictors = set(table["predictor"])
    return (
        BANNER
        if MRNA in predictors and not any(name.startswith("protein") for name in predictors)
        else ""
    )


def influence(lines: pd.DataFrame, predictor: str, outcome: str) -> pd.DataFrame:
    """Spearman's rho with each line left out in turn: `cell_line`, `spearman_without`, `change`,
    largest change first.
    """
    pairs = lines[["cell_line", predictor, outcome]].dropna()
    full = stats.spearman(pairs[predictor], pairs[outcome]).r
    values = stats.leave_one_out(pairs[predictor], pairs[outcome]).values
    table = pd.DataFrame(
        {
            "cell_line": pairs["cell_line"].to_numpy(),
            "spearman_without": values,
            "change": values - full,
        }
    )
    return table.sort_values("change", key=np.abs, ascending=False, ignore_index=True)


def by_lineage(
    lines: pd.DataFrame, predictor: str, outcome: str, settings: AsnsLimits
) -> pd.DataFrame:
    """Does the correlation live within lineages? `scope` all, partial (lineage held fixed) and each
    lineage; `n_lines`, `spearman`, interval, `p`, `note`.

    Two clusters that differ in both values make a correlation alone; where lineage explains all,
    the partial row says "not separable".
    """
    pairs = lines[["cell_line", "lineage", predictor, outcome]].copy()
    pairs[[predictor, outcome]] = pairs[[predictor, outcome]].astype(float)
    pairs["lineage"] = pairs["lineage"].fillna("").replace("", "unknown")
    pairs = pairs.dropna(subset=[predictor, outcome])
    rows = [_scope("all lines", pairs, predictor, outcome, settings)]
    dummies = pd.get_dummies(pairs["lineage"], dtype=float).iloc[:, 1:]
    if len(pairs) and dummies.shape[1]:
        partial = stats.partial_spearman(pairs[predictor], pairs[outcome], dummies)
        note = partial.p_method if math.isnan(partial.r) else "lineage held fixed"
        infer = partial.n - dummies.shape[1] >= settings.min_lines_inference
        interval = (partial.ci_low, partial.ci_high, partial.p) if infer else (math.nan,) * 3
        rows.append(
            dict(
                zip(
                    ("scope", "n_lines", "spearman", "ci_low", "ci_high", "p", "note"),
                    ("within lineages", partial.n, partial.r, *interval, note),
                )
            )
        )
    rows += [
        _scope(str(name), group, predictor, outcome, settings)
        for name, group in pairs.groupby("lineage", sort=True)
    ]
    return pd.DataFrame(rows)


def _scope(
    name: str, pairs: pd.DataFrame, predictor: str, outcome: str, settings: AsnsLimits
) -> dict[str, Any]:
    n = len(pairs)
    rho = (
        stats.spearman(pairs[predictor], pairs[outcome])
        if n >= settings.min_lines_estimate
        else None
    )
    infer = rho is not None and n >= settings.min_lines_inference
    values = (rho.ci_low, rho.ci_high, rho.p) if rho is not None and infer else (math.nan,) * 3
    note = "" if infer else "descriptive" if rho is not None else "too few lines"
    return {
        "scope": name,
        "n_lines": n,
        "spearman": rho.r if rho else math.nan,
        "ci_low": values[0],
        "ci_high": values[1],
        "p": values[2],
        "note": note,
    }


def discordant(
    lines: pd.DataFrame, settings: AsnsLimits, protein: str = "protein", mrna: str = MRNA
) -> pd.DataFrame:
    """Lines with mRNA but hardly any protein: z(mRNA) - z(protein) above `discordant_z` and protein
    at or below the low cut-off.

    `cell_line`, `z_mrna`, `z_protein`, `difference`, `percent_of_reference`. z scores need three
    lines; where the percent is not known
    (a panel) the lowest quarter of protein stands in for it.
    """
    columns = ["cell_line", "z_mrna", "z_protein", "difference", "percent_of_reference"]
    if not {protein, mrna} <= set(lines):
        return pd.DataFrame(columns=columns)
    both = lines[lines[protein].notna() & lines[mrna].notna()]
    if len(both) < 3 or not np.ptp(both[protein]) or not np.ptp(both[mrna]):
        return pd.DataFrame(columns=columns)
    z = {
        name: (both[name] - both[name].mean()) / both[name].std(ddof=1) for name in (protein, mrna)
    }
    percent = (
        both["percent_of_reference"]
        if "percent_of_reference" in both
        else pd.Series(math.nan, index=both.index)
    )
    low = (
        percent <= settings.asns_low_percent
        if percent.notna().any()
        else both[protein] <= both[protein].quantile(0.25)
    )
    table = pd.DataFrame(
        {
            "cell_line": both["cell_line"],
            "z_mrna": z[mrna],
            "z_protein": z[protein],
            "difference": z[mrna] - z[protein],
            "percent_of_reference": percent,
        }
    )
    return table[low & (table["difference"] > settings.discordant_z)].sort_values(
        "difference", ascending=False, ignore_index=True
    )


def roc(lines: pd.DataFrame, predictor: str, settings: AsnsLimits) -> dict[str, Any]:
    """How well low ASNS tells auxotrophs from the rest: AUC with interval and exact p, the warning
    of small classes, and, only with enough
    lines, a cut-off with its accuracy when every line is judged by a cut-off found without it
    (nested leave-one-out)."""
    known = (
        lines[lines["auxotroph"].notna() & lines[predictor].notna()]
        if {"auxotroph", predictor} <= set(lines)
        else lines.iloc[:0]
    )
    score = -known[predictor].to_numpy(float) if len(known) else np.array([])
    positive = known["auxotroph"].to_numpy(bool) if len(known) else np.array([], bool)
    area = stats.auc(score[positive], score[~positive])
    least = min(area.n_positive, area.n_negative)
    result: dict[str, Any] = {
        "predictor": predictor,
        **area._asdict(),
        "cutoff": math.nan,
        "accuracy_left_out": math.nan,
    }
    chance = (
        1 / math.comb(area.n_positive + area.n_negative, area.n_positive) if least else math.nan
    )
    if least < settings.min_lines_per_class:
        note = (
            f"{area.n_positive} auxotrophs against {area.n_negative} others: at least"
            f" {settings.min_lines_per_class} per class are needed"
        )
        separate = (
            "; chance alone separates the two classes perfectly, low ASNS with auxotrophs, in"
            f" {100 * chance:.0f} % of cases"
            if least
            else ""
        )
        return result | {"note": note + separate + "; no cut-off is given"}
    hits = [
        (-score[i] <= _cutoff(-np.delete(score, i), np.delete(positive, i))) == positive[i]
        for i in range(len(score))
    ]
    return result | {
        "cutoff": _cutoff(-score, positive),
        "accuracy_left_out": float(np.mean(hits)),
        "note": "cut-off judged on lines it was not made from",
    }


def _cutoff(values: np.ndarray, positive: np.ndarray) -> float:
    """The value with the highest Youden index (auxotroph at or below it), midway to the next
    line.
    """
    levels = np.unique(values)
    middles = (levels[:-1] + levels[1:]) / 2 if len(levels) > 1 else levels
    youden = [
        np.mean(values[positive] <= cut) - np.mean(values[~positive] <= cut) for cut in middles
    ]
    return float(middles[int(np.argmax(youden))])
