r"""Local least squares for many one-edge fits at once.

Every row is one fit c·f(a·t + b) + d ≈ y with its own f. For given a and b, the best c and d follow
from linear least squares; what is left to minimise is a function of a and b alone (variable
projection: G. Golub & V. Pereyra 1973, SIAM J. Numer. Anal. 10, 413), whose Gauss–Newton step with
Levenberg's and Marquardt's damping needs one 2×2 system per row. The Jacobian leaves out the
derivative of c and d (L. Kaufman 1975, BIT 15, 49), which does not move the solution.

The rows take their steps together, because the arrays of one row are so short that NumPy's overhead
would be all the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..functions import Function
from .families import covers, family

LEAST_COST = 1e-29
"""Unexplained share of the variance below which there are only rounding errors."""

LEAST_VARIATION = 1e-6
"""Where f varies by less than this share of its size, c and d would only cancel each other."""

_LEAST_SIZE = 1e-30  # of f, whose c would be beyond all bounds
_LEAST_DAMPING = 1e-12


@dataclass(frozen=True)
class Samples:
    """The samples of one edge, with x standardised to t in [-1, 1].

    Attributes
    ----------
    t, y : (M,)
        Samples. `y` has weighted mean 0 and weighted sum of squares 1.
    root : (M,)
        Square roots of the weights, which sum to 1.
    """

    t: np.ndarray
    y: np.ndarray
    root: np.ndarray

    @classmethod
    def of(cls, t: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> Samples:
        """Normalise the samples; y must not be constant."""
        weight = np.ones_like(t) if weight is None else weight
        root = np.sqrt(weight / weight.sum())
        y = (y - np.sum(root**2 * y)) / np.abs(y).max()
        return cls(t, y / np.sqrt(np.sum((root * y) ** 2)), root)

    def at(self, index: np.ndarray) -> Samples:
        """Return some of the samples, normalised anew."""
        return Samples.of(self.t[index], self.y[index], self.root[index] ** 2)

    def centred(self, f: np.ndarray) -> np.ndarray:
        """Return √weight · (f - mean of f), row by row of f (R, M)."""
        return (f - (f @ (self.root * self.root))[:, None]) * self.root

    def unit(self, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `centred` f at length 1, or 0 where f is of no use, and the length (R,)."""
        centred = self.centred(f)
        length = np.sqrt(_dot(centred, centred))
        size = np.abs(f @ (self.root * self.root)) + length
        usable = np.isfinite(length) & (length > LEAST_VARIATION * size) & (size > _LEAST_SIZE)
        length = np.where(usable, length, np.inf)
        return np.where(usable[:, None], centred / length[:, None], 0.0), length


@dataclass(frozen=True)
class Rows:
    """Points (a, b) of the search, one a row, each with its function.

    Attributes
    ----------
    functions : sequence of Function
        The functions of the rows, by number.
    of : (R,) of int
        Number of each row's function, ascending.
    a, b : (R,)
        The inner affine of each row, on standardised inputs.
    cost : (R,)
        The unexplained share of the variance, 1 - r².
    """

    functions: Sequence[Function]
    of: np.ndarray
    a: np.ndarray
    b: np.ndarray
    cost: np.ndarray

    def take(self, index: np.ndarray) -> Rows:
        """Return some of the rows, in the order of `index`."""
        return Rows(self.functions, self.of[index], self.a[index], self.b[index], self.cost[index])

    def listed(self) -> Iterator[tuple[int, float, float]]:
        """Yield number of the function, a and b of each row."""
        return zip(self.of.tolist(), self.a.tolist(), self.b.tolist(), strict=True)


def evaluate(rows: Rows, samples: Samples) -> Rows:
    """Return the rows with their `cost` on these samples."""
    with np.errstate(all="ignore"):
        return replace(rows, cost=unexplained(_values(rows, samples), samples))


def unexplained(f: np.ndarray, samples: Samples) -> np.ndarray:
    """Return 1 - r² of the best c·f + d for f (R, M): (R,); 1 where f is useless."""
    return _Fitted.of(f, samples).cost


def polish(rows: Rows, samples: Samples, tolerance: float = 1e-8, steps: int = 50) -> Rows:
    """Improve every row by damped Gauss–Newton steps until two lower its cost by a mere share."""
    a, b, cost = rows.a.copy(), rows.b.copy(), rows.cost.copy()
    everything = Rows(rows.functions, rows.of, a, b, cost)  # which the loop writes to
    free = np.array([family(g).free for g in rows.functions], dtype=float)[rows.of]  # (R, 2)
    damping, idle = np.full(len(a), 1e-3), np.zeros(len(a), dtype=int)
    with np.errstate(all="ignore"):
        active = np.nonzero((cost > LEAST_COST) & free.any(axis=1))[0]
        fitted = _Fitted.of(_values(everything.take(active), samples), samples)
        for _ in range(steps):
            if not active.size:
                break
            now = everything.take(active)
            da, db = _step(now, samples, fitted, damping[active], free[active])
            trial = replace(now, a=now.a + da, b=now.b + db)
            tried = _Fitted.of(_values(trial, samples), samples)
            better = tried.cost < now.cost
            chosen = active[better]
            a[chosen], b[chosen], cost[chosen] = (
                trial.a[better],
                trial.b[better],
                tried.cost[better],
            )
            damping[active] *= np.where(better, 0.1, 8.0)
            damping[active] = np.maximum(damping[active], _LEAST_DAMPING)
            little = better & (now.cost - tried.cost <= tolerance * now.cost)
            small = np.abs(da) + np.abs(db) <= 1e-13 * (np.abs(now.a) + np.abs(now.b))
            idle[active] = np.where(better & ~little, 0, idle[active] + little)
            going = (idle[active] < 2) & ~small & (cost[active] > LEAST_COST)
            active, fitted = active[going], tried.where(better, fitted).take(going)
    return everything


@dataclass(frozen=True)
class _Fitted:
    """The least squares of y by c·f + d, row by row."""

    unit: np.ndarray  # (R, M), f centred, at length 1
    c: np.ndarray  # (R,)
    residual: np.ndarray  # (R, M)
    cost: np.ndarray  # (R,)

    @classmethod
    def of(cls, f: np.ndarray, samples: Samples) -> _Fitted:
        """Fit. The residual is formed: 1 - (f·y)² would end at the rounding error of 1."""
        unit, length = samples.unit(f)
        target = samples.root * samples.y
        projection = unit @ target
        residual = target - projection[:, None] * unit
        cost = np.minimum(_dot(residual, residual), 1.0)
        return cls(unit, projection / length, residual, np.where(np.isfinite(cost), cost, 1.0))

    def where(self, mine: np.ndarray, other: _Fitted) -> _Fitted:
        """Return these rows where `mine` holds, else the other's."""
        wide = mine[:, None]
        return _Fitted(
            np.where(wide, self.unit, other.unit),
            np.where(mine, self.c, other.c),
            np.where(wide, self.residual, other.residual),
            np.where(mine, self.cost, other.cost),
        )

    def take(self, going: np.ndarray) -> _Fitted:
        """Return some of the rows."""
        if going.all():
            return self
        return _Fitted(self.unit[going], self.c[going], self.residual[going], self.cost[going])


def _step(
    rows: Rows, samples: Samples, fitted: _Fitted, damping: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the damped Gauss–Newton step of a and b, each (R,)."""
    slope = _values(rows, samples, slope=True)
    slope = np.where(np.isfinite(slope), slope, 0.0) * fitted.c[:, None]
    jacobian = []
    for column, is_free in ((slope * samples.t, free[:, 0]), (slope, free[:, 1])):
        g = samples.centred(column)
        g -= _dot(g, fitted.unit)[:, None] * fitted.unit
        jacobian.append(g * is_free[:, None])
    ja, jb = jacobian
    aa, ab, bb = (_dot(p, q) for p, q in ((ja, ja), (ja, jb), (jb, jb)))
    ga, gb = (_dot(p, fitted.residual) for p in (ja, jb))
    aa, bb = aa * (1 + damping), bb * (1 + damping)
    aa, bb = np.where(aa > 0, aa, 1.0), np.where(bb > 0, bb, 1.0)
    determinant = aa * bb - ab * ab
    determinant = np.where(determinant > 0, determinant, np.inf)
    return (bb * ga - ab * gb) / determinant, (aa * gb - ab * ga) / determinant


def _dot(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the scalar products of the rows of p and q (R, M): (R,), without the array p·q."""
    return np.einsum("rm,rm->r", p, q)


def _values(rows: Rows, samples: Samples, *, slope: bool = False) -> np.ndarray:
    """Return f (or f') of every row, (R, M); f is NaN on rows whose image leaves the domain."""
    u = rows.a[:, None] * samples.t + rows.b[:, None]  # (R, M)
    values = np.empty_like(u)
    ends = np.searchsorted(rows.of, np.arange(len(rows.functions) + 1)).tolist()
    for number, function in enumerate(rows.functions):
        block = slice(ends[number], ends[number + 1])
        if block.start < block.stop:
            formula: Callable = function.dformula if slope else function.formula
            values[block] = formula(u[block])
            if not slope and (function.domain.poles or function.domain.bounded):
                low, high = rows.b[block] - abs(rows.a[block]), rows.b[block] + abs(rows.a[block])
                values[block][~covers(function.domain, low, high)] = np.nan
    return values
