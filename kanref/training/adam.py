"""Adam on mini-batches (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .run import Run
from .settings import Batch, FitSettings


def mini_batches(
    data: Batch, size: int | None, rng: np.random.Generator
) -> Iterator[tuple[Batch, bool]]:
    """Yield mini-batches without end, and with each whether it is the last of its epoch.

    Every epoch is a new permutation of all rows, cut into pieces of `size`; the last piece may be
    shorter. A piece whose weights are all 0 has no loss, and is left out.
    """
    if size is None or size >= len(data):
        while True:
            yield data, True
    while True:
        order = rng.permutation(len(data))
        pieces = [order[start : start + size] for start in range(0, len(data), size)]
        weight = data.weight
        pieces = [rows for rows in pieces if weight is None or np.any(weight[rows] > 0)]
        for number, rows in enumerate(pieces):
            yield data.rows(rows), number == len(pieces) - 1


@dataclass
class Moments:
    """Running means of the gradient and of its square, and how many gradients went into them."""

    first: np.ndarray
    second: np.ndarray
    count: int = 0

    def step(self, gradient: np.ndarray, lr: float, settings: FitSettings) -> np.ndarray:
        """Take in a gradient, and return how far to move along each parameter."""
        beta1, beta2 = settings.betas
        self.count += 1
        self.first = beta1 * self.first + (1 - beta1) * gradient
        self.second = beta2 * self.second + (1 - beta2) * gradient**2
        first = self.first / (1 - beta1**self.count)  # both means started at 0
        second = self.second / (1 - beta2**self.count)
        return -lr * first / (np.sqrt(second) + settings.eps)


@dataclass
class Adam:
    """Adam with its place in the epoch; the moments are new in every call of `steps`."""

    run: Run
    rng: np.random.Generator
    _epoch: list[tuple[int, float]] = field(default_factory=list)  # (rows, objective)

    def __post_init__(self) -> None:
        self._batches = mini_batches(self.run.data, self.run.settings.batch_size, self.rng)

    def steps(self, end: int) -> None:
        """Take steps until there are `end` of them.

        Raises
        ------
        NonFinite
            If a mini-batch gives an objective or a gradient that is not finite; the best point so
            far is then restored.
        """
        run = self.run
        zeros = np.zeros_like(run.point.theta)
        moments = Moments(zeros, zeros)
        self._epoch.clear()
        while run.step < end:
            batch, epoch_ends = next(self._batches)
            self._step(moments, batch, epoch_ends)

    def _step(self, moments: Moments, batch: Batch, epoch_ends: bool) -> None:
        run, settings = self.run, self.run.settings
        theta = run.point.theta
        whole = batch is run.data
        terms = run.evaluate(theta, None if whole else batch)
        if not terms.finite:
            run.give_up(run.step + 1)
        self._epoch.append((len(batch), terms.total))
        if epoch_ends:
            # Not the point after this step: nobody has evaluated that yet.
            run.safe.offer(run.point, self._epoch_mean(), run.step)
        with np.errstate(over="ignore"):
            gradient = clip(terms.gradient, settings)
            theta = theta + moments.step(gradient, settings.learning_rate(run.step), settings)
        run.accept(theta, terms, here=False, measure=epoch_ends)
        if whole:
            run.check_gradient(terms)

    def _epoch_mean(self) -> float:
        rows, totals = np.array(self._epoch).T
        self._epoch.clear()
        return float(np.average(totals, weights=rows))


def clip(gradient: np.ndarray, settings: FitSettings) -> np.ndarray:
    """Cut every entry to ±clip_value, then scale the whole down to the norm clip_norm."""
    if settings.clip_value is not None:
        gradient = np.clip(gradient, -settings.clip_value, settings.clip_value)
    if settings.clip_norm is not None:
        norm = np.linalg.norm(gradient)
        if norm > settings.clip_norm:
            gradient = gradient * (settings.clip_norm / norm)
    return gradient
