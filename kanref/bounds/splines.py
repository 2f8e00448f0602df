"""The range of the splines of a layer, and of their derivatives, inside the grid and beyond it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import to_numpy
from ..parameters import Layer
from .interval import EPS, Interval
from .pieces import Pieces


@dataclass(frozen=True, eq=False)
class Splines:
    """The splines of a layer, times their scales, with all that bounds them.

    Attributes
    ----------
    values, slopes : Pieces
        The splines and their derivatives on the domain, or, with ``extrapolate="zero"``, on all
        knots.
    first, last : (n_in, 1)
        The ends of these cells.
    linear : bool
        Whether the ends continue as lines; else as 0.
    jumps : tuple of (input, place, heights (n_out,))
        Where a spline is not continuous: repeated knots, and every breakpoint for k = 0.
    largest : (n_in, n_out)
        The largest absolute coefficient.
    steepest : (n_in,)
        Bound of Σ_m |B'_m|.
    """

    values: Pieces
    slopes: Pieces
    first: np.ndarray
    last: np.ndarray
    linear: bool
    jumps: tuple[tuple[int, float, np.ndarray], ...]
    largest: np.ndarray
    steepest: np.ndarray

    @classmethod
    def of(cls, layer: Layer) -> Splines:
        """Prepare the numeric edges of a layer; all others count as 0."""
        k, linear = layer.k, layer.extrapolate == "linear"
        t = np.asarray(to_numpy(layer.knots), dtype=float)
        coef = np.where(to_numpy(layer.numeric)[..., None], to_numpy(layer.coef), 0.0).astype(float)
        if layer.scale_spline is not None:
            scale = np.where(to_numpy(layer.numeric), to_numpy(layer.scale_spline), 0.0)
            coef = coef * scale[..., None]
        largest = np.abs(coef).max(axis=2)
        if not linear:  # the same function as a spline whose domain is all the knots
            t, coef = _padded(t, coef, k)
        values = Pieces.of(t, coef, k)
        first, last = values.t[:, :1], values.t[:, -1:]
        jumps = tuple(_jumps(t, coef, k, linear))
        dt, dcoef = _derivative(t, coef, k)
        slopes = Pieces.of(dt, dcoef, max(k - 1, 0))
        widths = np.diff(values.t, axis=1)
        narrowest = np.where(widths > 0, widths, np.inf).min(axis=1)
        return cls(values, slopes, first, last, linear, jumps, largest, 2 * k / narrowest)

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return the splines at x (B, n_in): (B, n_in, n_out)."""
        inside = np.clip(x, self.first[:, 0], self.last[:, 0])
        y = self.values.at(inside)
        if self.linear:
            return y + (x - inside)[..., None] * self.slopes.at(inside)
        return np.where(self._outside(x)[..., None], 0.0, y)

    def range(self, x: Interval) -> Interval:
        """Return the range of the splines on x (B, n_in): (B, n_in, n_out)."""
        inside = self._inside(x)
        found = self.values.range(inside)
        if self.linear:
            for end, edge in zip(x, inside, strict=True):
                beyond = (end - edge)[..., None]
                if beyond.any():
                    y = self.values.at(edge) + beyond * self.slopes.at(edge)
                    found = found.hull(Interval(y, y))
            return found
        lo, hi = self._outside(x.lo)[..., None], self._outside(x.hi)[..., None]
        off = (x.hi < self.first[:, 0]) | (x.lo >= self.last[:, 0])
        found = Interval(
            np.where(lo | hi, np.minimum(found.lo, 0.0), found.lo),
            np.where(lo | hi, np.maximum(found.hi, 0.0), found.hi),
        )
        zero = np.zeros(found.lo.shape)
        return Interval(zero, zero).where(off[..., None], found)

    def slope_range(self, x: Interval) -> Interval:
        """Return the range of the derivatives on x (B, n_in), rounding included.

        A jump within x makes it infinite.
        """
        found = self.slopes.range(self._inside(x))
        if not self.linear:
            partly = (self._outside(x.lo) | self._outside(x.hi))[..., None]
            found = Interval(
                np.where(partly, np.minimum(found.lo, 0.0), found.lo),
                np.where(partly, np.maximum(found.hi, 0.0), found.hi),
            )
        margin = 32 * (self.degree + 1) * EPS * self.largest * self.steepest[:, None]
        found = found.widened(margin)
        for i, place, heights in self.jumps:
            crossed = ((x.lo[:, i] < place) & (x.hi[:, i] >= place))[:, None]
            found.lo[:, i] = np.where(crossed & (heights < 0), -np.inf, found.lo[:, i])
            found.hi[:, i] = np.where(crossed & (heights > 0), np.inf, found.hi[:, i])
        return found

    def beyond(self, x: Interval) -> np.ndarray:
        """Return how far x reaches beyond the ends where lines continue, (B, n_in)."""
        if not self.linear:
            return np.zeros(x.lo.shape)
        inside = self._inside(x)
        return np.maximum(inside.lo - x.lo, x.hi - inside.hi)

    @property
    def degree(self) -> int:
        """The degree k."""
        return self.values.bernstein.shape[-1] - 1

    def _inside(self, x: Interval) -> Interval:
        first, last = self.first[:, 0], self.last[:, 0]
        return Interval(np.clip(x.lo, first, last), np.clip(x.hi, first, last))

    def _outside(self, x: np.ndarray) -> np.ndarray:
        """Tell where a spline on half-open cells is 0."""
        return (x < self.first[:, 0]) | (x >= self.last[:, 0])


def _padded(t: np.ndarray, coef: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Add k knots and k coefficients 0 at each end."""
    step = (t[:, -1:] - t[:, :1]) / (t.shape[1] - 1)
    more = step * np.arange(1, k + 1)
    zero = np.zeros((*coef.shape[:2], k))
    t = np.concatenate([t[:, :1] - more[:, ::-1], t, t[:, -1:] + more], axis=1)
    return t, np.concatenate([zero, coef, zero], axis=2)


def _derivative(t: np.ndarray, coef: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return knots and coefficients of the derivatives, without the jumps."""
    if k == 0:
        return t, np.zeros(coef.shape)
    width = t[:, k + 1 : -1] - t[:, 1 : -k - 1]  # t_{m+k} - t_m
    width = np.where(width > 0, width, np.inf)[:, None]
    return t[:, 1:-1], k * np.diff(coef, axis=2) / width


def _jumps(
    t: np.ndarray, coef: np.ndarray, k: int, linear: bool
) -> list[tuple[int, float, np.ndarray]]:
    """Return where a knot repeats k + 1 times, and how far each spline jumps there."""
    cells = t[:, k : t.shape[1] - k]
    found = []
    heights = np.diff(coef, axis=2) if linear or k else np.diff(np.pad(coef, _ENDS), axis=2)
    places = t[:, k + 1 : -1] if k else (t[:, 1:-1] if linear else t)
    starts = t[:, 1 : -k - 1] if k else places
    for i, m in np.argwhere(places <= starts):
        inner = cells[i, 0] < places[i, m] < cells[i, -1]
        if (inner or not linear) and np.any(heights[i, :, m] != 0):
            found.append((int(i), float(places[i, m]), heights[i, :, m]))
    return found


_ENDS = ((0, 0), (0, 0), (1, 1))
