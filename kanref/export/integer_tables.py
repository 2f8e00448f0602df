"""Edges as tables of integers, and how far a network of them may be from the network itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..bounds import Interval, PreparedLayer, line_error, network_bounds, network_box
from ..network import Network
from .program import Affine, ExportError, LayerProgram, Node, Program

PARTS = 8
"""Each interval of a table is cut into so many to bound its error."""

BUDGET = 400
"""Boxes that are looked at for the range of the inner nodes."""

SHARE = 1e-13
"""Rounding of the table's own arithmetic, as a share of what is added up."""


@dataclass(frozen=True)
class EdgeTable:
    """The edge from input i to sum j: offset + step · q, and its largest error."""

    i: int
    j: int
    offset: float
    step: float
    q: tuple[int, ...]
    error: float


@dataclass(frozen=True)
class LayerTables:
    """One layer: the domain of each input, the tables, and the nodes as they were."""

    domains: tuple[tuple[float, float], ...]
    edges: tuple[EdgeTable, ...]
    subnodes: tuple[Affine, ...]
    nodes: tuple[Node, ...]

    @property
    def n_sums(self) -> int:
        """Number of sums of edges."""
        return len(self.subnodes)


@dataclass(frozen=True)
class Tables:
    """A network of tables, and the largest error of each output in data units."""

    layers: tuple[LayerTables, ...]
    error: tuple[float, ...]

    @property
    def size(self) -> int:
        """Number of entries."""
        return sum(len(edge.q) for layer in self.layers for edge in layer.edges)


def build_tables(program: Program, box: np.ndarray, intervals: int, bits: int) -> Tables:
    """Return the tables of a network for inputs in a box (n_in, 2) of data units.

    Raises
    ------
    ExportError
        If an edge may be undefined or infinite.
    """
    network = program.network
    domain = network_box(network, program.scaling, box)  # (n_in, 2)
    start = domain
    error = 4e-16 * np.abs(domain).max(axis=1)  # of the conversion to network units
    if program.dtype == "float32":
        error = error + 1.2e-7 * np.abs(domain).max(axis=1)
    layers = []
    for number, layer in enumerate(program.layers):
        tables, prepared = _layer_tables(number, program, domain, intervals, bits)
        layers.append(tables)
        sums = _sum_errors(tables, prepared, domain, error)
        reach = prepared.range(Interval(domain[None, :, 0], domain[None, :, 1]), 256).sums[0]
        error = _node_errors(layer, reach, sums)
        part = Network.assemble(network.layers[: number + 1], network.nodes[: number + 1])
        range_ = network_bounds(part, start, budget=BUDGET)
        if not range_.known.all():
            raise ExportError(
                f"tables need every node to be finite in the box, got none such bound for node "
                f"{int(np.argmin(range_.known))} above layer {number}"
            )
        domain = np.stack(list(range_), axis=1)
    scale = np.array(program.y_scale)
    size = np.abs(domain).max(axis=1) * scale + np.abs(program.y_shift)
    rounding = (SHARE if program.dtype == "float64" else 2.4e-7) * size
    return Tables(tuple(layers), tuple((error * scale * (1 + 1e-9) + rounding).tolist()))


def _layer_tables(
    number: int, program: Program, domain: np.ndarray, intervals: int, bits: int
) -> tuple[LayerTables, PreparedLayer]:
    """Return the tables of a layer, with what bounds it."""
    layer, prepared = program.layers[number], PreparedLayer.of(program.network.layers[number])
    share = np.arange(intervals + 1)[:, None] / intervals
    points = domain[:, 0] + share * (domain[:, 1] - domain[:, 0])  # (n+1, n_in)
    points[-1] = domain[:, 1]
    values = prepared.edges(Interval(points, points), 1).values  # (n+1, n_in, n_out)
    if not values.known.all():
        _, i, j = (int(x) for x in np.argwhere(~values.known)[0])
        raise ExportError(f"edge ({number}, {i}, {j}) may be undefined or infinite in the box")
    middle = values.lo + (values.hi - values.lo) / 2
    q, offset, step = _quantised(middle, bits)
    # the lines as they are read: straight between the entries
    error = line_error(prepared, points, offset + step * q, PARTS)
    size = np.abs(offset) + step * np.abs(q).max(axis=0)
    error = error + SHARE * size + 4e-16 * intervals * step * np.abs(np.diff(q, axis=0)).max(axis=0)
    edges = []
    for i, j in np.argwhere(prepared.live):
        if not math.isfinite(error[i, j]):
            raise ExportError(f"edge ({number}, {i}, {j}) may be undefined or infinite in the box")
        entries = tuple(int(v) for v in q[:, i, j])
        edges.append(
            EdgeTable(
                int(i), int(j), float(offset[i, j]), float(step[i, j]), entries, float(error[i, j])
            )
        )
    domains = tuple((float(low), float(high)) for low, high in domain)
    return LayerTables(domains, tuple(edges), layer.subnodes, layer.nodes), prepared


def _quantised(values: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return integers, offsets and steps with offset + step · q ≈ values (n+1, n_in, n_out)."""
    largest = 2 ** (bits - 1) - 1
    low, high = values.min(axis=0), values.max(axis=0)
    offset = low + (high - low) / 2
    step = (high - low) / (2 * largest)
    q = np.rint((values - offset) / np.where(step > 0, step, 1.0))
    q = np.where(step > 0, np.clip(q, -largest, largest), 0.0)
    return q, offset, step


def _sum_errors(
    tables: LayerTables, prepared: PreparedLayer, domain: np.ndarray, error: np.ndarray
) -> np.ndarray:
    """Return the errors of the sums (n_sums,), from those of the layer's inputs (n_in,).

    An input that is off by δ changes an edge by at most its largest slope times δ, and by no more
    than its whole range: it is moved into the domain first, which the exact one is in.
    """
    found = prepared.edges(Interval(domain[None, :, 0], domain[None, :, 1]), 256)
    whole = (found.values.hi - found.values.lo)[0]
    slope = found.slopes.magnitude[0]
    change = np.where(error[:, None] > 0, slope * error[:, None], 0.0)
    total = np.fmin(change, whole)  # (n_in, n_out)
    for edge in tables.edges:
        total[edge.i, edge.j] += edge.error
    size = found.values.magnitude[0]
    live = prepared.live
    return np.where(live, total + SHARE * (len(live) + 2) * size, 0.0).sum(axis=0)


def _node_errors(layer: LayerProgram, sums: Interval, errors: np.ndarray) -> np.ndarray:
    """Return the errors of the nodes from those of the sums, (n_sums,)."""
    found = []
    for node in layer.nodes:
        product, off = 1.0, 0.0
        for j in node.factors:
            part = layer.subnodes[j]
            size = abs(part.scale) * float(sums.magnitude[j]) + abs(part.bias)
            e = abs(part.scale) * float(errors[j]) + SHARE * size
            off = off * (size + e) + product * e  # |âb̂ - ab| ≤ |â - a||b̂| + |a||b̂ - b|
            product *= size
        off = abs(node.scale) * off
        found.append(off + SHARE * (abs(node.scale) * product + abs(node.bias)))
    return np.array(found)
