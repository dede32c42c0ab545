"""Randomised plate layouts: which group lies in which well, outer ring left to buffer, no group
confined to one row or column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kit.core.errors import InputError, Problem
from kit.core.wells import well_name

SHAPES = {96: (8, 12), 384: (16, 24)}
"""wells -> (rows, columns)."""
CONTROL_WELLS = KILL_WELLS = 6
BLANKS_PER_MEDIUM = 3
MIN_GROUP, USUAL_GROUP = 4, 6
"""Wells of SPEC's plate quality: at least 6 control, 6 kill, 3 blanks per medium, 4 per group (6
where there is room).
"""
DRAWS = 1000

COLUMNS = ("well", "row", "column", "cell_line", "medium", "role")


@dataclass(frozen=True)
class Group:
    """Wells treated alike. `cell_line` is empty where the plate holds one line, and for blanks."""

    cell_line: str
    medium: str
    role: str
    wells: int


def usable_wells(plate: int) -> int:
    """Wells of a plate inside its outer ring."""
    rows, columns = SHAPES[plate]
    return (rows - 2) * (columns - 2)


def groups_of(lines: Sequence[str], media: Sequence[str], wells_per_group: int) -> list[Group]:
    """The groups of one plate: every line in every medium, killed cells of every line in the first
    medium (control), a blank per medium.
    """
    found = []
    for line in lines:
        for index, medium in enumerate(media):
            found.append(
                Group(
                    line,
                    medium,
                    "sample",
                    max(wells_per_group, CONTROL_WELLS) if index == 0 else wells_per_group,
                )
            )
        found.append(Group(line, media[0], "kill", KILL_WELLS))
    return [*found, *(Group("", medium, "blank", BLANKS_PER_MEDIUM) for medium in media)]


def fitting_group(
    lines: Sequence[str], media: Sequence[str], plate: int, stated: int | None = None
) -> int:
    """Wells per group: `stated`, else 6, else the most that fits down to 4. Raises InputError in
    words when the groups do not fit.
    """
    room = usable_wells(plate)
    need = {
        count: sum(group.wells for group in groups_of(lines, media, count))
        for count in range(MIN_GROUP, USUAL_GROUP + 1)
    }
    wanted = [stated] if stated is not None else sorted(need, reverse=True)
    for count in wanted:
        if sum(group.wells for group in groups_of(lines, media, count)) <= room:
            return count
    count = wanted[-1]
    asked = sum(group.wells for group in groups_of(lines, media, count))
    what = (
        f"{len(media)} media with {count} wells each, {CONTROL_WELLS} control, {KILL_WELLS} kill"
        f" and {BLANKS_PER_MEDIUM} blank wells per medium"
    )
    what += f", {len(lines)} lines on a plate," if len(lines) > 1 else ""
    what += f" need {asked} wells; a {plate}-well plate has {room} inside its outer ring"
    raise InputError(Problem("kit new", "layout", what, _remedy(lines, media, plate, stated, need)))


def _remedy(
    lines: Sequence[str], media: Sequence[str], plate: int, stated: int | None, need: dict[int, int]
) -> str:
    """What would fit, best first."""
    ways = []
    smaller = max(
        (count for count, wells in need.items() if wells <= usable_wells(plate)), default=None
    )
    if stated is not None and smaller is not None:
        ways.append(f"--wells-per-group {smaller}")
    if plate == 96:
        ways.append("--plate 384")
    if len(lines) > 1:
        ways.append("one line per plate (leave out --together)")
    return f"Take {', or '.join([*ways, 'fewer media (--dropouts, --rescues)'])}."


def randomised(groups: Sequence[Group], plate: int, rng: np.random.Generator) -> pd.DataFrame:
    """All wells of a plate with `COLUMNS`, groups scattered at random over the inner wells; what is
    left over is `empty` (buffer).

    Draws again until no group of two or more wells lies in a single row or column. Raises
    ValueError when the groups do not fit.
    """
    rows, columns = SHAPES[plate]
    inner = [(row, column) for row in range(2, rows) for column in range(2, columns)]
    wanted = [
        (group.cell_line, group.medium, group.role) for group in groups for _ in range(group.wells)
    ]
    if len(wanted) > len(inner):
        raise ValueError(
            f"{len(wanted)} wells do not fit on the {len(inner)} inner wells of a {plate}-well"
            " plate"
        )
    cells = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    for _ in range(DRAWS):
        filled = dict(
            zip((inner[index] for index in rng.permutation(len(inner))), wanted, strict=False)
        )
        records = [
            (well_name(*cell), *cell, *filled.get(cell, ("", "", "empty"))) for cell in cells
        ]
        plan = pd.DataFrame(records, columns=list(COLUMNS))
        if not confined(plan):
            return plan
    raise ValueError(f"no layout without a group in a single row or column in {DRAWS} draws")


def confined(plan: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Groups (line, medium, role) of two or more wells that lie in a single row or a single
    column.
    """
    used = plan[plan["role"].ne("empty")].groupby(["cell_line", "medium", "role"], sort=False)
    spread = used.agg(
        wells=("well", "size"), rows=("row", "nunique"), columns=("column", "nunique")
    )
    bad = spread[(spread["wells"] > 1) & ((spread["rows"] == 1) | (spread["columns"] == 1))]
    return [tuple(map(str, key)) for key in bad.index]  # type: ignore[misc]
