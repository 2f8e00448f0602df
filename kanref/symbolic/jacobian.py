"""The Jacobian of a network's outputs by its parameters, sample by sample.

A backward pass sums over the samples; Gauss–Newton needs every sample by itself. The cotangents of
the sums u_j are per sample anyway, and a parameter of edge (i, j) changes u_j in a known way, so
one backward pass for each output gives all columns.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..functions import base_function
from ..layer import Layer, LayerCache, layer_backward
from ..network import Network, NetworkCache
from ..nodes import nodes_backward
from .families import family

GROUPS = ("coef", "scale_base", "affine")
"""Parameters that a joint fit moves; `scale_spline` would say the same as `coef`."""


def stripped(network: Network) -> Network:
    """Return a network with the same values on which symbolic layers cost no splines.

    Its theta holds GROUPS. Use :func:`with_parameters_of` to bring the parameters back.
    """
    layers = []
    for layer in network.layers:
        if not np.any(layer.numeric):
            layer = replace(
                layer,
                knots=np.tile(np.array([-1.0, 1.0], dtype=layer.knots.dtype), (layer.n_in, 1)),
                coef=np.zeros((layer.n_in, layer.n_out, 1), dtype=layer.coef.dtype),
                scale_spline=None,
                k=0,
                base_fun=base_function("zero"),
            )
        layers.append(layer)
    return Network.assemble(layers, network.nodes, GROUPS, backend="numpy")


def with_parameters_of(network: Network, fitted: Network) -> Network:
    """Return a copy of `network` with the parameters of its :func:`stripped` form."""
    layers = []
    for layer, source in zip(network.layers, fitted.layers, strict=True):
        layer = replace(layer, affine=source.affine)
        if np.any(layer.numeric):
            layer = replace(layer, coef=source.coef, scale_base=source.scale_base)
        layers.append(layer)
    return network.with_parts(layers).copy()


def free_parameters(network: Network, *, splines: bool = True) -> np.ndarray:
    """Tell which entries of theta a joint fit moves, (P,): no two that say the same of one edge.

    Of the constants d that add up in a subnode, only the first counts. Without `splines`, only the
    constants of functions move.
    """
    parts = []
    for l, name, values in network.parameters():
        layer = network.layers[l]
        if name == "affine":
            parts.append(_free_affine(layer).ravel())
        elif not splines:
            parts.append(np.zeros(values.size, dtype=bool))
        elif name == "coef":  # stored with n_out innermost
            shape = (layer.n_in, values.shape[2], layer.n_out)
            parts.append(np.broadcast_to(layer.numeric[:, None, :], shape).ravel())
        else:
            parts.append((layer.numeric & (layer.base_fun.name != "zero")).ravel())
    return np.concatenate(parts)


def _free_affine(layer: Layer) -> np.ndarray:
    free = np.zeros(layer.affine.shape, dtype=bool)
    offset_taken = set()
    for s, edge in enumerate(layer.symbolic):
        if layer.mask[edge.i, edge.j]:
            free[s] = family(edge.function).parameters
            free[s, 3] = edge.j not in offset_taken
            offset_taken.add(edge.j)
    return free


def output_jacobian(network: Network, cache: NetworkCache, free: np.ndarray) -> np.ndarray:
    """Return ∂y_o/∂theta_p at each sample for the free p, (N, n_out, P_free)."""
    shape = (cache.u[-1].shape[0], network.n_out)
    rows = []
    for o in range(shape[1]):
        dz = np.zeros(shape)
        dz[:, o] = 1.0
        columns = []
        for l in reversed(range(network.depth)):
            du, _ = nodes_backward(network.nodes[l], cache.u[l], dz)  # (N, n_out)
            columns.append(
                _columns(network.layers[l], cache.layers[l], du, _part(network, l, free))
            )
            if l:
                dz, _ = layer_backward(network.layers[l], cache.layers[l], du)
        rows.append(np.concatenate(columns[::-1], axis=1))
    return np.stack(rows, axis=1)


def _part(network: Network, number: int, free: np.ndarray) -> dict[str, np.ndarray]:
    """Return the entries of `free` that belong to one layer, by group, as theta stores them."""
    found, start = {}, 0
    for l, name, values in network.parameters():
        if l == number:
            n_in, n_out = values.shape[:2]
            shape = (n_in, values.shape[2], n_out) if name == "coef" else values.shape
            found[name] = free[start : start + values.size].reshape(shape)
        start += values.size
    return found


def _columns(
    layer: Layer, cache: LayerCache, du: np.ndarray, free: dict[str, np.ndarray]
) -> np.ndarray:
    """Return du_j/dtheta_p times the cotangent of u_j, (N, P_free of this layer)."""
    i, m, j = np.nonzero(free["coef"])
    scale = 1.0 if layer.scale_spline is None else layer.scale_spline[i, j]
    spline = cache.basis[:, i, m] * (scale * du[:, j])
    i, j = np.nonzero(free["scale_base"])
    parts = [spline, cache.base[:, i] * du[:, j]]
    for s, edge in enumerate(layer.symbolic):
        a_b_c_d = free["affine"][s]
        if a_b_c_d.any() and cache.f is not None and cache.df is not None:
            through_t = layer.affine[s, 2] * cache.df[:, s]
            columns = (
                through_t * cache.x[:, edge.i],
                through_t,
                cache.f[:, s],
                np.ones_like(through_t),
            )
            chosen = np.stack(columns, axis=1)[:, a_b_c_d]
            parts.append(chosen * du[:, edge.j, None])
    return np.concatenate(parts, axis=1)
