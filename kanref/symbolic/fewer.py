"""Fewer nodes first: small parts of a network that may do as well as all of it.

Training spreads one hidden function over several nodes, and a part of the network, fitted anew, is
often as good as the whole. Small parts are fitted in no time; so they are tried from the smallest
up before anything is removed from the whole (:mod:`kanref.symbolic.sharpen`), which takes far
longer. A part competes with the whole by likelihood and size, so that in noise the smaller one wins
and a part that lacks something real does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..bspline import basis
from ..grids import update_grid
from ..network import Network, network_forward
from .edges import Edge, live_edges, used_inputs, without
from .refit import Budget, Task, refit
from .sharpen import edge_shares

FIRST_ROWS, ROWS_PER_PARAMETER = 250, 6
"""A part is fitted to so many samples at least, and to so many for each of its parameters."""

_STEPS, _TOLERANCE = 8, 3e-2
_ROUNDS = 2
_TRIES = 3


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of one network that have fewer hidden nodes.

    Attributes
    ----------
    given : Network
        Stays as it is; all its live edges are splines.
    task : Task
    budget : Budget
        Of joint fits.
    """

    given: Network
    task: Task
    budget: Budget

    def good(self) -> Iterator[Network]:
        """Yield refitted parts that take the place of the whole, the smallest first."""
        bound = criterion(self.given, self.task)
        for nodes in self._choices():
            if self.budget.spent:
                return
            part = self._fitted(without(self.given, self._others(nodes)))
            if criterion(part, self.task) <= bound:
                yield part

    def _choices(self) -> Iterator[list[set[int]]]:
        """Yield the nodes to keep of each hidden layer: 1, 2, 4, … of each; of 1, a few choices."""
        ranked = self._ranked()
        most = max((len(nodes) for nodes in ranked), default=0)
        needed = used_inputs(self.given)
        size = 1
        while size < most:
            tries = 0  # of choices that lose no input
            for shift in range(len(ranked[-1]) if size == 1 else 1):
                last = ranked[-1][shift : shift + size]
                choice = [set(nodes[:size]) for nodes in ranked[:-1]] + [set(last)]
                part = without(self.given, self._others(choice))
                if tries < _TRIES and used_inputs(part) == needed:
                    tries += 1
                    yield choice
            size *= 2

    def _others(self, nodes: list[set[int]]) -> list[Edge]:
        """Return the edges that leave the hidden nodes that are not kept."""
        return [(l, i, j) for l, i, j in live_edges(self.given) if l and i not in nodes[l - 1]]

    def _ranked(self) -> list[list[int]]:
        """Return the live nodes of each hidden layer, the most important first."""
        shares = edge_shares(self.given, self.task.x)
        found = []
        for l in range(1, self.given.depth):
            leaving: dict[int, float] = {}
            for (number, i, _), share in shares.items():
                if number == l:
                    leaving[i] = max(leaving.get(i, 0.0), share)
            found.append(sorted(leaving, key=lambda i: -leaving[i]))
        if found:
            alone = unexplained_alone(self.given, self.task)
            found[-1].sort(key=lambda i: alone[i])
        return found

    def _fitted(self, part: Network) -> Network:
        """Fit the splines of a part jointly, on some of the samples."""
        n_out = max(1, self.task.target.size // len(self.task.x))
        some = self.task.evenly(max(FIRST_ROWS, ROWS_PER_PARAMETER * n_free(part) // n_out))
        best, loss = part, math.inf
        for _ in range(_ROUNDS):
            fitted = refit(part, some, steps=_STEPS, tolerance=_TOLERANCE, budget=self.budget)
            last, loss = loss, min(loss, self.task.value(fitted))
            best = fitted if loss < last else best
            if not loss < 0.5 * last:
                break
            part = update_grid(fitted, some.x, 0.5)
        return best


def unexplained_alone(network: Network, task: Task) -> np.ndarray:
    """Return how much of the target a spline of each node of the last hidden layer leaves, (n,).

    So a node whose contribution is large only to be cancelled by another one ranks low.
    """
    layer = network.layers[-1]
    z = network_forward(network, task.x, continued=True)[1].x[-1]
    B = basis(z, layer.knots, layer.k, extrapolate=layer.extrapolate)  # (N, n, G+k)
    y = task.target if task.target.ndim == 2 else task.target[:, None]
    y = y - y.mean(axis=0)
    found = np.ones(layer.n_in)
    for i in range(layer.n_in):
        q = np.linalg.qr(B[:, i])[0]
        found[i] = float(np.sum((y - q @ (q.T @ y)) ** 2))
    return found


def criterion(network: Network, task: Task) -> float:
    """Return -2 log(likelihood) + log(N) · parameters of a network of splines (Schwarz 1978)."""
    misfit = task.misfit(task.value(network))
    return misfit + math.log(max(task.target.size, 2)) * n_free(network)


def n_free(network: Network) -> int:
    """Return the number of coefficients of the live splines."""
    return sum(int(np.sum(layer.numeric)) * (layer.G + layer.k) for layer in network.layers)
