"""The objective: theta → (loss + lamb · penalty, gradient), over the batch in bounded memory.

The batch is cut into chunks. A first pass collects predictions and statistics; the loss then sees
all predictions at once, so any loss works, and the regulariser all statistics; a second pass forms
the gradient with the cotangents that both returned. A batch of one chunk keeps its cache and needs
one pass. The result does not depend on the chunk size, to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from ._arrays import Array, namespace
from .kernels import values_per_sample
from .layer import BLOCK_ELEMENTS
from .losses import Loss
from .network import Network, NetworkCache, network_forward, theta_gradient
from .regularization import Penalty, Regularizer
from .statistics import merge_statistics

MAX_MEMORY = 256 * 2**20
"""Default bound, in bytes, on the work arrays of one evaluation."""


@dataclass(frozen=True)
class Evaluation:
    """The objective at one theta.

    Attributes
    ----------
    total : float
        loss + lamb · reg, what is minimised.
    loss, reg : float
        The data term and the penalty, without its factor lamb.
    pred : (N, n_out)
        Predictions.
    gradient : Network
        The gradient of `total`; ``gradient.theta`` is flat.
    cache : NetworkCache
        What the last forward pass left, for the next evaluation to use again.
    """

    total: float
    loss: float
    reg: float
    pred: Array
    gradient: Network
    cache: NetworkCache


@dataclass(frozen=True)
class Objective:
    """Loss and regulariser, to be evaluated at a network.

    Attributes
    ----------
    loss : callable
        ``loss(pred, target, weight) -> (value, dpred)``, see :mod:`kanref.losses`.
    regularizer : Regularizer
        The penalty with its factors.
    max_memory : int
        Bound, in bytes, on the work arrays; it sets the chunk size.
    """

    loss: Loss
    regularizer: Regularizer
    max_memory: int = MAX_MEMORY

    def evaluate(
        self,
        network: Network,
        x: Array,
        target: Array,
        weight: Array | None = None,
        *,
        reuse: Evaluation | None = None,
    ) -> Evaluation:
        """Return the objective and its gradient on the batch x (N, n_in), target, `weight` (N,).

        The arrays of `reuse`, an earlier evaluation at a network of the same shapes and groups, are
        overwritten: its gradient too. A training loop then allocates nothing that grows with the
        network or the batch, but for what passes through the nodes.
        """
        chunks = split(network, x, self.max_memory)
        sums = self.regularizer.needs_statistics
        predictions, statistics = [], []
        cache = None if reuse is None else reuse.cache
        for chunk in chunks:
            pred, cache = network_forward(
                network, chunk, sums=sums, continued=True, slopes="hidden", reuse=cache
            )
            predictions.append(pred)
            if sums:
                statistics.append(cache.statistics)
        assert cache is not None  # there is at least one chunk
        pred = namespace(x).concat(predictions, axis=0) if len(chunks) > 1 else predictions[0]
        loss, dpred = self.loss(pred, target, weight)
        penalty = self.regularizer(network, merge_statistics(statistics) if sums else None)
        scaled = penalty.scaled(self.regularizer.lamb)

        out = None if reuse is None else reuse.gradient
        if len(chunks) == 1:
            gradient = theta_gradient(network, cache, dpred, scaled.cotangents, out)
        else:
            gradient = _second_pass(network, chunks, dpred, scaled, cache)
        if scaled.gradient is not None:
            gradient = gradient.with_theta(gradient.theta + scaled.gradient.theta)
        loss, reg = float(loss), float(penalty.value)
        total = loss + self.regularizer.lamb * reg
        return Evaluation(total, loss, reg, pred, gradient, cache)


def split(network: Network, x: Array, max_memory: int) -> list[Array]:
    """Cut the batch into chunks whose work arrays stay within `max_memory` bytes.

    Parameters
    ----------
    network : Network
        Which is to be evaluated.
    x : (N, n_in)
        The batch.
    max_memory : int
        In bytes.

    Returns
    -------
    list of (n, n_in)
        The chunks, in order.
    """
    itemsize = network.theta.dtype.itemsize if hasattr(network.theta.dtype, "itemsize") else 8
    values = sum(values_per_sample(network.backend, layer, x) for layer in network.layers)
    blocks = 4 * BLOCK_ELEMENTS  # the blocks of edges, which are bounded by themselves
    available = max(max_memory // itemsize - blocks, max_memory // (2 * itemsize))
    size = max(1, available // values)
    n = x.shape[0]
    return [x[start : min(start + size, n), :] for start in range(0, max(n, 1), size)]


def _second_pass(
    network: Network, chunks: Sequence[Array], dpred: Array, penalty: Penalty, cache: NetworkCache
) -> Network:
    """Add up the gradients of the chunks, in order."""
    thetas, start = [], 0
    gradient = network
    for chunk in chunks:
        dy = dpred[start : start + chunk.shape[0], :]
        start += chunk.shape[0]
        _, cache = network_forward(network, chunk, continued=True, slopes="hidden", reuse=cache)
        gradient = theta_gradient(network, cache, dy, penalty.cotangents)
        thetas.append(gradient.theta)
    return gradient.with_theta(reduce(lambda a, b: a + b, thetas))
