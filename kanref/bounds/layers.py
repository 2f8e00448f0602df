r"""The range of a layer's sums on boxes of its inputs.

An edge depends on one number only, so its input interval is cut into `pieces`. On [p, q], with φ'
between d and D, an edge lies above both φ(p) + d (x - p) and φ(q) - D (q - x), and below the lines
with d and D exchanged; where φ is monotonic that is its exact range. The Bernstein hull of the
spline plus the range of the base function is another bound; the better one of the two counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import to_numpy
from ..functions import BaseFunction, Function
from ..parameters import Layer
from .interval import EPS, Interval, between
from .ranges import slope_range, value_margin, value_range
from .rounding import Rounding
from .splines import Splines
from .turns import turns_of


@dataclass(frozen=True, eq=False)
class LayerRange:
    """What is known of a layer on B boxes.

    Attributes
    ----------
    sums : Interval, (B, n_out)
        Of the floating-point model and of exact arithmetic alike.
    margin : (B, n_out)
        How far the two may be apart, for the same inputs.
    slopes : Interval, (B, n_in, n_out)
        Of every edge, in exact arithmetic.
    """

    sums: Interval
    margin: np.ndarray
    slopes: Interval


@dataclass(frozen=True, eq=False)
class EdgeRange:
    """What is known of the edges of a layer on B boxes, (B, n_in, n_out) each.

    Attributes
    ----------
    values, slopes : Interval
        Of exact arithmetic.
    minus, plus : array
        How far below and above `values` the floating-point model may come.
    inner : array
        What rounding of a·x + b changes in a symbolic edge; `values` has it in it.
    """

    values: Interval
    slopes: Interval
    minus: np.ndarray
    plus: np.ndarray
    inner: np.ndarray


@dataclass(frozen=True, eq=False)
class PreparedLayer:
    """A layer with its splines cut into cells, ready for many boxes.

    Attributes
    ----------
    n_in, n_out : int
        Inputs, and sums of the layer.
    splines : Splines
        Of all edges, as polynomials.
    scale_base : (n_in, n_out)
        0 where an edge is not numeric.
    numeric, live : (n_in, n_out)
        Which edges carry splines, and which are alive.
    base_fun : BaseFunction
        b(x).
    symbolic : tuple
        Of the live symbolic edges: i, j, function and affine.
    rounding : Rounding
        How far floating point may be from exact arithmetic.
    """

    n_in: int
    n_out: int
    splines: Splines
    scale_base: np.ndarray  # (n_in, n_out), 0 where not numeric
    numeric: np.ndarray  # (n_in, n_out)
    live: np.ndarray  # (n_in, n_out)
    base_fun: BaseFunction
    symbolic: tuple[tuple[int, int, Function, np.ndarray], ...]  # live ones: i, j, f, affine
    rounding: Rounding

    @classmethod
    def of(cls, layer: Layer) -> PreparedLayer:
        """Prepare a layer.

        Raises
        ------
        ValueError
            If a live edge follows a function that is not kanref's own.
        """
        numeric, live = np.array(to_numpy(layer.numeric)), np.array(to_numpy(layer.mask))
        if numeric.any():
            turns_of(layer.base_fun)
        affine = np.asarray(to_numpy(layer.affine), dtype=float)
        symbolic = tuple(
            (e.i, e.j, e.function, affine[s])
            for s, e in enumerate(layer.symbolic)
            if live[e.i, e.j]
        )
        for _, _, function, _ in symbolic:
            turns_of(function)
        with np.errstate(all="ignore"):
            splines = Splines.of(layer)
        return cls(
            layer.n_in,
            layer.n_out,
            splines,
            np.where(numeric, to_numpy(layer.scale_base), 0.0).astype(float),
            numeric,
            live,
            layer.base_fun,
            symbolic,
            Rounding.of(layer, splines),
        )

    def range(self, x: Interval, pieces: int) -> LayerRange:
        """Return what is known on the boxes x (B, n_in), each input cut into `pieces`."""
        found = self.edges(x, pieces)
        # rounding of the sum itself, of which the numeric edges' share is in their margin
        share = self.rounding.summing * (self.live.sum(axis=0) > 1)
        minus = found.minus + share * np.abs(found.values.lo)
        plus = found.plus + share * np.abs(found.values.hi)
        sums, margin = self._sums(found.values, minus, plus)
        return LayerRange(sums, margin + found.inner.sum(axis=1), found.slopes)

    def edges(self, x: Interval, pieces: int) -> EdgeRange:
        """Return what is known of every edge on the boxes x (B, n_in); dead edges are 0.

        Parameters
        ----------
        x : Interval
            Of the inputs, (…, n_in).
        pieces : int
            Into how many parts an edge's interval is cut.
        """
        with np.errstate(all="ignore"):
            return self._edges(x, pieces)

    def _edges(self, x: Interval, pieces: int) -> EdgeRange:
        known = x.known  # (B, n_in)
        x = x.where(known, Interval(np.zeros(x.lo.shape), np.zeros(x.lo.shape)))
        values, slopes = self._numeric(x, pieces)
        margin = self._numeric_margin(x)
        plus, minus, inner = margin.copy(), margin.copy(), np.zeros(margin.shape)
        for i, j, function, affine in self.symbolic:
            exact, rounded, slope, inner[:, i, j] = self._symbolic(function, affine, x[:, i])
            values.lo[:, i, j], values.hi[:, i, j] = exact
            slopes.lo[:, i, j], slopes.hi[:, i, j] = slope
            minus[:, i, j], plus[:, i, j] = exact.lo - rounded.lo, rounded.hi - exact.hi
        dark = self.live & ~known[..., None]  # (B, n_in, n_out)
        nothing = Interval.everything(values.lo.shape)
        return EdgeRange(
            nothing.where(dark, values), nothing.where(dark, slopes), minus, plus, inner
        )

    def _sums(
        self, edges: Interval, minus: np.ndarray, plus: np.ndarray
    ) -> tuple[Interval, np.ndarray]:
        """Return the sums of the edges, (B, n_out), and the larger one of their margins."""
        below, above = minus.sum(axis=1), plus.sum(axis=1)
        single = self.live.sum(axis=0) <= 1  # no sum, so no rounding of one
        lo, hi = edges.lo.sum(axis=1), edges.hi.sum(axis=1)
        slack = np.where(single, 0.0, 4 * EPS * np.abs(edges.lo).sum(axis=1))
        lo = lo - below - slack
        slack = np.where(single, 0.0, 4 * EPS * np.abs(edges.hi).sum(axis=1))
        hi = hi + above + slack
        sums = Interval(lo, hi).honest(self.rounding.greatest)
        return sums, np.where(sums.known, np.maximum(below, above), np.inf)

    # --- numeric edges ------------------------------------------------------------------------

    def _numeric(self, x: Interval, pieces: int) -> tuple[Interval, Interval]:
        """Return the ranges of the numeric edges and of their slopes, (B, n_in, n_out); else 0."""
        if not self.numeric.any():
            zero = np.zeros((*x.lo.shape, self.n_out))
            return Interval(zero, zero.copy()), Interval(zero.copy(), zero.copy())
        share = np.linspace(0.0, 1.0, pieces + 1)[:, None, None]
        cuts = x.lo + share * (x.hi - x.lo)  # (pieces+1, B, n_in)
        cuts[-1] = x.hi
        shape = (*x.lo.shape, self.n_out)
        ends = self._at(cuts.reshape(-1, self.n_in)).reshape(pieces + 1, *shape)
        flat = Interval(
            cuts[:-1].reshape(-1, self.n_in),
            np.maximum(cuts[1:], cuts[:-1]).reshape(-1, self.n_in),
        )
        slope = self._slopes(flat)
        natural = self.splines.range(flat) + _scaled(
            value_range(self.base_fun, flat), self.scale_base
        )
        width = (flat.hi - flat.lo)[..., None]
        left, right = ends[:-1].reshape(-1, *shape[1:]), ends[1:].reshape(-1, *shape[1:])
        found = natural.meet(between(left, right, slope, width))
        found = Interval(np.minimum(found.lo, found.hi), np.maximum(found.lo, found.hi))
        return _union(found, pieces, shape), _union(slope, pieces, shape)

    def _at(self, x: np.ndarray) -> np.ndarray:
        """Return the numeric edges at x (B, n_in): (B, n_in, n_out)."""
        base = self.base_fun.f(x)[..., None]
        return self.splines.at(x) + base * self.scale_base

    def _slopes(self, x: Interval) -> Interval:
        base = _scaled(slope_range(self.base_fun, x), self.scale_base)
        found = self.splines.slope_range(x) + base
        dead = ~self.numeric
        return Interval(np.where(dead, 0.0, found.lo), np.where(dead, 0.0, found.hi))

    def _numeric_margin(self, x: Interval) -> np.ndarray:
        """Return how far a numeric edge, as it enters the sum, may be off: (B, n_in, n_out)."""
        spline, size = self.rounding.spline(self.splines.beyond(x))
        base = value_range(self.base_fun, x)
        rounded = value_margin(self.base_fun, base, x, self.rounding.eps)
        error = np.maximum(base.lo - rounded.lo, rounded.hi - base.hi)[..., None]
        part = np.abs(self.scale_base) * base.magnitude[..., None]
        scaled = np.abs(self.scale_base) * error
        margin = spline + scaled + self.rounding.mixing * (size + part)
        return np.where(self.numeric, margin + self.rounding.tiny, 0.0)

    # --- symbolic edges -----------------------------------------------------------------------

    def _symbolic(
        self, function: Function, affine: np.ndarray, x: Interval
    ) -> tuple[Interval, Interval, Interval, np.ndarray]:
        """Return what is known of c·f(a·x + b) + d on x (B,).

        Its range, the same with rounding, the range of its slope, and what rounding of a·x + b
        changes, which both ranges have in them.
        """
        a, b, c, d = affine
        eps, tiny = self.rounding.eps, self.rounding.tiny
        product = x * a
        if a not in (0, 1, -1):
            product = product.rounded(eps, tiny)
        t = (product + b).rounded(eps, 0.0) if b != 0 else product
        t = t.honest(self.rounding.greatest)
        f = value_range(function, t)
        exact = f * c + d
        rounded = value_margin(function, f, t, eps).honest(self.rounding.greatest) * c
        if abs(c) != 1:
            rounded = rounded.rounded(2 * eps, tiny)
        rounded = (rounded + d).rounded(2 * eps, 0.0) if d != 0 else rounded
        slope = slope_range(function, t) * c
        slope = slope.widened(4 * EPS * np.where(slope.known, slope.magnitude, 0.0))
        off = eps * (product.magnitude + t.magnitude) if a not in (0, 1, -1) or b != 0 else 0.0
        shift = np.where(slope.magnitude == 0, 0.0, slope.magnitude * off)
        return exact, exact.hull(rounded), slope * a, np.where(np.isnan(shift), np.inf, shift)


def _scaled(x: Interval, scale: np.ndarray) -> Interval:
    """Return x (B, n_in) times scale (n_in, n_out)."""
    return Interval(x.lo[..., None], x.hi[..., None]) * scale


def _union(found: Interval, pieces: int, shape: tuple[int, ...]) -> Interval:
    """Return what holds for all pieces at once."""
    lo, hi = (part.reshape(pieces, *shape) for part in found)
    return Interval(lo.min(axis=0), hi.max(axis=0))
