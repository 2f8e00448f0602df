"""Methods that change the structure: each returns a new model and leaves this one as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import grids, plotting, pruning
from ..attribution import Attribution, attribute, feature_interaction
from . import checks
from .training import TrainingMethods

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Scores(Attribution):
    """Scores of a model's nodes, edges and inputs, with a picture of the inputs'."""

    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw the scores of the inputs as bars.

        `style` goes to :func:`kanref.plotting.plot_scores`: `threshold`, `title`.
        """
        return plotting.plot_scores(self.input_names or (), self.feature_scores, ax, **style)


class StructureMethods(TrainingMethods):
    """Grids, attribution and pruning."""

    def update_grid(self, X: Any, grid_eps: float | None = None) -> Self:
        """Return the model with every grid moved to where the data are.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        grid_eps : float, optional
            Share of the uniform grid; the rest are quantiles. The model's own by default.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        eps = self.grid_eps if grid_eps is None else grid_eps
        return self._with(grids.update_grid(self.network, self._inputs(X), eps))

    def refine(self, G: int | Sequence[int], X: Any = None) -> Self:
        """Return the model on finer grids of `G` intervals: grid extension.

        If the new breakpoints contain the old ones (G a multiple), the function stays the same;
        else the coefficients are fitted to the old splines on `X`.

        Parameters
        ----------
        G : int or sequence of int
            Grid intervals, for all layers or for each.
        X : (N, n_in) or data frame, optional
            Inputs in data units.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        finer = checks.per_layer("G", G, len(self.layers), least=1)
        shapes = [(a.n_in, a.n_out, g, a.k) for a, g in zip(self.layers, finer, strict=True)]
        checks.size("`G`", shapes)
        x = None if X is None else self._inputs(X)
        return self._with(grids.refine(self.network, G, x))

    def attribute(
        self, X: Any, *, l: int | None = None, out_score: Sequence[float] | None = None
    ) -> Scores:
        """Score every node, edge and input on a table X (N, n_in) or data frame, data units.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        l, out_score
            See :func:`kanref.attribution.attribute`.

        Returns
        -------
        Scores
            An :class:`~kanref.attribution.Attribution` that can be drawn: ``.plot()``.

        Examples
        --------
        >>> import numpy as np
        >>> from kanref import KAN
        >>> model = KAN([2, 3, 1]).remove_edge(0, 1, 0).remove_edge(0, 1, 1).remove_edge(0, 1, 2)
        >>> scores = model.attribute(np.random.default_rng(0).uniform(-1, 1, (50, 2)))
        >>> scores.feature_scores.round(3)[1]
        np.float64(0.0)
        """
        statistics = self._statistics(self._finite_inputs(X))
        out = None if out_score is None else np.asarray(out_score, dtype=float)
        scores = attribute(
            self.network, statistics, l=l, out_score=out, input_names=self.input_names
        )
        return Scores(**vars(scores))

    def feature_interaction(
        self, X: Any, l: int, *, neuron_th: float = 1e-2, feature_th: float = 1e-2
    ) -> dict[tuple[int, ...], int]:
        """Return which sets of inputs act together in the nodes of layer `l`, and how often.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        l : int
            The layer whose nodes are looked at; the inputs are layer 0.
        neuron_th : float
            Nodes that score less are left out.
        feature_th : float
            An input acts in a node if its score exceeds this share of the largest.

        Returns
        -------
        dict of tuple of int to int
            Sets of inputs, and how many nodes look at exactly these.
        """
        statistics = self._statistics(self._finite_inputs(X))
        return feature_interaction(
            self.network, statistics, l, neuron_th=neuron_th, feature_th=feature_th
        )

    def prune_plan(self, X: Any, node_th: float = 1e-2, edge_th: float = 3e-2) -> pruning.PrunePlan:
        """Tell what :meth:`prune` with the same arguments would remove, and why.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        node_th, edge_th : float
            As in :meth:`prune`.

        Returns
        -------
        PrunePlan
            Prints as a table; ``.items`` has a row for each thing that would go.
        """
        return pruning.prune_plan(self.network, self._inputs(X), node_th, edge_th)

    def prune(self, X: Any, node_th: float = 1e-2, edge_th: float = 3e-2) -> Self:
        """Return the model without the hidden nodes and edges that score below the thresholds.

        No layer is emptied and no output cut off from all inputs.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units, on which the scores are taken.
        node_th, edge_th : float
            Least scores of what stays.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        return self._with(pruning.prune(self.network, self._inputs(X), node_th, edge_th))

    def prune_node(
        self,
        X: Any = None,
        threshold: float = 1e-2,
        *,
        active: Sequence[Sequence[int]] | None = None,
    ) -> Self:
        """Return the model with the hidden nodes that score above `threshold`, or the listed ones.

        Parameters
        ----------
        X : (N, n_in) or data frame, optional
            Inputs in data units; needed without `active`.
        threshold : float
            Least score of a node that stays.
        active : sequence of sequence of int, optional
            For each hidden layer the nodes to keep.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        x = None if X is None else self._inputs(X)
        return self._with(pruning.prune_node(self.network, x, threshold, active=active))

    def prune_edge(self, X: Any, threshold: float = 3e-2) -> Self:
        """Return the model without the edges that score below `threshold` on X (N, n_in).

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        threshold : float
            Least score of an edge that stays.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        return self._with(pruning.prune_edge(self.network, self._inputs(X), threshold))

    def prune_input(
        self, X: Any = None, threshold: float = 1e-2, *, active: Sequence[int] | None = None
    ) -> Self:
        """Return the model of the inputs that score above `threshold`, or of the listed ones.

        It takes the remaining columns only, and keeps their names and scaling.

        Parameters
        ----------
        X : (N, n_in) or data frame, optional
            Inputs in data units, on which the scores are taken; not needed with `active`.
        threshold : float
            Least score of an input that stays.
        active : sequence of int, optional
            The inputs that stay, whatever they score.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        x = None if X is None else self._inputs(X)
        network, kept = pruning.prune_input(self.network, x, threshold, active=active)
        return self._with(
            network,
            input_names=[self.input_names[i] for i in kept],
            scaling=self.scaling.select(list(kept)),
        )

    def remove_edge(self, l: int, i: int, j: int) -> Self:
        """Return the model without edge (l, i, j).

        Parameters
        ----------
        l, i, j : int
            The edge from node i of layer l to subnode j of the next.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        return self._with(pruning.remove_edge(self.network, l, i, j))

    def remove_node(self, l: int, i: int) -> Self:
        """Return the model without node i of hidden layer l ≥ 1; inputs go by `prune_input`.

        Parameters
        ----------
        l, i : int
            Layer and place of the node.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        return self._with(pruning.remove_node(self.network, l, i))
