"""From stiff to flexible: networks along a path of falling penalties, and where to stop on it.

How flexible a fit may be depends on the noise, and differs by orders of magnitude from table to
table. So the estimators start with a penalty that leaves a linear model, train, divide the factor
by ten, train on from there, and so forth. Internal cross-validation on the same path says which
factor predicts best; the fit on all rows goes down to that one. Starting stiff also keeps a
non-convex fit away from the bad minima that a flexible start runs into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .. import training
from ..losses import loss_function
from ..network import Network, network_forward
from ..objective import MAX_MEMORY, Objective, split
from ..training import Batch, FitSettings, History
from . import grids
from .roughness import Roughness
from .rows import Rows, folds, weighted_loss

ALPHAS = tuple(10.0**-e for e in range(7))
"""The path: 1, 0.1, …, 1e-6."""

ALPHA_OF_FEW = 1e-2
"""What is taken where there are too few rows to choose by cross-validation."""

FEW = 100
"""Fewer rows than this are cut into five parts and not three."""

PATIENCE = 2
"""The search ends after so many factors in a row that were worse than the best."""

MAX_ROWS = 4000
"""The path is walked on so many rows at most, drawn at random; the last stage sees all."""


@dataclass(frozen=True)
class Walk:
    """How to walk.

    Attributes
    ----------
    new_network : callable
        Makes the network that a walk starts from; the same one each time.
    loss : str
        Name of the loss.
    steps : int
        Iterations of L-BFGS at each factor.
    """

    new_network: Callable[[], Network]
    loss: str
    steps: int

    def stage(self, network: Network, batch: Batch, alpha: float) -> tuple[Network, History]:
        """Move the grids to the data, then train at one factor."""
        network = grids.follow(network, batch.x)
        settings = FitSettings(steps=self.steps, update_grid=False)
        history = training.fit(network, batch, self.objective(alpha), settings, progress=False)
        return network, history

    def down_to(
        self, network: Network, batch: Batch, alphas: Sequence[float]
    ) -> tuple[Network, History]:
        """Walk through all of `alphas`; the first is trained twice, as new grids come with it."""
        history = History()
        for alpha in [*alphas[:1], *alphas]:
            network, more = self.stage(network, batch, alpha)
            history = history + more
        return network, history

    def objective(self, alpha: float) -> Objective:
        """Return loss + alpha · P."""
        return Objective(loss_function(self.loss), Roughness(lamb=alpha))


@dataclass(frozen=True, eq=False)
class Choice:
    """The factor that cross-validation chose, and the held-out losses of those it tried."""

    alpha: float
    alphas: np.ndarray
    losses: np.ndarray


def choose_alpha(
    walk: Walk, rows: Rows, to_batch: Callable[[Rows], Batch], rng: np.random.Generator
) -> Choice:
    """Choose the factor of the penalty by cross-validation, all folds side by side."""
    n_folds = number_of_folds(rows)
    if n_folds < 2:
        return Choice(ALPHA_OF_FEW, np.array([]), np.array([]))
    pairs = [
        (to_batch(rows.take(train)), to_batch(rows.take(held)))
        for train, held in folds(rows, n_folds, rng)
    ]
    networks = [walk.stage(walk.new_network(), train, ALPHAS[0])[0] for train, _ in pairs]
    loss, losses = loss_function(walk.loss), []
    for alpha in ALPHAS:
        total = 0.0
        for f, (train, held) in enumerate(pairs):
            networks[f], _ = walk.stage(networks[f], train, alpha)
            total += weighted_loss(loss, predict(networks[f], held.x), held)
        losses.append(total / rows.weight.sum())
        if len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE:
            break
    best = int(np.nanargmin(losses)) if np.any(np.isfinite(losses)) else 0
    return Choice(ALPHAS[best], np.array(ALPHAS[: len(losses)]), np.array(losses))


def number_of_folds(rows: Rows) -> int:
    """Return into how many parts the rows are cut; 1 where they are too few to be cut.

    Each training part must hold every class.
    """
    n = len(rows)
    if rows.classify:
        n = min(n, 3 * int(np.bincount(rows.target)[np.unique(rows.target)].min()))
    if n < 6:
        return 1
    return 5 if len(rows) < FEW and n >= 15 else 3


def part_of(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return at most MAX_ROWS rows; of every class some."""
    if len(rows) <= MAX_ROWS:
        return rows
    return rows.take(folds(rows, int(np.ceil(len(rows) / MAX_ROWS)), rng)[0][1])


def predict(network: Network, x: np.ndarray) -> np.ndarray:
    """Evaluate at x (N, n_in), network units, in bounded memory: (N, n_out)."""
    parts = [network_forward(network, chunk)[0] for chunk in split(network, x, MAX_MEMORY)]
    return np.concatenate(parts)


def last_stage(
    walk: Walk,
    network: Network,
    batch: Batch,
    alpha: float,
    settings: FitSettings,
    held_out: Batch | None,
    rng: np.random.Generator,
    verbose: bool,
) -> tuple[Network, History]:
    """Train on all rows at the chosen factor."""
    network = grids.follow(network, batch.x)
    return network, training.fit(
        network,
        batch,
        walk.objective(alpha),
        replace(settings, update_grid=False),
        rng=rng,
        validation=held_out,
        progress=verbose,
    )
