"""Training on one mini-batch after another, as `partial_fit` gets them."""

from __future__ import annotations

import numpy as np

from ..model import KAN
from ..objective import Objective
from ..training import Batch, FitSettings
from ..training.adam import Moments, mini_batches


class Online:
    """Adam whose moments live on from call to call.

    Attributes
    ----------
    steps : int
        Mini-batches seen.
    """

    def __init__(self, model: KAN, settings: FitSettings) -> None:
        zeros = np.zeros(model.n_params)
        self._moments = Moments(zeros, zeros)
        self._settings = settings
        self.steps = 0

    def epoch(
        self, model: KAN, batch: Batch, objective: Objective, rng: np.random.Generator
    ) -> float:
        """Go once through the rows, in mini-batches, and return the mean objective.

        Raises
        ------
        ValueError
            If the objective or its gradient is not finite; the model is then as it was before the
            mini-batch.
        """
        totals = []
        for part, last in mini_batches(batch, self._settings.batch_size, rng):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                found = objective.evaluate(model.network, part.x, part.target, part.weight)
            gradient = found.gradient.theta
            if not (np.isfinite(found.total) and np.all(np.isfinite(gradient))):
                raise ValueError("the objective or its gradient is not finite on these rows")
            model.theta[...] += self._moments.step(gradient, self._settings.lr, self._settings)
            totals.append(found.total)
            self.steps += 1
            if last:
                break
        return float(np.mean(totals))
