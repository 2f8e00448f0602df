r"""Base functions without ``exp``: cubic pieces between tabulated values, with a proven error.

On cells of width h a cubic Hermite interpolant of values and slopes errs by at most
h⁴/384 · max \|f⁗\| (e.g. Stoer & Bulirsch, *Introduction to Numerical Analysis*, 2.1.5). Beyond ±L
the function is replaced by its asymptote, a line; the difference shrinks outwards, so that its
value at L bounds it.

How much of that reaches the outputs: e_u ≤ Σ (\|scale_base\| ε + Lip(φ) e_x) over the edges of a
sum, and \|scale\| times as much behind a node. A spline is continued by lines, so the largest slope
of its control polygon is a Lipschitz constant for all x. Functions on edges and product nodes have
none for all x: where an error meets them, there is no bound for the output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..functions import BASE_FUNCTIONS
from .program import ExportError, LayerProgram, Program, Spline

# max |f''''|, max |f'|, and the slopes of the asymptotes f = slope · x + value to either side
_SHAPES = {
    "silu": (0.5, 1.1, (0.0, 0.0), (1.0, 0.0)),
    "tanh": (4.09, 1.0, (0.0, -1.0), (0.0, 1.0)),
    "sigmoid": (0.128, 0.25, (0.0, 0.0), (0.0, 1.0)),
    "gelu": (1.6, 1.13, (0.0, 0.0), (1.0, 0.0)),
    "softplus": (0.125, 1.0, (0.0, 0.0), (1.0, 0.0)),
    "gaussian": (12.0, 0.86, (0.0, 0.0), (0.0, 0.0)),
}
_LARGEST = 4096
_SLOPES = {"identity": 1.0, "relu": 1.0}


@dataclass(frozen=True)
class Lookup:
    """A base function as a table.

    Attributes
    ----------
    name : str
    half : int
        The table spans [-half, half].
    per_unit : int
        Cells per unit length, a power of two.
    values, slopes : tuple of float
        f and h·f' at the 2 · half · per_unit + 1 nodes.
    left, right : (float, float)
        Slope and value of the asymptotes.
    error : float
        No value is further from the function.
    """

    name: str
    half: int
    per_unit: int
    values: tuple[float, ...]
    slopes: tuple[float, ...]
    left: tuple[float, float]
    right: tuple[float, float]
    error: float


def make_lookup(name: str, tolerance: float) -> Lookup:
    """Tabulate a base function to a tolerance.

    Raises
    ------
    ExportError
        If the function has no asymptotes, or the table would be too large.
    """
    if name not in _SHAPES:
        raise ExportError(
            f"with `lookup` the base function must be one of {', '.join((*_SHAPES, *_SLOPES))}, "
            f"got {name}"
        )
    fourth, _, left, right = _SHAPES[name]
    half = 1
    while _tail(name, half) > tolerance:
        half += 1
    per_unit = 1
    while fourth / 384 / per_unit**4 > tolerance:
        per_unit *= 2
    size = 2 * half * per_unit
    if size > _LARGEST:
        raise ExportError(
            f"`lookup` must allow tables of at most {_LARGEST} cells, "
            f"got {tolerance!r}, which would need {size}"
        )
    x = np.linspace(-half, half, size + 1)
    values, slopes = BASE_FUNCTIONS[name].pair(x)
    error = max(fourth / 384 / per_unit**4, _tail(name, half)) * 1.01 + 1e-15 * half
    return Lookup(
        name,
        half,
        per_unit,
        tuple(map(float, values)),
        tuple(float(s) / per_unit for s in slopes),
        left,
        right,
        error,
    )


def _tail(name: str, half: int) -> float:
    """Return how far the function is from its asymptotes at ±half, and from there on."""
    _, _, left, right = _SHAPES[name]
    at = np.array([-float(half), float(half)])
    lines = [left[0] * at[0] + left[1], right[0] * at[1] + right[1]]
    return float(np.abs(BASE_FUNCTIONS[name].f(at) - lines).max())


def output_errors(program: Program, errors: dict[str, float]) -> list[float]:
    """Return how far each output may be off, in data units; inf where there is no bound.

    `errors` has the error of each tabulated base function.
    """
    ex = [0.0] * program.n_in
    for layer in program.layers:
        eu = [0.0] * layer.n_sums
        for edge in layer.splines:
            eu[edge.j] += abs(edge.scale_base) * errors.get(layer.base or "", 0.0)
            eu[edge.j] += _times(_lipschitz(layer, edge), ex[edge.i])
        for fun in layer.functions:
            eu[fun.j] += _times(math.inf, ex[fun.i])
        ev = [_times(abs(a.scale), e) for a, e in zip(layer.subnodes, eu, strict=True)]
        ex = []
        for node in layer.nodes:
            e = sum(ev[j] for j in node.factors)
            e = _times(math.inf, e) if len(node.factors) > 1 else e
            ex.append(_times(abs(node.scale), e))
    return [s * e for s, e in zip(program.y_scale, ex, strict=True)]


def _lipschitz(layer: LayerProgram, edge: Spline) -> float:
    """Return a Lipschitz constant of a spline edge for all x."""
    knots, k = layer.knots[edge.i], layer.k
    assert knots is not None
    name = layer.base or ""
    slope = _SHAPES[name][1] if name in _SHAPES else _SLOPES.get(name, 0.0 if not name else 1.1)
    steepest = 0.0
    for m in range(1, len(edge.coef)):
        rise = abs(edge.coef[m] - edge.coef[m - 1])
        width = knots[m + k] - knots[m]
        if rise:  # k = 0 has steps; so has a spline where knots are repeated so often
            steepest = max(steepest, k * rise / width if width > 0 and k > 0 else math.inf)
    return abs(edge.scale_base) * slope + steepest


def _times(a: float, b: float) -> float:
    """Return a·b, 0 where one is 0."""
    return a * b if a and b else 0.0
