"""Curves of edges: φ over a range, and its place in a box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..layer import Layer, layer_edges

SAMPLES = 101
"""Points of a curve."""


@dataclass(frozen=True)
class LayerCurves:
    """All curves of a layer.

    Attributes
    ----------
    x : (S, n_in)
        Equally spaced between the ends of each input's range.
    phi : (S, n_in, n_out)
        NaN where a curve is not defined; 0 on dead edges.
    """

    x: np.ndarray
    phi: np.ndarray

    def in_box(self, i: int, j: int) -> np.ndarray:
        """Return the curve of an edge scaled to the unit square, (S, 2); a constant lies at 1/2."""
        s = np.linspace(0.0, 1.0, len(self.x))
        y = self.phi[:, i, j]
        low, high = self.span(i, j)
        if high - low <= 1e-9 * max(abs(low), abs(high)):  # rounding is no shape
            return np.column_stack([s, np.where(np.isnan(y), np.nan, 0.5)])
        return np.column_stack([s, (y - low) / (high - low)])

    def span(self, i: int, j: int) -> tuple[float, float]:
        """Return the least and the greatest value of a curve; (0, 0) if it has none."""
        y = self.phi[:, i, j]
        y = y[np.isfinite(y)]
        return (float(y.min()), float(y.max())) if y.size else (0.0, 0.0)


def grid_range(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the grid of each input, (n_in,) each."""
    return layer.knots[:, layer.k], layer.knots[:, -layer.k - 1]


def sample_layer(
    layer: Layer, low: np.ndarray, high: np.ndarray, samples: int = SAMPLES
) -> LayerCurves:
    """Sample all curves of a layer between `low` and `high` (n_in,), where that is a range.

    Elsewhere, where an input is constant or not finite, the grid's range takes its place.

    A symbolic function is drawn as it is: it has no value outside its domain.
    """
    first, last = grid_range(layer)
    wide = (high > low) & np.isfinite(low) & np.isfinite(high)
    low, high = np.where(wide, low, first), np.where(wide, high, last)
    x = np.linspace(low, high, samples, dtype=layer.coef.dtype)  # (S, n_in)
    with np.errstate(all="ignore"):
        phi = layer_edges(layer, x).astype(float)  # (S, n_in, n_out)
    return LayerCurves(x.astype(float), np.where(np.isfinite(phi), phi, np.nan))
