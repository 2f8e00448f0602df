"""The parameters of one layer: plain arrays, and which edges are alive, numeric or symbolic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ._arrays import Array, namespace
from .functions import BaseFunction, Function

PARAMETERS = ("coef", "scale_base", "scale_spline", "affine")
"""The parameter groups of a layer, in the order in which they stand in theta."""


@dataclass(frozen=True)
class SymbolicEdge:
    """The edge (i, j) of a layer follows `function`; its affine is a row of ``Layer.affine``."""

    i: int
    j: int
    function: Function


@dataclass(frozen=True, eq=False)
class Layer:
    """The parameters of one layer: plain arrays, which may be written in place.

    A layer of gradients is the same type: `coef`, `scale_base`, `scale_spline` and `affine` then
    hold the derivatives, and the other fields are those of the layer it belongs to.

    Attributes
    ----------
    knots : (n_in, G + 2k + 1)
        The grid of each input, extended by k knots on each side.
    coef : (n_in, n_out, G + k)
        Spline coefficients. Stored with n_out innermost, as a transposed view.
    scale_base : (n_in, n_out)
        Factor of the base function b(x).
    scale_spline : (n_in, n_out) or None
        Factor of the spline; None where it is fixed at 1 (``KAN(spline_scale=False)``).
    mask : (n_in, n_out) of bool
        True where an edge is alive.
    affine : (n_symbolic, 4)
        a, b, c, d of each symbolic edge c·f(a·x + b) + d.
    symbolic : tuple of SymbolicEdge
        Which edges are symbolic; row s of `affine` belongs to ``symbolic[s]``.
    k : int
        Spline degree.
    extrapolate : {"linear", "zero"}
        What the splines do outside the grid.
    base_fun : BaseFunction
        b(x) with its derivative.
    """

    knots: Array
    coef: Array
    scale_base: Array
    scale_spline: Array | None
    mask: Array
    affine: Array
    symbolic: tuple[SymbolicEdge, ...]
    k: int
    extrapolate: str
    base_fun: BaseFunction

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.mask.shape[0])

    @property
    def n_out(self) -> int:
        """Number of outputs: the subnodes of the next layer."""
        return int(self.mask.shape[1])

    @property
    def G(self) -> int:
        """Number of grid intervals."""
        return int(self.knots.shape[1]) - 2 * self.k - 1

    @property
    def numeric(self) -> Array:
        """True where an edge is alive and follows its spline, (n_in, n_out)."""
        xp = namespace(self.mask)
        if not self.symbolic:
            return xp.asarray(self.mask, copy=True)
        taken = {(e.i, e.j) for e in self.symbolic}
        free = [[(i, j) not in taken for j in range(self.n_out)] for i in range(self.n_in)]
        return self.mask & xp.asarray(free)


@dataclass(frozen=True)
class EdgeCotangent:
    """An affine cotangent of the edges, dφ = dy + r0 + r1·φ + r2·sign φ; each (n_in, n_out)."""

    r0: Array
    r1: Array
    r2: Array


Part = TypeVar("Part")


def changed(part: Part, **fields: Any) -> Part:
    """Return a dataclass with some fields replaced: a faster ``dataclasses.replace``.

    It is called for every layer in every step; the parts it is for check nothing in ``__init__``.
    """
    new = object.__new__(type(part))
    vars(new).update(vars(part))
    vars(new).update(fields)
    return new


def assign(target: Part, source: Part, names: Sequence[str]) -> Part:
    """Write the named arrays of `source` into those of `target`, a part of the same shapes."""
    for name in names:
        if getattr(source, name) is not None:
            getattr(target, name)[...] = getattr(source, name)
    return target


def select(layer: Layer, inputs: Sequence[int], outputs: Sequence[int]) -> Layer:
    """Return the layer between some of the inputs and some of the outputs, as copies.

    One edge alone is ``select(layer, [i], [j])``: a layer of one input and one output.
    """
    xp = namespace(layer.mask)
    rows, columns = xp.asarray(list(inputs)), xp.asarray(list(outputs))

    def pick(a: Array) -> Array:
        return xp.take(xp.take(a, rows, axis=0), columns, axis=1)

    kept = [
        (s, SymbolicEdge(inputs.index(e.i), outputs.index(e.j), e.function))
        for s, e in enumerate(layer.symbolic)
        if e.i in inputs and e.j in outputs
    ]
    at = xp.asarray([s for s, _ in kept], dtype=xp.int64)
    return changed(
        layer,
        knots=xp.take(layer.knots, rows, axis=0),
        coef=pick(layer.coef),
        scale_base=pick(layer.scale_base),
        scale_spline=None if layer.scale_spline is None else pick(layer.scale_spline),
        mask=pick(layer.mask),
        affine=xp.take(layer.affine, at, axis=0),
        symbolic=tuple(e for _, e in kept),
    )
