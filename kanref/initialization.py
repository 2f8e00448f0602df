"""How the parameters start: a network from its width, grid and one random generator.

========== ======================================================================================
`init`     what it draws
========== ======================================================================================
"paper"    the KAN paper's library: a noisy spline of size `noise_scale` / G, scale_base uniform
           about `scale_base_mu`, scale_spline = 1; all over √n_in
"kaiming"  efficient-kan: as "paper", with scale_spline uniform too
"glorot"   variance kept forward and backward (Glorot & Bengio 2010) with the second moments of
           B_m, b and their derivatives over the grid (Rigas et al. 2025, arXiv 2509.03417)
"power"    standard deviations ((G+k+1) n_in)^-0.25 of scale_base and ((G+k+1) n_in)^-1.75 of
           coef, the same paper's power law; trains best when wide
========== ======================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .bspline import basis, extend_grid, fit_coef, uniform_grid
from .functions import BaseFunction
from .layer import Layer
from .network import Network
from .nodes import Nodes

INITS = ("paper", "kaiming", "glorot", "power")

_QUADRATURE = 10_000  # midpoints over the grid for the expectations of "glorot"


@dataclass(frozen=True)
class InitialState:
    """How to draw the parameters of a layer; the fields are those of :class:`kanref.KAN`.

    Attributes
    ----------
    init : {"paper", "kaiming", "glorot", "power"}
        Which of the four.
    grid_range : (float, float)
        The domain of the grid.
    noise_scale, scale_base_mu, scale_base_sigma : float
        Sizes of what "paper" and "kaiming" draw.
    sparse : bool
        Connect nearest neighbours only.
    spline_scale : bool
        Whether there is a `scale_spline`.
    """

    init: str = "paper"
    grid_range: tuple[float, float] = (-1.0, 1.0)
    noise_scale: float = 0.3
    scale_base_mu: float = 0.0
    scale_base_sigma: float = 1.0
    sparse: bool = False
    spline_scale: bool = True


@dataclass(frozen=True)
class LayerShape:
    """Sizes of one layer: inputs, subnodes, grid intervals and degree.

    Attributes
    ----------
    n_in, n_out : int
        Inputs, and sums of the layer.
    G, k : int
        Grid intervals and degree.
    """

    n_in: int
    n_out: int
    G: int
    k: int


def initial_layer(
    shape: LayerShape,
    state: InitialState,
    base_fun: BaseFunction,
    extrapolate: str,
    rng: np.random.Generator,
) -> Layer:
    """Draw one layer in float64.

    Parameters
    ----------
    shape : LayerShape
        Its sizes.
    state : InitialState
        What to draw.
    base_fun : BaseFunction
        b(x).
    extrapolate : {"linear", "zero"}
        What its splines do outside the grid.
    rng : numpy.random.Generator
        Where the randomness comes from.
    """
    n_in, n_out = shape.n_in, shape.n_out
    grid = uniform_grid(*state.grid_range, shape.G, n_in)
    knots = extend_grid(grid, shape.k)
    draw = {"paper": _paper, "kaiming": _kaiming, "glorot": _glorot, "power": _power}[state.init]
    coef, scale_base, scale_spline = draw(_Start(shape, state, base_fun, grid, knots, rng))
    return Layer(
        knots=knots,
        coef=coef,
        scale_base=scale_base,
        scale_spline=scale_spline if state.spline_scale else None,
        mask=nearest_mask(n_in, n_out) if state.sparse else np.ones((n_in, n_out), dtype=bool),
        affine=np.zeros((0, 4)),
        symbolic=(),
        k=shape.k,
        extrapolate=extrapolate,
        base_fun=base_fun,
    )


def identity_nodes(n_sum: int, arity: Sequence[int]) -> Nodes:
    """Return nodes whose affines are the identity, in float64.

    Parameters
    ----------
    n_sum : int
        Number of sum nodes.
    arity : sequence of int
        Factors of each product node.
    """
    n_sub, n_nodes = n_sum + sum(arity), n_sum + len(arity)
    return Nodes(
        n_sum, tuple(arity), np.ones(n_sub), np.zeros(n_sub), np.ones(n_nodes), np.zeros(n_nodes)
    )


def initial_network(layers: Sequence[Layer], nodes: Sequence[Nodes], dtype: str) -> Network:
    """Assemble the layers into a network of the given dtype.

    Parameters
    ----------
    layers : sequence of Layer
        From the inputs on.
    nodes : sequence of Nodes
        Above each of them.
    dtype : {"float64", "float32"}
        Of its arrays.

    Returns
    -------
    Network
        Which holds copies.
    """
    return as_dtype(Network.assemble(layers, nodes), dtype)


def as_dtype(network: Network, dtype: str) -> Network:
    """Return the network with its floating-point arrays in `dtype`."""
    return network.map(lambda a: a.copy() if a.dtype == bool else a.astype(dtype))


def nearest_mask(n_in: int, n_out: int) -> np.ndarray:
    """Connect each node to its nearest neighbour in the other row, both ways, (n_in, n_out).

    Nodes stand at (i + 1/2) / n, as in the paper's library.

    Returns
    -------
    (n_in, n_out)
        1 where an edge is alive.
    """
    x = (np.arange(n_in) + 0.5) / n_in
    y = (np.arange(n_out) + 0.5) / n_out
    distance = np.abs(x[:, None] - y[None, :])
    mask = np.zeros((n_in, n_out), dtype=bool)
    mask[np.arange(n_in), distance.argmin(axis=1)] = True
    mask[distance.argmin(axis=0), np.arange(n_out)] = True
    return mask


class _Start(NamedTuple):
    """What the parameters of one layer are drawn from."""

    shape: LayerShape
    state: InitialState
    base_fun: BaseFunction
    grid: np.ndarray  # (n_in, G+1)
    knots: np.ndarray  # (n_in, G+2k+1)
    rng: np.random.Generator

    @property
    def edges(self) -> tuple[int, int]:
        return self.shape.n_in, self.shape.n_out


Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]
"""coef (n_in, n_out, G+k), scale_base and scale_spline (n_in, n_out)."""


def _noise(start: _Start) -> np.ndarray:
    """Coefficients of splines that follow noise at the G + 1 breakpoints.

    All inputs start on the same grid, so one factorisation serves every edge.
    """
    shape = start.shape
    values = start.rng.random((shape.G + 1, *start.edges)) - 0.5
    values *= start.state.noise_scale / shape.G
    coef = fit_coef(
        start.grid[0][:, None], values.reshape(shape.G + 1, 1, -1), start.knots[:1], shape.k
    )  # (1, n_in * n_out, G+k)
    return coef.reshape(*start.edges, shape.G + shape.k)


def _uniform_base(start: _Start) -> np.ndarray:
    uniform = start.rng.uniform(-1, 1, start.edges)
    state = start.state
    return (state.scale_base_mu + state.scale_base_sigma * uniform) / np.sqrt(start.shape.n_in)


def _paper(start: _Start) -> Drawn:
    coef, scale_base = _noise(start), _uniform_base(start)
    return coef, scale_base, np.full(start.edges, 1 / np.sqrt(start.shape.n_in))


def _kaiming(start: _Start) -> Drawn:
    coef, scale_base = _noise(start), _uniform_base(start)
    scale_spline = start.rng.uniform(-1, 1, start.edges) / np.sqrt(start.shape.n_in)
    return coef, scale_base, scale_spline


def _glorot(start: _Start) -> Drawn:
    shape, (low, high) = start.shape, start.state.grid_range
    x = low + (high - low) * (np.arange(_QUADRATURE) + 0.5) / _QUADRATURE
    gain = x.std()
    n_functions = shape.G + shape.k + 1  # splines and the base function
    one = start.knots[:1]
    value = basis(x[:, None], one, shape.k)
    slope = basis(x[:, None], one, shape.k, nu=1) if shape.k else np.zeros_like(value)

    def std(f: np.ndarray, df: np.ndarray) -> float:
        forward = shape.n_in * n_functions * np.mean(f**2)
        backward = shape.n_out * n_functions * np.mean(df**2)
        return gain * np.sqrt(2 / max(forward + backward, np.finfo(float).tiny))

    coef = start.rng.normal(0.0, std(value, slope), (*start.edges, shape.G + shape.k))
    base, dbase = start.base_fun.pair(x)
    sigma = std(base, dbase) if np.any(base) else 0.0
    return coef, start.rng.normal(0.0, sigma, start.edges), np.ones(start.edges)


def _power(start: _Start) -> Drawn:
    shape = start.shape
    size = (shape.G + shape.k + 1) * shape.n_in
    coef = start.rng.normal(0.0, size**-1.75, (*start.edges, shape.G + shape.k))
    return coef, start.rng.normal(0.0, size**-0.25, start.edges), np.ones(start.edges)
