"""One edge: its curve, what it is made of, and the data it meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import Array
from ..bspline import basis
from ..layer import Layer, layer_edges, select
from ..network import Network, layer_inputs
from ..scaling import Scaling
from .batch import check_inputs, chunks
from .draw import new_axes
from .pen import SYMBOLIC
from .scene import on_host
from .text import formula, is_math, number, variable_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASE = "#0072b2"
BASIS = ("#009e73", "#56b4e9")  # in turn, so that neighbours differ
DATA = "0.72"
STRIP = 0.15
"""Share of the height that the data's histogram takes, at the bottom."""

_SAMPLES = 401
_BINS = 40
_BEYOND = 0.08  # share of the range that is shown beyond grid and data
_SIZE = (6.0, 4.0)


def plot_edge(
    network: Network,
    l: int,
    i: int,
    j: int,
    ax: Axes | None = None,
    *,
    x: Array | None = None,
    input_names: Sequence[object] | None = None,
    scaling: Scaling | None = None,
    title: str | None = None,
) -> Axes:
    r"""Draw the activation φ of edge (l, i, j) with its parts and its data.

    A numeric edge is shown with its terms, :math:`\text{scale\_base}\, b(x)` and each
    :math:`\text{scale\_spline}\, \text{coef}_m B_m(x)`; a symbolic one with its formula and the
    spline it had before. Small ticks mark the breakpoints of the grid; beyond the grid, where the
    spline is extrapolated, the ground is grey.

    Parameters
    ----------
    network : Network
        Where the edge is.
    l, i, j : int
        Layer, input node, and subnode of the next layer; negative numbers count from the end.
    ax : Axes, optional
        Where to draw. By default a new pyplot figure.
    x : (N, n_in), optional
        Inputs of the network, in network units: a strip shows how the values of node i spread.
    input_names : sequence of str, optional
        Names of the network's inputs.
    scaling : Scaling, optional
        An edge of an input is then drawn over that input in data units. φ keeps network units.
    title : str, optional
        By default "edge (l, i, j)".

    Returns
    -------
    Axes

    Raises
    ------
    IndexError
        If there is no such edge.
    ValueError
        If the shape of `x` or the number of names is wrong.
    """
    network = on_host(network)
    l, i, j = _check_edge(network, l, i, j)
    names = variable_names(input_names, network.n_in, "x", "input_names")
    values = None if x is None else _node_values(network, l, i, x)
    strip = 0.0 if values is None else STRIP
    edge = _Edge.of(network, l, i, j, scaling)
    if ax is None:
        ax = new_axes(*_SIZE)
        ax.set_position((0.13, 0.13, 0.84, 0.71))
    low, high = edge.view(values)
    ticks = edge.unscaled(np.linspace(low, high, _SAMPLES))
    _draw_parts(ax, edge, np.sort(np.concatenate([ticks, edge.grid])))
    _draw_ground(ax, edge, low, high)
    _set_limits(ax, low, high, strip)
    _draw_grid(ax, edge, strip)
    if values is not None:
        _draw_data(ax, edge.scaled(values))
    label = names[i] if l == 0 else f"node {i} of layer {l}"
    ax.set_xlabel(label, parse_math=is_math(label))
    ax.set_ylabel("φ")
    _add_legend(ax)
    ax.set_title(f"edge ({l}, {i}, {j})" if title is None else title, pad=26)
    return ax


def _add_legend(ax: Axes) -> None:
    """Explain the curves in one row above the axes, φ first."""
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda n: not labels[n].startswith("φ"))
    ax.legend(
        [handles[n] for n in order],
        [labels[n] for n in order],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        ncols=4,
        frameon=False,
        fontsize=8,
    )


@dataclass(frozen=True)
class _Edge:
    """One edge as a layer of its own, with the units of its input."""

    layer: Layer  # 1 input, 1 output
    scale: float
    shift: float

    @classmethod
    def of(cls, network: Network, l: int, i: int, j: int, scaling: Scaling | None) -> _Edge:
        scale, shift = 1.0, 0.0
        if scaling is not None and l == 0:
            scale, shift = float(scaling.x_scale[i]), float(scaling.x_shift[i])
        return cls(select(network.layers[l], [i], [j]), scale, shift)

    def scaled(self, x: np.ndarray) -> np.ndarray:
        return x * self.scale + self.shift

    def unscaled(self, x: np.ndarray) -> np.ndarray:
        return (x - self.shift) / self.scale

    @property
    def alive(self) -> bool:
        return bool(self.layer.mask[0, 0])

    @property
    def grid(self) -> np.ndarray:
        k = self.layer.k
        return self.layer.knots[0, k : self.layer.knots.shape[1] - k].astype(float)

    def view(self, values: np.ndarray | None) -> tuple[float, float]:
        """Return the ends of what is shown, in scaled units: grid and data, and some more."""
        ends = self.grid[[0, -1]]
        if values is not None:
            ends = np.array([min(ends[0], values.min()), max(ends[1], values.max())])
        low, high = self.scaled(ends)
        beyond = _BEYOND * (high - low)
        return float(low - beyond), float(high + beyond)

    def label(self) -> str:
        """Return what to call φ in the legend."""
        if not self.alive:
            return "φ = 0 (dead edge)"
        if not self.layer.symbolic:
            return "φ"
        a, b, c, d = (float(v) for v in self.layer.affine[0])
        a, b = a / self.scale, b - a * self.shift / self.scale
        return f"φ = {formula(self.layer.symbolic[0].function.name, (a, b, c, d))}"

    def spline(self, x: np.ndarray) -> np.ndarray | None:
        """Return the numeric curve beneath a symbolic edge, if there is one, (S,)."""
        numeric = replace(self.layer, symbolic=(), affine=self.layer.affine[:0])
        phi = _phi(numeric, x)
        return phi if np.isfinite(phi).all() and np.any(phi) else None


def _phi(layer: Layer, x: np.ndarray) -> np.ndarray:
    """Return φ of a layer of one edge, (S,); NaN where it has no value."""
    with np.errstate(all="ignore"):
        phi = layer_edges(layer, x[:, None].astype(layer.coef.dtype))[:, 0, 0]
    return np.where(np.isfinite(phi), phi, np.nan).astype(float)


def _check_edge(network: Network, l: int, i: int, j: int) -> tuple[int, int, int]:
    l = _index("l", l, network.depth, "layers")
    layer = network.layers[l]
    return l, _index("i", i, layer.n_in, "nodes"), _index("j", j, layer.n_out, "subnodes")


def _index(name: str, value: int, n: int, things: str) -> int:
    if not -n <= value < n:
        raise IndexError(f"`{name}` must be one of {n} {things}, 0 to {n - 1}, got {value}")
    return value % n


def _node_values(network: Network, l: int, i: int, x: Array) -> np.ndarray:
    """Return the finite values of node i of level l on a batch."""
    x = check_inputs(network, x)
    with np.errstate(all="ignore"):
        parts = [layer_inputs(network, chunk)[l][:, i] for chunk in chunks(network, x)]
    values = np.concatenate(parts).astype(float)
    values = values[np.isfinite(values)]
    if not values.size:
        raise ValueError(f"node {i} of layer {l} must be finite for a row of `x`, got none")
    return values


def _draw_parts(ax: Axes, edge: _Edge, x: np.ndarray) -> None:
    """Draw φ and, beneath it, what it is made of."""
    layer, shown = edge.layer, edge.scaled(x)
    if edge.alive and layer.symbolic:
        before = edge.spline(x)
        if before is not None:
            ax.plot(shown, before, color="0.6", linestyle=(0, (4, 2)), label="spline before")
    elif edge.alive:
        _draw_terms(ax, layer, x, shown)
    color: Any = SYMBOLIC if layer.symbolic and edge.alive else None
    if color is None:
        import matplotlib as mpl

        color = mpl.rcParams["text.color"]
    style: dict[str, Any] = {"color": color, "linestyle": "-", "linewidth": 2.2}
    ax.plot(shown, _phi(layer, x), **style, label=edge.label(), zorder=4)


def _draw_terms(ax: Axes, layer: Layer, x: np.ndarray, shown: np.ndarray) -> None:
    """Draw the base term and every scaled basis function."""
    scale = 1.0 if layer.scale_spline is None else layer.scale_spline[0, 0]
    terms = basis(
        x[:, None].astype(layer.coef.dtype), layer.knots, layer.k, extrapolate=layer.extrapolate
    )[:, 0, :]  # (S, G+k)
    terms = terms * (scale * layer.coef[0, 0, :])
    for m, term in enumerate(terms.T):
        label = "scale_spline·coefₘ·Bₘ" if m == 0 else f"_basis {m}"
        style: dict[str, Any] = {"color": BASIS[m % 2], "linestyle": "-", "linewidth": 0.9}
        ax.plot(shown, term, **style, label=label, zorder=2)
    factor = layer.scale_base[0, 0]
    with np.errstate(all="ignore"):
        base = factor * layer.base_fun.f(x.astype(layer.coef.dtype))
    label = f"{number(float(factor), 3)}·{layer.base_fun.name}"
    ax.plot(shown, base, color=BASE, linestyle=(0, (5, 2)), linewidth=1.3, label=label, zorder=3)


def _draw_ground(ax: Axes, edge: _Edge, low: float, high: float) -> None:
    """Shade what lies outside the grid."""
    first, last = edge.scaled(edge.grid[[0, -1]])
    for left, right in ((low, first), (last, high)):
        ax.axvspan(left, right, color="0.5", alpha=0.13, linewidth=0, label="_outside", zorder=0)


def _set_limits(ax: Axes, low: float, high: float, strip: float) -> None:
    """Leave the strip at the bottom free of curves."""
    curves = [np.asarray(line.get_ydata(), dtype=float) for line in ax.get_lines()]
    values = np.concatenate(curves)
    bottom, top = np.nanmin(values), np.nanmax(values)
    if top - bottom <= 1e-9 * max(abs(top), abs(bottom)):  # a constant curve
        bottom, top = bottom - 0.5, top + 0.5
    height = (top - bottom) / (1 - strip - 0.13)
    floor = top + 0.05 * height - height
    ax.set(xlim=(low, high), ylim=(floor, floor + height))
    if strip:
        ax.set_yticks(
            [tick for tick in ax.get_yticks() if floor + strip * height <= tick <= floor + height]
        )


def _draw_grid(ax: Axes, edge: _Edge, strip: float) -> None:
    """Mark the breakpoints by ticks above the strip."""
    ax.vlines(
        edge.scaled(edge.grid),
        strip,
        strip + 0.03,
        color="0.25",
        linewidth=0.9,
        transform=ax.get_xaxis_transform(),
        label="_grid",
        zorder=5,
    )


def _draw_data(ax: Axes, values: np.ndarray) -> None:
    """Draw the histogram in the strip, its highest bar nearly as high, and a line above it."""
    ax.plot(
        [0, 1], [STRIP] * 2, color="0.25", linewidth=0.6, transform=ax.transAxes, label="_strip"
    )
    counts, edges = np.histogram(values, bins=_BINS)
    ax.bar(
        edges[:-1],
        counts / counts.max() * STRIP * 0.9,
        np.diff(edges),
        align="edge",
        color=DATA,
        label="data",
        linewidth=0,
        transform=ax.get_xaxis_transform(),
        zorder=1,
    )
