"""What users ask for: the bounds of the outputs, and the Lipschitz constants, in data units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..network import Network
from ..scaling import Scaling
from .interval import EPS, Interval
from .network import PreparedNetwork
from .search import Found, enclose

WORK = 2**24
"""By default so many array elements are spent: the larger the network, the fewer the boxes."""

PIECES = 4
"""Into how many pieces the input interval of an edge is cut."""

RTOL = 0.02
"""Bounds that are so near to what is reached are good enough, as a share of the range."""


class Lipschitz(NamedTuple):
    """How fast the outputs can change within a box.

    Attributes
    ----------
    constant : (n_out,)
        ``|Y_o(X) - Y_o(X')| ≤ constant_o · max_i |X_i - X'_i|`` for any two points of the box.
    partial : (n_out, n_in)
        ``|∂Y_o/∂X_i| ≤ partial_oi``.
    """

    constant: np.ndarray
    partial: np.ndarray


def output_bounds(
    network: Network, scaling: Scaling, box: np.ndarray, *, budget: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of every output over a box.

    Parameters
    ----------
    network : Network
        Sum, product, spline, symbolic and dead edges alike.
    scaling : Scaling
        Between data and network units.
    box : (n_in, 2)
        Lowest and highest value of each input, in data units; see :func:`check_box`.
    budget : int, optional
        How many boxes to evaluate at most; by default 64 to 4096, fewer for large networks.

    Returns
    -------
    lower, upper : (n_out,)
        In data units. Where an output can leave the domain of a symbolic function or overflow, or
        where that cannot be excluded, (-inf, inf): nothing is guaranteed, it may be NaN.

    Raises
    ------
    ValueError
        If a live edge follows a function that is not kanref's own.

    Examples
    --------
    >>> from kanref import KAN
    >>> model = KAN([1, 1]).fix_symbolic(0, 0, 0, "x^2", affine=[1, 0, 1, 5])
    >>> lower, upper = output_bounds(model.network, model.scaling, np.array([[-1.0, 2.0]]))
    >>> lower.round(9), upper.round(9)
    (array([5.]), array([9.]))
    """
    y = network_bounds(network, network_box(network, scaling, box), budget=budget)
    return data_bounds(network, scaling, y)


def network_bounds(network: Network, x: np.ndarray, *, budget: int | None = None) -> Interval:
    """Return bounds (n_out,) of the outputs over a box x (n_in, 2), all in network units.

    Parameters
    ----------
    network : Network
        Any; no edge may follow a function of the user's own.
    x : (n_in, 2)
        The box.
    budget : int, optional
        How many parts of the box to look at, at most.
    """
    prepared = PreparedNetwork.of(network)

    def evaluate(lo: np.ndarray, hi: np.ndarray) -> Found:
        found = prepared.on(lo, hi, PIECES)
        return Found(found.y, found.middle, _influence(found.jacobian, lo, hi, x))

    return enclose(evaluate, x, _budget(prepared, budget), RTOL)


def lipschitz(
    network: Network, scaling: Scaling, box: np.ndarray, *, budget: int | None = None
) -> Lipschitz:
    """Return Lipschitz constants of every output over a box.

    Those of the function itself: rounding comes on top, as it does for two equal inputs in
    different batches. Infinite where a function jumps, is infinitely steep, or undefined.

    Parameters
    ----------
    network, scaling, box, budget
        As for :func:`output_bounds`.

    Examples
    --------
    >>> from kanref import KAN
    >>> model = KAN([1, 1]).fix_symbolic(0, 0, 0, "x^2", affine=[1, 0, 1, 0])
    >>> found = lipschitz(model.network, model.scaling, np.array([[-1.0, 2.0]]))
    >>> found.constant.round(6), found.partial.round(6)
    (array([4.]), array([[4.]]))
    """
    prepared = PreparedNetwork.of(network)
    x = network_box(network, scaling, box)
    n_out, n_in = network.n_out, network.n_in
    units = scaling.y_scale[:, None] / scaling.x_scale  # (n_out, n_in)
    share = 1 + 64 * n_in * EPS

    def evaluate(lo: np.ndarray, hi: np.ndarray) -> Found:
        jacobian = prepared.on(lo, hi, PIECES).jacobian
        middle = lo + (hi - lo) / 2
        there = prepared.on(middle, middle, 1).jacobian
        most = _gathered(jacobian.magnitude * units) * share
        least = np.maximum(np.maximum(there.lo, -there.hi), 0.0)  # the least |∂| at the middle
        least = np.where(there.known, least, 0.0) * units
        reached = np.minimum(_gathered(least), most)
        bounds = Interval(reached, most)
        return Found(bounds, Interval(reached, reached), _influence(jacobian, lo, hi, x))

    most = enclose(evaluate, x, _budget(prepared, budget), RTOL).hi
    return Lipschitz(most[:n_out], most[n_out:].reshape(n_out, n_in))


def _gathered(slopes: np.ndarray) -> np.ndarray:
    """Return the sums over the inputs beside the slopes (B, n_out, n_in) themselves."""
    return np.concatenate([slopes.sum(axis=2), slopes.reshape(len(slopes), -1)], axis=1)


def network_box(network: Network, scaling: Scaling, box: np.ndarray) -> np.ndarray:
    """Return the box in network units, (n_in, 2), as the model itself converts its corners.

    Conversion and rounding are monotonic, so every point of the box arrives within.

    Parameters
    ----------
    network : Network
        Whose dtype decides how its inputs round.
    scaling : Scaling
        Of the model.
    box : (n_in, 2)
        In data units.
    """
    corners = scaling.x_to_network(box.T).astype(network.layers[0].coef.dtype)
    return np.ascontiguousarray(corners.T.astype(float))


def data_bounds(network: Network, scaling: Scaling, y: Interval) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds (n_out,) in data units, as the model itself converts its outputs."""
    dtype = network.layers[0].coef.dtype
    with np.errstate(over="ignore"):
        lower, upper = (scaling.y_to_data(end[None])[0].astype(dtype) for end in y)
    lower = np.nextafter(lower, dtype.type(-np.inf)).astype(float)
    upper = np.nextafter(upper, dtype.type(np.inf)).astype(float)
    lower, upper = Interval(lower, upper).honest()
    return lower, upper


def _influence(jacobian: Interval, lo: np.ndarray, hi: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return how much each input contributes, (B, n_in): slope times width, else width alone."""
    width = hi - lo
    slope = jacobian.magnitude.max(axis=1)
    whole = np.where(box[:, 1] > box[:, 0], box[:, 1] - box[:, 0], 1.0)
    usable = np.isfinite(slope).all(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        weighted = width * slope + 1e-9 * width / whole
    return np.where(usable, weighted, width / whole)


def _budget(prepared: PreparedNetwork, budget: int | None) -> int:
    if budget is None:
        total = sum(x.n_in * x.n_out * (x.splines.degree + 2) for x in prepared.layers)
        return int(np.clip(WORK // (total * PIECES * 16), 64, 4096))
    if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < 1:
        raise ValueError(f"`budget` must be an integer of at least 1, got {budget!r}")
    return int(budget)
