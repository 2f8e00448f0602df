"""The page around a layout: names below and above, margins, and the scale of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..network import Network
from .layout import Layout, arrange, natural_width
from .text import Labels, fit_labels, variable_names

NAME_SIZE = 11.0  # points
SIDE = 0.12  # inches beside the first and the last node's place
NARROWEST = 0.8  # inches, of a layout in axes that may be smaller
NAME_GAP = 0.11  # between a node and its name
PRODUCT_GAP = 0.15  # between a product node and its name


@dataclass(frozen=True)
class Page:
    """A layout with the names of its inputs and outputs.

    Attributes
    ----------
    layout : Layout
    inputs, outputs : Labels
        Names fitted below the first and above the last row.
    margins : (left, bottom, right, top)
        In inches, around the layout.
    output_gap : float
        Between an output node and its name.
    """

    layout: Layout
    inputs: Labels
    outputs: Labels
    margins: tuple[float, float, float, float]
    output_gap: float

    @property
    def width(self) -> float:
        """Of everything, in inches."""
        return self.margins[0] + self.layout.width + self.margins[2]

    @property
    def height(self) -> float:
        """Of everything, in inches."""
        return self.margins[1] + self.layout.height + self.margins[3]


def set_page(
    network: Network,
    input_names: Sequence[object] | None,
    output_names: Sequence[object] | None,
    size: tuple[float, float] | None = None,
) -> Page:
    """Lay a network out in `size` (width, height) inches, or in the size it wants."""
    inputs = variable_names(input_names, network.n_in, "x", "input_names")
    outputs = variable_names(output_names, network.n_out, "y", "output_names")
    gap = PRODUCT_GAP if network.nodes[-1].arity else NAME_GAP
    pitch = _name_pitch([*inputs, *outputs])
    width = natural_width(network, pitch) if size is None else size[0] - 2 * SIDE
    for _ in range(4):  # names depend on the width, and in a given size the width on the names
        width = max(width, NARROWEST)
        below = fit_labels(inputs, width / network.n_in, NAME_SIZE)
        above = fit_labels(outputs, width / network.n_out, NAME_SIZE)
        left = SIDE + _overhang(below, width / network.n_in)
        right = SIDE + _overhang(above, width / network.n_out)
        if size is None:
            break
        width = size[0] - left - right
    bottom, top = below.height + NAME_GAP + 0.06, above.height + gap + 0.06
    height = None if size is None else size[1] - bottom - top
    layout = arrange(network, max(width, NARROWEST), height)
    return Page(layout, below, above, (left, bottom, right, top), gap)


def _name_pitch(names: Sequence[str]) -> float:
    """Return the distance of nodes at which a name of usual length has room."""
    longest = max(len(word) for name in names for word in name.split() or [""])
    return 0.1 * min(max(longest, 5), 13)


def _overhang(labels: Labels, pitch: float) -> float:
    """Return how far the first or last name of a slanted row stands out."""
    return max(labels.width - pitch / 2, 0.0) if 0 < labels.rotation < 90 else 0.0
