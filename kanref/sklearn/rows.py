"""Rows to learn from: every distinct row once, with the sum of its weights.

A row of weight 2 and a row that occurs twice become the same row here, one of weight 0 vanishes,
and the order in which rows came is forgotten. Whatever is computed from them, the cut of
cross-validation and the course of a non-convex fit included, is therefore equal to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..losses import Loss
from ..scaling import Scaling
from ..training import Batch

CONSTANT = 1e-9
"""Unit of a constant target, as a share of its size."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Distinct rows.

    Attributes
    ----------
    X : (N, n_in)
        Inputs in data units.
    target : (N, n_out) or (N,)
        Targets in data units, or the numbers of the classes.
    weight : (N,)
        Weights, all positive.
    """

    X: np.ndarray
    target: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.X)

    @property
    def classify(self) -> bool:
        """Whether the target is made of classes."""
        return self.target.ndim == 1

    def take(self, index: np.ndarray) -> Rows:
        """Return some of the rows."""
        return Rows(self.X[index], self.target[index], self.weight[index])

    def times(self, factor: np.ndarray) -> Rows:
        """Return the rows with their weights multiplied by `factor` (N,), those of 0 left out."""
        weight = self.weight * factor
        return Rows(self.X, self.target, weight).take(np.flatnonzero(weight > 0))

    def and_more(self, other: Rows) -> Rows:
        """Return these rows and others, equal ones merged."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in ("X", "target", "weight"))
        return distinct_rows(*(np.concatenate(pair) for pair in pairs))

    def batch(self, scaling: Scaling) -> Batch:
        """Return the rows in network units."""
        target = self.target if self.classify else scaling.y_to_network(self.target)
        return Batch(scaling.x_to_network(self.X), target, self.weight)


def distinct_rows(X: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> Rows:
    """Merge equal rows, add their weights, and sort.

    Examples
    --------
    >>> X, y = np.array([[2.0], [1.0], [2.0], [3.0]]), np.array([[5.0], [4.0], [5.0], [6.0]])
    >>> rows = distinct_rows(X, y, np.array([1.0, 1.0, 2.0, 0.0]))
    >>> rows.X[:, 0], rows.weight
    (array([1., 2.]), array([1., 3.]))
    """
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=float)
    kept = weight > 0
    X, target, weight = X[kept], target[kept], weight[kept]
    table = np.column_stack([X, target])  # (N, n_in + n_out)
    order = np.lexsort(table.T[::-1])
    table = table[order]
    new = np.ones(len(table), dtype=bool)
    new[1:] = np.any(table[1:] != table[:-1], axis=1)
    sums = np.bincount(np.cumsum(new) - 1, weights=weight[order])
    first = order[new]
    return Rows(X[first], target[first], sums)


def standard_scaling(rows: Rows, n_out: int, *, final: bool = False) -> Scaling:
    """Return the scaling to weighted mean 0 and standard deviation 1; classes keep logits as such.

    A constant column is shifted only. If these rows are `final`, all that there will be, a constant
    target gets a unit so small that the network cannot be seen in it.
    """
    share = rows.weight / rows.weight.sum()
    x_shift, x_scale = _moments(rows.X, share)
    if rows.classify:
        return Scaling(x_shift, x_scale, np.zeros(n_out), np.ones(n_out))
    y_shift, y_scale = _moments(rows.target, share)
    if final:
        size = np.maximum(np.abs(y_shift), np.finfo(float).tiny)
        constant = np.ptp(rows.target, axis=0) <= 1e-12 * size
        y_scale = np.where(constant, np.maximum(CONSTANT * size, np.finfo(float).tiny), y_scale)
    return Scaling(x_shift, x_scale, y_shift, y_scale)


def _moments(columns: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = columns.min(axis=0), columns.max(axis=0)
    mean = np.clip(share @ columns, low, high)
    deviation = columns - mean
    size = np.maximum(np.abs(deviation).max(axis=0), np.finfo(float).tiny)
    std = size * np.sqrt(share @ (deviation / size) ** 2)  # squares of huge numbers overflow
    constant = std <= 1e-12 * np.maximum(np.abs(mean), np.finfo(float).tiny)
    return mean, np.where(constant, 1.0, std)


def folds(
    rows: Rows, n_folds: int, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return pairs (training rows, held-out rows); classes are spread evenly over the folds."""
    order = rng.permutation(len(rows))
    if rows.classify:
        order = order[np.argsort(rows.target[order], kind="stable")]
    return [
        (np.sort(np.delete(order, slice(f, None, n_folds))), np.sort(order[f::n_folds]))
        for f in range(n_folds)
    ]


def weighted_loss(loss: Loss, prediction: np.ndarray, batch: Batch) -> float:
    """Return the loss of predictions, times the weight that they bear."""
    assert batch.weight is not None  # rows have weights always
    return float(loss(prediction, batch.target, batch.weight)[0]) * float(batch.weight.sum())
