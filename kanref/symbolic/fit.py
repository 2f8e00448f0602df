r"""One-edge fit: the best c·f(a·x + b) + d through the samples (x, y) of an edge.

A coarse grid over (a, b) finds the promising starting points, local least squares takes them to
convergence, on all samples in the end (see :mod:`~kanref.symbolic.starts` and
:mod:`~kanref.symbolic.polish`). All functions of the library are fitted together.

The search works on the standardised input t = (x - centre) / half-range in [-1, 1], so it does not
matter in which units x comes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..functions import Function
from .catalogue import at_nodes, catalogue
from .constants import EdgeData, EdgeFit, is_constant
from .families import family
from .polish import Rows, Samples, evaluate, polish
from .starts import MOST_RADIANS, Ranges, best_starts, refined_step

GRID_SAMPLES = 72
"""Samples, evenly spaced in rank, for the grid and the first polish."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Effort:
    """How hard to search.

    Attributes
    ----------
    starts : int
        Starting points of a function; twice as many where it oscillates.
    first_steps : int
        Steps that all of them take.
    finalists : int
        Best functions, of which the best `rows` points are taken to convergence.
    rows : int
        See `finalists`.
    samples : int
        Samples of the last polish; 0: there is none.
    tolerance : (float, float)
        A row is done where steps lower its cost by no more than this share of it: on few samples,
        and in the last polish.
    shared : bool
        Whether y is a curve whose starts may come from a table (:mod:`~.catalogue`).
    last_steps : int
        Steps of a finalist on few samples, at most. Rows that need more than a few crawl along a
        valley, to constants that are worth nothing as a start.
    """

    starts: int
    first_steps: int
    finalists: int
    rows: int
    samples: float
    tolerance: tuple[float, float] = (1e-8, 1e-8)
    shared: bool = False
    last_steps: int = 50


QUICK = Effort(starts=3, first_steps=7, finalists=12, rows=2, samples=400)
"""For a whole library."""

ROUGH = replace(
    QUICK,
    first_steps=5,
    finalists=10,
    samples=0,
    tolerance=(1e-3, 1e-3),
    shared=True,
    last_steps=12,
)
"""For a whole library where a joint fit follows, to which a start is enough."""

THOROUGH = Effort(starts=16, first_steps=12, finalists=1, rows=8, samples=math.inf)
"""For one function."""


def fit_edge(
    function: Function,
    x: np.ndarray,
    y: np.ndarray,
    *,
    a_range: Range = (-10.0, 10.0),
    b_range: Range = (-10.0, 10.0),
    weight: np.ndarray | None = None,
) -> EdgeFit:
    r"""Fit c·f(a·x + b) + d to samples by least squares.

    .. math:: r^2 = 1 - \frac{\sum_n w_n (y_n - c f(a x_n + b) - d)^2}{\sum_n w_n (y_n - \bar y)^2}

    Parameters
    ----------
    function : Function
        f, of the library or your own.
    x, y : (N,)
        Samples.
    a_range, b_range : (float, float)
        Where the search for a and b *starts*; the least squares that follow may leave it. x counts
        from the centre of its range, in its own unit or in half its range, whichever is smaller:
        for x that fill [-1, 1] these are a and b themselves. The default finds a sine of up to
        three periods, and more where x covers more than 2 units. An a or b that is redundant
        (b in exp, a in x^2) has no range.
    weight : (N,), optional
        Sample weights.

    Returns
    -------
    EdgeFit
        Among equal fits the simplest constants: a = 1 in powers and log, b = 0 in exp, b within a
        quarter of a turn in sin, a > 0 wherever its sign is redundant.

    Raises
    ------
    ValueError
        If x and y are not vectors of the same length with finite entries.

    Notes
    -----
    A map of the range of x that leaves the domain of f, or has a pole of f within, is ruled out,
    even where no sample meets the pole. If y is constant, r² is 1 for the function 0 and 0 for
    all others. The same holds the other way round if no fit exists: c = 0 and r² = 0.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref.functions import FUNCTIONS
    >>> x = np.linspace(0.0, 4.0, 50)
    >>> fit = fit_edge(FUNCTIONS["sin"], x, 0.5 - 2.0 * np.sin(3.0 * x + 0.25))
    >>> fit.affine.round(9)
    array([ 3.  ,  0.25, -2.  ,  0.5 ])
    >>> round(fit.r2, 12)
    1.0
    """
    search = Search([function], a_range, b_range, THOROUGH)
    return search.fit(x, y, weight)[0]


@dataclass(frozen=True)
class Search:
    """The one-edge fits of several functions at once.

    Attributes
    ----------
    functions : sequence of Function
        What to fit.
    a_range, b_range : (float, float)
        As in :func:`fit_edge`.
    effort : Effort
        How hard to search.
    """

    functions: Sequence[Function]
    a_range: Range = (-10.0, 10.0)
    b_range: Range = (-10.0, 10.0)
    effort: Effort = QUICK

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("a_range", "b_range"):
            value = getattr(self, name)
            pair = hasattr(value, "__len__") and len(value) == 2
            if not pair or not -math.inf < value[0] < value[1] < math.inf:
                raise ValueError(f"`{name}` must be finite (low, high), low < high, got {value}")

    def fit(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> list[EdgeFit]:
        """Return the best fit of every function, in their order."""
        x, y, weight = _checked(x, y, weight)
        centre, half = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
        data = EdgeData(x, y, weight, centre, half)
        if is_constant(y) or is_constant(x):
            return [data.without_slope(f) for f in self.functions]
        t = np.clip((x - centre) / half, -1.0, 1.0)
        found = self._converged(Samples.of(t, y, weight), self._ranges(half, np.unique(x).size))
        return [
            data.fit(f, *found[n]) if n in found else data.without_slope(f)
            for n, f in enumerate(self.functions)
        ]  # fmt: skip

    def _ranges(self, half: float, n_values: int) -> Ranges:
        """Return the ranges on the standardised input; four samples a period are the least."""
        reach = max(half, 1.0)
        if self.effort.shared:  # few different ranges: a table for each
            reach = 2.0 ** math.ceil(math.log2(reach))
        most = min(MOST_RADIANS, max(1.0, math.pi / 4 * n_values))
        low, high = (float(np.clip(v * reach, -most, most)) for v in self.a_range)
        return Ranges((low, high), self.b_range)

    def _converged(self, samples: Samples, ranges: Ranges) -> dict[int, tuple[float, float]]:
        """Return the best (a, b) of every function that has one, by its number."""
        few, all_of_them = self.effort.tolerance
        starts, coarse = self._starts(ranges, samples)
        rows = polish(starts, coarse, few, self.effort.first_steps)
        last, others = _finalists(rows, self.effort)
        last = polish(last, coarse, few, self.effort.last_steps)
        last, _ = _finalists(last, replace(self.effort, rows=self.effort.rows // 2))
        number = int(min(self.effort.samples, samples.t.size))
        if number > coarse.t.size:
            samples = samples.at(_spread(samples.t, number))
            last = polish(evaluate(last, samples), samples, all_of_them)
        best = _finalists(last, replace(self.effort, rows=1))
        found = {n: (a, b) for part in (*best, others) for n, a, b in part.listed()}
        for n, (a, b) in found.items():
            if family(self.functions[n]).flat:
                found[n] = refined_step(self.functions[n], a, b, samples, coarse)
        return found

    def _starts(self, ranges: Ranges, samples: Samples) -> tuple[Rows, Samples]:
        """Return the starting points of all functions, and the few samples they are good on."""
        most = [self.effort.starts * (1 + family(f).oscillating) for f in self.functions]
        if self.effort.shared:
            table, coarse = catalogue(self.functions, ranges), at_nodes(samples)
            if table is not None and coarse is not None:
                return table.starts(coarse, most), coarse
        fine = min(512, max(GRID_SAMPLES, int(1.5 * ranges.a_most)))
        coarse = samples.at(_spread(samples.t, fine))
        of, found = [], []
        with np.errstate(all="ignore"):
            for number, function in enumerate(self.functions):
                found.append(best_starts(function, ranges, coarse, most[number]))
                of.append(np.full(found[-1][0].size, number))
        a, b, cost = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Rows(self.functions, np.concatenate(of), a, b, cost), coarse


def determined(functions: Sequence[Function], x: np.ndarray) -> list[Function]:
    """Return the functions that have fewer constants than x has different values.

    The others go through any values: a sine through four points, a parabola through three. Where
    nothing else is left, they are returned.
    """
    values = np.unique(x).size
    kinds = [family(function) for function in functions]
    fewer = [
        function
        for function, kind in zip(functions, kinds, strict=True)
        if kind.constant or kind.linear or sum(kind.parameters) < values
    ]
    return fewer if any(not family(f).constant for f in fewer) else list(functions)


def _finalists(rows: Rows, effort: Effort) -> tuple[Rows, Rows]:
    """Return the best rows of each of the best functions, and the best row of all others."""
    order = np.lexsort((rows.cost, rows.of))  # by function, then by cost
    _, first, count = np.unique(rows.of[order], return_index=True, return_counts=True)
    rank = np.argsort(rows.cost[order[first]], kind="stable")
    last = [first[n] + np.arange(min(count[n], effort.rows)) for n in rank[: effort.finalists]]
    others = np.sort(first[rank[effort.finalists :]])
    chosen = np.sort(np.concatenate([np.zeros(0, dtype=int), *last]))
    return rows.take(order[chosen]), rows.take(order[others])


def _spread(t: np.ndarray, number: int) -> np.ndarray:
    """Return `number` of the samples, evenly spaced in rank, the ends included."""
    if t.size <= number:
        return np.argsort(t, kind="stable")
    return np.argsort(t, kind="stable")[np.linspace(0, t.size - 1, number).round().astype(int)]


def _checked(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or x.size == 0:
        raise ValueError(
            f"`x` and `y` must be vectors of the same length > 0, got {x.shape} and {y.shape}"
        )
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        raise ValueError("`x` and `y` must be finite, got NaN or infinity")
    if weight is not None:
        weight = np.asarray(weight, dtype=float)
        if weight.shape != x.shape or not np.all(weight >= 0) or not 0 < weight.sum() < math.inf:
            raise ValueError(
                f"`weight` must be {x.size} finite numbers >= 0, not all 0, got {weight}"
            )
    return x, y, weight
