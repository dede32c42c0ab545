"""From a blot image and the user's lane list to the band table of a blot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kit.core.errors import InputError, Problem
from kit.readers.blots.densitometry import ARM
from kit.readers.blots.image import BlotImage
from kit.readers.blots.lane_finding import find_lanes
from kit.readers.blots.profiles import (
    Band,
    find_bands,
    integrate,
    lane_profile,
    noise_sd,
    saturated_pixels,
)

Bounds = tuple[int, int, int]
"""Peak row, first row, row after the last of a band."""
Lane = dict[Any, Any]
_CARRIED = ("membrane", "lane", "cell_line", "replicate", "lane_role", "condition", "load", *ARM)
ASNS_KDA = 64.0


@dataclass(frozen=True)
class ImagePlan:
    """What an image shows: targets with their masses (kDa, NaN unknown) and, where told, their
    rows; rows of wells and dye front;
    background radius in rows."""

    targets: dict[str, float]
    rows: dict[str, float]
    top: int
    front: int
    radius: float


def measure(image: BlotImage, lanes: pd.DataFrame, settings: object) -> pd.DataFrame:
    """Band table (the blot table and `snr`, `row`, `top`, `bottom`, `left`, `right` in pixels) of
    one image.

    `lanes` is the user's lane list from left to right: `lane`, `cell_line`, and optionally
    `lane_role`, `replicate`, `membrane`, `condition`,
    `load`; `left` and `right` (columns in pixels; found when absent); and, constant over the image,
    `target` (several as "ASNS|actin";
    "total_protein" sums each lane), `target_kDa`, `target_row` (pixel row, for a blot without
    ladder whose strongest band is another), `top` and `front` (rows of the wells and of the dye
    front, default the image).
    A ladder lane lists its masses top to bottom in `ladder_kDa` ("150|100|75") and, where bands are
    missed, their `ladder_rows`.
    """
    lanes = _with_borders(image, lanes)
    plan = _plan(image, lanes)
    saturated = saturated_pixels(image, settings.western_saturation_fraction)  # type: ignore[attr-defined]
    if list(plan.targets) == ["total_protein"]:
        rows = [
            _total_row(image, lane, plan, saturated)
            for lane in lanes.to_dict("records")
            if lane["lane_role"] != "ladder"
        ]
    else:
        rows = _band_rows(image, lanes, plan, saturated, float(settings.western_lod_snr))  # type: ignore[attr-defined]
    return pd.DataFrame(rows)


def _with_borders(image: BlotImage, lanes: pd.DataFrame) -> pd.DataFrame:
    """The lane list with `left`, `right` and the defaults of the other columns filled in."""
    lanes = lanes.reset_index(drop=True)
    defaults: dict[str, Any] = {
        "membrane": image.name,
        "lane_role": "sample",
        "replicate": 1,
        "condition": "basal",
        "target": "ASNS",
        "cell_line": "",
    }
    for column, value in defaults.items():
        lanes[column] = lanes[column].fillna(value) if column in lanes else value
    if {"left", "right"} <= set(lanes) and lanes[["left", "right"]].notna().all(axis=None):
        wrong = lanes[
            (lanes["left"] < 0)
            | (lanes["right"] > image.pixels.shape[1])
            | (lanes["left"] >= lanes["right"])
        ]
        if len(wrong):
            what = (
                f"left {wrong['left'].iloc[0]:g}, right {wrong['right'].iloc[0]:g} do not lie in an"
                f" image of {image.pixels.shape[1]} columns"
            )
            raise InputError(Problem(image.name, f"lane {wrong['lane'].iloc[0]}", what))
        return lanes
    found = find_lanes(image.pixels, len(lanes), image.name)
    return lanes.assign(left=[left for left, _ in found], right=[right for _, right in found])


def _constant(lanes: pd.DataFrame, column: str, default: object) -> object:
    """The one value of an image-wide column of the lane list."""
    values = lanes[column].dropna() if column in lanes else pd.Series(dtype=object)
    return values.iloc[0] if len(values) else default


def _numbers(text: object) -> list[float]:
    return [float(part) for part in str(text).split("|") if part.strip()]


def _plan(image: BlotImage, lanes: pd.DataFrame) -> ImagePlan:
    height = image.pixels.shape[0]
    names = [part.strip() for part in str(_constant(lanes, "target", "ASNS")).split("|")]
    masses = _numbers(_constant(lanes, "target_kDa", ""))
    known = (
        dict(zip(names, masses))
        if len(masses) == len(names)
        else {name: ASNS_KDA if name == "ASNS" else float("nan") for name in names}
    )
    top, front = (
        int(float(str(_constant(lanes, "top", 0)))),
        int(float(str(_constant(lanes, "front", height)))),
    )
    if not 0 <= top < front <= height:
        raise InputError(
            Problem(
                image.name,
                "lane list",
                f"top {top} and front {front} do not lie in an image of {height} rows",
            )
        )
    rows = _numbers(_constant(lanes, "target_row", ""))
    if rows and len(rows) != len(names):
        raise InputError(
            Problem(
                image.name,
                "lane list",
                f"target_row names {len(rows)} rows for {len(names)} targets",
            )
        )
    return ImagePlan(known, dict(zip(names, rows)), top, front, max(20.0, (front - top) / 8))


def _row(
    image: BlotImage,
    lane: Lane,
    plan: ImagePlan,
    target: str,
    band: Band,
    snr: float,
    saturated: np.ndarray,
) -> Lane:
    left, right = int(lane["left"]), int(lane["right"])
    carried = {key: lane[key] for key in _CARRIED if key in lane}
    return carried | {
        "target": target,
        "rf": (band.row - plan.top) / (plan.front - plan.top),
        "mw_kDa": float("nan"),
        "volume": band.total,
        "background": band.background,
        "saturated": bool(saturated[band.top : band.bottom, left:right].any()),
        "snr": snr,
        "row": band.row,
        "top": band.top,
        "bottom": band.bottom,
        "left": left,
        "right": right,
    }


def _total_row(image: BlotImage, lane: Lane, plan: ImagePlan, saturated: np.ndarray) -> Lane:
    """Total protein: the whole lane above what its own margins say, 5 % of its width on each
    side.
    """
    left, right = int(lane["left"]), int(lane["right"])
    block = image.pixels[plan.top : plan.front, left:right]
    margin = max(1, (right - left) // 20)
    floor = (
        np.minimum(block[:, :margin].mean(axis=1), block[:, -margin:].mean(axis=1)) * block.shape[1]
    )
    total, under = float(block.sum()), float(floor.sum())
    band = Band((plan.top + plan.front) / 2, plan.top, plan.front, total, under, float(block.max()))
    row = _row(image, lane, plan, "total_protein", band, float("nan"), saturated)
    return row | {"rf": float("nan")}


def _band_rows(
    image: BlotImage, lanes: pd.DataFrame, plan: ImagePlan, saturated: np.ndarray, min_snr: float
) -> list[Lane]:
    rows = []
    found: dict[int, list[Bounds]] = {}
    records = lanes.to_dict("records")
    profiles = [
        lane_profile(image.pixels, int(lane["left"]), int(lane["right"]))[plan.top : plan.front]
        for lane in records
    ]
    for index, (lane, profile) in enumerate(zip(records, profiles)):
        found[index] = find_bands(profile, radius=plan.radius, min_snr=min_snr)
        if lane["lane_role"] == "ladder":
            found[index] = _ladder_bands(image, lane, found[index], plan)
    expected = _expected_rows(records, found, profiles, plan)
    for index, (lane, profile) in enumerate(zip(records, profiles)):
        bounds = (
            found[index]
            if lane["lane_role"] == "ladder"
            else _with_expected(found[index], expected, len(profile))
        )
        noise = max(noise_sd(profile), 1e-12)
        masses = _numbers(lane.get("ladder_kDa", "")) if lane["lane_role"] == "ladder" else []
        for number, band in enumerate(integrate(profile, bounds, radius=plan.radius)):
            shifted = Band(
                band.row + plan.top,
                band.top + plan.top,
                band.bottom + plan.top,
                band.total,
                band.background,
                band.height,
            )
            target = "ladder" if masses else _target_of(bounds[number], expected)
            row = _row(image, lane, plan, target, shifted, band.height / noise, saturated)
            rows.append(row | ({"mw_kDa": masses[number]} if masses else {}))
    return rows


def _ladder_bands(
    image: BlotImage, lane: Lane, found: list[Bounds], plan: ImagePlan
) -> list[Bounds]:
    """The ladder lane's bands, one per mass; they must match, for a shifted ladder gives wrong
    masses without a trace.
    """
    given = lane.get("ladder_rows")
    if isinstance(given, str) or (given is not None and not pd.isna(given)):
        rows = [round(row) - plan.top for row in _numbers(given)]
        found = [
            min(found, key=lambda band: abs(band[0] - row)) if found else (row, row - 2, row + 3)
            for row in rows
        ]
        found = [
            band if abs(band[0] - row) <= 3 else (row, max(row - 2, 0), row + 3)
            for band, row in zip(found, rows)
        ]
    masses = _numbers(lane.get("ladder_kDa", "")) if isinstance(lane.get("ladder_kDa"), str) else []
    if len(masses) != len(found):
        where = ", ".join(str(band[0] + plan.top) for band in found)
        what = f"{len(found)} bands (rows {where}) where ladder_kDa names {len(masses)} masses"
        raise InputError(
            Problem(
                image.name,
                f"ladder lane {lane['lane']}",
                what,
                "List the row of each marker in ladder_rows, top to bottom.",
            )
        )
    return found


def _ladder_curve(
    records: list[Lane], found: dict[int, list[Bounds]]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows and masses of the first ladder lane, by falling mass."""
    for index, lane in enumerate(records):
        if lane["lane_role"] == "ladder":
            return np.array([band[0] for band in found[index]], float), np.array(
                _numbers(lane["ladder_kDa"])
            )
    return None


def _expected_rows(
    records: list[Lane], found: dict[int, list[Bounds]], profiles: list[np.ndarray], plan: ImagePlan
) -> dict[str, Bounds]:
    """Where each target lies on this image: the commonest strong band near its mass, or, without a
    ladder, the strongest row of all lanes.
    """
    ladder = _ladder_curve(records, found)
    bands = [
        (band, profiles[i][band[0]])
        for i, lane in enumerate(records)
        if lane["lane_role"] != "ladder"
        for band in found[i]
    ]
    expected: dict[str, Bounds] = {}
    for target, mass in plan.targets.items():
        if target in plan.rows:
            expected[target] = _at_row(round(plan.rows[target]) - plan.top, bands, plan.radius)
            continue
        near = (
            [item for item in bands if _near(item[0][0], mass, ladder)]
            if ladder and np.isfinite(mass)
            else bands
        )
        near = [
            item
            for item in near
            if not any(_overlap(item[0], other) for other in expected.values())
        ]
        if near:
            expected[target] = max(near, key=lambda item: item[1])[0]
    return expected


def _at_row(row: int, bands: list[tuple[Bounds, float]], radius: float) -> Bounds:
    """The strongest band about a row the user names; where there is none, a window of a quarter
    radius on each side.
    """
    reach = max(4, int(radius / 6))
    near = [item for item in bands if abs(item[0][0] - row) <= reach]
    window = max(5, int(radius / 4))
    return (
        max(near, key=lambda item: item[1])[0]
        if near
        else (row, max(row - window, 0), row + window + 1)
    )


def _near(row: float, mass: float, ladder: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether a row of the image lies within 15 % of `mass` by the ladder."""
    rows, masses = ladder
    return bool(abs(np.exp(np.interp(row, rows, np.log(masses))) / mass - 1) <= 0.15)


def _overlap(band: Bounds, other: Bounds) -> bool:
    """Whether the peak of one band lies inside the other."""
    return other[1] <= band[0] < other[2] or band[1] <= other[0] < band[2]


def _with_expected(found: list[Bounds], expected: dict[str, Bounds], height: int) -> list[Bounds]:
    """`found`, and the place of every target that shows no band of its own: its noise is
    integrated, so that "not detected" has a number.
    """
    missing = [
        band for band in expected.values() if not any(_overlap(other, band) for other in found)
    ]
    bounds = sorted([*found, *missing])
    for upper, lower in zip(range(len(bounds) - 1), range(1, len(bounds))):
        if bounds[upper][2] > bounds[lower][1]:
            cut = (
                max(bounds[upper][0], bounds[lower][1]) + min(bounds[lower][0], bounds[upper][2])
            ) // 2
            bounds[upper], bounds[lower] = (
                (*bounds[upper][:2], cut),
                (bounds[lower][0], cut, bounds[lower][2]),
            )
    return bounds


def _target_of(band: Bounds, expected: dict[str, Bounds]) -> str:
    """The target a band belongs to, else off_target."""
    hits = [name for name, place in expected.items() if _overlap(band, place)]
    return hits[0] if hits else "off_target"
