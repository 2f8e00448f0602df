"""How far the edges of a layer are from piecewise lines: the certified error of a table."""

from __future__ import annotations

import numpy as np

from .interval import EPS, Interval, between
from .layers import PreparedLayer


def line_error(
    layer: PreparedLayer, points: np.ndarray, values: np.ndarray, parts: int
) -> np.ndarray:
    """Return how far each edge is at most from lines through `values` at `points`.

    Parameters
    ----------
    layer : PreparedLayer
    points : (n+1, n_in)
        Increasing along the first axis.
    values : (n+1, n_in, n_out)
        The ends of the lines.
    parts : int
        Each interval is cut into so many for the bound.

    Returns
    -------
    error : (n_in, n_out)
        Between the lines and the floating-point model, over all intervals; infinite where an edge
        may be undefined.
    """
    share = np.arange(parts + 1)[:, None, None] / parts
    p, q = points[:-1], points[1:]
    cuts = p + share * (q - p)  # (parts+1, n, n_in)
    cuts[-1] = q
    lines = values[:-1] + share[..., None] * np.diff(values, axis=0)  # (parts+1, n, n_in, n_out)
    flat, shape = (-1, layer.n_in), (parts + 1, *values[1:].shape)
    with np.errstate(all="ignore"):
        at = layer.edges(Interval(cuts.reshape(flat), cuts.reshape(flat)), 1)
        ends = at.values + -lines.reshape(-1, *values.shape[1:])
        lo, hi = ends.lo.reshape(shape), ends.hi.reshape(shape)
        found = layer.edges(Interval(cuts[:-1].reshape(flat), cuts[1:].reshape(flat)), 1)
        steep = (np.diff(values, axis=0) / np.where(q > p, q - p, 1.0)[..., None])[None]
        steep = np.broadcast_to(steep, (parts, *steep.shape[1:])).reshape(found.slopes.lo.shape)
        slope = Interval(found.slopes.lo - steep, found.slopes.hi - steep)
        slope = slope.widened(8 * EPS * (slope.magnitude + np.abs(steep)))
        width = np.diff(cuts, axis=0).reshape(flat)[..., None]
        start, end = lo[:-1].reshape(steep.shape), lo[1:].reshape(steep.shape)
        rest = between(start, end, slope, width)
        start, end = hi[:-1].reshape(steep.shape), hi[1:].reshape(steep.shape)
        rest = rest.hull(between(start, end, slope, width))
        line = Interval.sorted(lines[:-1].reshape(steep.shape), lines[1:].reshape(steep.shape))
        apart = Interval(found.values.lo - line.hi, found.values.hi - line.lo)
        margin = np.maximum(found.minus, found.plus) + found.inner
        error = rest.meet(apart).magnitude + margin + 8 * EPS * line.magnitude
    error = np.where(np.isnan(error), np.inf, error)
    return np.where(layer.live, error.max(axis=0), 0.0)
