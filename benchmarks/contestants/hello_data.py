"""The data of hello-KAN: exp(sin(πx) + y²) at random points of the square, for every contestant."""

from __future__ import annotations

from typing import Any

LIBRARIES = {
    "tutorial": ["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs"],
    "all": None,
}
"""The functions to search: those of pykan's tutorial, or all that a contestant has."""


def sample(seed: int, n: int = 1000) -> tuple[Any, Any]:
    """Return inputs (n, 2) and values (n,)."""
    import numpy as np

    X = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return X, np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)


def rmse(a: Any, b: Any) -> float:
    """Return the root mean squared difference."""
    import numpy as np

    return float(np.sqrt(np.mean((a - b) ** 2)))
