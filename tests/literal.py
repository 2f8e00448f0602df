"""Activities, attribution and penalties, computed as literally as the definitions are written.

Edges are materialised, standard deviations are taken over them as they stand, and the
matrices of a metric indexed [j, i] as in the paper's library. All of it is holomorphic, so that
complex steps through it give derivatives that owe nothing to the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kanref.layer import layer_edges
from kanref.network import Network


def absolute(a: np.ndarray) -> np.ndarray:
    return np.sign(np.real(a)) * a


def std(values: np.ndarray) -> np.ndarray:
    """Standard deviation over the samples, divisor N - 1."""
    centred = values - values.mean(axis=0)
    return np.sqrt((centred**2).sum(axis=0) / (len(values) - 1))


@dataclass
class Measured:
    """What one layer did."""

    std_x: np.ndarray  # (n_in,)
    std_phi: np.ndarray  # (n_in, n_out)
    mean_abs: np.ndarray  # (n_in, n_out)
    std_u: np.ndarray  # (n_out,)


def measure(network: Network, x: np.ndarray) -> tuple[np.ndarray, list[Measured]]:
    """Outputs of the network, and what each layer did, from the edges one by one."""
    measured = []
    for layer, nodes in zip(network.layers, network.nodes, strict=True):
        phi = layer_edges(layer, x)
        u = phi.sum(axis=1)
        measured.append(Measured(std(x), std(phi), absolute(phi).mean(axis=0), std(u)))
        v = u * nodes.subnode_scale + nodes.subnode_bias
        columns = [v[:, j] for j in range(nodes.n_sum)]
        start = nodes.n_sum
        for arity in nodes.arity:
            columns.append(v[:, start : start + arity].prod(axis=1))
            start += arity
        x = np.stack(columns, axis=1) * nodes.node_scale + nodes.node_bias
    return x, measured


def owners(nodes: Any) -> list[int]:
    """The node that each subnode belongs to."""
    found = list(range(nodes.n_sum))
    for number, arity in enumerate(nodes.arity):
        found += [nodes.n_sum + number] * arity
    return found


def scores(
    network: Network, measured: list[Measured], top: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """A (q, i) per level, S (q, j) and B (q, j, i) per layer, from A = top at the last level."""
    nodes_, subnodes_, edges_ = [top], [], []
    for l in reversed(range(len(measured))):
        E, U, owner = measured[l].std_phi, measured[l].std_u, owners(network.nodes[l])
        S = np.stack([nodes_[0][:, node] for node in owner], axis=1)  # (q, j)
        B = S[:, :, None] * E.T / (U[:, None] + 1e-4)  # (q, j, i)
        A = B.sum(axis=1)
        nodes_, subnodes_, edges_ = [A, *nodes_], [S, *subnodes_], [B, *edges_]
    return nodes_, subnodes_, edges_


def activities(network: Network, measured: list[Measured], metric: str) -> list[np.ndarray]:
    """V of every layer, [j, i]."""
    if metric == "l1":
        return [m.mean_abs.T for m in measured]
    if metric == "weight":
        coefs = [np.where(la.numeric[:, :, None], la.coef, 0) for la in network.layers]
        return [absolute(c).mean(axis=2).T for c in coefs]
    if metric == "edge_forward_spline_u":
        return [m.std_phi.T for m in measured]
    if metric == "edge_forward_sum":
        return [m.std_phi.T / (m.std_x + 0.1) for m in measured]
    if metric == "edge_forward_spline_n":
        kept = [np.where(layer.numeric, 1, 0) for layer in network.layers]
        return [(m.std_phi * n).T / (m.std_x + 0.1) for m, n in zip(measured, kept, strict=True)]
    nodes, _, edges = scores(network, measured, np.eye(network.n_out))
    if metric == "edge_backward":
        return [B.mean(axis=0) for B in edges]
    assert metric == "node_backward"
    return [
        scores(network, measured[:l], np.diag(nodes[l].mean(axis=0)))[0][0]
        for l in range(1, len(measured) + 1)
    ]


def penalty(
    network: Network,
    measured: list[Measured],
    metric: str,
    factors: tuple[float, float] = (1.0, 2.0),
    frozen: list[Measured] | None = None,
) -> Any:
    """lamb_l1 ΣV + lamb_entropy S(V), summed over the layers.

    With `frozen`, what the paper's library detaches is taken from there.
    """
    if frozen is not None and metric in ("edge_backward", "node_backward"):
        pairs = zip(measured, frozen, strict=True)
        measured = [replace(m, std_u=f.std_u) for m, f in pairs]
    elif frozen is not None and metric == "edge_forward_sum":
        measured = frozen
    total: Any = 0.0
    for V in activities(network, measured, metric):
        if metric in ("l1", "weight"):
            p = V / V.sum()
            S = -sum(q * np.log(q) for q in p.ravel() if q != 0)
        else:
            P, Q = V / (V.sum(axis=1, keepdims=True) + 1), V / (V.sum(axis=0, keepdims=True) + 1)
            S = -(P * np.log2(P + 1e-4)).sum(axis=1).mean()
            S -= (Q * np.log2(Q + 1e-4)).sum(axis=0).mean()
        total += factors[0] * V.sum() + factors[1] * S
    return total


def smoothness(network: Network, lamb_coef: float, lamb_coefdiff: float) -> Any:
    """The penalty on the coefficients of numeric edges."""
    total: Any = 0.0
    for layer in network.layers:
        for i, j in np.argwhere(layer.numeric):
            c = layer.coef[i, j]
            total += lamb_coef * absolute(c).sum() / layer.n_out
            total += lamb_coefdiff * absolute(c[1:] - c[:-1]).sum() / layer.n_out
    return total
