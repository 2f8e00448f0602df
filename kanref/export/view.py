"""What a page shows of a model beside its numbers: ranges, scores, names and places, plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..network import Network, layer_inputs, network_forward
from ..plotting.batch import chunks, edge_scores, observe
from ..plotting.curves import grid_range
from ..plotting.text import formula as edge_formula
from ..plotting.text import function_label, pretty
from ..scaling import Scaling
from .given import given_rows
from .places import layouts
from .program import FunctionEdge, LayerProgram, Program, Spline
from .web import CONTROL, DIRECTION

SAMPLES = 1000
"""Random points of the grid that stand for the data where there are none."""

MOST_EDGES = 300
"""No more edges than these are drawn: those that matter most."""

_BETA = 2.2  # opacity of an edge: tanh(beta · score), score as a share of the greatest
_FAINTEST = 0.14


@dataclass(frozen=True)
class View:
    """A model with the points that it is shown at.

    Attributes
    ----------
    program : Program
    x : (N, n_in)
        Inputs in network units.
    given : bool
        Whether they are the user's data.
    """

    program: Program
    x: np.ndarray
    given: bool

    @classmethod
    def of(cls, program: Program, X: Any = None) -> View:
        """Look at a table X (N, n_in) or data frame in data units, or at random points.

        Raises
        ------
        ValueError, TypeError
            If X is no table of numbers with the inputs as its columns, or has no finite row.
        """
        if X is not None:
            return cls(program, program.scaling.x_to_network(given_rows(program, X)), True)
        low, high = grid_range(program.network.layers[0])
        unit = np.random.default_rng(0).uniform(size=(SAMPLES, program.n_in))
        return cls(program, low + unit * (high - low), False)

    def data(self) -> dict[str, Any]:
        """Return everything that a page needs, as JSON has it."""
        network = self.program.network
        scores = [
            np.nan_to_num(s) for s in edge_scores(network, observe(network, self.x), "backward")
        ]
        edges = _edges(self.program, scores)
        inputs, outputs = self._inputs(), self._outputs()
        return {
            "inputs": inputs,
            "outputs": outputs,
            "ranges": self._ranges(),
            "nodes": _nodes(self.program),
            "edges": edges,
            "layouts": layouts(
                _most_important(network, scores),
                ([entry["label"] for entry in inputs], [entry["label"] for entry in outputs]),
                {(e["l"], e["i"], e["j"]): n for n, e in enumerate(edges)},
            ),
        }

    def _inputs(self) -> list[dict[str, Any]]:
        scaling, found = self.program.scaling, []
        X = self.x * scaling.x_scale + scaling.x_shift
        for name, column in zip(self.program.input_names, X.T, strict=True):
            low, high, step = round_range(float(column.min()), float(column.max()))
            middle = float(np.median(column)) if self.given else (low + high) / 2
            start = float(f"{round(middle / step) * step:.15g}")
            start = min(max(start, low), high)
            found.append(
                {"label": label(name), "low": low, "high": high, "step": step, "start": start}
            )
        return found

    def _outputs(self) -> list[dict[str, Any]]:
        network, scaling = self.program.network, self.program.scaling
        with np.errstate(all="ignore"):
            parts = [network_forward(network, x)[0] for x in chunks(network, self.x)]
            Y = np.concatenate(parts) * scaling.y_scale + scaling.y_shift  # (N, n_out)
        return [
            {"label": name, "range": list(_finite_range(column, (0.0, 1.0)))}
            for name, column in zip(output_labels(self.program), Y.T, strict=True)
        ]

    def _ranges(self) -> list[list[tuple[float, float]]]:
        """Return, level by level, between which values the input of each layer lies."""
        network = self.program.network
        with np.errstate(all="ignore"):
            parts = [layer_inputs(network, x) for x in chunks(network, self.x)]
        found = []
        for layer, *values in zip(network.layers, *parts, strict=True):
            columns = np.concatenate(values).T  # (n_in, N)
            grid = zip(*(end.tolist() for end in grid_range(layer)), strict=True)
            found.append([_finite_range(c, g) for c, g in zip(columns, grid, strict=True)])
        return found


def label(name: str) -> str:
    """Return a name as pages show it, on one line."""
    return pretty(" ".join(DIRECTION.sub("", CONTROL.sub("\ufffd", name)).split())) or "?"


def round_range(low: float, high: float) -> tuple[float, float, float]:
    """Return a range with round ends that holds another, and a step between its values.

    Examples
    --------
    >>> round_range(-1.0007, 0.99995)
    (-1.01, 1.0, 0.01)
    >>> round_range(3.0, 3.0)
    (2.0, 4.0, 0.01)
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = -1.0, 1.0
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        room = abs(low) or 1.0
        room = 1.0 if room >= 1.0 and room < 1e9 else room
        low, high = low - room, high + room
    step = 10.0 ** (math.floor(math.log10(high - low) + 1e-9) - 2)
    ends = (math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step)
    first, last = (float(f"{end:.15g}") for end in ends)
    return first, last, float(f"{step:.12g}")


def _finite_range(values: np.ndarray, otherwise: tuple[float, float]) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if values.size and values.min() < values.max():
        return float(values.min()), float(values.max())
    return float(otherwise[0]), float(otherwise[1])


def node_labels(program: Program) -> list[list[str]]:
    """Return the names of all nodes, level by level: h1_0 and so on between inputs and outputs."""
    found = [[label(name) for name in program.input_names]]
    for number, layer in enumerate(program.layers[:-1], start=1):
        found.append([f"h{number}_{n}" for n in range(len(layer.nodes))])
    return [*found, output_labels(program)]


def output_labels(program: Program) -> list[str]:
    """Return what pages call the outputs: by the classes that they stand for, if they do."""
    if program.classes is not None and program.n_out > 1:
        return [label(str(name)) for name in program.classes]
    return [label(name) for name in program.output_names]


def _nodes(program: Program) -> list[list[dict[str, Any]]]:
    labels, levels = node_labels(program), []
    fed = [True] * program.n_in
    for level, layer in enumerate([None, *program.layers]):
        leaving = None if level == len(program.layers) else program.layers[level]
        out = set() if leaving is None else {edge.i for edge in _live(leaving)}
        if layer is not None:
            reached = {edge.j for edge in _live(layer)}
            fed = [reached.issuperset(node.factors) for node in layer.nodes]
        levels.append(
            [
                {
                    "label": labels[level][n],
                    "product": layer is not None and len(layer.nodes[n].factors) > 1,
                    "alive": bool(fed[n] and (leaving is None or n in out)),
                }
                for n in range(len(fed))
            ]
        )
    return levels


def _live(layer: LayerProgram) -> list[Spline | FunctionEdge]:
    """Return the edges of a layer in the order of input, then of sum."""
    found: list[Spline | FunctionEdge] = [*layer.splines, *layer.functions]
    return sorted(found, key=lambda edge: (edge.i, edge.j))


def _edges(program: Program, scores: list[np.ndarray]) -> list[dict[str, Any]]:
    names, found = node_labels(program), []
    greatest = max((float(s.max()) for s in scores if s.size), default=0.0) or 1.0
    for l, layer in enumerate(program.layers):
        above = _sum_labels(program, l, names[l + 1])
        for edge in _live(layer):
            score = float(scores[l][edge.i, edge.j])
            found.append(
                {
                    "l": l,
                    "i": edge.i,
                    "j": edge.j,
                    "label": f"{names[l][edge.i]} → {above[edge.j]}",
                    "score": score,
                    "opacity": round(max(math.tanh(_BETA * score / greatest), _FAINTEST), 3),
                    "text": _edge_text(program, l, edge),
                    "caption": _caption(edge),
                }
            )
    return found


def _caption(edge: Spline | FunctionEdge) -> str:
    """Return the short name of a function for its box; nothing for a spline."""
    if isinstance(edge, Spline):
        return ""
    return function_label(label(edge.function.name))[:14]


def _edge_text(program: Program, l: int, edge: Spline | FunctionEdge) -> str:
    """Return φ in words; of the first layer, as a function of the input in data units."""
    units = program.scaling if l == 0 else None
    if isinstance(edge, FunctionEdge):
        affine = (edge.a, edge.b, edge.c, edge.d)
        return edge_formula(label(edge.function.name), in_data_units(affine, units, edge.i))
    layer = program.layers[l]
    cells = program.network.layers[l].G
    kinds = {0: "step function", 1: "linear spline", 2: "quadratic spline", 3: "cubic spline"}
    words = f"{kinds.get(layer.k, f'spline of degree {layer.k}')} on {cells} interval"
    words += "s" * (cells != 1)
    if not layer.base or not edge.scale_base:
        return words
    base = edge_formula(layer.base, in_data_units((1.0, 0.0, edge.scale_base, 0.0), units, edge.i))
    return f"{words} + {base}".replace("+ −", "− ")


def in_data_units(
    affine: tuple[float, float, float, float], scaling: Scaling | None, i: int
) -> tuple[float, float, float, float]:
    """Return a, b, c, d of c·f(a·X + b) + d for the input i in data units.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import Scaling
    >>> one = np.ones(1)
    >>> in_data_units((2.0, 0.5, 1.0, 0.0), Scaling(3 * one, 4 * one, one, one), 0)
    (0.5, -1.0, 1.0, 0.0)
    """
    if scaling is None:
        return affine
    a, b, c, d = affine
    shift, scale = float(scaling.x_shift[i]), float(scaling.x_scale[i])
    return a / scale, b - a * shift / scale, c, d


def _sum_labels(program: Program, l: int, names: list[str]) -> list[str]:
    """Name the sums of a layer: sum nodes, and the factors of product nodes."""
    found = [""] * program.layers[l].n_sums
    for name, node in zip(names, program.layers[l].nodes, strict=True):
        for number, j in enumerate(node.factors):
            found[j] = name if len(node.factors) == 1 else f"{name}.{number}"
    return found


def _most_important(network: Network, scores: list[np.ndarray]) -> Network:
    """Return the network without the edges that are too many to be drawn."""
    masks = [np.asarray(layer.mask) for layer in network.layers]
    live = np.concatenate([s[m] for s, m in zip(scores, masks, strict=True)])
    if len(live) <= MOST_EDGES:
        return network
    ranked = [np.where(m, s, -np.inf) for s, m in zip(scores, masks, strict=True)]
    flat = np.concatenate([r.reshape(-1) for r in ranked])
    kept = np.zeros(len(flat), dtype=bool)
    kept[np.argsort(-flat, kind="stable")[:MOST_EDGES]] = True
    parts = np.split(kept, np.cumsum([m.size for m in masks])[:-1])
    layers = [
        replace(layer, mask=part.reshape(mask.shape))
        for layer, part, mask in zip(network.layers, parts, masks, strict=True)
    ]
    return replace(network, layers=tuple(layers))
