"""What the tests of training share: a small network, data, and an objective to be spoiled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from builders import random_network, samples

from kanref.losses import loss_function
from kanref.network import Network
from kanref.objective import Evaluation, Objective
from kanref.regularization import Regularizer
from kanref.training import Batch, FitSettings

DEFAULT = ("coef", "scale_base", "scale_spline", "affine")
SHAPE = (2, (2, (2,)), 3)


def small(dtype: str = "float64", groups: Any = DEFAULT, **options: Any) -> Network:
    return random_network(SHAPE, dtype=dtype, groups=groups, **options)


def table(N: int = 41, seed: int = 1, dtype: str = "float64") -> Batch:
    x = samples(N, 2, seed=seed, dtype=dtype)
    target = np.stack([np.sin(3 * x[:, 0]), x[:, 0] * x[:, 1], np.exp(x[:, 1])], axis=1)
    return Batch(x, target)


def objective(**options: Any) -> Objective:
    return Objective(loss_function("mse"), Regularizer(**options))


def total(network: Network, data: Batch, goal: Any) -> float:
    return goal.evaluate(network, data.x, data.target, data.weight).total


def all_arrays(network: Network) -> list[np.ndarray]:
    """Every array of a network, copied: knots and masks too."""
    parts = (*network.layers, *network.nodes)
    return [a.copy() for part in parts for a in vars(part).values() if hasattr(a, "shape")]


def equal(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@dataclass
class Planted:
    """An objective that is spoiled where `bad` says so, of (network, number of the call)."""

    inner: Objective
    bad: Any
    spoil: str = "total"
    calls: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def evaluate(self, network: Network, *data: Any, **options: Any) -> Evaluation:
        found = self.inner.evaluate(network, *data, **options)
        self.calls += 1
        if not self.bad(network, self.calls):
            return found
        if self.spoil == "total":
            return replace(found, total=np.inf)
        theta = found.gradient.theta.copy()
        theta[0] = np.nan
        return replace(found, gradient=found.gradient.with_theta(theta))


BOTH = pytest.mark.parametrize(
    "settings",
    [
        FitSettings("lbfgs", 12, grid_update_num=2, stop_grid_update_step=8),
        FitSettings("adam", 12, grid_update_num=2, stop_grid_update_step=8, batch_size=9),
    ],
    ids=["lbfgs", "adam"],
)
