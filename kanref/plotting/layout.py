"""Where everything stands: nodes in rows, inputs at the bottom, and a box on every live edge.

Lengths are in inches, y grows upwards. Every live edge has a box in the band between two rows of
nodes, in the order of its input, then of its output, as the KAN paper draws it. A band with too
many boxes for one row is folded into several; the wires of the other rows then run in lanes between
the boxes and cross none of them::

        o       o           subnodes and nodes of the next layer
      .-' `-. .-'
     [ ]     [ ]            row 1
      |  [ ]  | [ ]         row 0
       `-.|.-'`.|
          o     o           nodes
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..network import Network

PITCH = 0.64  # of boxes, where there is room
WIDTHS = (2.6, 13.0)  # of a network
FILL = 0.68  # share of the pitch that a box takes
LARGEST = 0.56  # side of a box
LEGIBLE = 0.3  # side of a box beyond which nothing is gained by folding
ROWS = 8  # of a folded band, at most
ROW = 0.42  # gap between the rows of a folded band, in box sides
PRODUCT = 0.34  # height of a product node above its factors
STRETCH = (0.5, 2.5)  # how far gaps are stretched to fill a given height


@dataclass(frozen=True)
class EdgePlace:
    """Where an edge (l, i, j) is drawn: its box, and the wires to it and from it, (P, 2) each."""

    l: int
    i: int
    j: int
    x: float  # lower left corner of the box
    y: float
    into: np.ndarray
    out: np.ndarray


@dataclass(frozen=True)
class Layout:
    """Where a network is drawn, with the first row of nodes at y = 0.

    Attributes
    ----------
    width, height : float
        From the left to the right end of the rows; from the first to the last row of nodes.
    box : float
        The side of a box.
    nodes : list of (n, 2)
        The nodes of each level, inputs first.
    subnodes : list of (n_subnodes, 2)
        Where the edges of each layer end: at the node, or below it at a factor of a product.
    edges : list of EdgePlace
        All live edges.
    """

    width: float
    height: float
    box: float
    nodes: list[np.ndarray]
    subnodes: list[np.ndarray]
    edges: list[EdgePlace]


@dataclass(frozen=True)
class _Band:
    """The boxes of one layer: their columns and rows."""

    edges: list[tuple[int, int]]
    column: np.ndarray
    row: np.ndarray
    n_columns: int
    n_rows: int

    @classmethod
    def of(cls, mask: np.ndarray, n_rows: int) -> _Band:
        """Fold the live edges of each input into `n_rows` rows, the first ones full."""
        edges, column, row, start = [], [], [], 0
        for i, outputs in enumerate(mask):
            live = np.flatnonzero(outputs)
            n = math.ceil(len(live) / n_rows)
            for place, j in enumerate(live):
                edges.append((i, int(j)))
                column.append(start + place % n)
                row.append(place // n)
            start += n
        return cls(edges, np.array(column, int), np.array(row, int), max(start, 1), n_rows)


def _folded(masks: Sequence[np.ndarray], most_rows: int) -> list[_Band]:
    """Fold the band with most boxes into `most_rows`, and others as little as fits its width."""
    counts = [[int(n) for n in mask.sum(axis=1)] for mask in masks]
    columns = [[sum(math.ceil(n / r) for n in c) for r in range(1, most_rows + 1)] for c in counts]
    most = max(c[-1] for c in columns)
    rows = [1 + next(r for r, n in enumerate(c) if n <= most) for c in columns]
    return [_Band.of(mask, n) for mask, n in zip(masks, rows, strict=True)]


def natural_width(network: Network, node_pitch: float) -> float:
    """Return the width at which boxes and node names (`node_pitch` inches) have room."""
    live = max((int(layer.mask.sum()) for layer in network.layers), default=1)
    nodes = max(network.n_in, *(n.n_subnodes for n in network.nodes))
    wanted = max(live * PITCH, network.n_in * node_pitch, network.n_out * node_pitch, nodes * 0.4)
    return float(np.clip(wanted, *WIDTHS))


def arrange(network: Network, width: float, height: float | None = None) -> Layout:
    """Place nodes, boxes and wires in a given width, and a given height if there is room.

    Bands are folded as far as makes the boxes legible: the side of a box, as it will be drawn, is
    weighed against the square root of the number of rows.
    """
    masks = [np.asarray(layer.mask) for layer in network.layers]
    fullest = max(int(mask.sum(axis=1).max()) for mask in masks)
    plans = [
        _Plan.of(network, _folded(masks, n), width, height)
        for n in range(1, min(ROWS, max(fullest, 1)) + 1)
    ]
    best = max(plans, key=_Plan.merit)
    return _place(network, best)


@dataclass(frozen=True)
class _Plan:
    """A way of folding the bands, and the heights that follow from it."""

    bands: list[_Band]
    columns: list[tuple[np.ndarray, np.ndarray]]  # x of the nodes and of the subnodes per layer
    gaps: np.ndarray  # (depth, 2), below and above each band
    width: float
    box: float
    shrink: float  # what is left of an inch where the whole is too high

    @classmethod
    def of(cls, network: Network, bands: list[_Band], width: float, height: float | None) -> _Plan:
        columns = _node_columns(network, width)
        box = min(LARGEST, FILL * min(width / band.n_columns for band in bands))
        gaps = np.array(
            [_gaps(band, width, *ends) for band, ends in zip(bands, columns, strict=True)]
        )
        if height is None:
            return cls(bands, columns, gaps, width, box, 1.0)
        solid = sum(_band_height(band, box) for band in bands) + sum(_stems(network))
        gaps *= np.clip((height - solid) / gaps.sum(), *STRETCH)
        return cls(bands, columns, gaps, width, box, min(height / (solid + gaps.sum()), 1.0))

    def merit(self) -> float:
        rows = max(band.n_rows for band in self.bands)
        return min(self.box * self.shrink, LEGIBLE) / math.sqrt(rows)


def _place(network: Network, plan: _Plan) -> Layout:
    """Stack the rows of nodes and the bands of boxes."""
    y, nodes, subnodes, edges = 0.0, [_row(plan.columns[0][0], 0.0)], [], []
    for l, (band, stem) in enumerate(zip(plan.bands, _stems(network), strict=True)):
        low = y + plan.gaps[l, 0]
        y = low + _band_height(band, plan.box) + plan.gaps[l, 1]
        above = _row(_over(network, l, plan.columns[l][1]), y + stem)
        ends = _row(plan.columns[l][1], y)
        n_sum = network.nodes[l].n_sum
        ends[:n_sum] = above[:n_sum]
        edges += _wire(l, band, plan, low, nodes[-1], ends)
        nodes.append(above)
        subnodes.append(ends)
        y += stem
    return Layout(plan.width, y, plan.box, nodes, subnodes, edges)


def _stems(network: Network) -> list[float]:
    return [PRODUCT if nodes.arity else 0.0 for nodes in network.nodes]


def _row(x: np.ndarray, y: float) -> np.ndarray:
    return np.column_stack([x, np.full(len(x), y)])


def _even(n: int, width: float) -> np.ndarray:
    return (np.arange(n) + 0.5) / n * width


def _node_columns(network: Network, width: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the x of each layer's inputs and of its subnodes."""
    found, x = [], _even(network.n_in, width)
    for l, nodes in enumerate(network.nodes):
        sub = _even(nodes.n_subnodes, width)
        found.append((x, sub))
        x = _over(network, l, sub)
    return found


def _over(network: Network, l: int, sub: np.ndarray) -> np.ndarray:
    """Return the x of the nodes above a layer: a product stands amid its factors."""
    return np.array([sub[list(factors)].mean() for factors in network.nodes[l].factors()])


def _gaps(band: _Band, width: float, x: np.ndarray, sub: np.ndarray) -> tuple[float, float]:
    """Return the heights below and above a band: the wider wires spread, the higher."""
    if not band.edges:
        return 0.4, 0.4
    i, j = np.array(band.edges).T
    centre = (band.column + 0.5) / band.n_columns * width
    below, above = np.abs(centre - x[i]).max(), np.abs(centre - sub[j]).max()
    return float(np.clip(0.4 * below, 0.42, 1.1)), float(np.clip(0.22 * above, 0.42, 1.5))


def _band_height(band: _Band, box: float) -> float:
    return box * (band.n_rows + ROW * (band.n_rows - 1))


def _wire(
    l: int, band: _Band, plan: _Plan, low: float, nodes: np.ndarray, ends: np.ndarray
) -> list[EdgePlace]:
    """Place the boxes of a band whose lower side is at `low`, and lead wires to them."""
    box, pitch = plan.box, plan.width / band.n_columns
    step = box * (1 + ROW)
    high = low + _band_height(band, box)
    last = band.n_rows - 1
    lane = (pitch - box) / (2 * last + 1) if last else 0.0
    places = []
    for (i, j), column, row in zip(band.edges, band.column, band.row, strict=True):
        x, y = (column + 0.5) * pitch, low + row * step
        into, out = [nodes[i]], [(x, y + box)]
        if row > 0:  # up on the left, the lower rows nearest to the box
            at = x - box / 2 - row * lane
            into += [(at, low), (at, y - ROW * box * 0.7)]
        if row < last:  # up on the right, the upper rows nearest to the box
            at = x + box / 2 + (last - row) * lane
            out += [(at, y + box + ROW * box * 0.7), (at, high)]
        into.append((x, y))
        out.append(ends[j])
        places.append(
            EdgePlace(l, i, j, x - box / 2, y, np.array(into, float), np.array(out, float))
        )
    return places
