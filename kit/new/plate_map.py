"""A printable plate map: one A4 page per layout, a colour and a short label in every well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from kit.core.wells import row_letters
from kit.new.plan import SHORT, Plan
from kit.plots.style import AMINO_ACID, BLUE, CYCLE, GREY, PURPLE, SKY, YELLOW

_REST = tuple(
    color for color in (*CYCLE, YELLOW) if color not in (*AMINO_ACID.values(), SKY, PURPLE)
)


@dataclass(frozen=True)
class Mark:
    """How one group looks: fill, ink that is legible on it, label, and its name and number of wells
    for the legend.
    """

    fill: str
    ink: str
    label: str
    line: str
    meaning: str
    role: str
    wells: int = 0


def pages(plan: Plan) -> list[dict[str, Any]]:
    """Per layout: path, plates that use it, rows of marks (one per well), the legend, the lines by
    letter, and whether wells are small.
    """
    found = []
    letters = _letters(plan)
    for path, wells in plan.layouts.items():
        marks = _marks(plan, wells, letters)
        grid: dict[int, list[Mark]] = {}
        for row, *key in wells[["row", "cell_line", "medium", "role"]].itertuples(index=False):
            grid.setdefault(int(row), []).append(marks[tuple(key)])
        plates = [plate.name for plate in plan.plates if plate.layout == path]
        columns = int(wells["column"].max())
        found.append(
            {
                "path": path,
                "plates": plates,
                "columns": range(1, columns + 1),
                "legend": _legend(plan, marks),
                "dense": columns > 12,
                "letters": letters,
                "rows": [(row_letters(row), cells) for row, cells in grid.items()],
            }
        )
    return found


def _letters(plan: Plan) -> dict[str, str]:
    """A letter for each of the lines that share a plate."""
    return (
        {line: chr(97 + index % 26) * (1 + index // 26) for index, line in enumerate(plan.lines)}
        if plan.together
        else {}
    )


def _marks(
    plan: Plan, wells: pd.DataFrame, letters: Mapping[str, str]
) -> dict[tuple[str, str, str], Mark]:
    """The look of every group of a layout."""
    fills = _fills(plan)
    counts = wells.groupby(["cell_line", "medium", "role"], sort=False).size()
    found = {}
    for key, number in counts.items():
        line, medium, role = map(str, key)  # type: ignore[call-overload]
        fill = {"kill": "#000000", "empty": "#FFFFFF", "blank": "#FFFFFF"}.get(role) or fills[
            medium
        ]
        label = (
            {"kill": "kill", "empty": ""}[role]
            if role in ("kill", "empty")
            else _label(plan, medium)
        )
        found[line, medium, role] = Mark(
            fill,
            _ink(fill),
            label,
            letters.get(line, ""),
            _meaning(line, medium, role),
            role,
            int(number),
        )
    return found


def _legend(plan: Plan, marks: Mapping[tuple[str, str, str], Mark]) -> list[Mark]:
    """One entry per medium and role, with its wells (of each line, where lines share the plate), in
    the order of the media.
    """
    order = {
        (role, medium): None
        for role in ("sample", "kill", "blank", "empty")
        for medium in (*plan.media, "")
    }
    found = []
    for role, medium in order:
        mark = next(
            (mark for (_, of, kind), mark in marks.items() if (of, kind) == (medium, role)), None
        )
        if mark is not None:
            each = " per line" if mark.line else ""
            found.append(
                replace(
                    mark, line="", meaning=f"{_meaning('', medium, role)}: {mark.wells} wells{each}"
                )
            )
    return found


def _label(plan: Plan, medium: str) -> str:
    """`C` for control, `−Asn` for a dropout, `+Asn` for its rescue."""
    planned = plan.media[medium]
    sign = {"control": "C", "dropout": "−", "rescue": "+"}[planned.role]
    return sign + "".join(SHORT[item].capitalize() for item in planned.amino_acids)


def _meaning(line: str, medium: str, role: str) -> str:
    told = {
        "sample": f"cells in {medium}",
        "kill": f"cells in {medium} and a lethal agent",
        "blank": f"{medium} and reagent, no cells",
        "empty": "buffer only",
    }[role]
    return f"{line}: {told}" if line else told


def _fills(plan: Plan) -> dict[str, str]:
    """A colour per medium (Okabe & Ito): control sky blue, each amino acid its own, a rescue the
    light tint of its dropout's.
    """
    single: dict[tuple[str, ...], str] = {(name,): color for name, color in AMINO_ACID.items()}
    others = [group for group in plan.dropouts if group not in single]
    single |= {
        group: _REST[index % len(_REST)] if index < len(_REST) else GREY
        for index, group in enumerate(others)
    }
    found = {}
    for name, medium in plan.media.items():
        base = SKY if medium.role == "control" else single.get(medium.amino_acids, BLUE)
        found[name] = _tint(base) if medium.role == "rescue" else base
    return found


def _tint(color: str) -> str:
    """Two thirds of the way to white."""
    return "#" + "".join(f"{(int(color[at : at + 2], 16) + 2 * 255) // 3:02X}" for at in (1, 3, 5))


def _ink(fill: str) -> str:
    """Black or white, whichever contrasts more (relative luminance, WCAG 2)."""
    linear = [
        (value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4)
        for value in (int(fill[at : at + 2], 16) / 255 for at in (1, 3, 5))
    ]
    return (
        "#000000"
        if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179
        else "#FFFFFF"
    )
