"""The plate that can be clicked: an anywidget of our own, since a plate of 1536 wells has to be
quick and work without a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import matplotlib as mpl
import numpy as np
import pandas as pd
import traitlets
from matplotlib.colors import Normalize, to_hex

from kit.explore import parts
from kit.plates import spatial
from kit.plots import plates as plots
from kit.report import markup

HERE = Path(__file__).parent
TOLD = (
    "well", "cell_line", "medium", "role", "agent", "concentration", "signal", "signal_corrected", "flag", "outlier", "excluded", "exclusion_reason",
)  # fmt: skip
"""Columns of a well that are told on hover."""


class PlateWidget(anywidget.AnyWidget):
    """`plate` is what to draw (see `picture`), `selected` the names of the chosen wells, from
    either side.
    """

    _esm = (HERE / "plate.js").read_text(encoding="utf-8")
    _css = (HERE / "plate.css").read_text(encoding="utf-8")
    plate = traitlets.Dict({"rows": 8, "columns": 12, "wells": [], "title": ""}).tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)


def picture(
    wells: pd.DataFrame, plate: str, kind: str, scale: tuple[Normalize, str, str] | None = None
) -> dict[str, Any]:
    """What the widget draws of one plate of the `wells` table: its size, its wells, the scale
    shared by all plates.

    `kind` is raw, corrected or residual, on the values, scale and colours of the reports' heatmaps.
    A well is (name, row from 0, column
    from 0, colour, marks, text shown on hover).
    """
    values, norm, cmap, label = plots.heatmap_values(wells, kind)
    here = wells[wells["plate"].eq(plate)]
    own = values.reindex(here.index).to_numpy(float)
    paints = np.rint(255 * mpl.colormaps[cmap](norm(own))[:, :3]).astype(np.uint8)
    fills = [
        f"#{paint.tobytes().hex()}" if there else ""
        for paint, there in zip(paints, np.isfinite(own), strict=True)
    ]
    rows, columns = spatial.plate_shape(here)
    marks = _marks(here)
    told = here[[column for column in TOLD if column in here]].to_dict("records")
    texts = [_text(record, value, kind) for record, value in zip(told, own, strict=True)]
    places = (here["well"], (here["row"] - 1).tolist(), (here["column"] - 1).tolist())
    cells = [list(cell) for cell in zip(*places, fills, marks, texts, strict=True)]
    return {
        "rows": rows,
        "columns": columns,
        "title": plate,
        "wells": cells,
        "scale": _legend(norm, cmap, label, kind),
    }


def _marks(wells: pd.DataFrame) -> list[str]:
    """`excluded`, `lost` (no value) or `empty`, as the reports' heatmaps mark them."""
    lost = wells["signal"].isna() & wells["role"].ne("empty") & ~wells["excluded"]
    return list(
        np.select(
            [wells["excluded"], lost, wells["role"].eq("empty")], ["excluded", "lost", "empty"], ""
        )
    )


def _text(well: Mapping[Any, Any], value: float, kind: str) -> str:
    """Lines shown on hover: place and treatment, values, why it was left out."""
    medium = parts.labels().name(str(well["medium"] or ""))
    what = [well["cell_line"], medium, "" if well["role"] == "sample" else well["role"]]
    dose = f"{well['agent']} {well['concentration']:g}" if well.get("agent") else ""
    lines = [f"{well['well']}: {', '.join(part for part in (*what, dose) if part)}"]
    if pd.notna(well["signal"]):
        lines.append(
            f"signal {markup.significant(well['signal'], 4)}, less blank"
            f" {markup.significant(well['signal_corrected'], 4)}"
        )
    if kind == "residual" and np.isfinite(value):
        lines.append(f"{value:+.1f} % of wells treated alike")
    flags = [
        well["flag"] if isinstance(well.get("flag"), str) else "",
        "outlier (kept)" if well["outlier"] else "",
    ]
    flags.append("" if pd.notna(well["signal"]) or well["role"] == "empty" else "no value")
    lines += [", ".join(dict.fromkeys(flag for flag in flags if flag))]
    lines += [f"left out: {well['exclusion_reason']}" if well["excluded"] else ""]
    return "\n".join(line for line in lines if line)


def _legend(norm: Normalize, cmap: str, label: str, kind: str) -> dict[str, Any]:
    colors = [to_hex(mpl.colormaps[cmap](share)) for share in np.linspace(0, 1, 9)]
    ends = (
        (f"{norm.vmin:+.0f}", f"{norm.vmax:+.0f}")
        if kind == "residual"
        else (_short(norm.vmin), _short(norm.vmax))
    )
    return {"label": label, "low": ends[0], "high": ends[1], "colors": colors}


def _short(value: float | None) -> str:
    return "" if value is None else markup.significant(value, 2)


def on_plate(wells: pd.DataFrame, plate: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that are wells of the plate."""
    there = set(wells.loc[wells["plate"].eq(plate), "well"])
    return [name for name in names if name in there]
