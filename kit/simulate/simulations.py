"""Operating characteristics of the tests, from simulated experiments with a known truth: `python -m
kit.simulate.simulations`.

Every function is seeded and returns a table or numbers. The test suite runs small versions; the
command prints the full ones.
Units are log2; one row of blocks is a biological replicate, one column a medium, the first column
the control.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats as sps

from kit import stats
from kit.calls import posterior
from kit.config.settings import CallSettings, EffectSettings
from kit.effects.effects import effects
from kit.effects.rescue import rescue

Floats = NDArray[np.float64]
MEDIA = {
    "complete": SimpleNamespace(role="control", removes=None, restores=None),
    "no_asn": SimpleNamespace(role="dropout", removes="asparagine", restores=None),
    "no_gln": SimpleNamespace(role="dropout", removes="glutamine", restores=None),
    "no_ser": SimpleNamespace(role="dropout", removes="serine", restores=None),
    "no_asn_rescue": SimpleNamespace(role="rescue", removes=None, restores="asparagine"),
}
"""The five-group screen of the protocol."""


def blocks(
    n: int,
    n_blocks: int,
    sds: Sequence[float],
    run_sd: float,
    rng: np.random.Generator,
    truth: Sequence[float] | None = None,
) -> Floats:
    """n experiments, shape (n, blocks, groups): truth + run effect (shared by the groups of a
    block) + error with one SD per group.
    """
    mean = np.zeros(len(sds)) if truth is None else np.asarray(truth, dtype=float)
    run = rng.normal(0, run_sd, (n, n_blocks, 1))
    return np.asarray(mean + run + rng.normal(size=(n, n_blocks, len(sds))) * np.asarray(sds))


def block_analysis(y: Floats) -> tuple[Floats, Floats, int]:
    """Differences from the control (n, groups-1), their standard error (n,), residual df: the
    textbook formulas, many tables at once.
    """
    _, n_blocks, n_groups = y.shape
    residual = (
        y
        - y.mean(axis=1, keepdims=True)
        - y.mean(axis=2, keepdims=True)
        + y.mean(axis=(1, 2), keepdims=True)
    )
    df = (n_blocks - 1) * (n_groups - 1)
    se = np.sqrt(2 * (residual**2).sum(axis=(1, 2)) / df / n_blocks)
    means = y.mean(axis=1)
    return means[:, 1:] - means[:, :1], se, df


def family_error(
    n: int = 20_000, n_blocks: int = 3, n_groups: int = 5, run_sd: float = 0.2, seed: int = 0
) -> float:
    """Share of null experiments in which blocked Dunnett (all groups against control) finds
    anything; should be 0.05.
    """
    estimate, se, df = block_analysis(
        blocks(n, n_blocks, [0.15] * n_groups, run_sd, np.random.default_rng(seed))
    )
    return float(
        (np.abs(estimate / se[:, None]) > stats.dunnett_critical(n_groups - 1, df))
        .any(axis=1)
        .mean()
    )


def wells_as_n(
    n: int = 20_000,
    runs: int = 3,
    wells: int = 6,
    run_sd: float = 0.2,
    well_sd: float = 0.15,
    seed: int = 0,
) -> dict[str, float]:
    """False positives of one null comparison when each run moves each medium by `run_sd`: wells as
    n, and run means as n.

    An effect of the run on all media alike would not show here: it would make wells as n too timid
    instead.
    """
    rng = np.random.default_rng(seed)
    a, b = (
        rng.normal(0, run_sd, (n, runs, 1)) + rng.normal(0, well_sd, (n, runs, wells))
        for _ in range(2)
    )
    by_well = sps.ttest_ind(a.reshape(n, -1), b.reshape(n, -1), axis=1).pvalue
    by_run = sps.ttest_rel(a.mean(axis=2), b.mean(axis=2), axis=1).pvalue
    return {
        "wells as n": float((by_well < 0.05).mean()),
        "run means as n": float((by_run < 0.05).mean()),
    }


def coverage(
    n: int = 20_000,
    n_blocks: int = 3,
    seed: int = 0,
    truth: Sequence[float] = (0, -1.2, -0.5, 0.0, -0.1),
) -> dict[str, float]:
    """Share of 95 % intervals that hold the truth: all comparisons at once (Dunnett), and one at a
    time (t).
    """
    estimate, se, df = block_analysis(
        blocks(n, n_blocks, [0.15] * len(truth), 0.3, np.random.default_rng(seed), truth)
    )
    off = np.abs(estimate - np.asarray(truth)[1:]) / se[:, None]
    together = (off <= stats.dunnett_critical(len(truth) - 1, df)).all(axis=1)
    return {
        "simultaneous": float(together.mean()),
        "single": float((off <= sps.t.isf(0.025, df)).mean()),
    }


def detectable_effects(n: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Effects found with 80 % power (5 groups, 4 comparisons), and the power simulated at each."""
    rows = []
    for n_blocks in (3, 4, 6):
        for sd_diff in (0.15, 0.25, 0.40):
            effect = stats.minimum_detectable_effect(n_blocks, 5, sd_diff, 4)
            rng = np.random.default_rng(seed)
            estimate, se, df = block_analysis(
                blocks(n, n_blocks, [sd_diff / math.sqrt(2)] * 5, 0.3, rng, [0, effect, 0, 0, 0])
            )
            critical = stats.dunnett_critical(4, df)
            power = float((np.abs(estimate[:, 0] / se) > critical).mean())
            rows.append(
                {
                    "blocks": n_blocks,
                    "SD of difference": sd_diff,
                    "critical": critical,
                    "effect": effect,
                    "simulated power": power,
                }
            )
    return pd.DataFrame(rows)


def pairing(
    n: int = 20_000, effect: float = -0.7, sd: float = 0.22, run_sd: float = 0.33, seed: int = 0
) -> dict[str, float]:
    """Power to see one dropout among three in 3 blocks of 5 groups: blocks used, and blocks ignored
    (run effect left in the error).
    """
    y = blocks(n, 3, [sd] * 5, run_sd, np.random.default_rng(seed), [0, effect, 0, 0, 0])
    estimate, se, df = block_analysis(y)
    paired = np.abs(estimate[:, 0] / se) > stats.dunnett_critical(3, df)
    pooled = np.sqrt(2 / 3 * y.var(axis=1, ddof=1).mean(axis=1))
    unpaired = np.abs(estimate[:, 0] / pooled) > stats.dunnett_critical(3, 10)
    return {"paired": float(paired.mean()), "unpaired": float(unpaired.mean())}


def equivalence_power(n: int = 40_000, seed: int = 0, margin: float = 0.322) -> pd.DataFrame:
    """Chance to show that a perfect rescue equals control, by quadrature and simulated; paired SD,
    or the pooled residual of 5 groups.
    """
    rows = []
    for n_blocks, pooled in ((3, False), (5, False), (3, True)):
        df = (n_blocks - 1) * (4 if pooled else 1)
        for sd_diff in (0.15, 0.20, 0.25):
            y = blocks(
                n,
                n_blocks,
                [sd_diff / math.sqrt(2)] * (5 if pooled else 2),
                0.3,
                np.random.default_rng(seed),
            )
            estimate, se, _ = block_analysis(y)
            shown = np.abs(estimate[:, 0]) + sps.t.isf(0.05, df) * se < margin
            kind = "pooled" if pooled else "paired"
            exact = stats.tost_power(sd_diff, n_blocks, margin, df)
            rows.append(
                {
                    "blocks": n_blocks,
                    "error": kind,
                    "SD of difference": sd_diff,
                    "power": exact,
                    "simulated": float(shown.mean()),
                }
            )
    return pd.DataFrame(rows)


def unequal_spread(n: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Family error and power of four ways to meet unequal SDs.

    `dunnett` pools whatever the SDs; `paired` is paired t with Holm; `switch` goes over to it when
    SDs differ 3-fold; `kit` divides by the larger of both errors, with df between theirs (geometric mean).
    """
    cases = {
        "equal SDs": [0.18] * 5,
        "one dropout 3-fold": [0.18, 0.18, 0.18, 0.54, 0.18],
        "one dropout 6-fold": [0.18, 0.18, 0.18, 1.08, 0.18],
        "control 3-fold": [0.54, 0.18, 0.18, 0.18, 0.18],
    }
    rows = []
    for n_blocks in (3, 4, 6):
        for case, sds in cases.items():
            null = _four_ways(blocks(n, n_blocks, sds, 0.3, np.random.default_rng(seed)))
            real = _four_ways(
                blocks(n, n_blocks, sds, 0.3, np.random.default_rng(seed + 1), [0, -0.7, 0, 0, 0])
            )
            row: dict[str, object] = {
                "blocks": n_blocks,
                "case": case,
                "SDs differ 3-fold": float(null["unequal"].mean()),
            }
            row |= {
                f"error, {way}": float(null[way].any(axis=1).mean())
                for way in ("dunnett", "paired", "switch", "kit")
            }
            rows.append(
                row
                | {
                    f"power, {way}": float(real[way][:, 0].mean())
                    for way in ("dunnett", "paired", "switch", "kit")
                }
            )
    return pd.DataFrame(rows)


def _four_ways(y: Floats) -> dict[str, NDArray[np.bool_]]:
    """Which of the first three media each way calls different, per experiment."""
    difference = y[:, :, 1:] - y[:, :, :1]
    spread = difference.std(axis=1, ddof=1)
    unequal = (spread.max(axis=1) / spread.min(axis=1))[:, None] > 3
    estimate, pooled, df = block_analysis(y)
    n_blocks, size = y.shape[1], np.abs(estimate[:, :3])
    own = spread[:, :3] / math.sqrt(n_blocks)
    dunnett = size / pooled[:, None] > stats.dunnett_critical(3, df)
    p = 2 * sps.t.sf(size / own, n_blocks - 1)
    order = np.argsort(p, axis=1)
    stepped = np.maximum.accumulate(np.take_along_axis(p, order, axis=1) * [3, 2, 1], axis=1)
    paired = np.empty_like(p)
    np.put_along_axis(paired, order, stepped, axis=1)
    larger = np.maximum(pooled[:, None], own)
    return {
        "dunnett": dunnett,
        "paired": paired < 0.05,
        "switch": np.where(unequal, paired < 0.05, dunnett),
        "kit": size / larger > stats.dunnett_critical(3, math.sqrt(df * (n_blocks - 1))),
        "unequal": unequal,
    }


def correlation_power(
    n: int = 20_000, seed: int = 0, sizes: Sequence[int] = (10, 20, 30)
) -> dict[int, float]:
    """Power of Williams' t to tell |r| 0.8 from 0.3 when the predictors correlate by 0.5, by number
    of lines.
    """
    root = np.linalg.cholesky(np.array([[1, 0.8, 0.3], [0.8, 1, 0.5], [0.3, 0.5, 1]]))
    rng = np.random.default_rng(seed)
    found = {}
    for size in sizes:
        z = rng.normal(size=(n, size, 3)) @ root.T
        z -= z.mean(axis=1, keepdims=True)
        z /= np.sqrt((z**2).sum(axis=1, keepdims=True))
        r = np.einsum("nki,nkj->nij", z, z)
        test = stats.williams_test(r[:, 0, 1], r[:, 0, 2], r[:, 1, 2], size)
        found[size] = float((np.asarray(test.p) < 0.05).mean())
    return found


def growth_table(
    n_lines: int,
    n_replicates: int,
    truth: dict[str, float],
    sd: float,
    seed: int,
    doublings: float = 2.0,
) -> pd.DataFrame:
    """A `growth` table of lines that all have the same truth (log2 change per medium) with SD `sd`
    of log2 signal and a run effect.
    """
    names = list(MEDIA)
    y = blocks(
        n_lines,
        n_replicates,
        [sd] * len(names),
        0.3,
        np.random.default_rng(seed),
        [truth.get(name, 0.0) for name in names],
    )
    change = y - y[:, :, :1]
    line, replicate, medium = np.indices(change.shape)
    table = {
        "cell_line": [f"L{i}" for i in line.ravel()],
        "medium": np.array(names)[medium.ravel()],
        "replicate": replicate.ravel() + 1,
        "hours": 48.0,
        "readout": "CellTiter-Glo",
        "relative_viability": 2 ** change.ravel(),
        "log2_fc": change.ravel(),
        "gr": 2 ** (1 + change.ravel() / doublings) - 1,
        "control_doublings": doublings,
        "n_wells": 6,
    }
    return pd.DataFrame(table)


def kit_effects(
    n_lines: int = 1000, n_replicates: int = 3, seed: int = 0, truth: dict[str, float] | None = None
) -> dict[str, float]:
    """The kit's own `effects` on simulated lines: share of lines with any dropout called though its
    truth is 0, and interval coverage.
    """
    truth = truth or {}
    table = effects(growth_table(n_lines, n_replicates, truth, 0.15, seed), MEDIA, EffectSettings())
    dropout = table[table["family"].eq("dropout")]
    expected = dropout["medium"].map(lambda name: truth.get(name, 0.0))
    held = dropout["ci_low"].le(expected) & dropout["ci_high"].ge(expected)
    null = dropout[expected.eq(0)]
    return {
        "family error": float(null["p_adjusted"].lt(0.05).groupby(null["cell_line"]).any().mean()),
        "simultaneous coverage": float(held.groupby(dropout["cell_line"]).all().mean()),
    }


def rescue_classes(
    n_lines: int = 300, seed: int = 0, sd: float = 0.12, replicates: Sequence[int] = (3, 5)
) -> pd.DataFrame:
    """Share of each class by the share of the log2 loss that the rescue truly gives back, and where
    there was no loss (-0.1).
    """
    rows = []
    for n_replicates in replicates:
        for planted, loss, restored in (
            ("full", -1.5, 1.0),
            ("half of GR", -1.5, 0.58),
            ("none", -1.5, 0.0),
            ("no dropout effect", -0.1, 0.0),
        ):
            truth = {"no_asn": loss, "no_asn_rescue": loss * (1 - restored)}
            table = rescue(
                growth_table(n_lines, n_replicates, truth, sd, seed), MEDIA, EffectSettings()
            )
            rows.append(
                {"replicates": n_replicates, "planted": planted}
                | table["class"].value_counts(normalize=True).to_dict()
            )
    return pd.DataFrame(rows).fillna(0.0)


PROFILES = {
    "Jurkat -Asn": (-0.20, 0.50),
    "Jurkat -Gln": (0.38, 0.15),
    "MOLT-4 -Asn": (-0.10, 0.40),
    "MOLT-4 -Gln": (0.40, 0.15),
    "A549 -Asn": (0.78, 0.02),
    "A549 -Gln": (0.08, 0.08),
    "MDA-MB-231 -Asn": (0.42, 0.05),
    "MDA-MB-231 -Gln": (0.08, 0.10),
    "on the GR cut-off": (0.20, 0.30),
}
"""Invented truths (GR, specific apoptosis) of the source's lines, and one that lies on a
cut-off.
"""


def call_characteristics(
    n: int = 1000, sd_gr: float = 0.08, sd_sa: float = 0.04, n_replicates: int = 3, seed: int = 0
) -> pd.DataFrame:
    """Share of n experiments called confidently right, confidently wrong, provisionally and not at
    all, per planted profile.

    GR and SA of the replicates are independent and normal; rescue, masking and quality play no
    part.
    """
    settings = CallSettings(posterior_draws=4000)
    rows = []
    for index, (name, truth) in enumerate(PROFILES.items()):
        rng = np.random.default_rng([seed, index])
        right = int(posterior.classify(*truth, posterior.Cutoffs.of(settings)))
        found = [
            _one_call(
                rng.normal(truth[0], sd_gr, n_replicates),
                rng.normal(truth[1], sd_sa, n_replicates),
                settings,
                k,
            )
            for k in range(n)
        ]
        share = {
            "confident_right": np.mean(
                [sure == "confident" and winner == right for winner, sure in found]
            ),
            "confident_wrong": np.mean(
                [sure == "confident" and winner != right for winner, sure in found]
            ),
            "provisional": np.mean([sure == "provisional" for _, sure in found]),
            "none": np.mean([sure == "none" for _, sure in found]),
        }
        rows.append(
            {
                "profile": name,
                "gr": truth[0],
                "sa": truth[1],
                "sd_gr": sd_gr,
                "sd_sa": sd_sa,
                **share,
            }
        )
    return pd.DataFrame(rows)


def _one_call(gr: Floats, sa: Floats, settings: CallSettings, seed: int) -> tuple[int, str]:
    found = posterior.certainty(*posterior.draw(gr, sa, settings, seed), settings)
    return found.winner, posterior.confidence(found, settings)


def _show(title: str, found: object) -> None:
    print(f"\n{title}")
    print(found.round(3).to_string(index=False) if isinstance(found, pd.DataFrame) else found)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(
        prog="python -m kit.simulate.simulations",
        description="Operating characteristics of the kit's tests, by simulation.",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of all draws (default 0)")
    seed = parser.parse_args(arguments).seed
    _show(
        "Family error of blocked Dunnett on noise with a run effect, by blocks",
        {b: round(family_error(n_blocks=b, seed=seed), 4) for b in (3, 4, 6)},
    )
    _show(
        "One null comparison, 3 runs of 6 wells, run-by-medium SD 0.2: false positives at 0.05",
        wells_as_n(seed=seed),
    )
    _show("Coverage of 95 % intervals, 3 blocks", coverage(seed=seed))
    _show("The kit's effects on 1000 null lines, 3 replicates", kit_effects(seed=seed))
    _show(
        "The kit's effects on 1000 lines with two real dropouts",
        kit_effects(seed=seed, truth={"no_asn": -1.2, "no_gln": -0.5}),
    )
    _show("Effect found with 80 % power (log2), 5 groups", detectable_effects(seed=seed))
    _show("Power for -0.7 log2, 3 blocks, SD 0.22, run SD 0.33", pairing(seed=seed))
    _show(
        "Power to show equivalence with control (margin 0.322 log2)", equivalence_power(seed=seed)
    )
    _show("Unequal SDs: error on noise, and power for -0.7 log2", unequal_spread(seed=seed))
    _show("Power of Williams' t, |r| 0.8 against 0.3, by lines", correlation_power(seed=seed))
    for sd_gr, sd_sa in ((0.08, 0.04), (0.15, 0.07)):
        _show(
            f"Calls, 3 replicates, SD {sd_gr:g} GR and {sd_sa:g} SA",
            call_characteristics(sd_gr=sd_gr, sd_sa=sd_sa, seed=seed),
        )
    _show("Rescue classes by planted truth (SD 0.12 log2)", rescue_classes(seed=seed))


if __name__ == "__main__":
    main()
