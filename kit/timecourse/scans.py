"""Which scans count: every scan left out keeps its value and a code that says why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kit.config.model import TimeCourse
from kit.config.settings import Settings
from kit.core.findings import codes

NOTES = {
    "missing": "TIMECOURSE_MISSING",
    "zero": "TIMECOURSE_AT_BLANK",
    "zero_start": "TIMECOURSE_STARTS_AT_ZERO",
    "settling": "TIMECOURSE_SETTLING",
    "saturated": "TIMECOURSE_SATURATED",
    "stray": "TIMECOURSE_STRAY_SCAN",
    "moved": "TIMECOURSE_MOVED",
    "change": "TIMECOURSE_MEDIUM_CHANGE",
    "excluded": "TIMECOURSE_EXCLUDED",
}
"""Why a scan is left out -> its code. Later reasons do not replace earlier ones."""


def clean(
    scans: pd.DataFrame, entry: TimeCourse, settings: Settings, excluded: frozenset[str]
) -> pd.DataFrame:
    """The scans of one plate with `excluded`, `code` and `note`, and `log2` where a scan counts.

    Parameters
    ----------
    scans
        As `read_timecourse` gives them, one plate.
    entry
        Its entry of `timecourse`: withdrawal, add-back, saturation.
    settings
        Limits of cleaning.
    excluded
        Wells that exclusions.csv leaves out on this plate.
    """
    table = scans.sort_values(["metric", "well", "hours"]).reset_index(drop=True)
    signal = _less_blank(table)
    table["code"] = ""
    grows = table["chosen"] & table["role"].eq("sample")

    def mark(where: pd.Series, why: str) -> None:
        table.loc[where & table["code"].eq(""), "code"] = NOTES[why]

    mark(table["well"].isin(excluded), "excluded")
    mark(table["value"].isna(), "missing")
    keys = [table["metric"], table["well"]]
    first = signal.where(signal.notna()).groupby(keys).transform("first")
    mark(grows & first.le(0), "zero_start")
    mark(grows & signal.le(0), "zero")
    changes = [at for at in (entry.withdrawal_h, entry.addback_h) if at]
    mark(grows & table["hours"].lt(settings.settling_h), "settling")
    for at in changes:
        after = table["hours"].sub(at)
        mark(grows & after.ge(0) & after.lt(settings.medium_change_h), "change")
    limit = _limit(table, entry, settings)
    over = signal.ge(limit) & grows
    mark(grows & over.groupby(keys).cummax(), "saturated")
    counted = grows & table["code"].eq("")
    table["log2"] = np.log2(signal.where(counted & signal.gt(0)))
    mark(_moved(table, changes, settings), "moved")
    mark(grows & _stray(table, settings), "stray")
    table["log2"] = table["log2"].where(table["code"].eq(""))
    table["excluded"] = table["code"].ne("")
    titles = {code: codes()[code].title for code in NOTES.values()}
    table["note"] = table["code"].map(titles).fillna("")
    return table


def _less_blank(table: pd.DataFrame) -> pd.Series:
    """Signal less the mean of the blanks of the same scan and metric, where the plate has blanks."""
    blanks = table[table["role"].eq("blank")].groupby(["metric", "hours"])["value"].mean()
    index = pd.MultiIndex.from_frame(table[["metric", "hours"]])
    return table["value"] - blanks.reindex(index).fillna(0.0).to_numpy()


def _limit(table: pd.DataFrame, entry: TimeCourse, settings: Settings) -> pd.Series:
    """Signal from which a read-out is saturated: the entry's own limit, 80 % for confluence."""
    limit = pd.Series(np.inf, index=table.index)
    limit[table["kind"].eq("confluence")] = settings.max_live_confluence_percent
    return limit if entry.saturation is None else limit.clip(upper=entry.saturation)


def _stray(table: pd.DataFrame, settings: Settings) -> pd.Series:
    """Scans off the running median of five by more than 5 MAD and 0.25 log2."""
    groups = table.groupby(["metric", "well"])["log2"]
    running = groups.transform(lambda y: y.rolling(5, center=True, min_periods=3).median())
    off = (table["log2"] - running).abs()
    mad = off.groupby([table["metric"], table["well"]]).transform("median") * 1.4826
    return off.gt(settings.stray_scan_mads * mad) & off.gt(settings.stray_scan_log2)


def _moved(table: pd.DataFrame, changes: list[float], settings: Settings) -> pd.Series:
    """Scans from a step on that all wells of the plate take together and do not take back within
    two scans: the plate was moved or its focus was lost. At a change of medium steps are expected.
    """
    wells = table.pivot_table(index="hours", columns="well", values="log2", dropna=False)
    moved = pd.Series(False, index=table.index)
    if wells.shape[1] < 3 or len(wells) < 6:
        return moved
    steps = wells.diff().median(axis=1)
    usual = steps.rolling(5, center=True, min_periods=3).median()
    off = steps - usual
    spread = 1.4826 * off.abs().median()
    limit = max(settings.stray_scan_log2, settings.stray_scan_mads * spread)
    stays = off.fillna(0).rolling(5, center=True, min_periods=3).sum().abs() > limit
    for at in off.index[(off.abs() > limit) & stays]:
        if not any(0 <= at - change <= settings.medium_change_h + 12 for change in changes):
            return table["chosen"] & table["role"].eq("sample") & table["hours"].ge(at)
    return moved
