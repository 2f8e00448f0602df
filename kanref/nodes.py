"""The sum and product nodes above a layer, forward and backward.

The layer's sums u_j pass through subnodes and nodes (Liu et al. 2024, *KAN 2.0*, arXiv 2408.10205,
section 2)::

    v_j = subnode_scale_j · u_j + subnode_bias_j
    p   = v_j of a sum node, or the product of the v_j of a product node's factors
    z   = node_scale · p + node_bias

The sum nodes come first, then the factors of each product node, one node after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import mul

from ._arrays import Array, namespace, where
from .parameters import changed

NODE_PARAMETERS = ("subnode_scale", "subnode_bias", "node_scale", "node_bias")


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes that combine one layer's sums.

    Attributes
    ----------
    n_sum : int
        Number of sum nodes.
    arity : tuple of int
        Number of factors of each product node.
    subnode_scale, subnode_bias : (n_subnodes,)
        Affine of each sum of edges.
    node_scale, node_bias : (n_nodes,)
        Affine of each node.
    """

    n_sum: int
    arity: tuple[int, ...]
    subnode_scale: Array
    subnode_bias: Array
    node_scale: Array
    node_bias: Array

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return self.n_sum + len(self.arity)

    @property
    def n_subnodes(self) -> int:
        """Number of subnodes: sums of edges."""
        return self.n_sum + sum(self.arity)

    def factors(self) -> list[range]:
        """Return the subnodes of every node: one of a sum node, `arity` of a product node."""
        found, start = [], 0
        for size in [1] * self.n_sum + list(self.arity):
            found.append(range(start, start + size))
            start += size
        return found


def nodes_forward(nodes: Nodes, u: Array) -> Array:
    """Combine the sums u (N, n_subnodes) into `nodes`; return their values z (N, n_nodes)."""
    if not nodes.arity:  # one affine of u, with one array of its size
        z = u * (nodes.subnode_scale * nodes.node_scale)
        z += nodes.subnode_bias * nodes.node_scale + nodes.node_bias
        return z
    return _products(nodes, u) * nodes.node_scale + nodes.node_bias


def nodes_backward(
    nodes: Nodes, u: Array, dz: Array, gradients: bool = True
) -> tuple[Array, Nodes]:
    """Propagate dz (N, n_nodes) to du (N, n_subnodes) and to the affines; return both.

    `nodes` and `u` as forward; without `gradients` those of the affines are not computed, and
    `nodes` itself is returned in their place.
    """
    if not nodes.arity and not gradients:
        return dz * (nodes.subnode_scale * nodes.node_scale), nodes
    xp = namespace(dz)
    dp = dz * nodes.node_scale
    dv = dp
    if nodes.arity:
        v = u * nodes.subnode_scale + nodes.subnode_bias
        columns = []
        for node, factors in enumerate(nodes.factors()):
            for j in factors:
                others = [selected_by(dp[:, node], v[:, o]) for o in factors if o != j]
                columns.append(reduce(mul, others, dp[:, node]))
        dv = xp.stack(columns, axis=1)
    if not gradients:
        return dv * nodes.subnode_scale, nodes
    dnodes = changed(
        nodes,
        subnode_scale=xp.sum(dv * u, axis=0),
        subnode_bias=xp.sum(dv, axis=0),
        node_scale=xp.sum(dz * _products(nodes, u), axis=0),
        node_bias=xp.sum(dz, axis=0),
    )
    return dv * nodes.subnode_scale, dnodes


def _products(nodes: Nodes, u: Array) -> Array:
    """Return p (N, n_nodes): v of a sum node, the product of its factors of a product node."""
    v = u * nodes.subnode_scale + nodes.subnode_bias
    if not nodes.arity:
        return v
    columns = [reduce(mul, [v[:, j] for j in node]) for node in nodes.factors()]
    return namespace(u).stack(columns, axis=1)


def selected_by(factor: Array, values: Array) -> Array:
    """Return the values to be multiplied by `factor`: 0 where it is 0, even if they are infinite.

    A node that leads nowhere may be NaN; its cotangent is 0 and must stay so.
    """
    return where(factor == 0, 0.0, values)
