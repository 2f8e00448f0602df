r"""The range of a network and of its Jacobian on boxes of its inputs.

Forward, interval arithmetic gives the range y of every node. Backward, interval arithmetic on the
chain rule gives the range G of ∂y/∂x, and by the mean value theorem, with the middle m and the
half-widths r of the box,

.. math:: f(x) ∈ f(m) + \sum_i \max|G_i|\, r_i\, [-1, 1]

which closes in with the square of the width (R. E. Moore, R. B. Kearfott, M. J. Cloud,
*Introduction to Interval Analysis*, 2009, chapter 6). Both hold, so their intersection does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import mul

import numpy as np

from .._arrays import to_numpy
from ..network import Network
from ..nodes import Nodes
from .interval import EPS, Interval
from .layers import LayerRange, PreparedLayer

BLOCK_ELEMENTS = 2**19
"""At most so many edge values, coefficients included, are held at a time."""


@dataclass(frozen=True, eq=False)
class BoxRange:
    """What is known of a network on B boxes.

    Attributes
    ----------
    y : Interval, (B, n_out)
        The outputs of the floating-point model.
    jacobian : Interval, (B, n_out, n_in)
        Of the exact function.
    middle : Interval, (B, n_out)
        The outputs at the middle of each box: what is certainly reached, to rounding.
    """

    y: Interval
    jacobian: Interval
    middle: Interval


@dataclass(frozen=True, eq=False)
class PreparedNetwork:
    """A network ready for many boxes.

    Attributes
    ----------
    layers : tuple of PreparedLayer
        From the inputs on.
    nodes : tuple of Nodes
        Above each of them.
    """

    layers: tuple[PreparedLayer, ...]
    nodes: tuple[Nodes, ...]

    @classmethod
    def of(cls, network: Network) -> PreparedNetwork:
        """Prepare a network.

        Raises
        ------
        ValueError
            If a live edge follows a function that is not kanref's own.
        """
        layers = []
        for l, layer in enumerate(network.layers):
            try:
                layers.append(PreparedLayer.of(layer))
            except ValueError as error:
                raise ValueError(f"{error} (layer {l})") from error
        return cls(tuple(layers), network.nodes)

    @property
    def work(self) -> int:
        """Array elements that one box takes in the largest layer, on one piece."""
        return max(x.n_in * x.n_out * (x.splines.degree + 2) for x in self.layers)

    def on(self, lo: np.ndarray, hi: np.ndarray, pieces: int) -> BoxRange:
        """Return what is known on the boxes lo, hi (B, n_in).

        Parameters
        ----------
        lo, hi : (B, n_in)
            The corners of boxes, in network units.
        pieces : int
            Into how many parts an edge's interval is cut.
        """
        size = max(1, BLOCK_ELEMENTS // (self.work * pieces))
        blocks = [
            self._block(Interval(lo[n : n + size], hi[n : n + size]), pieces)
            for n in range(0, len(lo), size)
        ]
        y, jacobian, middle = (
            Interval(np.concatenate([b.lo for b in part]), np.concatenate([b.hi for b in part]))
            for part in zip(*blocks, strict=True)
        )
        return BoxRange(y, jacobian, middle)

    def _block(self, x: Interval, pieces: int) -> tuple[Interval, Interval, Interval]:
        with np.errstate(all="ignore"):
            y, ranges, factors = self._forward(x, pieces)
            jacobian, error = self._backward(ranges, factors)
            m = x.lo + (x.hi - x.lo) / 2
            middle, _, _ = self._forward(Interval(m, m), 1)
            radius = np.maximum(x.hi - m, m - x.lo)[:, None]  # (B, 1, n_in)
            change = np.where(radius == 0, 0.0, jacobian.magnitude * radius).sum(axis=2)
            around = middle.widened(change * (1 + 64 * x.lo.shape[1] * EPS) + error)
            usable = np.isfinite(change) & np.isfinite(error) & middle.known
            y = y.meet(around).where(usable, y)
        return y, jacobian, middle

    def _forward(
        self, x: Interval, pieces: int
    ) -> tuple[Interval, list[LayerRange], list[Interval]]:
        """Return the outputs, the ranges of the layers, and ∂z/∂u of each subnode, (B, n_sub)."""
        ranges, factors = [], []
        for layer, nodes in zip(self.layers, self.nodes, strict=True):
            found = layer.range(x, pieces)
            x, factor = node_range(nodes, found.sums, layer.rounding.eps, layer.rounding.tiny)
            x = x.honest(layer.rounding.greatest)
            ranges.append(found)
            factors.append(factor)
        return x, ranges, factors

    def _backward(
        self, ranges: Sequence[LayerRange], factors: Sequence[Interval]
    ) -> tuple[Interval, np.ndarray]:
        """Return the Jacobian (B, n_out, n_in), and how far rounding may carry the outputs off."""
        n_out = self.nodes[-1].n_nodes
        shape = (ranges[0].margin.shape[0], n_out, n_out)
        eye = np.broadcast_to(np.eye(n_out), shape)
        dz = Interval(eye, eye)
        error = np.zeros(shape[:2])
        steps = zip(self.layers, self.nodes, ranges, factors, strict=True)
        for layer, nodes, found, factor in reversed(list(steps)):
            node_error = node_margin(nodes, found.sums, layer.rounding.eps, layer.rounding.tiny)
            error = error + _weighted(dz.magnitude, node_error)
            owner = np.repeat(np.arange(nodes.n_nodes), [len(f) for f in nodes.factors()])
            du = dz[:, :, owner] * factor[:, None, :]  # (B, n_out, n_subnodes)
            error = error + _weighted(du.magnitude, found.margin)
            terms = du[:, :, None, :] * found.slopes[:, None]  # (B, n_out, n_in, n_subnodes)
            dz = terms.sum(axis=3)
        return dz, error * (1 + 1e-9)


def node_range(nodes: Nodes, u: Interval, eps: float, tiny: float) -> tuple[Interval, Interval]:
    """Return the nodes z (B, n_nodes) and ∂z/∂u of every subnode (B, n_subnodes)."""
    subnode_scale, subnode_bias = _numbers(nodes.subnode_scale), _numbers(nodes.subnode_bias)
    node_scale, node_bias = _numbers(nodes.node_scale), _numbers(nodes.node_bias)
    v = _affine(u, subnode_scale, subnode_bias, eps, tiny)
    products, factors = [], []
    for node, members in enumerate(nodes.factors()):
        parts = [v[:, j] for j in members]
        product = parts[0]
        for part in parts[1:]:
            product = (product * part).rounded(2 * eps, tiny)
        products.append(product)
        for n, j in enumerate(members):
            scale = Interval(*[np.full(u.lo.shape[0], node_scale[node] * subnode_scale[j])] * 2)
            factor = reduce(mul, [*parts[:n], *parts[n + 1 :]], scale)
            factors.append(factor.rounded(4 * (len(members) + 1) * EPS, 0.0))
    p = Interval(
        np.stack([x.lo for x in products], axis=1), np.stack([x.hi for x in products], axis=1)
    )
    z = _affine(p, node_scale, node_bias, eps, tiny)
    return z, Interval(
        np.stack([x.lo for x in factors], axis=1), np.stack([x.hi for x in factors], axis=1)
    )


def node_margin(nodes: Nodes, u: Interval, eps: float, tiny: float) -> np.ndarray:
    """Return how far rounding may carry the nodes off, (B, n_nodes), for the same sums u."""
    scale, bias = _numbers(nodes.subnode_scale), _numbers(nodes.subnode_bias)
    size = u.magnitude * np.abs(scale) + np.abs(bias)  # (B, n_subnodes)
    columns = [reduce(mul, [size[:, j] for j in f]) * (3 * len(f) + 2) for f in nodes.factors()]
    scale, bias = _numbers(nodes.node_scale), _numbers(nodes.node_bias)
    return eps * (np.stack(columns, axis=1) * np.abs(scale) + 2 * np.abs(bias)) + 8 * tiny


def _affine(x: Interval, scale: np.ndarray, bias: np.ndarray, eps: float, tiny: float) -> Interval:
    """Return scale · x + bias, rounded where something is computed at all."""
    trivial = np.abs(scale) == 1
    scaled = x * scale
    scaled = scaled.where(trivial, scaled.rounded(2 * eps, tiny))
    shifted = scaled + bias
    return shifted.where(bias == 0, shifted.rounded(2 * eps, 0.0))


def _weighted(slopes: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return Σ over nodes of slopes (B, n_out, n) times errors (B, n), with 0 · inf = 0."""
    terms = slopes * errors[:, None, :]
    return np.where(slopes == 0, 0.0, terms).sum(axis=2)


def _numbers(a: np.ndarray) -> np.ndarray:
    return np.asarray(to_numpy(a), dtype=float)
