"""Better splines before the search: fitted without a penalty, on finer grids, and fewer of them.

Training with a penalty bends the splines, and leaves more of them than the formula has terms. A
joint fit of all splines mends the first. For the second, hidden nodes and then edges are removed
one by one, with a joint fit each, as long as the network without them does as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..grids import refine, update_grid
from ..layer import layer_edges
from ..network import Network, network_forward
from .edges import Edge, live_edges, without
from .refit import Budget, Task, refit

INTERVALS = 10
"""Grid intervals of the sharpened splines, at least."""

WORSE = 30.0
"""A removal must not raise the loss by more than this factor over the best loss seen."""

CLEAN = 0.05
"""A fit that lowers the loss of the given network to less than this share is not bound by noise:
there, each removal costs precision, but shows the structure. Else removals compete by likelihood.
"""

_CHOICES, _MANY = 3, 3
_ROUNDS, _STEPS, _TOLERANCE = 4, 25, 1e-2


@dataclass(eq=False)
class Sharpener:
    """The removal of nodes and edges from one network.

    Attributes
    ----------
    given : Network
        Stays as it is.
    task : Task
    budget : Budget
        Of joint fits.
    """

    given: Network
    task: Task
    budget: Budget
    _lowest: float = math.inf

    def run(self) -> Network:
        """Return a network of fewer and better splines that does what the given one does.

        Edges that are removed are dead in it.
        """
        best = self._fine()
        if best is None or self.task.value(best) > CLEAN * self.task.value(self.given):
            best = self._refit(self.given)  # finer splines would follow the noise
        self._lowest = self.task.value(best)
        for removals in (self._nodes, self._edges):
            best = self._reduced(best, removals)
        return best

    def _fine(self) -> Network | None:
        """Return the network refitted on finer grids; None if the data are too few for them."""
        layers = self.given.layers
        free = sum(int(np.sum(layer.numeric)) * (INTERVALS + layer.k) for layer in layers)
        if free > self.task.target.size / 3:
            return None
        sizes = [layer.G * max(1, math.ceil(INTERVALS / layer.G)) for layer in layers]
        return self._refit(refine(self.given, sizes))

    def _refit(self, network: Network) -> Network:
        """Fit jointly, on grids that follow the activations as long as that helps."""
        loss = math.inf
        for _ in range(_ROUNDS):
            following = update_grid(network, self.task.x, 0.5)
            fitted = refit(
                following, self.task, steps=_STEPS, tolerance=_TOLERANCE, budget=self.budget
            )
            last, loss = loss, self.task.value(fitted)
            if not loss < last:
                break
            network = fitted
            if loss > 0.3 * last:
                break
        return network

    def _reduced(
        self, best: Network, removals: Callable[[Network], Iterator[list[Edge]]]
    ) -> Network:
        """Remove what can be removed, again and again: of a few the one that is missed least."""
        tried: list[Network] = [best]
        while tried:
            best, tried = tried[0], []
            choices = list(removals(best))
            enough = 1 if len(choices) > _MANY else _CHOICES
            for edges in choices:
                if self.budget.spent or len(tried) >= enough:
                    break
                fewer = self._refit(without(best, edges))
                self._lowest = min(self._lowest, self.task.value(fewer))
                if self._will_do(fewer, best):
                    tried.append(fewer)
            tried.sort(key=self.task.value)
        return best

    def _will_do(self, network: Network, best: Network) -> bool:
        """Tell whether a network may take the place of the best so far, which has more edges."""
        loss = self.task.value(network)
        clean = loss <= CLEAN * self.task.value(self.given)
        better = self._criterion(network) <= self._criterion(best)
        return loss <= WORSE * self._lowest and (clean or better)

    def _criterion(self, network: Network) -> float:
        """Return -2 log(likelihood) + log(N) · parameters (Schwarz 1978)."""
        free = sum(int(np.sum(layer.numeric)) * (layer.G + layer.k) for layer in network.layers)
        return self.task.misfit(self.task.value(network)) + math.log(self.task.target.size) * free

    def _nodes(self, network: Network) -> Iterator[list[Edge]]:
        """Yield the edges of each hidden node that is all splines, the least important first."""
        shares = edge_shares(network, self.task.x)
        numeric = set(shares)
        nodes = []
        for l, part in enumerate(network.nodes[:-1]):
            for node, factors in enumerate(part.factors()):
                edges = [e for e in live_edges(network) if e[0] == l and e[2] in factors]
                leaving = [e for e in live_edges(network) if e[0] == l + 1 and e[1] == node]
                if leaving and numeric.issuperset(edges + leaving):
                    nodes.append((max(shares[e] for e in leaving), edges + leaving))
        for _, edges in sorted(nodes):
            yield edges

    def _edges(self, network: Network) -> Iterator[list[Edge]]:
        """Yield each spline, the least important first."""
        shares = edge_shares(network, self.task.x)
        for edge in sorted(shares, key=lambda e: shares[e]):
            yield [edge]


def edge_shares(network: Network, x: np.ndarray) -> dict[Edge, float]:
    """Return the spread of every live spline as a share of the spread of the sum it is part of."""
    _, cache = network_forward(network, x, continued=True)
    shares = {}
    for l, (layer, inputs) in enumerate(zip(network.layers, cache.x, strict=True)):
        spread = layer_edges(layer, inputs, continued=True).std(axis=0)
        total = np.maximum(cache.u[l].std(axis=0), np.finfo(float).tiny)
        for i, j in np.argwhere(layer.numeric).tolist():
            shares[(l, i, j)] = float(spread[i, j] / total[j])
    return shares
