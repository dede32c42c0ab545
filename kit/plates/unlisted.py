"""Measured wells that the layout does not list: left out where they hold what blanks hold, refused
where they may be samples.

Most labs map the wells they used and measure the whole plate. A map that is shifted looks the same
but for the signals.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kit.config.model import Plate
from kit.core.errors import Problems
from kit.core.findings import Finding, number
from kit.core.wells import MAX_COLUMNS, MAX_ROWS
from kit.readers import Read

NEAR, LIKE = 0.1, 0.5
"""Shares of the way from the blanks (or zero) to the median sample: up to the first a well counts
as empty, from the second on as a sample [K]."""
_COUNTS = ("no", "one", "two")


def judge_unlisted(
    both: pd.DataFrame, plate: Plate, read: Read, problems: Problems, notices: list[Finding]
) -> None:
    """One notice for wells that are left out, or one problem for wells that may not be.

    `both` has well, row, column, role, signal and `_merge` of layout (left) and file (right).
    """
    measured = both[both["signal"].notna()].astype({"row": int, "column": int})
    extra = measured[measured["_merge"].eq("right_only")]
    if extra.empty:
        return
    roles = measured["role"].where(measured["_merge"].eq("both"), "empty")
    kind = _resembles(extra, measured[roles.eq("sample")], measured[roles.eq("blank")])
    highest = extra.iloc[int(extra["signal"].argmax())]
    if plate.unlisted_wells == "empty" or kind == "empty":
        lowest = measured.loc[roles.eq("sample"), "signal"].min()
        values = {
            "count": len(extra),
            "highest": float(highest["signal"]),
            "well": highest["well"],
            "lowest": float(lowest),
            "layout": plate.layout,
        }
        severity = "info" if plate.unlisted_wells == "empty" else "warn"
        notices.append(Finding("UNLISTED_WELLS", severity, f"plate {plate.plate}", values))
        return
    names = list(extra["well"])
    listed = f"{', '.join(names[:8])}, ... ({len(names)})" if len(names) > 8 else ", ".join(names)
    what = (
        f"in the file {plate.file} but not in the layout (plate '{plate.plate}'), and"
        f" {'they hold what samples hold' if kind == 'sample' else 'they may be samples'} (highest"
        f" signal {number(float(highest['signal']))}, well {highest['well']})"
    )
    shift = _shift(measured, roles, read) if kind == "sample" else ""
    rows = " ".join(f"{name},empty" for name in names[:48])
    remedy = (
        f"The map looks shifted by {shift}: correct its wells."
        if shift
        else f"Add them to the layout. If they are empty, add the rows (well, role) {rows}, or write"
        " `unlisted_wells: empty` on the plate."
    )
    problems.say(plate.layout, f"well{'s' * (len(names) > 1)} {listed}", what, remedy)


def _resembles(extra: pd.DataFrame, samples: pd.DataFrame, blanks: pd.DataFrame) -> str:
    """`empty`, `sample`, or `unsure` where the highest of the wells lies between."""
    if samples.empty:
        return "unsure"
    low = float(blanks["signal"].median()) if len(blanks) else 0.0
    reach = float(samples["signal"].median()) - low
    highest = float(extra["signal"].max())
    if reach <= 0:
        return "unsure"
    if highest >= low + LIKE * reach:
        return "sample"
    below = highest < samples["signal"].min() or highest <= blanks["signal"].max()
    return "empty" if highest <= low + NEAR * reach and (below or len(blanks)) else "unsure"


def _shift(measured: pd.DataFrame, roles: pd.Series, read: Read) -> str:
    """By how much the map would have to move for the unlisted wells to be empty, "" for none."""
    signals = np.full((MAX_ROWS + 1, MAX_COLUMNS + 1), np.nan)
    signals[measured["row"], measured["column"]] = measured["signal"]
    used = measured[roles.ne("empty")]
    steps = [(r, c) for r in range(-2, 3) for c in range(-2, 3) if (r, c) != (0, 0)]
    for down, right in sorted(steps, key=lambda step: abs(step[0]) + abs(step[1])):
        rows, columns = used["row"] + down, used["column"] + right
        inside = rows.between(1, read.n_rows) & columns.between(1, read.n_columns)
        if not inside.all():
            continue
        moved = used.assign(signal=signals[rows, columns])
        rest: NDArray[np.float64] = signals.copy()
        rest[rows, columns] = np.nan
        extra = pd.DataFrame({"signal": rest[np.isfinite(rest)]})
        now = roles[used.index]
        if len(extra) and (
            _resembles(extra, moved[now.eq("sample")], moved[now.eq("blank")]) == "empty"
        ):
            parts = [
                f"{_COUNTS[abs(step)]} {name}{'s' * (abs(step) > 1)}"
                for step, name in ((down, "row"), (right, "column"))
                if step
            ]
            return " and ".join(parts)
    return ""
