"""The carry-over model in plain numbers: what washes and serum leave behind, how many doublings
that pays for, and what would help.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kit.core.protein import RESIDUE_DA

Floats = NDArray[np.float64]
ORDINAL = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
PLATE_RESIDUES_UL, BULK_RESIDUES_UL = (10.0, 5.0, 2.0), (100.0, 50.0, 20.0)


def residual_uM(
    start_uM: ArrayLike,
    washes: ArrayLike,
    residual_uL: ArrayLike,
    wash_uL: ArrayLike,
    added_uL: ArrayLike,
    fresh_uM: ArrayLike = 0.0,
) -> Floats:
    """Concentration at the start of the assay, uM: [C0 Vr (Vr/(Vr+Vw))^n + Vadd C_fresh] /
    (Vr+Vadd), by mass balance.

    `start_uM` is the last medium on the cells, `residual_uL` what stays behind after each
    aspiration, `added_uL` the fresh medium and
    `fresh_uM` what that medium itself brings (serum, impurities). No credit is given for what the
    cells consumed before.
    """
    kept, added = np.asarray(residual_uL, float), np.asarray(added_uL, float)
    diluted = np.asarray(start_uM, float) * (
        kept / (kept + np.asarray(wash_uL, float))
    ) ** np.asarray(washes, float)
    return np.asarray(
        (diluted * kept + added * np.asarray(fresh_uM, float)) / (kept + added), float
    )


def masked_doublings(
    residual_uM: ArrayLike,
    volume_uL: ArrayLike,
    cells_per_well: ArrayLike,
    fmol_per_new_cell: ArrayLike,
) -> Floats:
    """Doublings the residue can pay for: D_cap = log2(1 + 1000 C V / (N0 q)); uM x uL is pmol,
    hence the 1000.
    """
    pool_fmol = 1000 * np.asarray(residual_uM, float) * np.asarray(volume_uL, float)
    return np.asarray(
        np.log2(
            1
            + pool_fmol / (np.asarray(cells_per_well, float) * np.asarray(fmol_per_new_cell, float))
        ),
        float,
    )


def gr_mask(masked_doublings: ArrayLike, control_doublings: ArrayLike) -> Floats:
    """GR an absolute auxotroph could show from the residue alone: 2^(min(D_cap, D_ctrl) / D_ctrl) -
    1; NaN where control did not grow.
    """
    cap, control = np.broadcast_arrays(
        np.asarray(masked_doublings, float), np.asarray(control_doublings, float)
    )
    with np.errstate(all="ignore"):
        value = 2 ** (np.minimum(cap, control) / control) - 1
    return np.where(control > 0, value, np.nan)


def serum_uM(percent: float, free_uM: float, removed: float = 0.0) -> float:
    """Amino acid that serum brings into the medium, uM: its share times what is free in the
    undiluted serum after dialysis.
    """
    return percent / 100 * free_uM * (1 - removed)


@dataclass(frozen=True)
class Carry:
    """The numbers behind one residue: volumes in uL (of a tube, for washes in bulk), concentrations
    in uM.

    `well_uL` is the volume that the cells of one well share; NaN means the residue plus the medium
    added to it.
    """

    start_uM: float
    washes: int
    residual_uL: float
    wash_uL: float = 100.0
    added_uL: float = 100.0
    fresh_uM: float = 0.0
    cells_per_well: float = 10_000.0
    fmol_per_new_cell: float = 100_000 * 0.036 / RESIDUE_DA
    control_doublings: float = 2.0
    well_uL: float = float("nan")

    @property
    def residual_uM(self) -> float:
        """Concentration at the start, uM."""
        return float(
            residual_uM(
                self.start_uM,
                self.washes,
                self.residual_uL,
                self.wash_uL,
                self.added_uL,
                self.fresh_uM,
            )
        )

    @property
    def volume_uL(self) -> float:
        """Volume that the cells of one well share, uL."""
        return self.residual_uL + self.added_uL if np.isnan(self.well_uL) else self.well_uL

    @property
    def masked_doublings(self) -> float:
        """Doublings the residue can pay for."""
        return float(
            masked_doublings(
                self.residual_uM, self.volume_uL, self.cells_per_well, self.fmol_per_new_cell
            )
        )

    @property
    def gr_mask(self) -> float:
        """GR an absolute auxotroph could show."""
        return float(gr_mask(self.masked_doublings, self.control_doublings))

    def limit_uM(self, limit: float) -> float:
        """The residue at which `gr_mask` reaches `limit` (below 1), uM: the inverse of the two
        equations above.
        """
        doublings = self.control_doublings * np.log2(1 + limit)
        return float(
            self.cells_per_well
            * self.fmol_per_new_cell
            * (2**doublings - 1)
            / (1000 * self.volume_uL)
        )


# ---- advice


@dataclass(frozen=True)
class WashAdvice:
    """What would bring the mask below a limit; `washes` and `residual_uL` are None where that alone
    cannot, `text` says it all.
    """

    washes: int | None
    residual_uL: float | None
    text: str


def next_wash_advice(
    carry: Carry,
    limit: float,
    amino_acid: str = "asparagine",
    residues_uL: Sequence[float] = PLATE_RESIDUES_UL,
) -> WashAdvice | None:
    """The fewest washes, or the largest of `residues_uL`, that bring `gr_mask` below `limit`; None
    where it is below already.
    """
    if carry.gr_mask < limit:
        return None
    unwashable, unfed = (
        dataclasses.replace(carry, start_uM=0.0),
        dataclasses.replace(carry, fresh_uM=0.0),
    )
    if unwashable.gr_mask >= limit:
        share = f"{show_uM(unwashable.residual_uM)} of the {show_uM(carry.residual_uM)} µM left"
        text = (
            f"Use dialyzed serum with measured {amino_acid}: {share} come with the fresh medium,"
            " which no wash removes."
        )
        washing = (
            next_wash_advice(unfed, limit, amino_acid, residues_uL) if carry.start_uM > 0 else None
        )
        return WashAdvice(None, None, f"{text} {washing.text}" if washing else text)
    more = (dataclasses.replace(carry, washes=carry.washes + extra) for extra in range(1, 6))
    less = (
        dataclasses.replace(carry, residual_uL=volume)
        for volume in residues_uL
        if volume < carry.residual_uL
    )
    washed = next((option for option in more if option.gr_mask < limit), None)
    drained = next((option for option in less if option.gr_mask < limit), None)
    options = []
    if washed:
        count = (
            f"a {ORDINAL[washed.washes]} wash"
            if washed.washes == carry.washes + 1 <= 5
            else f"{washed.washes} washes"
        )
        options.append((count, washed))
    if drained:
        options.append((f"a residual volume of {drained.residual_uL:g} µL", drained))
    if not options:
        return WashAdvice(
            None,
            None,
            "Raise the wash volume: neither five more washes nor less residual volume bring"
            f" {amino_acid} low enough.",
        )
    (first, to), *rest = options
    text = (
        f"Repeat with {first}: residual {amino_acid} falls from {show_uM(carry.residual_uM)} to"
        f" {show_uM(to.residual_uM)} µM"
    )
    text += (
        "".join(f"; {other} would leave {show_uM(option.residual_uM)} µM" for other, option in rest)
        + "."
    )
    return WashAdvice(
        washed.washes if washed else None, drained.residual_uL if drained else None, text
    )


def wash_grid(
    start_uM: float = 378.0,
    wash_uL: float = 100.0,
    added_uL: float = 100.0,
    residual_volumes_uL: Sequence[float] = (5, 10, 20),
    max_washes: int = 4,
) -> pd.DataFrame:
    """Concentration left by 0 to `max_washes` washes for each residual volume: `washes`,
    `residual_uL`, `residual_uM`.
    """
    washes, volumes = np.meshgrid(np.arange(max_washes + 1), np.asarray(residual_volumes_uL, float))
    left = residual_uM(start_uM, washes, volumes, wash_uL, added_uL)
    return pd.DataFrame(
        {"washes": washes.ravel(), "residual_uL": volumes.ravel(), "residual_uM": left.ravel()}
    )


def show_uM(value: float) -> str:
    """Two significant digits, three from 10 on, and never an exponent."""
    if value >= 10:
        return f"{value:.3g}"
    return f"{value:.2g}" if value >= 0.001 else "less than 0.001"
