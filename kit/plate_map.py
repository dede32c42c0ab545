"""A printable plate map: one A4 page per layout, a colour and a short label in every well."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kit.plots.style import AMINO_ACID, BLUE, CYCLE, GREY, PURPLE, SKY, YELLOW
from kit.readers.geometry import row_letters
from kit.scaffold_plan import SHORT, Plan

_REST = tuple(color for color in (*CYCLE, YELLOW) if color not in (*AMINO_ACID.values(), SKY, PURPLE))


@dataclass(frozen=True)
class Mark:
    """How one group looks: fill, ink that is legible on it, label, and its name and number of wells for the legend."""

    fill: str
    ink: str
    label: str
    line: str
    meaning: str
    role: str
    wells: int = 0


def pages(plan: Plan) -> list[dict]:
    """Per layout: path, plates that use it, rows of marks (one per well), the legend, and the size of a well in mm."""
    found = []
    for path, wells in plan.layouts.items():
        marks = _marks(plan, wells)
        keys = list(zip(wells["cell_line"], wells["medium"], wells["role"], strict=True))
        grid: dict[int, list[Mark]] = {}
        for row, key in zip(wells["row"], keys, strict=True):
            grid.setdefault(int(row), []).append(marks[key])
        plates = [plate.name for plate in plan.plates if plate.layout == path]
        legend = sorted(marks.values(), key=lambda mark: ("sample", "kill", "blank", "empty").index(mark.role))
        columns = int(wells["column"].max())
        found.append({"path": path, "plates": plates, "columns": range(1, columns + 1), "legend": legend, "dense": columns > 12,
                      "rows": [(row_letters(row), cells) for row, cells in grid.items()]})  # fmt: skip
    return found


def _marks(plan: Plan, wells: pd.DataFrame) -> dict[tuple[str, str, str], Mark]:
    """The look of every group of a layout; lines that share a plate get a letter each."""
    letters = {line: chr(97 + index % 26) * (1 + index // 26) for index, line in enumerate(plan.lines)} if plan.together else {}
    fills = _fills(plan)
    counts = wells.groupby(["cell_line", "medium", "role"], sort=False).size()
    found = {}
    for key, number in counts.items():
        line, medium, role = map(str, key)  # type: ignore[call-overload]
        fill = {"kill": "#000000", "empty": "#FFFFFF", "blank": "#FFFFFF"}.get(role) or fills[medium]
        label = {"kill": "kill", "empty": ""}[role] if role in ("kill", "empty") else _label(plan, medium)
        found[line, medium, role] = Mark(fill, _ink(fill), label, letters.get(line, ""), _meaning(line, medium, role), role, int(number))
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
    """A colour per medium (Okabe & Ito): control sky blue, each amino acid its own, a rescue the light tint of its dropout's."""
    single = {(name,): color for name, color in AMINO_ACID.items()}
    others = [group for group in plan.dropouts if group not in single]
    single |= {group: _REST[index % len(_REST)] if index < len(_REST) else GREY for index, group in enumerate(others)}
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
    return "#000000" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 else "#FFFFFF"
