"""Pictures: a network, one edge, a row of scores; on Matplotlib axes or as a small SVG.

``text``      names as pictures show them, wrapped and shortened
``batch``     ranges of the nodes and scores of the edges, from a batch
``curves``    φ sampled over a range
``layout``    where nodes, boxes and wires stand
``page``      the layout with the names around it
``scene``     what is visible, as plain data
``pen``       colours, and the scale of lines and text
``nodes``     nodes and names on Matplotlib axes
``draw``      networks on Matplotlib axes
``svg``       the same as an SVG text, for notebooks
``edge``      one edge with its basis functions and data
``bars``      scores as bars

Drawing on given axes touches nothing else: no file, no global state. Only where no axes are given
is a new figure made through pyplot, so that notebooks show it.
"""

from .bars import plot_scores
from .draw import figure_size, plot_network
from .edge import plot_edge
from .svg import network_svg

__all__ = ["figure_size", "network_svg", "plot_edge", "plot_network", "plot_scores"]
