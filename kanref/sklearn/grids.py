"""Grids that follow the bulk of the data, not its outliers and not its ties.

``KAN.update_grid`` puts quantiles of the samples between their extremes. On tables as people bring
them, that has two weak spots: one outlier stretches the grid over empty space, and a column with a
value that occurs very often gets cells of next to no width, whose steep splines are continued
outside. So here, for every input of a layer:

* the grid ends at Tukey's outer fences, q₁ - 3·IQR and q₃ + 3·IQR, or at the extremes if these lie
  within; beyond it the splines are continued linearly;
* the breakpoints are quantiles of the *distinct* values, mixed with as much of a uniform grid.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..bspline import curve, extend_grid, fit_coef
from ..layer import Layer, layer_forward
from ..network import Network
from ..nodes import nodes_forward
from ..objective import MAX_MEMORY, split

FENCE = 3.0
UNIFORM = 0.5  # share of the uniform grid
LEAST = 1e-6  # a narrower column counts as constant, in network units


def follow(network: Network, x: np.ndarray) -> Network:
    """Return the network on grids that follow its activations at x (N, n_in), network units.

    The reference, which holds a whole basis, carries them from layer to layer in chunks.
    """
    layers = []
    chunks = split(replace(network, backend="numpy"), x, MAX_MEMORY)
    for layer, nodes in zip(network.layers, network.nodes, strict=True):
        x = np.concatenate(chunks)
        grid = np.stack([breakpoints(column, layer.G) for column in x.T])
        layers.append(_moved(layer, x, extend_grid(grid, layer.k)))
        if len(layers) < network.depth:
            moved = layers[-1]
            chunks = [
                nodes_forward(nodes, layer_forward(moved, c, continued=True)[0]) for c in chunks
            ]
    return network.with_parts(layers).copy()


def breakpoints(values: np.ndarray, G: int) -> np.ndarray:
    """Return the grid (G+1,) of one input from its values (N,).

    Examples
    --------
    >>> breakpoints(np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 900.0]), G=2)
    array([ 0. ,  4.5, 13. ])
    """
    distinct = np.unique(values)
    low, high = distinct[0], distinct[-1]
    first, third = np.quantile(values, [0.25, 0.75])
    reach = FENCE * (third - first)
    if reach > LEAST * (high - low):
        low, high = max(low, first - reach), min(high, third + reach)
    if not high - low > LEAST * max(1.0, abs(low)):
        return np.linspace(low - 1, low + 1, G + 1)
    inside = distinct[(distinct > low) & (distinct < high)]
    share = np.linspace(0, 1, G + 1)
    quantiles = np.quantile(np.concatenate([[low], inside, [high]]), share)
    grid = UNIFORM * (low + share * (high - low)) + (1 - UNIFORM) * quantiles
    grid[[0, -1]] = low, high
    return grid


def _moved(layer: Layer, x: np.ndarray, knots: np.ndarray) -> Layer:
    """Return the layer on other knots, with its splines fitted where the data are."""
    rows = []
    for i in range(layer.n_in):
        one = slice(i, i + 1)
        low, high = knots[i, layer.k], knots[i, -1 - layer.k]
        sampled = np.quantile(x[:, i], np.linspace(0, 1, 201)).clip(low, high)
        points = np.concatenate([sampled, np.linspace(low, high, 20 * layer.G + 1)])[:, None]
        y = curve(points, layer.knots[one], layer.coef[one], layer.k, extrapolate="linear")
        rows.append(fit_coef(points, y, knots[one], layer.k, extrapolate="linear"))
    return replace(layer, knots=knots, coef=np.concatenate(rows))
