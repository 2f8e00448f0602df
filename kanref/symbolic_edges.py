"""The symbolic edges of a layer, c·f(a·x + b) + d: forward above backward.

They are few, so they are taken one after the other. A dead one is evaluated with all its parameters
at 0, whatever stands there, and counts as 0.
"""

from __future__ import annotations

from typing import Protocol

from ._arrays import Array, namespace, sign, where
from .parameters import EdgeCotangent, Layer, SymbolicEdge
from .statistics import Moments, mean_absolute


class SymbolicCache(Protocol):
    """What a forward pass keeps of the symbolic edges."""

    @property
    def x(self) -> Array:
        """The inputs, (N, n_in), finite."""

    @property
    def f(self) -> Array | None:
        """f(a·x + b) of each symbolic edge, (N, n_symbolic)."""

    @property
    def df(self) -> Array | None:
        """f'(a·x + b), (N, n_symbolic)."""


def _at(layer: Layer, edge: SymbolicEdge) -> Array:
    """Return True at the edge, (n_in, n_out)."""
    xp = namespace(layer.mask)
    return (xp.arange(layer.n_in) == edge.i)[:, None] & (xp.arange(layer.n_out) == edge.j)


def _alive_affine(layer: Layer, s: int) -> tuple[Array, Array, Array, Array]:
    """Return a, b, c, d of symbolic edge s; all 0 where it is dead, whatever stands there."""
    edge = layer.symbolic[s]
    row = where(layer.mask[edge.i, edge.j], layer.affine[s, :], 0.0)
    return row[0], row[1], row[2], row[3]


def symbolic_functions(
    layer: Layer, x: Array, continued: bool
) -> tuple[Array | None, Array | None]:
    """Evaluate f(a·x + b) and its derivative for every symbolic edge, (N, n_symbolic)."""
    if not layer.symbolic:
        return None, None
    xp = namespace(x)
    values, slopes = [], []
    for s, edge in enumerate(layer.symbolic):
        function, alive = edge.function, layer.mask[edge.i, edge.j]
        a, b, _, _ = _alive_affine(layer, s)
        t = a * x[:, edge.i] + b
        f, df = function.continued_pair(t) if continued else function.pair(t)
        values.append(where(alive, f, 0.0))
        slopes.append(where(alive, df, 0.0))
    return xp.stack(values, axis=1), xp.stack(slopes, axis=1)


def symbolic_edge(layer: Layer, cache: SymbolicCache, s: int) -> Array:
    """Return c·f(a·x + b) + d of symbolic edge s, (N,); 0 where it is dead."""
    _, _, c, d = _alive_affine(layer, s)
    return c * cache.f[:, s] + d  # type: ignore[index]


def add_symbolic(layer: Layer, cache: SymbolicCache, y: Array) -> Array:
    """Add the symbolic edges to the sums of the numeric ones."""
    if not layer.symbolic:
        return y
    xp = namespace(y)
    columns = [y[:, j] for j in range(layer.n_out)]
    for s, edge in enumerate(layer.symbolic):
        columns[edge.j] = columns[edge.j] + symbolic_edge(layer, cache, s)
    return xp.stack(columns, axis=1)


def symbolic_backward(
    layer: Layer, cache: SymbolicCache, dy: Array, cotangent: EdgeCotangent | None, dx: Array
) -> tuple[Array, Array]:
    """Return gradients of the affines, (n_symbolic, 4), and dx with the symbolic edges added."""
    if cache.f is None or cache.df is None:
        return layer.affine, dx
    xp = namespace(dy)
    columns = [dx[:, i] for i in range(layer.n_in)]
    daffine = []
    for s, edge in enumerate(layer.symbolic):
        a, _, c, _ = _alive_affine(layer, s)
        dphi = dy[:, edge.j]
        if cotangent is not None:
            phi = symbolic_edge(layer, cache, s)
            r0, r1, r2 = (r[edge.i, edge.j] for r in (cotangent.r0, cotangent.r1, cotangent.r2))
            dphi = dphi + r0 + r1 * phi + r2 * sign(phi)
        dphi = where(layer.mask[edge.i, edge.j], dphi, 0.0)
        dt = dphi * c * cache.df[:, s]  # cotangent of t = a·x + b
        terms = (dt * cache.x[:, edge.i], dt, dphi * cache.f[:, s], dphi)
        daffine.append(xp.stack([xp.sum(term) for term in terms]))
        columns[edge.i] = columns[edge.i] + a * dt
    return xp.stack(daffine), xp.stack(columns, axis=1)


def symbolic_statistics(
    layer: Layer, cache: SymbolicCache, mean_abs: Array, edges: Moments
) -> tuple[Array, Moments]:
    """Put the symbolic edges into the statistics of the numeric ones, (n_in, n_out) each."""
    for s, edge in enumerate(layer.symbolic):
        phi = symbolic_edge(layer, cache, s)  # (N,)
        xp, at, moments = namespace(phi), _at(layer, edge), Moments.of(phi)
        mean_abs = xp.where(at, mean_absolute(phi, axis=0), mean_abs)
        mean = xp.where(at, moments.mean, edges.mean)
        edges = Moments(edges.count, mean, xp.where(at, moments.m2, edges.m2))
    return mean_abs, edges


def put_symbolic(layer: Layer, cache: SymbolicCache, phi: Array) -> Array:
    """Put the values of the symbolic edges into those of the numeric ones, (N, n_in, n_out)."""
    for s, edge in enumerate(layer.symbolic):
        value = symbolic_edge(layer, cache, s)
        phi = namespace(phi).where(_at(layer, edge), value[:, None, None], phi)
    return phi
