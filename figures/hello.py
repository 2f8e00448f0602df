"""The network that two pictures show: hello-KAN, trained until three edges are left, snapped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kanref import KAN


class Stages(NamedTuple):
    """The data X (N, 2), z (N,), and the model after each stage."""

    X: np.ndarray
    z: np.ndarray
    trained: KAN
    pruned: KAN
    snapped: KAN


def samples(n: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Return X (n, 2), uniform on [-1, 1], and exp(sin(πx) + y²)."""
    X = np.random.default_rng(0).uniform(-1, 1, (n, 2))
    return X, np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)


def stages() -> Stages:
    """Train without a penalty for the first picture, and with it for the others."""
    X, z = samples()
    model = KAN([2, 5, 1], grid=5, seed=0)
    model.input_names, model.output_names = ["x", "y"], ["z"]
    trained = model.copy()
    trained.fit(X, z, steps=30)
    model.fit(X, z, steps=300, lamb=5e-3, reg_metric="edge_backward")
    pruned = model.prune(X)
    pruned.fit(X, z, steps=100)
    snapped = pruned.auto_symbolic(X, z)
    error = np.sqrt(np.mean((snapped.predict(X)[:, 0] - z) ** 2))
    print("z =", snapped.symbolic_formula(round_to=4)[0], f"(RMSE {error:.0e})")
    return Stages(X, z, trained, pruned, snapped)
