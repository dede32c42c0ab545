"""Blot figures: what was measured on the image, lane profiles, and the ladder with the ASNS band on
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.patches import Rectangle

from kit.plots import style
from kit.readers.blots.image import BlotImage
from kit.readers.blots.profiles import lane_profile
from kit.western.ladder import LadderFit

_TARGET_COLOR = {
    "ASNS": style.VERMILION,
    "off_target": style.SKY,
    "ladder": style.GREEN,
    "total_protein": style.PURPLE,
}


def overlay(image: BlotImage, bands: pd.DataFrame, ax: Axes) -> Axes:
    """The image (bands dark, as on film) with a box around every band that was integrated; a
    saturated one is hatched.
    """
    # the root of the grey levels, so that faint bands show beside strong ones; volumes are taken
    # from the levels themselves
    norm = PowerNorm(
        0.5,
        vmin=float(np.percentile(image.pixels, 1)),
        vmax=float(max(np.percentile(image.pixels, 99.9), 1)),
    )
    ax.imshow(image.pixels, cmap="Greys", norm=norm, aspect="auto", interpolation="nearest")
    for band in bands.to_dict("records"):
        color = _TARGET_COLOR.get(str(band["target"]), style.ORANGE)
        box: dict[str, Any] = {
            "edgecolor": color,
            "facecolor": "none",
            "linewidth": 0.9,
            "hatch": "////" if band["saturated"] else None,
        }
        ax.add_patch(
            Rectangle(
                (band["left"], band["top"]),
                band["right"] - band["left"],
                band["bottom"] - band["top"],
                **box,
            )
        )
    for _, lane in bands.drop_duplicates("lane").iterrows():
        name = lane["cell_line"] or lane["lane_role"]
        ax.text(
            (lane["left"] + lane["right"]) / 2,
            -0.01,
            style.short(f"{lane['lane']} {name}", 12),
            transform=ax.get_xaxis_transform(),
            rotation=35,
            rotation_mode="anchor",
            ha="right",
            va="top",
            fontsize=style.FONT - 2,
            color=style.INK,
        )
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    _legend(ax, dict.fromkeys(bands["target"]), bool(bands["saturated"].any()))
    return ax


def _legend(ax: Axes, targets: Sequence[str] | dict[str, None], saturated: bool) -> None:
    boxes = [
        Rectangle(
            (0, 0),
            1,
            1,
            edgecolor=_TARGET_COLOR.get(t, style.ORANGE),
            facecolor="none",
            label=style.text(t.replace("_", " ")),
        )
        for t in targets
    ]
    if saturated:
        boxes.append(
            Rectangle(
                (0, 0),
                1,
                1,
                edgecolor=style.GREY,
                facecolor="none",
                hatch="////",
                label="saturated",
            )
        )
    ax.legend(
        handles=boxes,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=6,
        frameon=False,
        fontsize=style.FONT - 2,
    )


def lane_profiles(image: BlotImage, bands: pd.DataFrame, axes: Sequence[Axes]) -> Sequence[Axes]:
    """One lane per axes, grey level against row: the profile, the background under each band, and
    the area that counts as its volume.
    """
    for ax, (lane, group) in zip(axes, bands.groupby("lane", sort=False)):
        left, right = int(group["left"].iloc[0]), int(group["right"].iloc[0])
        profile = lane_profile(image.pixels, left, right) / (right - left)
        ax.plot(np.arange(len(profile)), profile, color=style.INK, linewidth=0.8)
        for band in group.to_dict("records"):
            rows = np.arange(int(band["top"]), int(band["bottom"]))
            floor = band["background"] / len(rows) / (right - left)
            color = _TARGET_COLOR.get(str(band["target"]), style.ORANGE)
            ax.fill_between(
                rows,
                floor,
                profile[rows],
                where=profile[rows] >= floor,
                color=color,
                alpha=0.45,
                linewidth=0,
            )
            ax.plot(rows[[0, -1]], [floor, floor], color=color, linewidth=1)
        name = group["cell_line"].iloc[0] or group["lane_role"].iloc[0]
        ax.set_title(style.short(f"{lane} {name}"), fontsize=style.FONT - 1, color=style.INK)
        ax.set_xlabel("row (pixels)")
        style.clean(ax)
    if len(axes):
        axes[0].set_ylabel("mean grey level")
    return axes


def ladder(
    fit: LadderFit | None,
    lanes: pd.DataFrame,
    ax: Axes,
    *,
    expected_kDa: float,
    tolerance_percent: float = 10.0,
    rf: pd.Series | None = None,
) -> Axes:
    """Mass against Rf: markers, the curve used and the straight line, the band's allowed range, and
    the ASNS band of each lane (`rf`, `lanes.mw_kDa`).
    """
    if fit is None:
        return style.no_data(ax, "no ladder lane with mass and Rf")
    x = np.linspace(fit.rf[0], fit.rf[-1], 200)
    low, high = (
        expected_kDa * (1 - tolerance_percent / 100),
        expected_kDa * (1 + tolerance_percent / 100),
    )
    ax.axhspan(low, high, color=style.VERMILION, alpha=0.10, linewidth=0)
    if fit.method != "log_linear":
        ax.plot(
            x,
            10 ** (fit.intercept + fit.slope * x),
            color=style.GREY,
            linestyle=(0, (4, 3)),
            linewidth=1,
            label=f"straight line, R² {fit.r2:.3f}",
        )
    error = fit.errors.get(fit.method, float("nan"))
    name = {"pchip": "PCHIP", "cubic": "cubic", "log_linear": "straight line"}[fit.method]
    ax.plot(
        x, fit.mass(x), color=style.BLUE, linewidth=1.4, label=f"{name} (used), error {error:.1f} %"
    )
    ax.plot(fit.rf, fit.mw_kDa, "o", color=style.BLUE, markersize=4.5, label="ladder")
    masses = lanes["mw_kDa"].to_numpy(float)
    at = (
        rf.to_numpy(float)
        if rf is not None
        else np.interp(-np.log(masses), -np.log(fit.mw_kDa), fit.rf)
    )
    ax.plot(
        at,
        masses,
        "D",
        color=style.VERMILION,
        markersize=4.5,
        markerfacecolor="none",
        label="ASNS band",
    )
    ax.set_yscale("log")
    ticks = [mass for mass in fit.mw_kDa]
    ax.set_yticks(ticks, [f"{mass:g}" for mass in ticks])
    ax.minorticks_off()
    style.limit_line(ax, expected_kDa, f"ASNS {expected_kDa:g} kDa", color=style.VERMILION)
    ax.set_xlabel("relative migration Rf")
    ax.set_ylabel("mass (kDa)")
    ax.legend(frameon=False, fontsize=style.FONT - 2, loc="upper right")
    return style.clean(ax)


def band_dots(lanes: pd.DataFrame, ax: Axes) -> Axes:
    """ASNS over the reference, lane by lane, in the order of the gel; open where the lane failed
    (saturated), with the reference lanes in grey.
    """
    if lanes.empty:
        return style.no_data(ax, "no lanes")
    shown = lanes.reset_index(drop=True)
    colors = {
        "sample": style.VERMILION,
        "reference": style.GREY,
        "knockout": style.BLUE,
        "dilution": style.SKY,
    }
    for role, group in shown.groupby("lane_role", sort=False):
        ax.plot(
            group.index,
            100 * group["asns_relative"],
            "o",
            color=colors.get(str(role), style.ORANGE),
            markersize=5,
            label=str(role),
        )
    lost = shown[shown["asns_relative"].isna()]
    (
        ax.plot(
            lost.index, [0] * len(lost), "x", color=style.INK, markersize=6, label="not quantified"
        )
        if len(lost)
        else None
    )
    ax.axhline(100, color=style.GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    names = [
        style.short(f"{row['cell_line'] or row['lane_role']} r{row['replicate']}", 16)
        for row in shown.to_dict("records")
    ]
    ax.set_xticks(range(len(shown)), names, rotation=40, ha="right")
    ax.set_ylabel("ASNS, % of reference")
    ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    ax.legend(frameon=False, fontsize=style.FONT - 2)
    return style.clean(ax)
