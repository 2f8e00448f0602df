"""Networks whose splines follow given functions as well as splines can: nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kanref import KAN
from kanref.bspline import extend_grid, fit_coef, uniform_grid
from kanref.network import Network, layer_inputs, network_forward

Curves = Mapping[tuple[int, int, int], Callable[[np.ndarray], np.ndarray]]


def spline_network(
    width: Sequence[Any], curves: Curves, x: np.ndarray, *, G: int = 5, k: int = 3
) -> Network:
    """Fit a spline to each of `curves` on the activations; all other edges are dead."""
    network = KAN(width, grid=G, k=k, base_fun="zero").network
    layers = list(network.layers)
    for l in range(network.depth):
        z = layer_inputs(network.with_parts(layers), x)[l]
        layer = layers[l]
        y = np.zeros((len(x), layer.n_in, layer.n_out))
        mask = np.zeros((layer.n_in, layer.n_out), dtype=bool)
        for (number, i, j), curve in curves.items():
            if number == l:
                y[:, i, j], mask[i, j] = curve(z[:, i]), True
        knots = extend_grid(uniform_grid(z.min(0) - 0.01, z.max(0) + 0.01, G, layer.n_in), k)
        layers[l] = replace(
            layer,
            knots=knots,
            coef=fit_coef(z, y, knots, k),
            scale_spline=np.ones_like(layer.scale_base),
            mask=mask,
        )
    return network.with_parts(layers).copy()


def predict(network: Network, x: np.ndarray) -> np.ndarray:
    return network_forward(network, x)[0]


def points(N: int, n_in: int, low: float = -1.0, high: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (N, n_in))


def shares_memory(a: Network, b: Network) -> bool:
    """Tell whether any array of one network is also one of the other."""
    parts = [[*net.layers, *net.nodes] for net in (a, b)]
    arrays = [
        [v for part in side for v in vars(part).values() if isinstance(v, np.ndarray)]
        for side in parts
    ]
    return any(np.shares_memory(p, q) for p in arrays[0] for q in arrays[1] if p.size and q.size)
