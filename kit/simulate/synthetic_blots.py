"""Simulated ASNS blots (densitometry tables) and mRNA of the lines of `kit.simulate.synthetic`.
Every number is invented.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from kit.simulate.synthetic import LineTruth, Truth

LADDER_KDA = (250.0, 150.0, 100.0, 75.0, 50.0, 37.0, 25.0, 20.0)
ASNS_KDA, STRAY_KDA = 64.4, 44.0
DILUTION_UG = (40.0, 20.0, 10.0, 5.0, 2.5)
LOAD_UG = 20.0
POOL = "HeLa+A549 pool"
_SIGNAL, _TOTAL = (
    200_000.0,
    3_000_000.0,
)  # ASNS and total protein of a reference lane, in the imager's units
_NOISE = 300.0  # SD of the background under a band
_STRAY = 0.012  # an off-target band in every lane, as a share of a reference lane's ASNS
_KNOCKOUT = 0.03  # what is left of ASNS in the knockout, as a share of its parent's


def migration(mass_kDa: float) -> float:
    """Rf of a mass: log-linear with the slight bend of a real gel."""
    share = math.log(LADDER_KDA[0] / mass_kDa) / math.log(LADDER_KDA[0] / LADDER_KDA[-1])
    return 0.05 + 0.9 * share**0.93


def membrane(
    truth: Truth, replicate: int, knockout: str = "A549", cv: float = 0.12
) -> pd.DataFrame:
    """One membrane as a blot table: ladder, pooled reference in two lanes, one lysate of each line,
    a knockout of `knockout`, and a
    two-fold dilution series of the pool. `cv` is the spread of a line's ASNS between lysates."""
    rng = np.random.default_rng([truth.seed, 64, replicate])
    lines = {name: line for name, line in truth.lines.items() if math.isfinite(line.asns_percent)}
    lanes: list[tuple[str, str, float, float]] = [(POOL, "reference", 1.0, LOAD_UG)]
    lanes += [
        (name, "sample", line.asns_percent / 100 * rng.lognormal(0, cv), LOAD_UG)
        for name, line in lines.items()
    ]
    if knockout in lines:
        lanes.append(
            (knockout, "knockout", _KNOCKOUT * lines[knockout].asns_percent / 100, LOAD_UG)
        )
    lanes += [
        (POOL, "reference", 1.0, LOAD_UG),
        *((POOL, "dilution", 1.0, load) for load in DILUTION_UG),
    ]
    name = f"ASNS-R{replicate}"
    rows = [
        _row(
            name,
            1,
            "",
            replicate,
            "ladder",
            "ladder",
            rf=migration(mass) + rng.normal(0, 0.004),
            mw_kDa=mass,
        )
        for mass in LADDER_KDA
    ]
    for number, lane in enumerate(lanes, start=2):
        rows += _lane(name, number, replicate, lane, rng)
    return pd.DataFrame(rows).astype({"volume": "Int64", "background": "Int64"})


def _lane(
    name: str,
    number: int,
    replicate: int,
    lane: tuple[str, str, float, float],
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """ASNS, an off-target band, and total protein of one lane; what was loaded differs from what
    was meant.
    """
    line, role, level, load = lane
    loaded = load / LOAD_UG * rng.lognormal(0, 0.02 if role == "dilution" else 0.06)
    rows = []
    for target, mass, signal in (
        ("ASNS", ASNS_KDA, level * _SIGNAL),
        ("off_target", STRAY_KDA, _STRAY * _SIGNAL),
        ("total_protein", math.nan, _TOTAL),
    ):
        net = signal * loaded * rng.lognormal(0, 0.015) + rng.normal(0, _NOISE)
        background = round(
            rng.uniform(0.9, 1.1) * (400_000 if target == "total_protein" else 20_000)
        )
        rf = migration(mass) + rng.normal(0, 0.002) if math.isfinite(mass) else math.nan
        snr = round(max(net, 0.0) / _NOISE, 1)
        rows.append(
            _row(
                name,
                number,
                line,
                replicate,
                target,
                role,
                rf=rf,
                volume=round(net) + background,
                background=background,
                snr=snr,
                load=load,
            )
        )
    return rows


def _row(
    membrane: str, lane: int, line: str, replicate: int, target: str, role: str, **values: float
) -> dict[str, Any]:
    number = {
        "rf": math.nan,
        "mw_kDa": math.nan,
        "volume": math.nan,
        "background": math.nan,
        "snr": math.nan,
        "load": math.nan,
    } | values
    first = {
        "membrane": membrane,
        "lane": lane,
        "cell_line": line,
        "replicate": replicate,
        "target": target,
    }
    middle = {
        "rf": round(number["rf"], 4),
        "mw_kDa": number["mw_kDa"],
        "volume": number["volume"],
        "background": number["background"],
    }
    return (
        first
        | middle
        | {
            "saturated": "false",
            "lane_role": role,
            "snr": number["snr"],
            "load": number["load"],
        }
    )


def mrna_table(truth: Truth, sd: float = 0.15) -> pd.DataFrame:
    """`cell_line`, `replicate`, `value`: log2 of ASNS mRNA relative to A549."""
    rng = np.random.default_rng([truth.seed, 65])
    known: list[tuple[str, LineTruth]] = [
        (name, line) for name, line in truth.lines.items() if math.isfinite(line.asns_mrna_log2)
    ]
    rows = [
        (name, number, round(line.asns_mrna_log2 + rng.normal(0, sd), 3))
        for name, line in known
        for number in range(1, truth.replicates + 1)
    ]
    return pd.DataFrame(rows, columns=["cell_line", "replicate", "value"])
