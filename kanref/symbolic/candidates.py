"""Which functions to try for an edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..functions import Function
from ..network import Network, network_forward
from .constants import EdgeFit
from .edges import Edge, edge_values
from .families import family, price
from .fit import ROUGH, Range, Search, determined
from .refit import Task
from .suggest import rank

Candidates = dict[Edge, list[EdgeFit]]
"""The functions to try for each edge, fitted to its spline, the best first."""

ALIKE = 1e-7
"""Two fits whose curves differ by no more than this share of their size are tried once."""

COARSEST = 3e-2
"""Simple functions are tried if they leave no more than this share of an edge unexplained."""

NEGLIGIBLE, SMALL = 1e-3, 0.1
"""Shares of the spread of a sum. An edge with less is nothing, or perhaps nothing."""


@dataclass(frozen=True)
class Library:
    """What edges may become.

    Attributes
    ----------
    functions : sequence of Function
        The functions.
    a_range, b_range : (float, float)
        As in :func:`kanref.symbolic.fit_edge`.
    weight_simple : float
        As in :func:`kanref.symbolic.suggest`.
    top : int
        So many of the best by score are tried; also the two most accurate, and the most accurate
        of each price.
    """

    functions: Sequence[Function]
    a_range: Range
    b_range: Range
    weight_simple: float
    top: int

    def candidates(self, network: Network, edge: Edge, task: Task) -> list[EdgeFit]:
        """Rank the functions that fit an edge, its share in the sum considered."""
        l, _, j = edge
        _, cache = network_forward(network, task.x)
        x, y = edge_values(network, edge, cache.x[l])
        functions = determined(self.functions, x)
        fits = Search(functions, self.a_range, self.b_range, ROUGH).fit(x, y, task.weight)
        share = float(np.std(y) / max(float(np.std(cache.u[l][:, j])), np.finfo(float).tiny))
        ranked = [row.fit for row in rank(fits, self.weight_simple)]
        nothing = [fit for fit in ranked if family(fit.function).constant][:1]
        if nothing and share <= NEGLIGIBLE:
            return [replace(nothing[0], unexplained=0.0)]
        unlike = _unlike([fit for fit in ranked if fit not in nothing], x)
        found = unlike[: self.top]
        for fit in (*_most_accurate(unlike), *_simple(unlike, self.functions)):
            if fit not in found:
                found.append(fit)
        return found + (nothing if share <= SMALL else [])

    def simpler(self, network: Network, edge: Edge, than: Function, task: Task) -> list[EdgeFit]:
        """Return simpler functions that come close to a symbolic edge, simplest first; always 0."""
        functions = [f for f in self.functions if price(f) < price(than)]
        if not functions:
            return []
        x, y = edge_values(network, edge, network_forward(network, task.x)[1].x[edge[0]])
        fits = Search(functions, self.a_range, self.b_range, ROUGH).fit(x, y, task.weight)
        close = [f for f in fits if f.unexplained < 1e-4 or family(f.function).constant]
        return sorted(close, key=lambda fit: (price(fit.function), fit.unexplained))


def simplest(fits: list[EdgeFit], tolerance: float, order: Sequence[Function] = ()) -> EdgeFit:
    """Return the simplest fit that leaves no more than `tolerance` unexplained, else the first.

    Of several the first in `order` is taken, by default the first in `fits`.
    """
    close = [fit for fit in fits if fit.unexplained <= tolerance]
    places = {function: place for place, function in enumerate(order)}
    return min(close, key=lambda f: (price(f.function), places.get(f.function, 0)), default=fits[0])


def _most_accurate(fits: list[EdgeFit]) -> list[EdgeFit]:
    return sorted(fits, key=lambda fit: fit.unexplained)[:2]


def _simple(fits: list[EdgeFit], order: Sequence[Function]) -> list[EdgeFit]:
    """Return the most accurate fit of each price, and the first in order, if not far off.

    An edge may look more complicated than it need be: between a product and the function of it,
    shapes can move to and fro, as in (x^p·y^p)^(1/p).
    """
    close = sorted((f for f in fits if f.unexplained <= COARSEST), key=lambda f: f.unexplained)
    by_place = sorted(close, key=lambda f: order.index(f.function))
    found: dict[tuple[float, int], EdgeFit] = {}
    for number, ranked in enumerate((close, by_place)):
        for fit in reversed(ranked):
            found[price(fit.function), number] = fit
    return [found[key] for key in sorted(found)]


def _unlike(fits: list[EdgeFit], x: np.ndarray) -> list[EdgeFit]:
    """Leave out fits whose curve is that of a better one, as cos beside sin."""
    points = x[:: max(1, x.size // 64)]
    curves = np.stack([fit(points) for fit in fits]) if fits else np.zeros((0, 1))  # (R, M)
    bound = ALIKE * np.ptp(curves, axis=1)
    kept: list[int] = []
    for row, curve in enumerate(curves):
        if np.all(np.abs(curves[kept] - curve).max(axis=1) > bound[row]):
            kept.append(row)
    return [fits[row] for row in kept]
