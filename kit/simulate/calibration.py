"""How often confident calls are wrong: whole experiments with planted truth, by number of
replicates and kind of noise. `python -m kit.simulate.calibration FILE` writes the table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kit.calls import posterior
from kit.calls.calls import decide
from kit.calls.evidence import Cells, Evidence
from kit.config.settings import Settings

NOISE = ("normal 0.08", "normal 0.15", "t3 0.08", "unequal SDs 0.04 to 0.15", "one outlier of 0.8")
LINES, NEAR = 8, 0.05


def noise(kind: str, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Scatter of `n` replicates of LINES lines, GR; t3 is scaled to the SD that its name says. The
    outlier moves one replicate of the first line by 0.8, up or down, at SD 0.08.
    """
    if kind.startswith("t3"):
        return 0.08 * rng.standard_t(3, (LINES, n)) / np.sqrt(3)
    if kind.startswith("unequal"):
        return rng.uniform(0.04, 0.15, (LINES, 1)) * rng.standard_normal((LINES, n))
    scatter = (0.15 if kind.endswith("0.15") else 0.08) * rng.standard_normal((LINES, n))
    if kind.startswith("one outlier"):
        scatter[0, rng.integers(n)] += 0.8 * rng.choice([-1, 1])
    return scatter


def calibration(kind: str, n: int, experiments: int, seed: int = 0) -> dict[str, object]:
    """Shares over all calls of `experiments` experiments; truth is uniform over -0.5 to 1.1, death
    is not measured, rescue is full. With an outlier only its own line counts.
    """
    settings, rng = Settings(posterior_draws=1000), np.random.default_rng([seed, n])
    cutoffs, rows = posterior.Cutoffs.of(settings), []
    for number in range(experiments):
        truth = rng.uniform(-0.5, 1.1, LINES)
        data = truth[:, None] + noise(kind, n, rng)
        for line in range(1 if kind.startswith("one outlier") else LINES):
            item = Evidence(
                "L",
                "asparagine",
                "no_asn",
                data[line],
                None,
                gr_replicates=tuple(range(n)),
                rescue="full",
                cells=Cells(tuple(data)),
            )
            call = decide(item, settings)
            scale = posterior.Scale.of(settings, data)
            draws, _ = posterior.draw(data[line], None, settings, number, scale=scale)
            low, high = np.quantile(draws, [0.025, 0.975])
            near = min(abs(truth[line] - cutoffs.gr_low), abs(truth[line] - cutoffs.gr_high))
            right = call.certainty.winner == posterior.classify(truth[line], None, cutoffs)
            sure = call.confidence == "confident"
            probability = call.certainty.probability
            rows.append((sure, right, near < NEAR, low <= truth[line] <= high, probability))
    table = pd.DataFrame(rows, columns=["sure", "right", "near", "covered", "probability"])
    sure, near = table[table["sure"]], table[table["near"]]
    return {
        "noise": kind,
        "replicates": n,
        "calls": len(table),
        "confident": table["sure"].mean(),
        "wrong_of_confident": (~sure["right"]).mean() if len(sure) else np.nan,
        "confidently_wrong_near_cutoff": (near["sure"] & ~near["right"]).mean(),
        "stated_probability": table["probability"].mean(),
        "right": table["right"].mean(),
        "interval_covers": table["covered"].mean(),
    }


def calibration_table(
    experiments: int, replicates: Sequence[int] = (2, 3, 4, 6, 10), seed: int = 0
) -> pd.DataFrame:
    """One row per kind of noise and number of replicates; an outlier gives one call per experiment,
    so it gets more experiments.
    """
    return pd.DataFrame(
        calibration(kind, n, experiments * (4 if kind.startswith("one outlier") else 1), seed)
        for kind in NOISE
        for n in replicates
    ).round(4)


if __name__ == "__main__":
    calibration_table(400).to_csv(sys.argv[1], index=False)
