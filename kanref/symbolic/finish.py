"""From the network of a search to the one that is handed out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..bspline import fit_coef
from ..functions import FUNCTIONS
from ..grids import update_grid
from ..layer import Layer, layer_edges
from ..network import Network, layer_inputs
from .edges import live_edges, with_symbolic
from .gauge import tidy
from .offsets import drop_offsets
from .refit import Task, refit
from .search import COARSE, EXACT

SPLINE_SAMPLES = 2000
"""Samples that the splines below the functions are fitted to."""

HELD_OUT = 5
"""One in so many samples tells whether a fit of the splines that are left can be trusted."""


def finished(given: Network, found: Network, task: Task, steps: int) -> Network:
    """Fit to convergence on all samples, choose simple constants, and put splines below.

    `found` may have other grids than `given`. Those of a layer that still has splines are kept;
    elsewhere each function has a spline along its own curve below it, on the grid size of `given`,
    so that an edge can go back to a spline without a jump.
    """
    final = _settled(_with_nothing(given, found), task, steps)
    rounding = max(1e-6 * task.value(final), EXACT * task.variance)
    plain = tidy(final)
    if task.value(plain) <= task.value(final) + rounding:
        final = drop_offsets(plain, task)
    every = max(1, len(task.x) // SPLINE_SAMPLES)
    return _with_splines_below(final, task.x[::every])


def _settled(network: Network, task: Task, steps: int) -> Network:
    """Fit all constants; splines that are left too, if that helps on samples held out."""
    if not any(np.any(layer.numeric) for layer in network.layers):
        return refit(network, task, steps=4 * steps)
    rows = np.arange(len(task.x))
    some, held_out = task.take(rows[rows % HELD_OUT != 0]), task.take(rows[rows % HELD_OUT == 0])
    losses = [
        held_out.value(refit(network, some, steps=steps, tolerance=COARSE, splines=splines))
        for splines in (False, True)
    ]
    helps = losses[1] < losses[0]
    return refit(network, task, steps=steps, tolerance=COARSE, splines=helps)


def _with_nothing(given: Network, found: Network) -> Network:
    """Return the network found, on the grids of `given`; edges that it lacks follow 0."""
    layers = []
    for layer, source in zip(given.layers, found.layers, strict=True):
        if np.any(source.numeric):
            layers.append(source)
        else:
            layers.append(
                replace(layer, mask=source.mask, symbolic=source.symbolic, affine=source.affine)
            )
    network = given.with_parts(layers).copy()
    lacking = [edge for edge in live_edges(given) if edge not in live_edges(network)]
    masks = [layer.mask.copy() for layer in network.layers]
    for l, i, j in lacking:
        masks[l][i, j] = True
    layers = [replace(layer, mask=m) for layer, m in zip(network.layers, masks, strict=True)]
    nothing = FUNCTIONS["0"], np.zeros(4)
    return with_symbolic(network.with_parts(layers), dict.fromkeys(lacking, nothing))


def _with_splines_below(network: Network, x: np.ndarray) -> Network:
    """Return the network with a spline along the curve of each symbolic edge."""
    on_data = update_grid(network, x)
    layers = []
    for layer, moved, z in zip(
        network.layers, on_data.layers, layer_inputs(network, x), strict=True
    ):
        layers.append(_layer_with_splines(layer if np.any(layer.numeric) else moved, z))
    return network.with_parts(layers).copy()


def _layer_with_splines(layer: Layer, z: np.ndarray) -> Layer:
    symbolic = np.asarray(layer.mask & ~layer.numeric)
    if not symbolic.any():
        return layer
    phi = np.where(symbolic, layer_edges(layer, z), 0.0)  # (N, n_in, n_out)
    coef = fit_coef(z, phi, layer.knots, layer.k, extrapolate=layer.extrapolate)
    scale = layer.scale_spline
    return replace(
        layer,
        coef=np.where(symbolic[:, :, None], coef, layer.coef),
        scale_base=np.where(symbolic, 0.0, layer.scale_base),
        scale_spline=None if scale is None else np.where(symbolic, 1.0, scale),
    )
