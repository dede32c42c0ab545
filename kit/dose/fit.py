"""Dose means -> four-parameter log-logistic curves, many at once.

`y = end + (start - end) z`, `z = 1 / (1 + 10^(h (x - m)))`, `x = log10(dose)`, `h > 0`; a dose of
zero has z = 1. `start` is the response without the agent, `end` the one at infinite dose, so that a
falling curve has start > end and a rising one start < end: one code serves both.

For given m and h the two levels are linear least squares (variable projection: Golub & Pereyra
1973, SIAM J Numer Anal 10:413; Kaufman 1975, BIT 15:49). A grid over m and ln h finds the start for
all curves that share their doses, damped Gauss-Newton steps finish it, and the profile of the
residual sum of squares over m gives the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
LN10 = math.log(10)
GRID_M, GRID_HILL = 41, 17
FREE = (-math.inf, math.inf)


class Box(NamedTuple):
    """Where the parameters may lie."""

    start: tuple[float, float] = FREE
    end: tuple[float, float] = FREE
    hill: tuple[float, float] = (0.3, 10.0)
    beyond: float = 1.0
    """Decades by which the midpoint may lie outside the positive doses."""
    middle: tuple[float, float] | None = None
    """Where log10 of the midpoint may lie, in place of `beyond`."""

    @property
    def n_free(self) -> int:
        """Parameters that are estimated: midpoint, Hill slope, and the levels that are not set."""
        pairs = (self.start, self.end, self.hill, self.middle or (0, 1))
        return sum(high > low for low, high in pairs)


@dataclass(frozen=True)
class Fits:
    """Curves of one batch: one entry a curve in every array.

    `m` is log10 of the midpoint in the unit of the doses, `low` and `high` its 95 % profile
    interval (infinite where the profile stays below the threshold), `rss` the residual sum of
    squares with the pure error in it, `rss_flat` the same of a constant.
    """

    m: Floats
    hill: Floats
    start: Floats
    end: Floats
    rss: Floats
    rss_flat: Floats
    df: Floats
    p_flat: Floats
    low: Floats
    high: Floats

    def predict(self, dose: Floats) -> Floats:
        """Responses, shape (curves, doses)."""
        z = unaffected(*axis(dose), self.m[:, None], np.log(self.hill)[:, None])
        return self.end[:, None] + (self.start - self.end)[:, None] * z


def axis(dose: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """log10 of the doses (0 where the dose is zero) and which are positive."""
    dose = np.asarray(dose, float)
    positive = dose > 0
    return np.log10(np.where(positive, dose, 1.0)), positive


def unaffected(x: Floats, positive: NDArray[np.bool_], m: Floats, eta: Floats) -> Floats:
    """z: the share of the way from `end` back to `start` at each dose."""
    return np.where(positive, special.expit(-LN10 * np.exp(eta) * (x - m)), 1.0)


def fit_batch(
    dose: Floats,
    mean: Floats,
    n: Floats,
    pure: Floats,
    box: Box,
    steps: int = 12,
    intervals: bool = True,
) -> Fits:
    """Fit one curve per row of `mean`, with the 95 % profile interval of its midpoint.

    Parameters
    ----------
    dose: distinct doses, shape (doses,), any unit, 0 allowed.
    mean: mean responses, shape (curves, doses).
    n: weights of the means (number of wells), shape (curves, doses); 0 leaves a mean out.
    pure: sum of squares of the wells about their means, shape (curves,).
    box: bounds of the parameters.
    steps: most Gauss-Newton steps.
    intervals: False leaves the profile out: both sides are open then.
    """
    x, positive = axis(dose)
    problem = _Problem(x, positive, np.where(n > 0, mean, 0.0), n, box)
    nodes, etas = problem.grid()
    lattice, eta_at = problem.search(nodes, etas)
    best = lattice.argmin(axis=1)
    rows = np.arange(len(mean))
    m, eta = problem.descend(nodes[best], etas[eta_at[rows, best]], steps)
    start, end, rss = problem.levels(m, eta)
    count = problem.count
    df = count - box.n_free
    total = rss + pure
    centre = (n * problem.y).sum(1) / n.sum(1)
    flat = (n * (problem.y - centre[:, None]) ** 2).sum(1) + pure
    with np.errstate(all="ignore"):
        ratio = (flat - total) / (box.n_free - 1) / (total / df)
        p_flat = np.where(df > 0, stats.f.sf(np.maximum(ratio, 0), box.n_free - 1, df), np.nan)
        allowed = np.where(df > 0, total * stats.f.isf(0.05, 1, df) / df, np.inf)
    sides = [np.full(len(mean), side * np.inf) for side in (-1, 1)]
    if intervals:
        sides = [
            problem.crossing(side, m, eta, rss, allowed, nodes, lattice, etas[eta_at])
            for side in (-1, 1)
        ]
    return Fits(m, np.exp(eta), start, end, total, flat, df, p_flat, *sides)


class _Problem:
    """Means of curves that share their doses, and what fitting them needs."""

    def __init__(
        self, x: Floats, positive: NDArray[np.bool_], y: Floats, n: Floats, box: Box
    ) -> None:
        self.x, self.positive, self.box = x, positive, box
        self.y, self.n = y, np.asarray(n, float)
        reach = (x[positive].min() - box.beyond, x[positive].max() + box.beyond)
        self.inside = tuple(float(end) for end in box.middle or reach)
        self.slopes = (math.log(box.hill[0]), math.log(box.hill[1]))
        self.count = self.n.sum(1)

    def grid(self) -> tuple[Floats, Floats]:
        """Midpoints and logarithms of the Hill slope to start from."""
        return np.linspace(*self.inside, GRID_M), np.linspace(*self.slopes, GRID_HILL)

    def search(self, nodes: Floats, etas: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Residual sum of squares at each midpoint, least over the slopes, and which slope."""
        z = unaffected(self.x, self.positive, nodes[:, None, None], etas[None, :, None])
        z = z.reshape(-1, len(self.x))
        n = self.n[:1] if (self.n == self.n[:1]).all() else self.n
        ny = self.n * self.y
        moments = (n @ (z * z).T, n @ (z * (1 - z)).T, n @ ((1 - z) ** 2).T)
        gain = _levels(*moments, ny @ z.T, ny @ (1 - z).T, self.box)[2]
        lattice = (ny * self.y).sum(1)[:, None] - gain
        lattice = lattice.reshape(len(self.y), GRID_M, GRID_HILL)
        return lattice.min(axis=2), lattice.argmin(axis=2)

    def levels(self, m: Floats, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Best start, end and residual sum of squares for given midpoints and slopes."""
        z = unaffected(self.x, self.positive, m[:, None], eta[:, None])
        u, v, ny = self.n * z, self.n * (1 - z), self.n * self.y
        sums = ((u * z).sum(1), (u * (1 - z)).sum(1), (v * (1 - z)).sum(1))
        start, end, _ = _levels(*sums, (ny * z).sum(1), (ny * (1 - z)).sum(1), self.box)
        left = self.y - end[:, None] - (start - end)[:, None] * z
        return start, end, (self.n * left * left).sum(1)

    def descend(
        self, m: Floats, eta: Floats, steps: int, move_m: bool = True
    ) -> tuple[Floats, Floats]:
        """Damped Gauss-Newton steps on (m, ln h), or on ln h alone."""
        damping = np.full(len(m), 1e-3)
        start, end, rss = self.levels(m, eta)
        for _ in range(steps):
            step_m, step_eta = self._step(m, eta, start, end, damping, move_m)
            new_m = np.clip(m + step_m, *self.inside)
            new_eta = np.clip(eta + step_eta, *self.slopes)
            new = self.levels(new_m, new_eta)
            better = new[2] < rss
            moved = np.maximum(np.abs(new_m - m), np.abs(new_eta - eta))
            settled = (moved < 1e-10) | (better & (rss - new[2] <= 1e-15 * rss))
            m, eta = np.where(better, new_m, m), np.where(better, new_eta, eta)
            start, end, rss = (
                np.where(better, a, b) for a, b in zip(new, (start, end, rss), strict=True)
            )
            damping = np.where(better, damping / 10, damping * 10)
            if settled.all():
                break
        return m, eta

    def _step(
        self, m: Floats, eta: Floats, start: Floats, end: Floats, damping: Floats, move_m: bool
    ) -> tuple[Floats, Floats]:
        """One step. The derivatives are projected off the levels that are free to follow."""
        root = np.sqrt(self.n)
        z = unaffected(self.x, self.positive, m[:, None], eta[:, None])
        slope = LN10 * np.exp(eta)[:, None] * (start - end)[:, None] * z * (1 - z) * root
        left = (self.y - end[:, None] - (start - end)[:, None] * z) * root
        columns = [slope if move_m else np.zeros_like(z), -slope * (self.x - m[:, None])]
        basis: list[Floats] = []
        for level, bounds, part in ((start, self.box.start, z), (end, self.box.end, 1 - z)):
            free = (level > bounds[0]) & (level < bounds[1])
            part = part * root * free[:, None]
            for other in basis:
                part = part - other * (other * part).sum(1)[:, None]
            size = np.sqrt((part * part).sum(1))[:, None]
            basis.append(np.where(size > 1e-8, part / np.maximum(size, 1e-300), 0.0))
        for other in basis:
            columns = [one - other * (other * one).sum(1)[:, None] for one in columns]
        a, b = columns
        aa, bb, ab = (a * a).sum(1), (b * b).sum(1), (a * b).sum(1)
        ga, gb = (a * left).sum(1), (b * left).sum(1)
        stuck_m = ((m <= self.inside[0]) & (ga < 0)) | ((m >= self.inside[1]) & (ga > 0))
        stuck_eta = ((eta <= self.slopes[0]) & (gb < 0)) | ((eta >= self.slopes[1]) & (gb > 0))
        ab = np.where(stuck_m | stuck_eta, 0.0, ab)
        ga, gb = np.where(stuck_m, 0.0, ga), np.where(stuck_eta, 0.0, gb)
        aa, bb = aa * (1 + damping), bb * (1 + damping)
        det = aa * bb - ab * ab
        if not move_m:
            return np.zeros_like(m), gb / np.maximum(bb, 1e-300)
        whole = det > 1e-14 * aa * bb
        safe = np.where(whole, det, 1.0)
        along = np.where(whole, (bb * ga - ab * gb) / safe, ga / np.maximum(aa, 1e-300))
        steep = np.where(whole, (aa * gb - ab * ga) / safe, 0.0)
        return np.clip(along, -1, 1), np.clip(steep, -1, 1)

    def crossing(
        self,
        side: int,
        m: Floats,
        eta: Floats,
        rss: Floats,
        allowed: Floats,
        nodes: Floats,
        lattice: Floats,
        eta_nodes: Floats,
    ) -> Floats:
        """Where the profile over m rises by `allowed` on one side; infinite where it never does.

        The grid brackets the place; regula falsi on the square root, which is nearly straight,
        finds it.
        """
        rows = np.arange(len(m))
        beyond = (nodes[None, :] - m[:, None]) * side > 0
        over = beyond & (lattice - rss[:, None] > allowed[:, None])
        last = 0 if side < 0 else GRID_M - 1
        ordered = over[:, ::-1] if side < 0 else over
        first = ordered.argmax(axis=1)
        index = np.where(over.any(axis=1), GRID_M - 1 - first if side < 0 else first, last)
        near, near_eta, target = m.copy(), eta.copy(), np.sqrt(allowed)
        near_gap = -target
        inner = np.clip(index - side, 0, GRID_M - 1)
        known = beyond[rows, inner] & (inner != index)
        near = np.where(known, nodes[inner], near)
        near_eta = np.where(known, eta_nodes[rows, inner], near_eta)
        inner_gap = np.sqrt(np.maximum(lattice[rows, inner] - rss, 0)) - target
        near_gap = np.where(known, inner_gap, near_gap)
        far, far_eta = nodes[index], eta_nodes[rows, index]
        far_gap, far_eta = self._gap(far, far_eta, rss, target, 3)
        for _ in range(3):  # the grid's slopes are few, so its profile can rise too early
            short = (far_gap < 0) & (index != last)
            if not short.any():
                break
            near, near_eta = np.where(short, far, near), np.where(short, far_eta, near_eta)
            near_gap = np.where(short, far_gap, near_gap)
            index = np.where(short, index + side, index)
            far = nodes[index]
            far_eta = np.where(short, eta_nodes[rows, index], far_eta)
            far_gap, far_eta = self._gap(far, far_eta, rss, target, 3)
        open_side = far_gap < 0
        for _ in range(6):
            with np.errstate(all="ignore"):
                share = np.nan_to_num(near_gap / (near_gap - far_gap), nan=0.5)
            share = np.clip(share, 0.02, 0.98)
            at = near + share * (far - near)
            gap, at_eta = self._gap(at, near_eta + share * (far_eta - near_eta), rss, target, 2)
            out = gap >= 0
            far, far_eta, far_gap = (
                np.where(out, at, far),
                np.where(out, at_eta, far_eta),
                np.where(out, gap, far_gap),
            )
            near, near_eta, near_gap = (
                np.where(out, near, at),
                np.where(out, near_eta, at_eta),
                np.where(out, near_gap, gap),
            )
        found = np.where(np.abs(near_gap) < np.abs(far_gap), near, far)
        return np.where(open_side, side * np.inf, found)

    def _gap(
        self, m: Floats, eta: Floats, rss: Floats, target: Floats, steps: int
    ) -> tuple[Floats, Floats]:
        """How far the root of the profile's rise at m lies over the target, and the best slope."""
        _, eta = self.descend(m, eta, steps, move_m=False)
        return np.sqrt(np.maximum(self.levels(m, eta)[2] - rss, 0)) - target, eta


def _levels(
    a: Floats, b: Floats, c: Floats, p: Floats, q: Floats, box: Box
) -> tuple[Floats, Floats, Floats]:
    """Best (start, end) inside the box, and by how much they lower the sum of squares.

    a, b, c are the weighted sums of z², z(1 - z), (1 - z)², and p, q those of zy, (1 - z)y. The
    optimum of a quadratic over a box is its free optimum or lies on an edge.
    """

    def gain(start: Floats, end: Floats) -> Floats:
        return 2 * (p * start + q * end) - a * start**2 - 2 * b * start * end - c * end**2

    if box.start[0] == box.start[1]:
        end = np.clip((q - b * box.start[0]) / np.maximum(c, 1e-300), *box.end)
        start = np.broadcast_to(box.start[0], end.shape)
        return start, end, gain(start, end)
    det = a * c - b * b
    whole = det > 1e-12 * a * np.maximum(c, 1e-300)
    safe = np.where(whole, det, 1.0)
    level = (p + q) / (a + 2 * b + c)
    start = np.where(whole, (c * p - b * q) / safe, level)
    end = np.where(whole, (a * q - b * p) / safe, level)
    if box.start == FREE and box.end == FREE:
        return start, end, gain(start, end)
    fits = (start >= box.start[0]) & (start <= box.start[1])
    fits &= (end >= box.end[0]) & (end <= box.end[1])
    best = np.where(fits, gain(start, end), -np.inf)
    edges = []
    for edge in {value for value in box.start if math.isfinite(value)}:
        free = np.clip((q - b * edge) / np.maximum(c, 1e-300), *box.end)
        edges.append((np.broadcast_to(edge, free.shape), free))
    for edge in {value for value in box.end if math.isfinite(value)}:
        free = np.clip((p - b * edge) / np.maximum(a, 1e-300), *box.start)
        edges.append((free, np.broadcast_to(edge, free.shape)))
    for on_start, on_end in edges:
        value = gain(on_start, on_end)
        better = value > best
        start, end = np.where(better, on_start, start), np.where(better, on_end, end)
        best = np.where(better, value, best)
    return start, end, best
