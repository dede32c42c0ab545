"""Curves that rival the four-parameter one: two phases, hormesis, gain and loss, and asymmetry.

Each is linear in its levels once its midpoints and slopes are given, so a grid over the latter
finds the start and variable projection finishes it, as in `fit`. The dose enters relative to the
geometric mean of the positive doses.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from kit.dose.fit import LN10

Floats = NDArray[np.float64]
Design = Callable[[Floats, Floats], Floats]
"""(log10 dose, shapes) -> columns, shape (..., doses, levels); a dose of zero is -inf."""


def _z(x: Floats, m: Floats, eta: Floats) -> Floats:
    return special.expit(-LN10 * np.exp(eta)[..., None] * (x - m[..., None]))


def _two_phase(x: Floats, shapes: Floats) -> Floats:
    first = _z(x, shapes[..., 0], shapes[..., 2])
    second = _z(x, shapes[..., 1], shapes[..., 3])
    return np.stack([np.ones_like(first), first, second], axis=-1)


def _hormetic(x: Floats, shapes: Floats) -> Floats:
    z = _z(x, shapes[..., 0], shapes[..., 1])
    return np.stack([1 - z, z, 10 ** (x - shapes[..., :1]) * z], axis=-1)


def _hormetic_to_zero(x: Floats, shapes: Floats) -> Floats:
    return _hormetic(x, shapes)[..., 1:]


def _gain_loss(x: Floats, shapes: Floats) -> Floats:
    gain = 1 - _z(x, shapes[..., 0], shapes[..., 2])
    return (gain * _z(x, shapes[..., 1], shapes[..., 3]))[..., None]


def _richards(x: Floats, shapes: Floats) -> Floats:
    rise = 1 - _z(x, shapes[..., 0], shapes[..., 1])
    return (rise ** np.exp(-shapes[..., 2:3]))[..., None]


@dataclass(frozen=True)
class Rival:
    """One model: its columns, the signs its levels must have, and what its shapes are."""

    design: Design
    shapes: tuple[str, ...]
    """`m` a midpoint (rising within the model), `slope` the logarithm of a Hill slope."""
    same_sign: tuple[int, ...] = ()
    """Levels that must not differ in sign."""
    positive: tuple[int, ...] = ()
    slopes: tuple[float, float] = (0.3, 10.0)

    @property
    def n_parameters(self) -> int:
        """Shapes and levels."""
        return len(self.shapes) + self.design(np.zeros(1), np.zeros(len(self.shapes))).shape[-1]


RIVALS = {
    "biphasic": Rival(_two_phase, ("m", "m", "slope", "slope"), same_sign=(1, 2)),
    "hormetic": Rival(_hormetic, ("m", "slope"), positive=(2,), slopes=(1.001, 10.0)),
    "hormetic_to_zero": Rival(
        _hormetic_to_zero, ("m", "slope"), positive=(1,), slopes=(1.001, 10.0)
    ),
    "gain_loss": Rival(_gain_loss, ("m", "m", "slope", "slope")),
    "richards": Rival(_richards, ("m", "slope", "slope"), slopes=(0.01, 100.0)),
}


@dataclass(frozen=True)
class RivalFit:
    """Shapes (midpoints as log10 dose, slopes as Hill slopes), levels, residual sum of squares."""

    shapes: Floats
    levels: Floats
    rss: float


def fit_rival(
    name: str,
    dose: ArrayLike,
    mean: ArrayLike,
    n: ArrayLike,
    pure: float = 0.0,
    at_most: float = math.inf,
) -> RivalFit:
    """Least squares of one of RIVALS on dose means.

    Parameters
    ----------
    name: key of RIVALS.
    dose, mean, n: distinct doses (0 allowed), mean responses and their weights, shape (doses,).
    pure: sum of squares of the single values about their means, added to the result.
    at_most: the grid's best is handed on as it is where it lies far above this.
    """
    rival = RIVALS[name]
    dose, mean, root = (np.asarray(item, float) for item in (dose, mean, np.sqrt(n)))
    with np.errstate(divide="ignore"):
        x = np.log10(dose)
    ref = x[np.isfinite(x)].mean()
    x = x - ref
    low, high = x[np.isfinite(x)].min(), x[np.isfinite(x)].max()
    bounds = {"m": (low - 1, high + 1), "slope": tuple(math.log(slope) for slope in rival.slopes)}
    box = np.array([bounds[kind] for kind in rival.shapes]).T
    starts = _starts(rival, low, high, box)
    columns = rival.design(x, starts) * root[:, None]
    levels, rss = _solve(columns, mean * root, rival)

    def residuals(shapes: Floats) -> Floats:
        design = rival.design(x, shapes) * root[:, None]
        return design @ _solve(design[None], mean * root, rival)[0][0] - mean * root

    order = np.argsort(rss)
    best = (float(rss[order[0]]), starts[order[0]])
    refine = 3 if pure == 0 or best[0] + pure < 1.5 * at_most else 0
    precise = 1e-8 if math.isfinite(at_most) else 1e-13
    for start in starts[order[:refine]]:
        found = optimize.least_squares(
            residuals,
            start,
            bounds=(box[0], box[1]),
            xtol=precise,
            ftol=precise,
            gtol=precise,
            max_nfev=30 if math.isfinite(at_most) else None,
        )
        if 2 * found.cost < best[0]:
            best = (2 * float(found.cost), found.x)
    levels = _solve((rival.design(x, best[1]) * root[:, None])[None], mean * root, rival)[0][0]
    kinds = np.array(rival.shapes)
    shapes = np.where(kinds == "m", best[1] + ref, np.exp(best[1]))
    return RivalFit(shapes, levels, best[0] + pure)


def _starts(rival: Rival, low: float, high: float, box: Floats) -> Floats:
    """Grid of shapes; the midpoints of one model stand in order."""
    many = len(rival.shapes) > 3
    middles = np.linspace(low - 0.5, high + 0.5, 12 if many else 31)
    slopes = np.clip(np.log([0.7, 1.3, 2.5, 6.0] if many else np.geomspace(0.3, 10, 12)), -9, 9)
    axes = [middles if kind == "m" else slopes for kind in rival.shapes]
    grid = np.array(list(itertools.product(*axes)))
    if rival.shapes[:2] == ("m", "m"):
        grid = grid[grid[:, 0] < grid[:, 1]]
    return np.clip(grid, box[0] + 1e-9, box[1] - 1e-9)


def _solve(columns: Floats, y: Floats, rival: Rival) -> tuple[Floats, Floats]:
    """Levels and residual sum of squares of each design; a level of a forbidden sign becomes 0."""
    levels = _least_squares(columns, y)
    wrong = np.zeros(levels.shape, bool)
    for index in rival.positive:
        wrong[..., index] = levels[..., index] < 0
    if rival.same_sign:
        a, b = rival.same_sign
        opposed = levels[..., a] * levels[..., b] < 0
        smaller = np.abs(levels[..., a]) < np.abs(levels[..., b])
        wrong[..., a], wrong[..., b] = opposed & smaller, opposed & ~smaller
    rows = wrong.any(axis=-1)
    if rows.any():
        kept = columns[rows] * ~wrong[rows][:, None, :]
        levels[rows] = _least_squares(kept, y)
    left = y - np.einsum("...ij,...j->...i", columns, levels)
    return levels, (left * left).sum(-1)


def _least_squares(columns: Floats, y: Floats) -> Floats:
    """Levels of many small designs by their normal equations, with a ridge of rounding size."""
    size = np.sqrt((columns * columns).sum(-2, keepdims=True))
    unit = columns / np.maximum(size, 1e-300)
    inner = np.swapaxes(unit, -1, -2) @ unit + 1e-13 * np.eye(columns.shape[-1])
    right = (np.swapaxes(unit, -1, -2) @ y)[..., None]
    return np.linalg.solve(inner, right)[..., 0] / np.maximum(size[..., 0, :], 1e-300)


def aicc(rss: float, n: int, n_parameters: int) -> float:
    """Akaike's criterion corrected for small samples (Hurvich & Tsai 1989, Biometrika 76:297); the
    variance counts as a parameter. Infinite where the data are too few for the model.

    >>> round(aicc(0.2070750169, 14, 4), 4)
    -41.4922
    """
    k = n_parameters + 1
    if n - k - 1 <= 0:
        return math.inf
    return n * math.log(max(rss, 1e-300) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


def must_reach(rss: float, n: int, n_parameters: int, margin: float) -> float:
    """The residual sum of squares below which a model of so many parameters beats a four-parameter
    curve that leaves `rss` by more than `margin` in AICc. 0 where nothing could.
    """
    penalty = aicc(1.0, n, n_parameters) - aicc(1.0, n, 4)
    return rss * math.exp(-(penalty + margin) / n) if math.isfinite(penalty) else 0.0
