"""How well onset, recovery and the factorial find what was planted:
`python -m kit.simulate.courses TABLE.csv [SIMULATIONS]`.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats as sps

from kit.effects.factorial import factorial_verdict, fit_factorial
from kit.timecourse.onset import find_onset
from kit.timecourse.rates import growth_rate
from kit.timecourse.recovery import recovery_class, recovery_share

Floats = NDArray[np.float64]
SEED = 19
INTERVAL_H, LAST_H, ADDBACK_H = 2.0, 72.0, 24.0
NOISE, RHO, WELLS = 0.05, 0.5, 4
"""SD of a well's log2 signal, the correlation of scans that follow each other, wells of an arm."""
RATE = 1 / 24
"""Doublings per hour of the control."""
ONSET_SD_H, RATE_SD = 1.0, 0.05
"""Between experiments: SD of the onset, and of the rates as a share."""
CLASSES = {0.95: "reversible", 0.5: "partly_reversible", 0.0: "irreversible"}
VERDICTS = {1.0: "FACTORIAL_ACTS_THROUGH", 0.4: "FACTORIAL_PART", 0.0: "FACTORIAL_BEYOND"}
LOSS = 2.0
"""Doublings that the loss of glutamine costs in the factorial."""


def scans(rng: np.random.Generator, experiments: int, hours: Floats) -> Floats:
    """Noise of an arm's mean over its wells, log2, shape (experiments, scans)."""
    noise = rng.normal(0, NOISE, (experiments, WELLS, len(hours)))
    for i in range(1, len(hours)):
        noise[..., i] = RHO * noise[..., i - 1] + math.sqrt(1 - RHO**2) * noise[..., i]
    mean: Floats = noise.mean(axis=1)
    return mean


def onsets(truth_h: float, experiments: int, n: int, seed: int = SEED) -> dict[str, Any]:
    """Bias, cover of the t interval over experiments, and share of series with an onset.

    Parameters
    ----------
    truth_h
        Planted hour; infinite: the line does not react.
    experiments
        Experiments of one assay.
    n
        Assays.
    """
    rng, hours = np.random.default_rng(seed), np.arange(4.0, LAST_H + 0.1, INTERVAL_H)
    means, covered, found = [], 0, 0
    for _ in range(n):
        noise = scans(rng, experiments, hours) - scans(rng, experiments, hours)
        at = truth_h + rng.normal(0, ONSET_SD_H, experiments)
        falls = RATE * np.maximum(hours - at[:, None], 0.0)
        fits = [find_onset(hours, row) for row in noise - falls]
        seen = np.array([fit.onset_h for fit in fits if fit.found])
        found += len(seen)
        if len(seen) > 1:
            half = sps.t.isf(0.025, len(seen) - 1) * seen.std(ddof=1) / math.sqrt(len(seen))
            covered += abs(seen.mean() - truth_h) <= half
            means.append(seen.mean() - truth_h)
    planted = math.isfinite(truth_h)
    return {
        "question": "hour of the onset" if planted else "onset where there is none",
        "truth": truth_h if planted else math.nan,
        "experiments": experiments,
        "sd": NOISE,
        "n": n,
        "bias": float(np.mean(means)) if planted else math.nan,
        "covers": covered / n if planted else math.nan,
        "found": found / (n * experiments),
    }


def recoveries(truth: float, experiments: int, n: int, seed: int = SEED) -> dict[str, Any]:
    """Bias and cover of the recovery's share, and share of assays with the planted class."""
    rng = np.random.default_rng(seed)
    hours = np.arange(ADDBACK_H + 12, ADDBACK_H + 48, INTERVAL_H)
    shares, right, wrong, covered = [], 0, 0, 0
    for _ in range(n):
        rates = []
        for mean in (truth * RATE, RATE):
            own = mean + RATE * rng.normal(0, RATE_SD, experiments)
            y = own[:, None] * hours + scans(rng, experiments, hours)
            rates.append([growth_rate(hours, 2.0**row).rate for row in y])
        share = recovery_share(*rates)
        kind = recovery_class(share)
        shares.append(share.ratio)
        covered += share.low <= truth <= share.high
        right += kind == CLASSES[truth]
        wrong += kind not in (CLASSES[truth], "indeterminate")
    return {
        "question": "recovery as a share of the rate of control",
        "truth": truth,
        "experiments": experiments,
        "sd": NOISE,
        "n": n,
        "bias": float(np.mean(shares)) - truth,
        "covers": covered / n,
        "found": right / n,
        "wrong": wrong / n,
    }


def factorials(
    share: float, sd: float, experiments: int, n: int, seed: int = SEED
) -> dict[str, Any]:
    """Share of factorials with the planted verdict, and with a false "acts through"."""
    rng = np.random.default_rng(seed)
    # Arms: both amino acids, without the first, without the second, neither.
    means = np.array([3.0, 3.0, 3.0 - LOSS + share * LOSS, 3.0 - LOSS])
    verdicts, covered, shares = [], 0, []
    for _ in range(n):
        day = rng.normal(0, sd, (experiments, 1))
        fit = fit_factorial(means + day + rng.normal(0, sd, (experiments, 4)))
        verdicts.append(factorial_verdict(fit))
        shares.append(fit.share.ratio)
        covered += fit.share.low <= share <= fit.share.high
    acts = np.mean([item == "FACTORIAL_ACTS_THROUGH" for item in verdicts])
    return {
        "question": "factorial: share that the first amino acid restores",
        "truth": share,
        "experiments": experiments,
        "sd": sd,
        "n": n,
        "bias": float(np.mean(shares)) - share,
        "covers": covered / n,
        "found": float(np.mean([item == VERDICTS[share] for item in verdicts])),
        "wrong": 0.0 if share == 1.0 else float(acts),
    }


def table(n: int = 2000, seed: int = SEED) -> pd.DataFrame:
    """Every question: `found` is the share with an onset, the planted class or verdict; `wrong`
    another class, or a false "acts through".
    """
    rows = [onsets(hour, count, n, seed) for hour in (8.0, 16.0, 24.0) for count in (3, 4)]
    rows += [onsets(math.inf, 4, n, seed)]
    rows += [recoveries(truth, count, n, seed) for truth in CLASSES for count in (3, 4)]
    rows += [
        factorials(share, sd, count, n, seed)
        for share in VERDICTS
        for sd, count in ((0.15, 4), (0.25, 4), (0.25, 6))
    ]
    return pd.DataFrame(rows).round(4)


if __name__ == "__main__":
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    print(f"seed {SEED}, {size} assays a row")
    table(size).to_csv(sys.argv[1], index=False, lineterminator="\n")
