"""Palette, sizes and small helpers: the only place where looks are decided. Nothing global is
set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito 2008: distinguishable with every common form of colour blindness
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE, GREY = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#8A8F98",
)
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, "#7A5195", "#5B6770")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
AMINO_ACID = {"asparagine": VERMILION, "glutamine": BLUE, "serine": GREEN}
VERDICT = {"pass": "#1B7F4B", "warn": "#B26A00", "fail": "#B3261E", "info": "#5B6770"}
INK, FAINT = "#1F2933", "#C9D1D9"
WIDTH = 7.2  # inches: a page's text width
FONT = 9.0


def figure(
    width: float = WIDTH, height: float = 3.2, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """A figure of its own (no pyplot state) with `rows` x `columns` axes, laid out so that labels
    never overlap.
    """
    fig = Figure(figsize=(width, height), layout="constrained")
    axes = fig.subplots(rows, columns, squeeze=False, **options)
    for ax in axes.flat:
        clean(ax)
    return fig, axes[0, 0] if rows == columns == 1 else axes


def clean(ax: Axes) -> Axes:
    """Thin open axes, readable text."""
    ax.spines[["top", "right"]].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
    ax.tick_params(colors=INK, labelsize=FONT - 1, length=3, color=GREY)
    ax.xaxis.label.set_fontsize(FONT)
    ax.yaxis.label.set_fontsize(FONT)
    return ax


def text(value: object) -> str:
    """A user's name safe for matplotlib: a dollar sign would start mathematics, a control character
    break a line.
    """
    return "".join(char if char.isprintable() else " " for char in str(value)).replace("$", r"\$")


def short(value: object, limit: int = 18) -> str:
    """`text`, cut in the middle where it is too long for an axis."""
    plain = str(value)
    return text(plain if len(plain) <= limit else f"{plain[: limit - 7]}…{plain[-6:]}")


def no_data(ax: Axes, why: str) -> Axes:
    """An empty figure says why."""
    ax.set_axis_off()
    ax.text(
        0.5,
        0.5,
        f"no data: {text(why)}",
        ha="center",
        va="center",
        transform=ax.transAxes,
        color=GREY,
        fontsize=FONT,
        wrap=True,
    )
    return ax


def limit_line(
    ax: Axes, value: float, name: str, *, axis: str = "y", color: str = GREY, at: float = 1.0
) -> None:
    """A dashed line at `value` with its name beside the axes, so that no legend is needed."""
    draw, transform = (
        (ax.axhline, ax.get_yaxis_transform())
        if axis == "y"
        else (ax.axvline, ax.get_xaxis_transform())
    )
    draw(value, color=color, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    if axis == "y":
        ax.text(
            at + 0.005,
            value,
            text(name),
            transform=transform,
            va="center",
            ha="left",
            fontsize=FONT - 2,
            color=color,
        )
    else:
        ax.text(
            value,
            at + 0.01,
            text(name),
            transform=transform,
            va="bottom",
            ha="center",
            fontsize=FONT - 2,
            color=color,
        )


def name_ticks(ax: Axes, names: Sequence[object], limit: int = 18) -> None:
    """Names along the x axis at 0, 1, 2 ...: level where they fit, slanted where they would touch,
    steeper the closer they stand.
    """
    labels = [short(name, limit) for name in names]
    room = ax.figure.bbox.width / ax.figure.dpi * 0.75 / max(len(labels), 1)  # inches a label has
    if max((len(label) for label in labels), default=0) * (FONT - 1) * 0.62 / 72 > room:
        slant = min(
            90.0, max(25.0, np.degrees(np.arcsin(min(1.0, 1.25 * (FONT - 1) / 72 / room))))
        )  # a line's height fits between two
        ax.set_xticks(
            range(len(labels)), labels, rotation=slant, ha="right", rotation_mode="anchor"
        )
    else:
        ax.set_xticks(range(len(labels)), labels)


def colors(names: Iterable[object]) -> dict[object, str]:
    """One colour per name, in order: the colour-blind safe cycle, or evenly spaced hues where there
    are more names than it has colours, so that none stands twice.
    """
    unique = list(dict.fromkeys(names))
    cycle = CYCLE if len(unique) <= len(CYCLE) else sns.husl_palette(len(unique), l=0.5).as_hex()
    return dict(zip(unique, cycle))


def chunks(names: Sequence[Any], most: int) -> list[list[Any]]:
    """Names in rows of equal length, `most` in a row; one empty row where there are none."""
    rows = max(1, -(-len(names) // most))
    size = -(-len(names) // rows) if names else 0
    return [list(names[row * size : (row + 1) * size]) for row in range(rows)]


def markers(names: Iterable[object]) -> dict[object, str]:
    """One marker per name, in order."""
    return {name: MARKERS[index % len(MARKERS)] for index, name in enumerate(dict.fromkeys(names))}
