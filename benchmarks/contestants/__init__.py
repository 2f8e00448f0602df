"""Who takes part: one module per library, each with ``build(case) -> Contestant``.

A module imports its library inside `build`: whoever reads this package needs none of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import prod
from typing import Any

MODULES = {
    "kanref": "kanref_network",
    "pykan": "pykan",
    "pykan speed()": "pykan",
    "efficient-kan": "efficient_kan",
    "fast-kan": "fast_kan",
    "jaxKAN": "jaxkan",
    "torch MLP": "torch_mlp",
    "sklearn MLP": "sklearn_mlp",
}
"""Contestant → module of this package that builds it."""

KAN_PEERS = ("pykan", "pykan speed()", "efficient-kan", "fast-kan", "jaxKAN")
MLP_PEERS = ("torch MLP", "sklearn MLP")
PEERS = (*KAN_PEERS, *MLP_PEERS)


@dataclass(frozen=True)
class Case:
    """What is measured: a network, a batch and a number type."""

    widths: tuple[int, ...]
    N: int
    G: int
    dtype: str = "float64"
    k: int = 3

    @property
    def edges(self) -> int:
        """Number of edges of the network."""
        return sum(a * b for a, b in pairwise(self.widths))

    @property
    def parameters(self) -> int:
        """Parameters of kanref's network: G + k coefficients and two scales per edge."""
        return self.edges * (self.G + self.k + 2)

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return {"float32": 4, "float64": 8}[self.dtype]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return asdict(self) | {"widths": list(self.widths)}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Case:
        """Return the case of `to_json`."""
        known = {name: fields[name] for name in cls.__dataclass_fields__}
        return cls(**known | {"widths": tuple(fields["widths"])})


@dataclass(frozen=True)
class Contestant:
    """A network with its batch, ready to run."""

    forward: Callable[[], Any]
    step: Callable[[], Any]  # forward, mean squared error, gradient of every parameter
    loss: Callable[[], float]
    parameters: int


def build(name: str, case: Case) -> Contestant:
    """Build a contestant; its library is imported now."""
    module = importlib.import_module(f".{MODULES[name]}", __package__)
    if name == "pykan speed()":
        return module.build(case, speed=True)
    return module.build(case)


def batch(case: Case) -> tuple[Any, Any]:
    """Return the inputs (N, n_in), uniform on [-1, 1], and the targets (N, n_out)."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (case.N, case.widths[0]))
    target = rng.normal(size=(case.N, case.widths[-1]))
    return x.astype(case.dtype), target.astype(case.dtype)


def mlp_widths(case: Case) -> tuple[int, ...]:
    """Return the widths of the multi-layer perceptron whose parameter count is nearest.

    It has as many hidden layers as the Kolmogorov-Arnold network, at least one, all equally wide.
    """
    n_hidden = max(1, len(case.widths) - 2)
    n_in, n_out = case.widths[0], case.widths[-1]

    def widths(h: int) -> tuple[int, ...]:
        return (n_in, *[h] * n_hidden, n_out)

    high = 1
    while mlp_parameters(widths(high)) < case.parameters:
        high *= 2
    low = high // 2
    while high - low > 1:  # the count grows with h: bisection
        middle = (low + high) // 2
        if mlp_parameters(widths(middle)) < case.parameters:
            low = middle
        else:
            high = middle
    near = [h for h in (low, high) if h > 0]
    return widths(min(near, key=lambda h: abs(mlp_parameters(widths(h)) - case.parameters)))


def mlp_parameters(widths: tuple[int, ...]) -> int:
    """Return the number of weights and biases."""
    return sum((a + 1) * b for a, b in pairwise(widths))


def too_large(name: str, case: Case, limit: float) -> str | None:
    """Tell why a contestant is left out of a case: its arrays, or its loops over the edges.

    The estimates are lower bounds from the shapes that each library's forward pass keeps for its
    backward pass; `limit` is in bytes.
    """
    layers = list(pairwise(case.widths))
    basis = max(case.N * n_in * (case.G + case.k) for n_in, _ in layers)
    edges = max(case.N * prod(layer) for layer in layers)
    copies = {"efficient-kan": 8, "pykan": 10, "pykan speed()": 10, "jaxKAN": 8, "fast-kan": 4}
    size = copies.get(name, 0) * basis
    if name in ("pykan", "pykan speed()"):
        size += 6 * edges
    if size * case.itemsize > limit:
        return f"its arrays need more than {size * case.itemsize / 2**30:.1f} GiB"
    if name == "pykan" and case.edges > 1000:
        return f"it loops over {case.edges} symbolic edges in Python"
    return None
