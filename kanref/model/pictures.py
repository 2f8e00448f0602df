"""Pictures of a model, on Matplotlib axes and in notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from .. import plotting
from .._arrays import Array
from .symbolic import SymbolicMethods

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_DRAWN = 300
"""A notebook shows no picture of a network with more live edges."""


class PictureMethods(SymbolicMethods):
    """The network, one edge, the scores of the inputs."""

    def plot(
        self,
        ax: Axes | None = None,
        X: Any = None,
        *,
        scores: Sequence[Array] | None = None,
        metric: str = "backward",
        beta: float = 3.0,
        title: str | None = None,
        **style: Any,
    ) -> Axes:
        """Draw the network as the KAN paper does, a curve on every live edge.

        Parameters
        ----------
        ax : Axes, optional
            Where; by default a new figure.
        X : (N, n_in) or data frame, optional
            Inputs in data units: the curves then span the data, and the opacity of an edge is
            tanh(beta · score).
        scores : sequence of (n_in, n_out), optional
            Scores of your own.
        metric : {"backward", "forward_n", "forward_u"}
            Which score: attribution, spread over the spread of the input, or spread alone.
        beta : float
            How fast the opacity rises with the score.
        title : str, optional
            Of the axes.
        **style
            `ticks`, `colors`; see :func:`kanref.plotting.plot_network`.

        Returns
        -------
        Axes

        Examples
        --------
        >>> import numpy as np
        >>> from matplotlib.figure import Figure
        >>> from kanref import KAN
        >>> X = np.random.default_rng(0).uniform(-1, 1, (50, 2))
        >>> ax = KAN([2, 3, 1]).plot(Figure().add_subplot(), X, title="a KAN")
        >>> ax.get_title()
        'a KAN'
        """
        if ax is not None and not hasattr(ax, "plot"):
            raise TypeError(f"`ax` must be Matplotlib axes, got {type(ax).__name__}; X=… for data")
        return plotting.plot_network(
            self.network,
            ax,
            x=None if X is None else self._inputs(X),
            scores=scores,
            metric=metric,
            beta=beta,
            title=title,
            input_names=self.input_names,
            output_names=self.output_names,
            scaling=self.scaling,
            **style,
        )

    def plot_edge(
        self, l: int, i: int, j: int, ax: Axes | None = None, X: Any = None, **style: Any
    ) -> Axes:
        """Draw the curve of edge (l, i, j) with its parts and, given X, a histogram of its inputs.

        Parameters
        ----------
        l, i, j : int
            The edge from node i of layer l to subnode j of the next.
        ax : Axes, optional
            Where; by default a new figure.
        X : (N, n_in) or data frame, optional
            Inputs of the model in data units.
        **style
            `title`; see :func:`kanref.plotting.plot_edge`.

        Returns
        -------
        Axes
            What was drawn on.
        """
        return plotting.plot_edge(
            self.network,
            l,
            i,
            j,
            ax,
            x=None if X is None else self._inputs(X),
            input_names=self.input_names,
            scaling=self.scaling,
            **style,
        )

    def _repr_html_(self) -> str:
        """Show a table of the layers and the drawing, in notebooks."""
        rows = []
        for l, layer in enumerate(self.layers):
            live = int(layer.mask.sum())
            symbolic = sum(bool(layer.mask[e.i, e.j]) for e in layer.symbolic)
            cells = (l, layer.n_in, layer.n_out, layer.G, layer.k, live, symbolic)
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        head = ("layer", "inputs", "outputs", "G", "k", "live edges", "symbolic")
        title = "<tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr>"
        n_edges = sum(int(layer.mask.sum()) for layer in self.layers)
        picture = f"<p>No picture: {n_edges} edges are too many to tell apart.</p>"
        if n_edges <= MAX_DRAWN:
            picture = plotting.network_svg(
                self.network, input_names=self.input_names, output_names=self.output_names
            )
        return (
            f"<div><code>{escape(repr(self))}</code>"
            f"<table><thead>{title}</thead><tbody>{''.join(rows)}</tbody></table>{picture}</div>"
        )
