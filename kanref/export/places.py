"""Where a page draws the nodes, boxes and wires of a network: arrangements of several widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..network import Network
from ..plotting.layout import Layout, arrange, natural_width
from ..plotting.text import Labels, fit_labels, shorten

WIDTHS = (3.95, 6.4, 9.2)
"""Inches, beside what the network wants: a phone has the first."""

LEGIBLE = 0.22
"""Side of a box, in inches, below which a narrow arrangement is left out."""

PITCH, WIDEST = 0.34, 34.0
"""Nodes stand so many inches apart at least, in an arrangement of so many at most."""

_NAME_SIZE = 11.5  # points
_SHORT = 13  # letters of a name; all others of the page have it whole
_SIDE = 0.12
_BELOW, _ABOVE = 0.4, 0.34  # beside the names, for the node and the value
_SLANTED = 0.16  # the same for slanted names, which have no value


def layouts(
    network: Network,
    names: tuple[Sequence[str], Sequence[str]],
    index: Mapping[tuple[int, int, int], int],
) -> list[dict[str, Any]]:
    """Return arrangements of a network, the narrowest first.

    Parameters
    ----------
    network : Network
        With the edges that are to be drawn.
    names : (inputs, outputs)
        As the page shows them.
    index : mapping of (l, i, j) to int
        What the page calls the edges.
    """
    longest = max(len(word) for row in names for name in row for word in name.split())
    most = max(network.n_in, *(nodes.n_nodes for nodes in network.nodes))
    widest = natural_width(network, 0.1 * min(max(longest, 5), 13))
    widest = max(widest, min(most * PITCH, WIDEST))
    found = []
    for width in [*(w for w in WIDTHS if w < widest - 0.2), max(widest, WIDTHS[0])]:
        layout = arrange(network, width)
        if layout.box >= LEGIBLE or width >= widest:
            found.append(_placed(network, layout, names, index))
    return found


def _placed(
    network: Network,
    layout: Layout,
    names: tuple[Sequence[str], Sequence[str]],
    index: Mapping[tuple[int, int, int], int],
) -> dict[str, Any]:
    below, above = (_labels(row, layout.width) for row in names)
    left, right = _overhang(below, layout.width), _overhang(above, layout.width)
    bottom = below.height + (_SLANTED if below.rotation else _BELOW)
    top = above.height + (_SLANTED if above.rotation else _ABOVE)
    margins = (_SIDE + left, bottom, _SIDE + right, top)
    return {
        "width": _n(layout.width),
        "height": _n(layout.height),
        "box": _n(layout.box),
        "margins": [_n(margin) for margin in margins],
        "nodes": [_points(level) for level in layout.nodes],
        "stems": _stems(network, layout),
        "edges": [
            {
                "edge": index[place.l, place.i, place.j],
                "x": _n(place.x),
                "y": _n(place.y),
                "into": _points(place.into),
                "out": _points(place.out),
            }
            for place in layout.edges
        ],
        "inputs": {"texts": below.texts, "rotation": below.rotation},
        "outputs": {"texts": above.texts, "rotation": above.rotation},
    }


def _labels(names: Sequence[str], width: float) -> Labels:
    """Fit a row of names; those that would stand out far from a narrow drawing are cut."""
    pitch = width / len(names)
    found = fit_labels(names, pitch, _NAME_SIZE)
    if 0 < found.rotation and max(found.width, found.height) > width / 4:
        found = fit_labels([shorten(name, _SHORT) for name in names], pitch, _NAME_SIZE)
    return found


def _overhang(labels: Labels, width: float) -> float:
    """Return how far the first or last name of a slanted row stands out."""
    pitch = width / len(labels.texts)
    return max(labels.width - pitch / 2, 0.0) if 0 < labels.rotation < 90 else 0.0


def _stems(network: Network, layout: Layout) -> list[list[list[float]]]:
    """Return the lines from the factors to their products."""
    found = []
    for nodes, above, below in zip(network.nodes, layout.nodes[1:], layout.subnodes, strict=True):
        for node, factors in enumerate(nodes.factors()):
            if node >= nodes.n_sum:
                found += [_points(np.array([below[j], above[node]])) for j in factors]
    return found


def _points(points: np.ndarray) -> list[list[float]]:
    return [[_n(x), _n(y)] for x, y in points]


def _n(value: float) -> float:
    return round(float(value), 3)
