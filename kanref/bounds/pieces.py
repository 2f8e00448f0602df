r"""The range of splines on intervals, from the convex hull of Bernstein coefficients.

On one cell a spline is a polynomial. Its Bernstein coefficients on [p, q] are its blossom at
(p, …, p, q, …, q), and the polynomial stays within their hull there (W. Boehm, H. Prautzsch,
*Bézier and B-spline techniques*, 2002, chapters 2 and 5). The hull closes in on the range with the
square of the width, and for every interval asked for, the coefficients are formed on exactly the
part of the cell that it touches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..bspline_insertion import blossom
from .interval import Interval

HALVINGS = 3
"""The range of a whole cell is that of its 2^HALVINGS parts."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Piecewise polynomials of one degree on common cells.

    Attributes
    ----------
    t : (n_in, C+1)
        The breakpoints, not decreasing.
    bernstein : (n_in, C, n_out, degree+1)
        The coefficients on each cell; of an empty one, those of a neighbour.
    low, high : (levels, n_in, C, n_out)
        ``low[e, :, c]`` bounds the cells c, …, c + 2^e - 1 from below.
    """

    t: np.ndarray
    bernstein: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, t: np.ndarray, coef: np.ndarray, k: int) -> Pieces:
        """Cut splines on knots t (n_in, C+2k+1) with coefficients (n_in, n_out, C+k)."""
        n_in, C = t.shape[0], t.shape[1] - 2 * k - 1
        cells = t[:, k : k + C + 1]
        J = np.stack([_filled(row) for row in cells]) + k  # (n_in, C), never an empty cell
        rows = np.arange(n_in)[:, None]
        left, right = t[rows, J], t[rows, J + 1]
        ends = np.stack([left, right], axis=2)  # (n_in, C, 2)
        corners = [
            blossom(t, coef, k, J, ends[:, :, [0] * (k - r) + [1] * r]) for r in range(k + 1)
        ]
        bernstein = np.moveaxis(np.stack(corners, axis=-1), 1, 2)  # (n_in, C, n_out, k+1)
        inner = _parts(bernstein)
        empty = (cells[:, 1:] <= cells[:, :-1])[..., None]  # holds no point
        low = np.where(empty, np.inf, inner.min(axis=-1))
        high = np.where(empty, -np.inf, inner.max(axis=-1))
        return cls(cells, bernstein, *_tables(low, high))

    def range(self, x: Interval) -> Interval:
        """Return the range on x (B, n_in), which lies on the cells: (B, n_in, n_out)."""
        first, last = self._cells(x.lo), self._cells(x.hi)
        rows = np.arange(self.t.shape[0])
        same = first == last
        start = self._position(x.lo, first)
        end = self._position(x.hi, last)
        head = _restricted(self.bernstein[rows, first], start, np.where(same, end, 1.0))
        tail = _restricted(self.bernstein[rows, last], np.where(same, start, 0.0), end)
        parts = np.concatenate([head, tail], axis=-1)
        found = Interval(parts.min(axis=-1), parts.max(axis=-1))
        between = last - first - 1  # whole cells in between
        if not np.any(between > 0):
            return found
        level = np.log2(np.maximum(between, 1)).astype(int)
        begin = np.minimum(first + 1, self.low.shape[2] - 1)
        final = np.where(between > 0, last - 2**level, begin)
        middle = Interval(
            np.minimum(self.low[level, rows, begin], self.low[level, rows, final]),
            np.maximum(self.high[level, rows, begin], self.high[level, rows, final]),
        )
        return found.hull(middle).where(between[..., None] > 0, found)

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return the values at x (B, n_in), on the cells: (B, n_in, n_out)."""
        c = self._cells(x)
        b = self.bernstein[np.arange(self.t.shape[0]), c]  # (B, n_in, n_out, degree+1)
        u = self._position(x, c)[..., None, None]
        while b.shape[-1] > 1:
            b = (1 - u) * b[..., :-1] + u * b[..., 1:]
        return b[..., 0]

    def _cells(self, x: np.ndarray) -> np.ndarray:
        """Return the cell t_c ≤ x < t_{c+1} of each x (B, n_in); the last one is closed."""
        found = [
            np.searchsorted(t[: _last(t) + 1], column, side="right") - 1
            for t, column in zip(self.t, x.T, strict=True)
        ]
        return np.maximum(np.stack(found, axis=1), 0)

    def _position(self, x: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Return the share of its cell that lies left of x."""
        rows = np.arange(self.t.shape[0])
        left, right = self.t[rows, cell], self.t[rows, cell + 1]
        return np.clip((x - left) / (right - left), 0.0, 1.0)


def _last(t: np.ndarray) -> int:
    """Return the last cell that is not empty."""
    return int(np.searchsorted(t, t[-1], side="left")) - 1


def _filled(t: np.ndarray) -> np.ndarray:
    """Return, for every cell of t, itself or the nearest one before (or first one) not empty."""
    own = np.arange(t.size - 1)
    full = np.flatnonzero(t[1:] > t[:-1])
    return full[np.maximum(np.searchsorted(full, own, side="right") - 1, 0)]


def _restricted(b: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the Bernstein coefficients b (…, n_out, k+1) on the part [start, end] of [0, 1]."""
    k = b.shape[-1] - 1
    b = b.copy()
    u = start[..., None, None]
    for r in range(1, k + 1):  # de Casteljau: what is right of `start`
        b[..., : k - r + 1] = (1 - u) * b[..., : k - r + 1] + u * b[..., 1 : k - r + 2]
    rest = 1 - start
    w = np.where(rest > 0, (end - start) / np.where(rest > 0, rest, 1.0), 0.0)
    w = np.clip(w, 0.0, 1.0)[..., None, None]
    for r in range(1, k + 1):  # and of that, what is left of `end`
        b[..., r:] = (1 - w) * b[..., r - 1 : -1] + w * b[..., r:]
    return b


def _parts(b: np.ndarray) -> np.ndarray:
    """Return a tight (…, 2 · 2^HALVINGS…) set of bounds: the coefficients on halved cells."""
    parts = [b]
    half = np.full(b.shape[:-2], 0.5)
    for _ in range(HALVINGS):
        zero, one = np.zeros(half.shape), np.ones(half.shape)
        parts = [_restricted(p, *ends) for p in parts for ends in ((zero, half), (half, one))]
    return np.concatenate(parts, axis=-1)


def _tables(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds over runs of 1, 2, 4, … cells, (levels, n_in, C, n_out) each."""
    lows, highs, run = [low], [high], 1
    while 2 * run <= low.shape[1]:
        low, high = lows[-1].copy(), highs[-1].copy()
        low[:, :-run] = np.minimum(low[:, :-run], low[:, run:])
        high[:, :-run] = np.maximum(high[:, :-run], high[:, run:])
        lows.append(low)
        highs.append(high)
        run *= 2
    return np.stack(lows), np.stack(highs)
