"""Take a symbolic edge back to a spline that follows its present curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..bspline import extend_grid, fit_coef, uniform_grid
from ..functions import base_function
from ..layer import Layer
from ..network import Network, layer_inputs
from .edges import Edge, edge_values, without_symbolic

INTERVALS, DEGREE = 8, 3
"""The grid of a released edge: fine enough to show its shape, coarse enough to average noise."""


def released(network: Network, edge: Edge, x: np.ndarray) -> Network:
    """Return the network with one symbolic edge as a spline through its present curve.

    If the edge is the only spline of its layer, the layer gets a new grid on the present range of
    its inputs. Else it takes the spline that the edge has kept.
    """
    l, i, j = edge
    loose = without_symbolic(network, [edge])
    layer = loose.layers[l]
    if int(np.sum(layer.numeric)) != 1:
        return loose
    inputs = layer_inputs(network, x)[l]
    column, phi = edge_values(network, edge, inputs)
    layers = list(loose.layers)
    layers[l] = _regridded(layer, inputs, _spline(column, phi), (i, j))
    return loose.with_parts(layers)


def _spline(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the coefficients of the spline through a curve, (G + k,)."""
    knots = _knots(x[:, None])
    return fit_coef(x[:, None], y[:, None, None], knots, DEGREE)[0, 0]


def _knots(inputs: np.ndarray) -> np.ndarray:
    """Return knots on the range of every input, (n_in, G + 2k + 1)."""
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    margin = 1e-3 * np.maximum(high - low, np.maximum(np.abs(high), 1e-3))
    grid = uniform_grid(low - margin, high + margin, INTERVALS, inputs.shape[1])
    return extend_grid(grid, DEGREE)


def _regridded(layer: Layer, inputs: np.ndarray, spline: np.ndarray, at: tuple[int, int]) -> Layer:
    coef = np.zeros((layer.n_in, layer.n_out, INTERVALS + DEGREE))
    coef[at] = spline
    return replace(
        layer,
        knots=_knots(inputs),
        coef=coef,
        scale_spline=None,
        k=DEGREE,
        base_fun=base_function("zero"),
    )
