r"""One layer of a KAN: its parameters, its forward pass, and directly below, its backward pass.

An edge from node i to subnode j carries the activation

.. math:: \phi_{ij}(x) = \text{scale\_base}_{ij}\, b(x)
          + \text{scale\_spline}_{ij} \sum_m \text{coef}_{ijm} B_m(x)

(Liu et al. 2024, *KAN: Kolmogorov–Arnold Networks*, arXiv 2404.19756, eqs. 2.10–2.12; the paper
writes :math:`\phi_{l,j,i}`, this package indexes every edge array ``[i, j]``), or, once it is
symbolic, :math:`c\,f(a x + b) + d`, or, once it is dead, nothing. The layer sums the edges:
:math:`y_j = \sum_i \phi_{ij}(x_i)`.

This file is the definition of kanref. The kernels in :mod:`kanref.kernels` replace
:func:`layer_forward` and :func:`layer_backward`, with the same arguments and the same results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ._arrays import Array, namespace, real, sign, where
from .bspline import basis_pair
from .parameters import PARAMETERS, EdgeCotangent, Layer, SymbolicEdge, changed, select
from .statistics import LayerStatistics, Moments, mean_absolute
from .symbolic_edges import (
    add_symbolic,
    put_symbolic,
    symbolic_backward,
    symbolic_functions,
    symbolic_statistics,
)

__all__ = [
    "PARAMETERS",
    "EdgeCotangent",
    "Layer",
    "LayerCache",
    "SymbolicEdge",
    "layer_backward",
    "layer_edges",
    "layer_forward",
    "select",
]

BLOCK_ELEMENTS = 2**18
"""At most so many edge values are held at a time while statistics or cotangents are formed."""


@dataclass(frozen=True)
class _Selected:
    """The parameters as the numeric edges see them: selected, never multiplied, by the mask."""

    coef: Array  # (n_in, G+k, n_out), 0 where not numeric
    scale_spline: Array | None  # (n_in, n_out), 0 where not numeric
    scale_base: Array  # (n_in, n_out), 0 where not numeric

    @classmethod
    def of(cls, layer: Layer) -> _Selected:
        xp = namespace(layer.coef)
        numeric = layer.numeric
        coef = where(numeric[:, None, :], xp.permute_dims(layer.coef, (0, 2, 1)), 0.0)
        scale = None if layer.scale_spline is None else where(numeric, layer.scale_spline, 0.0)
        return cls(coef, scale, where(numeric, layer.scale_base, 0.0))

    @property
    def scaled_coef(self) -> Array:
        """scale_spline · coef, (n_in, G+k, n_out)."""
        if self.scale_spline is None:
            return self.coef
        return self.coef * self.scale_spline[:, None, :]


@dataclass(frozen=True)
class LayerCache:
    """What a forward pass leaves for the backward pass; it stores nothing on the layer.

    Attributes
    ----------
    x, finite : (N, n_in)
        Inputs, with t_0 in place of what is not finite; and where they are finite.
    basis, dbasis : (N, n_in, G+k)
        B-splines and their derivatives.
    base, dbase : (N, n_in)
        b(x) and its derivative.
    selected
        The parameters of the live edges, others 0.
    f, df : (N, n_symbolic) or None
        The functions of the symbolic edges, and their derivatives.
    statistics : LayerStatistics or None
        Where they were asked for.
    """

    x: Array  # (N, n_in), with t_0 in place of what is not finite
    finite: Array  # (N, n_in), bool
    basis: Array  # (N, n_in, G+k)
    dbasis: Array  # (N, n_in, G+k)
    base: Array  # (N, n_in), b(x)
    dbase: Array  # (N, n_in), b'(x)
    selected: _Selected
    f: Array | None  # (N, n_symbolic), f(a·x + b) of each symbolic edge
    df: Array | None  # (N, n_symbolic), f'(a·x + b)
    statistics: LayerStatistics | None


def layer_forward(
    layer: Layer, x: Array, *, sums: bool = False, continued: bool = False
) -> tuple[Array, LayerCache]:
    """Evaluate a layer: y_j = Σ_i φ_ij(x_i).

    Parameters
    ----------
    layer : Layer
        The parameters.
    x : (N, n_in)
        Inputs. One that is NaN or infinite gives NaN on the outputs it reaches through a live
        edge, and nowhere else.
    sums : bool
        Also accumulate the statistics of the edges, as ``cache.statistics``.
    continued : bool
        Continue symbolic functions finitely outside their domain, as training does.

    Returns
    -------
    y : (N, n_out)
        Sums of the edges.
    cache : LayerCache
        What :func:`layer_backward` needs.
    """
    xp = namespace(x)
    finite = xp.isfinite(x)  # (N, n_in)
    x = xp.where(finite, x, layer.knots[:, layer.k])
    basis, dbasis = basis_pair(x, layer.knots, layer.k, layer.extrapolate)  # (N, n_in, G+k)
    base, dbase = layer.base_fun.pair(x)  # (N, n_in)
    selected = _Selected.of(layer)

    # (n_in*(G+k), N): the order in which the basis is stored, so that nothing is copied.
    n_rows = layer.n_in * basis.shape[2]
    rows = xp.reshape(xp.permute_dims(basis, (1, 2, 0)), (n_rows, x.shape[0]))
    spline = xp.permute_dims(rows, (1, 0)) @ xp.reshape(selected.scaled_coef, (-1, layer.n_out))
    y = spline + base @ selected.scale_base  # (N, n_out)
    f, df = symbolic_functions(layer, x, continued)
    cache = LayerCache(x, finite, basis, dbasis, base, dbase, selected, f, df, None)
    y = add_symbolic(layer, cache, y)
    reached = xp.astype(~finite, x.dtype) @ xp.astype(layer.mask, x.dtype)  # (N, n_out)
    y = where(real(reached) > 0, float("nan"), y)

    if sums:
        cache = changed(cache, statistics=_layer_statistics(layer, cache, y))
    return y, cache


def layer_backward(
    layer: Layer, cache: LayerCache, dy: Array, edge_cotangent: EdgeCotangent | None = None
) -> tuple[Array, Layer]:
    """Propagate the cotangent of the outputs to the inputs and the parameters.

    Every edge receives dφ_ij = dy_j (+ r0 + r1·φ + r2·sign φ from a regulariser), and by the chain
    rule, with Σ over the samples n::

        dscale_base_ij   = Σ dφ_ij b(x_i)
        dcoef_ijm        = scale_spline_ij Σ dφ_ij B_m(x_i)
        dscale_spline_ij = Σ_m coef_ijm Σ dφ_ij B_m(x_i)
        dx_i             = Σ_j dφ_ij φ'_ij(x_i)

    Parameters
    ----------
    layer : Layer
        The parameters.
    cache : LayerCache
        From :func:`layer_forward` with the same layer.
    dy : (N, n_out)
        Cotangent of the outputs.
    edge_cotangent : EdgeCotangent, optional
        What a regulariser adds at the edges.

    Returns
    -------
    dx : (N, n_in)
        Cotangent of the inputs.
    dlayer : Layer
        Gradients of the parameters, summed over the samples.
    """
    xp = namespace(dy)
    selected, scaled_coef = cache.selected, cache.selected.scaled_coef
    dscaled_blocks, dbase_blocks, dx_blocks = [], [], []
    for block in _input_blocks(layer, dy.shape[0], whole=edge_cotangent is None):
        dphi = _edge_cotangents(layer, cache, dy, edge_cotangent, block)  # (n_block|1, N, n_out)
        basis = xp.permute_dims(cache.basis[:, block, :], (1, 2, 0))  # (n_block, G+k, N)
        base = xp.permute_dims(cache.base[:, block], (1, 0))  # (n_block, N)
        dscaled_blocks.append(xp.matmul(basis, dphi))  # (n_block, G+k, n_out)
        dbase_blocks.append(xp.matmul(base[:, None, :], dphi)[:, 0, :])  # (n_block, n_out)

        dspline = xp.matmul(dphi, xp.permute_dims(scaled_coef[block, ...], (0, 2, 1)))
        dbase = xp.matmul(dphi, selected.scale_base[block, :, None])[:, :, 0]  # (n_block, N)
        through_spline = xp.sum(
            xp.permute_dims(dspline, (1, 0, 2)) * cache.dbasis[:, block, :], axis=2
        )
        dx_blocks.append(through_spline + xp.permute_dims(dbase, (1, 0)) * cache.dbase[:, block])

    dscaled = xp.concat(dscaled_blocks, axis=0)  # d(scale_spline · coef), (n_in, G+k, n_out)
    dx = xp.concat(dx_blocks, axis=1)  # (N, n_in)
    daffine, dx = symbolic_backward(layer, cache, dy, edge_cotangent, dx)
    reached = cache.finite | ~xp.any(layer.mask, axis=1)
    dlayer = _select_gradients(layer, selected, dscaled, xp.concat(dbase_blocks, axis=0), daffine)
    return where(reached, dx, float("nan")), dlayer


def _select_gradients(
    layer: Layer, selected: _Selected, dscaled: Array, dscale_base: Array, daffine: Array
) -> Layer:
    """Split d(scale_spline · coef) into its factors; edges that are not numeric get 0."""
    xp = namespace(dscaled)
    numeric = layer.numeric
    dscale_spline = None
    dcoef = where(numeric[:, None, :], dscaled, 0.0)
    if selected.scale_spline is not None:
        dscale_spline = xp.sum(selected.coef * dcoef, axis=1)
        dcoef = dcoef * selected.scale_spline[:, None, :]
    return changed(
        layer,
        coef=xp.permute_dims(dcoef, (0, 2, 1)),
        scale_base=where(numeric, dscale_base, 0.0),
        scale_spline=dscale_spline,
        affine=daffine,
    )


def layer_edges(layer: Layer, x: Array, *, continued: bool = False) -> Array:
    """Return the value φ_ij(x_i) of every edge, (N, n_in, n_out); dead edges give 0.

    Parameters
    ----------
    layer : Layer
        Any.
    x : (N, n_in)
        Inputs.
    continued : bool
        Symbolic edges take their functions' finite continuations.
    """
    xp = namespace(x)
    _, cache = layer_forward(layer, x, continued=continued)
    phi = xp.permute_dims(_numeric_edges(cache, slice(None)), (1, 0, 2))  # (N, n_in, n_out)
    phi = put_symbolic(layer, cache, phi)
    return where(cache.finite[:, :, None] | ~layer.mask, phi, float("nan"))


# --- edges, a block of inputs at a time --------------------------------------------------------


def _input_blocks(layer: Layer, n_samples: int, *, whole: bool = False) -> Iterator[slice]:
    """Cut the inputs so that a block's (n_block, N, n_out) edges hold BLOCK_ELEMENTS or less."""
    size = layer.n_in if whole else max(1, BLOCK_ELEMENTS // max(1, n_samples * layer.n_out))
    for start in range(0, layer.n_in, size):
        yield slice(start, min(start + size, layer.n_in))


def _numeric_edges(cache: LayerCache, block: slice) -> Array:
    """Return φ of the numeric edges of a block of inputs, (n_block, N, n_out); 0 on all others."""
    xp = namespace(cache.x)
    basis = xp.permute_dims(cache.basis[:, block, :], (1, 0, 2))  # (n_block, N, G+k)
    base = xp.permute_dims(cache.base[:, block], (1, 0))  # (n_block, N)
    spline = xp.matmul(basis, cache.selected.scaled_coef[block, ...])
    return spline + base[:, :, None] * cache.selected.scale_base[block, None, :]


def _edge_cotangents(
    layer: Layer, cache: LayerCache, dy: Array, cotangent: EdgeCotangent | None, block: slice
) -> Array:
    """Return dφ of a block of inputs, (n_block, N, n_out); (1, N, n_out) where it is dy alone."""
    if cotangent is None:
        return dy[None, :, :]
    phi = _numeric_edges(cache, block)
    r0, r1, r2 = (
        r[block, None, :] for r in (cotangent.r0, cotangent.r1, cotangent.r2)
    )  # (n_block, 1, n_out)
    return dy[None, :, :] + r0 + r1 * phi + r2 * sign(phi)


def _layer_statistics(layer: Layer, cache: LayerCache, y: Array) -> LayerStatistics:
    """Accumulate the statistics of x, of every edge and of the sums, in double precision."""
    xp = namespace(y)
    mean_abs, mean, m2 = [], [], []
    for block in _input_blocks(layer, y.shape[0]):
        phi = _numeric_edges(cache, block)  # (n_block, N, n_out)
        moments = Moments.of(phi, axis=1)
        mean_abs.append(mean_absolute(phi, axis=1))
        mean.append(moments.mean)
        m2.append(moments.m2)
    edges = Moments(y.shape[0], xp.concat(mean, axis=0), xp.concat(m2, axis=0))
    sizes, edges = symbolic_statistics(layer, cache, xp.concat(mean_abs, axis=0), edges)
    return LayerStatistics(Moments.of(cache.x), sizes, edges, Moments.of(y))
