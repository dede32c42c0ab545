"""Simulated Annexin V / PI acquisitions with known quadrants, written as FCS 3.1: what gating is
tested and taught on.

The physics kept: forward scatter that falls as cells die, debris, doublets (long pulses),
autofluorescence that grows with size,
spillover, electronic noise. The numbers are invented.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import flowio
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kit.readers.flow.events import Events, Spill

CHANNELS = ("FSC-A", "FSC-H", "SSC-A", "FITC-A", "PE-A", "APC-A", "Time")
STAINS = ("", "", "", "Annexin V", "PI", "", "")
SPILL = Spill(
    ("FITC-A", "PE-A", "APC-A"), np.array([[1.0, 0.22, 0.01], [0.03, 1.0, 0.05], [0.0, 0.01, 1.0]])
)
CLASSES = ("viable", "early", "late", "necrotic")
AREA_OVER_HEIGHT = 1.25
DEBRIS_BELOW = 25_000.0
"""A forward-scatter limit that tells this simulation's debris from its cells."""

_FSC = np.array([90_000.0, 70_000.0, 55_000.0, 65_000.0])
_DYE = {"annexin": np.array([0, 1, 1, 0]), "pi": np.array([0, 0, 1, 1])}


@dataclass(frozen=True)
class Simulated:
    """An acquisition and its truth: number of single cells in each quadrant, of debris and of
    doublets.
    """

    events: Events
    truth: dict[str, int]


def simulate(
    fractions: Mapping[str, float],
    *,
    events: int = 10_000,
    debris: float = 0.12,
    doublets: float = 0.04,
    stains: tuple[str, ...] = ("annexin", "pi"),
    seed: int = 0,
    name: str = "simulated.fcs",
) -> Simulated:
    """`events` events; `fractions` of CLASSES among single cells sum to 1; `stains` lists the dyes
    in the tube (none: unstained).
    """
    shares = np.array([fractions[quadrant] for quadrant in CLASSES], dtype=float)
    if shares.min() < 0 or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(
            f"fractions of {', '.join(CLASSES)} should sum to 1, sum to {shares.sum():g}"
        )
    rng = np.random.default_rng(seed)
    kind = rng.choice(
        3, size=events, p=[1 - debris - doublets, debris, doublets]
    )  # 0 single cell, 1 debris, 2 doublet
    cell, partner = rng.choice(4, size=(2, events), p=shares)
    scatter, height = _scatter(rng, kind, cell, partner)
    dyes = [
        _dye(rng, kind, cell, partner, stain) if stain in stains else np.zeros(events)
        for stain in ("annexin", "pi")
    ]
    light = np.column_stack([*dyes, np.zeros(events)]) @ SPILL.matrix + _autofluorescence(
        rng, scatter
    )
    side = scatter * rng.lognormal(-0.9, 0.25, events)
    time = np.sort(rng.uniform(0, events / 500, events))  # seconds, at 500 events a second
    values = np.column_stack([scatter, height, side, light, time]).astype(np.float32)
    truth = {
        quadrant: int(np.sum((kind == 0) & (cell == number)))
        for number, quadrant in enumerate(CLASSES)
    }
    truth |= {"debris": int(np.sum(kind == 1)), "doublets": int(np.sum(kind == 2))}
    return Simulated(Events(name, CHANNELS, STAINS, values, (262_144.0,) * 7, SPILL), truth)


def _scatter(
    rng: np.random.Generator,
    kind: NDArray[np.int64],
    cell: NDArray[np.int64],
    partner: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pulse area and height: a doublet's area is the sum of both cells, its height that of the
    larger.
    """
    one, other = (_FSC[item] * rng.lognormal(0, 0.10, len(kind)) for item in (cell, partner))
    small = rng.lognormal(np.log(6_000), 0.35, len(kind)).clip(500, 0.8 * DEBRIS_BELOW)
    area = np.select([kind == 1, kind == 2], [small, one + other], one)
    peak = np.select([kind == 1, kind == 2], [small, np.maximum(one, other)], one)
    return area, peak / AREA_OVER_HEIGHT * rng.normal(1, 0.03, len(kind))


def _dye(
    rng: np.random.Generator,
    kind: NDArray[np.int64],
    cell: NDArray[np.int64],
    partner: NDArray[np.int64],
    stain: str,
) -> NDArray[np.float64]:
    bright = rng.lognormal(np.log(25_000), 0.30, (2, len(kind)))
    one, other = _DYE[stain][cell] * bright[0], _DYE[stain][partner] * bright[1]
    return np.select([kind == 1, kind == 2], [0.1 * one, one + other], one)


def _autofluorescence(
    rng: np.random.Generator, scatter: NDArray[np.float64]
) -> NDArray[np.float64]:
    glow = scatter / 90_000 * rng.lognormal(np.log(200), 0.3, len(scatter))
    return np.outer(glow, [1.0, 0.6, 0.2]) + rng.normal(0, 60, (len(scatter), 3))


def write_fcs(events: Events, path: Path, *, spill: bool = True) -> None:
    """Write events as FCS 3.1, with the spillover keyword unless `spill` is false."""
    keywords = {"cyt": "simulated", "timestep": "1"}
    if spill and events.spill is not None:
        matrix = ",".join(f"{value:.6g}" for value in events.spill.matrix.ravel())
        keywords["spillover"] = (
            f"{len(events.spill.channels)},{','.join(events.spill.channels)},{matrix}"
        )
    flat = array("f", np.ascontiguousarray(events.values, dtype=np.float32).tobytes())
    with path.open("wb") as handle:
        flowio.create_fcs(
            handle,
            flat,
            list(events.channels),
            opt_channel_names=list(events.labels),
            metadata_dict=keywords,
        )


def write_acquisition(
    samples: Mapping[tuple[str, str, int], Mapping[str, float]],
    folder: Path,
    *,
    events: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """FCS files of `samples` ((line, medium, replicate) -> fractions) and of their controls, and
    `samples.csv`; returns the truth.

    The controls hold dying cells, as they should: an unstained, an Annexin-only and a PI-only tube.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dying = {"viable": 0.5, "early": 0.2, "late": 0.2, "necrotic": 0.1}
    tubes: list[
        tuple[str, tuple[str, str, int] | None, str, Mapping[str, float], tuple[str, ...]]
    ] = [
        ("unstained.fcs", None, "unstained", dying, ()),
        ("annexin_only.fcs", None, "annexin_only", dying, ("annexin",)),
        ("pi_only.fcs", None, "pi_only", dying, ("pi",)),
    ]
    tubes += [
        (
            f"{line}_{medium}_R{number}.fcs",
            (line, medium, number),
            "sample",
            share,
            ("annexin", "pi"),
        )
        for (line, medium, number), share in samples.items()
    ]
    sheet, truth = [], []
    for index, (file, key, role, share, stains) in enumerate(tubes):
        made = simulate(share, events=events, stains=stains, seed=seed + index, name=file)
        write_fcs(made.events, folder / file)
        line, medium, replicate = key or ("", "", "")
        sheet.append(
            {
                "file": file,
                "cell_line": line,
                "medium": medium,
                "replicate": replicate,
                "role": role,
            }
        )
        truth.append({**sheet[-1], **made.truth})
    pd.DataFrame(sheet).to_csv(folder / "samples.csv", index=False)
    return pd.DataFrame(truth)
