"""Training on one mini-batch after another, as `partial_fit` gets them.

The first rows decide the units and the grids. One row has no spread, and two rows a poor one, so
the units stay open until :data:`OPENING` different rows have come: these are kept until then, and
each call takes the units from all of them, while the network trains on.
"""

from __future__ import annotations

import numpy as np

from ..model import KAN
from ..objective import Objective
from ..training import Batch, FitSettings
from ..training.adam import Moments, mini_batches
from . import grids
from .rows import Rows, standard_scaling

OPENING = 50
"""So many different rows decide the units and the grids, or as many more as come with the last."""


class Online:
    """Adam whose moments live on from call to call.

    Attributes
    ----------
    steps : int
        Mini-batches seen.
    first : Rows or None
        The rows that came so far, as long as the units are open.
    """

    def __init__(self, model: KAN, first: Rows | None) -> None:
        zeros = np.zeros(model.n_params)
        self._moments = Moments(zeros, zeros)
        self.steps = 0
        self.first = first

    def adjust(self, model: KAN, rows: Rows) -> None:
        """Give the model the units and grids of all rows so far, while these are open."""
        if self.first is None:
            return
        self.first = self.first.and_more(rows)
        model.scaling = standard_scaling(self.first, model.n_out)
        model.network = grids.follow(model.network, self.first.batch(model.scaling).x)
        if len(self.first) >= OPENING:
            self.first = None

    def epoch(
        self,
        model: KAN,
        batch: Batch,
        objective: Objective,
        settings: FitSettings,
        rng: np.random.Generator,
    ) -> float:
        """Go once through the rows, in mini-batches, and return the mean objective.

        Raises
        ------
        ValueError
            If the objective or its gradient is not finite; the model is then as it was before the
            mini-batch.
        """
        totals = []
        for part, last in mini_batches(batch, settings.batch_size, rng):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                found = objective.evaluate(model.network, part.x, part.target, part.weight)
            gradient = found.gradient.theta
            if not (np.isfinite(found.total) and np.all(np.isfinite(gradient))):
                raise ValueError("the objective or its gradient is not finite on these rows")
            model.theta[...] += self._moments.step(gradient, settings.lr, settings)
            totals.append(found.total)
            self.steps += 1
            if last:
                break
        return float(np.mean(totals))
