"""Starting curves that every edge has in common: the grid search as two matrix products.

On fixed points of the standardised input, the curves f(a·t + b) of the grid over (a, b) do not
depend on the edge. They are computed once; an edge is brought to these points, each with the weight
of the samples around it, and one product tells how well every curve of every function fits it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..functions import Function
from .families import covers, family
from .polish import LEAST_VARIATION, Rows, Samples
from .starts import Ranges, candidates, distinct

POINTS = 73
"""Points of the standardised input."""

LEAST_POINTS = 24
"""Edges whose samples lie around fewer points, effectively, are searched sample by sample."""

MOST_REACH = 20.0
"""So are searches in larger ranges of a and b, whose curves would fill the memory."""

NODES = np.linspace(-1.0, 1.0, POINTS)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The curves f(a·t + b) of all functions at NODES.

    Attributes
    ----------
    functions : tuple of Function
    of : (C,) of int
        Number of the function of each curve, ascending.
    a, b : (C,)
        The inner affine of each curve.
    curves : (C, POINTS)
        Their values; 0 where one is not finite somewhere.
    """

    functions: tuple[Function, ...]
    of: np.ndarray
    a: np.ndarray
    b: np.ndarray
    curves: np.ndarray

    def starts(self, samples: Samples, most: Sequence[int]) -> Rows:
        """Return the most promising curves of each function, no two nearly alike, as rows."""
        weight = samples.root**2  # (POINTS,), of sum 1
        mean = self.curves @ weight
        spread = np.maximum((self.curves**2) @ weight - mean**2, 0.0)
        along = self.curves @ (weight * samples.y)
        useful = spread > (LEAST_VARIATION * np.abs(mean)) ** 2 + np.finfo(float).tiny
        cost = np.where(useful, 1 - along**2 / np.where(useful, spread, 1.0), 1.0)  # (C,)
        ends = np.searchsorted(self.of, np.arange(len(self.functions) + 1)).tolist()
        chosen: list[int] = []
        for number, (first, last) in enumerate(itertools.pairwise(ends)):
            size = min(8 * most[number], last - first)
            if size:
                near = first + np.argpartition(cost[first:last], size - 1)[:size]
                near = near[np.argsort(cost[near], kind="stable")]
                picked = distinct(self.curves[near], samples, most[number])
                chosen.extend(near[picked].tolist())
        at = np.array(chosen, dtype=int)
        cost = np.clip(cost[at], 0.0, 1.0)
        return Rows(self.functions, self.of[at], self.a[at], self.b[at], cost)


def at_nodes(samples: Samples) -> Samples | None:
    """Return the edge at NODES, weighted by the samples around each; None if these are too few.

    The samples must follow a curve, as those of an edge do.
    """
    nearest = np.rint((samples.t + 1) * (POINTS - 1) / 2).astype(int)
    weight = np.bincount(nearest, weights=samples.root**2, minlength=POINTS)
    if weight.sum() ** 2 < LEAST_POINTS * np.sum(weight**2):
        return None
    order = np.argsort(samples.t, kind="stable")
    y = np.interp(NODES, samples.t[order], samples.y[order])
    return Samples.of(NODES, y, weight)


def catalogue(functions: Sequence[Function], ranges: Ranges) -> Catalogue | None:
    """Return the curves of some functions in ranges that contain these; None if they are large."""
    reach = max(ranges.a_most, abs(ranges.b[0]), abs(ranges.b[1]))
    return None if reach > MOST_REACH else _catalogue(tuple(functions), ranges)


@functools.lru_cache(maxsize=4)
def _catalogue(functions: tuple[Function, ...], ranges: Ranges) -> Catalogue:
    of, a, b, curves = [], [], [], []
    samples = Samples.of(NODES, NODES)
    with np.errstate(all="ignore"):
        for number, function in enumerate(functions):
            p, q = candidates(function, family(function), ranges, samples, every=True)
            good = covers(function.domain, q - np.abs(p), q + np.abs(p))
            p, q = p[good], q[good]
            values = function.formula(p[:, None] * NODES + q[:, None])
            finite = np.isfinite(values).all(axis=1) & (np.abs(values).max(axis=1) < 1e100)
            of.append(np.full(int(finite.sum()), number))
            a.append(p[finite])
            b.append(q[finite])
            curves.append(values[finite])
    return Catalogue(functions, *(np.concatenate(parts) for parts in (of, a, b, curves)))
