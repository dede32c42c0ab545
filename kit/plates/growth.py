"""wells -> relative viability, log2 change and GR value, one row per biological replicate.

Wells are technical: they are averaged first (blank-corrected), then the logarithm or GR is taken.
They are never n.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check
from kit.core.findings import Finding, judged, worst
from kit.plates.design import untreated_rows
from kit.plates.quality import is_incorporation
from kit.plates.spatial import TREATMENT

KEY = ["cell_line", "replicate", "readout"]
ARM = [*KEY, "hours", "medium", "agent", "concentration", "concentration_unit"]


def gr_value(x: ArrayLike, x_control: ArrayLike, x0: ArrayLike) -> NDArray[np.float64]:
    """GR = 2^[log2(x/x0) / log2(x_control/x0)] - 1 (Hafner 2016): 1 no effect, 0 stasis, below 0
    net loss.

    Signals are blank-corrected and of one scale. NaN where any is not positive or the control did
    not grow.
    """
    x, control, start = np.broadcast_arrays(
        np.asarray(x, float), np.asarray(x_control, float), np.asarray(x0, float)
    )
    valid = (x > 0) & (control > start) & (start > 0)
    with np.errstate(all="ignore"):
        value = 2 ** (np.log2(x / start) / np.log2(control / start)) - 1
    return np.where(valid, value, np.nan)


def gr_of_doublings(log2_fc: ArrayLike, doublings: ArrayLike) -> NDArray[np.float64]:
    """GR from the log2 change against the control and the control's doublings D: with x/x_control =
    2^log2_fc, `gr_value` is 2^(1 + log2_fc / D) - 1.

    >>> gr_of_doublings(-2.0, 2.0).item()
    0.0
    """
    with np.errstate(all="ignore"):
        return np.asarray(2 ** (1 + np.asarray(log2_fc, float) / np.asarray(doublings, float)) - 1)


def growth(
    wells: pd.DataFrame, config: ExperimentConfig, plate_verdicts: pd.DataFrame
) -> pd.DataFrame:
    """The contract's `growth` table from prepared `wells`.

    Further columns: `agent`, `concentration`, `concentration_unit`, `signal_mean`,
    `signal_control`, `signal_0h` (blank-corrected),
    `gr_basis` (`0 h plate`, `doubling time` or empty), `below_lod`, `n_excluded`, `plate_verdict`,
    `verdict`, `note`, `left_out` (see the function of that name).
    """
    samples = wells[wells["role"].eq("sample")]
    arms = _arms(samples[samples["hours"].gt(0)], config, plate_verdicts)
    start = _start(samples[samples["hours"].eq(0)], config, plate_verdicts)
    table = arms.merge(start, on=KEY, how="left", validate="many_to_one")
    table = _add_gr(table, config)
    table["left_out"] = left_out(table, config.settings.min_replicates)
    return check(
        table.sort_values(_order(table, config), key=None).drop(columns=["_line", "_medium"]),
        "growth",
    )


def left_out(table: pd.DataFrame, min_replicates: int) -> pd.Series:
    """Failed replicates that contrasts, rescue and calls do without, because enough sound ones of
    the same line, medium and reading remain. Where too few remain, the failed ones stay, and the
    call is void.
    """
    keys = [name for name in ARM if name != "replicate"]
    sound = table["verdict"].ne("fail")
    numbers = table["replicate"].where(sound)
    remaining = numbers.groupby([table[name] for name in keys], dropna=False).transform("nunique")
    return ~sound & remaining.ge(max(1, min_replicates))


def _arms(
    samples: pd.DataFrame, config: ExperimentConfig, plate_verdicts: pd.DataFrame
) -> pd.DataFrame:
    """Plate means over each plate's own control, then one row per arm: plates of one replicate are
    averaged on the log scale.
    """
    means = _plate_means(samples, plate_verdicts)
    controls = untreated_rows(means[means["medium"].eq(config.control_name)])
    own = controls.groupby(["plate", "cell_line"], as_index=False).agg(
        own=("mean", "mean"), control_lod=("lod", "max")
    )
    shared = controls.groupby([*KEY, "hours"], as_index=False).agg(shared=("mean", "mean"))
    means = means.merge(own, on=["plate", "cell_line"], how="left", validate="many_to_one")
    means = means.merge(shared, on=[*KEY, "hours"], how="left", validate="many_to_one")
    means["borrowed_control"] = means["own"].isna() & means["shared"].notna()
    means["control"] = means["own"].fillna(means["shared"])
    means["relative"] = means["mean"] / means["control"].where(means["control"] > 0)
    means["logged"] = means[["mean", "lod"]].max(axis=1).where(means["mean"].notna())
    means["blind"] = means["lod"].ge(means["control"])
    means["nothing"] = means["logged"].le(0)
    control = means["control"].where(means["control"].gt(0) & ~means["blind"])
    with np.errstate(divide="ignore"):  # nothing left: -inf, which is GR -1
        means["log2"] = np.log2(means["logged"].clip(lower=0) / control)
    rows = means.groupby(ARM, dropna=False, sort=False).agg(
        relative_viability=("relative", "mean"),
        log2_fc=("log2", "mean"),
        signal_mean=("mean", "mean"),
        signal_control=("control", "mean"),
        n_wells=("n", "sum"),
        n_excluded=("n_excluded", "sum"),
        n_plates=("plate", "nunique"),
        below_lod=("below_lod", "any"),
        blind=("blind", "any"),
        nothing=("nothing", "any"),
        borrowed_control=("borrowed_control", "any"),
        plate_verdict=("verdict", worst),
    )
    return rows.reset_index()


def _plate_means(samples: pd.DataFrame, plate_verdicts: pd.DataFrame) -> pd.DataFrame:
    keys = ["plate", *KEY, "hours", *TREATMENT[1:], "concentration_unit"]
    samples = samples.assign(usable=samples["signal_corrected"].where(samples["used"]))
    means = samples.groupby(keys, dropna=False, sort=False).agg(
        mean=("usable", "mean"),
        n=("usable", "count"),
        n_excluded=("excluded", "sum"),
        lod=("lod", "max"),
    )
    means = means.reset_index()
    means["below_lod"] = means["mean"].lt(means["lod"])
    return means.merge(
        plate_verdicts[["plate", "verdict"]], on="plate", how="left", validate="many_to_one"
    ).fillna({"verdict": "pass"})


def _start(
    samples: pd.DataFrame, config: ExperimentConfig, plate_verdicts: pd.DataFrame
) -> pd.DataFrame:
    """Mean corrected signal at 0 h per line, replicate and readout: control medium where the 0 h
    plate has it, else all untreated wells.
    """
    used = untreated_rows(samples[samples["used"]])
    verdicts = plate_verdicts.set_index("plate")["verdict"].to_dict()
    rows = []
    for key, group in used.groupby(KEY, sort=False):
        control = group[group["medium"].eq(config.control_name)]
        chosen = control if len(control) else group
        mean = chosen.groupby("plate")["signal_corrected"].mean().mean()
        rows.append(
            (
                *key,
                mean,
                len(chosen),
                worst(verdicts.get(name, "pass") for name in set(chosen["plate"])),
            )
        )
    names = [*KEY, "signal_0h", "n_wells_0h", "start_verdict"]
    return pd.DataFrame(rows, columns=names).astype({"signal_0h": float})


def _add_gr(table: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    settings = config.settings
    doubling = (
        table["cell_line"]
        .map({name: line.doubling_time_h for name, line in config.cell_lines.items()})
        .astype(float)
    )
    with np.errstate(all="ignore"):
        measured = np.log2(
            table["signal_control"].where(table["signal_control"] > 0)
            / table["signal_0h"].where(table["signal_0h"] > 0)
        )
    incorporation = table["readout"].map(is_incorporation).astype(bool)
    has_t0 = table["signal_0h"].notna() & ~incorporation
    by_time = ~has_t0 & doubling.notna() & ~incorporation
    table["control_doublings"] = np.where(
        has_t0, measured, np.where(by_time, table["hours"] / doubling, np.nan)
    )
    # from the mean log2 change, so that technical plates of one replicate weigh the same
    gr = pd.Series(gr_of_doublings(table["log2_fc"], table["control_doublings"]), table.index)
    table["gr"] = gr.where(table["control_doublings"] >= settings.undefined_control_doublings)
    table["gr_basis"] = np.where(has_t0, "0 h plate", np.where(by_time, "doubling time", ""))
    rows = table.to_dict("records")
    words = pd.DataFrame([_judge(row, settings) for row in rows], index=table.index)
    table["log2_fc"] = table["log2_fc"].where(np.isfinite(table["log2_fc"]))
    names = ["verdict", "note", "code"]
    table[names] = words.reindex(columns=names).astype(object)
    return table.drop(columns=["blind", "nothing"])


SEVERITY = {
    "NO_USABLE_WELL": "fail",
    "NO_USABLE_CONTROL": "fail",
    "CONTROL_BELOW_BLANK": "fail",
    "CONTROL_BELOW_LOD": "fail",
    "START_BELOW_BLANK": "fail",
    "START_PLATE_FAILED": "fail",
    "CONTROL_IMPOSSIBLE": "fail",
    "NOTHING_LEFT": "warn",
    "INCORPORATION": "info",
    "NO_START": "warn",
    "CONTROL_STALLED": "fail",
    "CONTROL_SLOW": "warn",
    "GR_BY_DOUBLING_TIME": "warn",
    "BELOW_LOD": "info",
    "CONTROL_BORROWED": "warn",
    "PLATE_FAILED": "fail",
}
"""How bad each finding on a row of `growth` is. A plate that failed speaks for itself."""


def _judge(row: dict, settings: Settings) -> dict[str, str]:
    """Verdict, note and codes of one arm."""
    doublings = row["control_doublings"]
    incorporation = is_incorporation(row["readout"])
    known = not incorporation and not np.isnan(doublings)
    control, start = row["signal_control"], row["signal_0h"]
    by_start = row["gr_basis"] == "0 h plate"
    low_start = by_start and start <= 0
    no_doublings = not incorporation and np.isnan(doublings)
    stalled = known and doublings < settings.undefined_control_doublings
    most = row["hours"] / settings.min_possible_doubling_h
    true = {
        "NO_USABLE_WELL": not row["n_wells"],
        "NO_USABLE_CONTROL": row["n_wells"] and np.isnan(control),
        "CONTROL_BELOW_BLANK": control <= 0,
        "CONTROL_BELOW_LOD": control > 0 and row["blind"],
        "START_BELOW_BLANK": low_start,
        "START_PLATE_FAILED": by_start and row["start_verdict"] == "fail",
        "CONTROL_IMPOSSIBLE": by_start and doublings > most,
        "NOTHING_LEFT": row["nothing"] and control > 0,
        "INCORPORATION": incorporation,
        "NO_START": no_doublings and not low_start and control > 0,
        "CONTROL_STALLED": stalled,
        "CONTROL_SLOW": known and not stalled and doublings < settings.min_control_doublings,
        "GR_BY_DOUBLING_TIME": row["gr_basis"] == "doubling time",
        "BELOW_LOD": row["below_lod"],
        "CONTROL_BORROWED": row["borrowed_control"],
        "PLATE_FAILED": row["plate_verdict"] == "fail",
    }
    values = {**settings.model_dump(), "doublings": doublings, "hours": float(row["hours"])}
    return judged(
        [Finding(code, SEVERITY[code], "", values) for code, holds in true.items() if holds]
    )


def _order(table: pd.DataFrame, config: ExperimentConfig) -> list[str]:
    """Lines and media in the order of experiment.yaml."""
    table["_line"] = pd.Categorical(table["cell_line"], list(config.cell_lines)).codes
    table["_medium"] = pd.Categorical(table["medium"], list(config.media)).codes
    return ["readout", "hours", "_line", "_medium", "agent", "concentration", "replicate"]


def per_well(wells: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Each used well on the scales of `growth`, over its arm's control and start. For drawing only:
    wells are never n.
    """
    keys = [*KEY, "hours", "medium", "agent", "concentration"]
    used = wells[wells["role"].eq("sample") & wells["used"]]
    merged = used.merge(
        table[[*keys, "signal_control", "signal_0h", "gr_basis"]],
        on=keys,
        how="inner",
        validate="many_to_one",
    )
    merged["relative_viability"] = merged["signal_corrected"] / merged["signal_control"].where(
        merged["signal_control"] > 0
    )
    merged["log2_fc"] = np.log2(
        merged["relative_viability"].where(merged["relative_viability"] > 0)
    )
    merged["gr"] = gr_value(
        merged["signal_corrected"], merged["signal_control"], merged["signal_0h"]
    )
    return merged
