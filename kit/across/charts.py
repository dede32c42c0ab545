"""Results of many experiments -> control charts, and how well repeats of one line agree. Array and
frame functions; nothing is read.

Individuals and moving-range charts: Shewhart's three-sigma limits, sigma from the mean moving range
(Montgomery, Introduction to
Statistical Quality Control; ISO 7870-2). Repeats: one-way random effects (Shrout & Fleiss 1979),
the limit within which 95 % of pairs of experiments
should agree (ISO 5725-6; Bland & Altman 1999), and Fleiss' kappa of the calls (Fleiss 1971).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats as distributions

D2 = 2 / math.sqrt(math.pi)  # mean range of two normal values over sigma, 1.128
D3 = math.sqrt(2 - D2**2)  # its standard deviation over sigma, 0.853
SIGMAS = 3.0  # Shewhart
RUN = 9  # points in a row on one side of the centre (Nelson 1984, rule 2)
MIN_POINTS = 8  # [K] fewer give no limits
FIRM_POINTS = 20  # limits from fewer are provisional (Montgomery: 20 to 25)
PAIR_FACTOR = 1.959964 * math.sqrt(
    2
)  # 95 % of differences of two values lie within this many SDs, 2.77


class Chart(NamedTuple):
    """An individuals and moving-range chart; `moving_range` has NaN first, limits are NaN below
    `MIN_POINTS` values.

    `beyond` marks values outside `lower`..`upper`, `run` values that end nine or more in a row on
    one side of the centre, `jump` moving
    ranges above `range_upper`.
    """

    centre: float
    sigma: float
    lower: float
    upper: float
    moving_range: NDArray[np.float64]
    range_upper: float
    beyond: NDArray[np.bool_]
    run: NDArray[np.bool_]
    jump: NDArray[np.bool_]


def control_chart(values: ArrayLike) -> Chart:
    """The chart of `values` in their order in time: centre = mean, limits = centre -+ 3 mean(|x_i -
    x_(i-1)|) / 1.128.

    Raises ValueError where a value is not finite: a gap is no neighbour.
    """
    x = np.asarray(values, float)
    if not np.isfinite(x).all():
        raise ValueError("a control chart needs finite values")
    ranges = np.r_[np.full(min(1, len(x)), np.nan), np.abs(np.diff(x))]
    nothing = np.zeros(len(x), bool)
    if len(x) < MIN_POINTS:
        centre = float(x.mean()) if len(x) else math.nan
        return Chart(
            centre, math.nan, math.nan, math.nan, ranges, math.nan, nothing, nothing, nothing
        )
    centre, sigma = float(x.mean()), float(np.nanmean(ranges)) / D2
    lower, upper, range_upper = (
        centre - SIGMAS * sigma,
        centre + SIGMAS * sigma,
        (D2 + SIGMAS * D3) * sigma,
    )
    beyond = (x < lower) | (x > upper)
    return Chart(
        centre,
        sigma,
        lower,
        upper,
        ranges,
        range_upper,
        beyond,
        _run_lengths(x - centre) >= RUN,
        np.nan_to_num(ranges) > range_upper,
    )


def _run_lengths(deviations: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each value how many in a row, it included, lie on its side of zero; 0 on zero itself."""
    lengths = np.zeros(len(deviations), np.int64)
    for index, side in enumerate(np.sign(deviations)):
        if side:
            lengths[index] = 1 + (
                lengths[index - 1] if index and np.sign(deviations[index - 1]) == side else 0
            )
    return lengths


SERIES = ("measure", "readout", "hours", "cell_line")
"""What one chart is of: points of one chart differ in nothing but the experiment."""


def charts(points: pd.DataFrame) -> pd.DataFrame:
    """Points (`SERIES`, `experiment_id`, `value`, in order of time) with their chart: `centre`,
    `sigma`, `lower`, `upper`, `moving_range`,
    `range_upper`, `beyond`, `run`, `jump`."""
    columns = (
        "centre",
        "sigma",
        "lower",
        "upper",
        "moving_range",
        "range_upper",
        "beyond",
        "run",
        "jump",
    )
    parts = []
    for _, part in points.groupby(list(SERIES), sort=False):
        chart = control_chart(part["value"])
        parts.append(part.assign(**{name: getattr(chart, name) for name in columns}))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=[*points.columns, *columns])
    )


def chart_summary(charted: pd.DataFrame) -> pd.DataFrame:
    """One row per chart, worst first: `n_experiments`, centre, limits, how many points are marked,
    `finding` in words.
    """
    rows: list[dict[str, Any]] = []
    for key, part in charted.groupby(list(SERIES), sort=False):
        marked = part["beyond"] | part["run"] | part["jump"]
        row = (
            dict(zip(SERIES, key))
            | {"n_experiments": len(part)}
            | {name: part[name].iloc[0] for name in ("centre", "sigma", "lower", "upper")}
        )
        row |= {
            "n_beyond": int(part["beyond"].sum()),
            "n_run": int(part["run"].sum()),
            "n_jump": int(part["jump"].sum()),
        }
        row |= {
            "finding": _finding(part),
            "marked": ", ".join(part.loc[marked, "experiment_id"].astype(str)),
        }
        rows.append(row)
    counts = ["n_experiments", "centre", "sigma", "lower", "upper", "n_beyond", "n_run", "n_jump"]
    table = pd.DataFrame(rows, columns=[*SERIES, *counts, "finding", "marked"])
    return table.sort_values(
        ["n_beyond", "n_run", "n_experiments"], ascending=False, kind="stable", ignore_index=True
    )


def _finding(part: pd.DataFrame) -> str:
    n = len(part)
    if n < MIN_POINTS:
        return f"{n} experiment{'s' * (n != 1)}: no limits below {MIN_POINTS}"
    parts = [f"{int(part['beyond'].sum())} beyond the limits"] if part["beyond"].any() else []
    parts += [f"drift or shift: {RUN} or more in a row on one side"] if part["run"].any() else []
    parts += ["a jump between neighbours"] if part["jump"].any() else []
    provisional = f"; limits provisional below {FIRM_POINTS} experiments" if n < FIRM_POINTS else ""
    return ("; ".join(parts) or "in control") + provisional


class Repeatability(NamedTuple):
    """One-way random effects: SD between experiments of one subject with its 95 % interval, `limit`
    for the difference of two experiments,
    intraclass correlation ICC(1,1) with its interval (exact where every subject has equally many
    repeats)."""

    n_subjects: int
    n_values: int
    sd_within: float
    sd_low: float
    sd_high: float
    limit: float
    icc: float
    icc_low: float
    icc_high: float


def repeatability(values: ArrayLike, subjects: ArrayLike, level: float = 0.95) -> Repeatability:
    """How well repeats agree: `values` of `subjects` (a line and amino acid), a value per
    experiment; subjects with one value are left out.

    `s_w^2 = MS_within`, its interval from chi-square; `ICC = (MSB - MSW) / (MSB + (n0 - 1) MSW)`,
    n0 the mean number of repeats
    corrected for imbalance, its interval from F. What cannot be estimated is NaN.
    """
    frame = pd.DataFrame(
        {"value": np.asarray(values, float), "subject": np.asarray(subjects)}
    ).dropna()
    frame = frame[frame.groupby("subject")["value"].transform("size") > 1]
    groups = frame.groupby("subject")["value"]
    sizes, k, n = np.asarray(groups.size(), np.float64), groups.ngroups, len(frame)
    if not k:
        return Repeatability(0, 0, *(math.nan,) * 7)
    within = float(((frame["value"] - groups.transform("mean")) ** 2).sum())
    sd, tail = math.sqrt(within / (n - k)), (1 - level) / 2
    sd_low, sd_high = (
        math.sqrt(within / distributions.chi2.ppf(q, n - k)) for q in (1 - tail, tail)
    )
    icc = _icc(frame["value"].to_numpy(float), groups.mean().to_numpy(float), sizes, within, tail)
    return Repeatability(k, n, sd, sd_low, sd_high, PAIR_FACTOR * sd, *icc)


def _icc(
    values: NDArray[np.float64],
    means: NDArray[np.float64],
    sizes: NDArray[np.float64],
    within: float,
    tail: float,
) -> tuple[float, float, float]:
    """ICC(1,1) and its interval; NaN for a single subject or when nothing varies."""
    k, n = len(sizes), len(values)
    if k < 2 or within <= 0:
        return (math.nan,) * 3
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (k - 1)
    n0 = (n - (sizes**2).sum() / n) / (k - 1)
    ratio = between / (within / (n - k))
    low = ratio / distributions.f.ppf(1 - tail, k - 1, n - k)
    high = ratio * distributions.f.ppf(1 - tail, n - k, k - 1)
    return (ratio - 1) / (ratio + n0 - 1), (low - 1) / (low + n0 - 1), (high - 1) / (high + n0 - 1)


class Agreement(NamedTuple):
    """`share`: mean over subjects of the share of pairs of experiments that agree; `kappa`: that
    share beyond chance.
    """

    n_subjects: int
    n_ratings: int
    share: float
    kappa: float


def fleiss_kappa(counts: ArrayLike) -> Agreement:
    """Agreement of calls from `counts` (subjects x classes: in how many experiments the subject got
    the class), Fleiss 1971.

    Subjects may have different numbers of experiments, those with fewer than two are left out.
    kappa is NaN where only one class occurs.
    """
    table = np.atleast_2d(np.asarray(counts, float))
    table = table[table.sum(axis=1) >= 2]
    if not len(table):
        return Agreement(0, 0, math.nan, math.nan)
    share = float(pair_agreement(table).mean())
    chance = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return Agreement(
        len(table),
        int(table.sum()),
        share,
        (share - chance) / (1 - chance) if chance < 1 else math.nan,
    )


def pair_agreement(counts: ArrayLike) -> NDArray[np.float64]:
    """Per subject the share of pairs of experiments with the same class; NaN with fewer than
    two.
    """
    table = np.asarray(counts, float)
    n = table.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n >= 2, (table * (table - 1)).sum(axis=-1) / (n * (n - 1)), np.nan)


SUBJECT = ("cell_line", "amino_acid")
NO_CALL = "inconclusive"


def repeats(calls: pd.DataFrame) -> pd.DataFrame:
    """One row per line and amino acid measured in two or more experiments; `calls` has one row per
    experiment and subject.

    `n_experiments`, `call` (the commonest conclusive one), `n_inconclusive`, `agreement` (share of
    pairs of conclusive calls that agree),
    `calls` (counts in words), `gr_mean`, `gr_sd`, `gr_low`, `gr_high` (smallest and largest). Least
    agreement first.
    """
    rows = [
        _repeat(key, part)
        for key, part in calls.groupby(list(SUBJECT), sort=False)
        if len(part) > 1
    ]
    columns = [
        *SUBJECT,
        "n_experiments",
        "call",
        "agreement",
        "n_inconclusive",
        "calls",
        "gr_mean",
        "gr_sd",
        "gr_low",
        "gr_high",
    ]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["agreement", "gr_sd"], ascending=[True, False], ignore_index=True
    )


def _repeat(key: tuple[Any, ...], part: pd.DataFrame) -> dict[str, Any]:
    counts, gr = part["call"].value_counts(), part["gr"].astype(float)
    firm = counts.drop(NO_CALL, errors="ignore")
    spread = {
        "gr_mean": gr.mean(),
        "gr_sd": gr.std(ddof=1),
        "gr_low": gr.min(),
        "gr_high": gr.max(),
    }
    words = ", ".join(f"{count} {str(call).replace('_', ' ')}" for call, count in counts.items())
    agreement = float(pair_agreement(firm.to_numpy(float))) if len(firm) else math.nan
    common = firm.index[0] if len(firm) else NO_CALL
    return (
        dict(zip(SUBJECT, key))
        | {
            "n_experiments": len(part),
            "call": common,
            "n_inconclusive": int(counts.get(NO_CALL, 0)),
            "agreement": agreement,
            "calls": words,
        }
        | spread
    )


def agreement(calls: pd.DataFrame) -> pd.DataFrame:
    """Repeats of all subjects and of each amino acid: agreement and kappa of conclusive calls, and
    repeatability of GR (`gr_...`).
    """
    scopes: Iterable[tuple[str, pd.DataFrame]] = [
        ("all", calls),
        *((f"without {name}", part) for name, part in calls.groupby("amino_acid", sort=True)),
    ]
    return pd.DataFrame([_scope(name, part) for name, part in scopes])


def _scope(name: str, calls: pd.DataFrame) -> dict[str, Any]:
    subject = calls["cell_line"].astype(str) + "\n" + calls["amino_acid"].astype(str)
    firm = calls["call"].ne(NO_CALL)
    counts = (
        pd.crosstab(subject[firm], calls.loc[firm, "call"]).to_numpy(float)
        if firm.any()
        else np.zeros((0, 1))
    )
    said, gr = fleiss_kappa(counts), repeatability(calls["gr"].to_numpy(float), subject.to_numpy())
    row: dict[str, Any] = {
        "scope": name,
        "n_subjects": said.n_subjects,
        "n_calls": said.n_ratings,
        "agreement": said.share,
        "kappa": said.kappa,
    }
    return row | {f"gr_{field}": value for field, value in gr._asdict().items()}
