"""Networks for tests: small, random, with everything that a network can have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kanref.bspline import extend_grid
from kanref.functions import FUNCTIONS, base_function
from kanref.layer import Layer, SymbolicEdge
from kanref.network import PARAMETERS, Network
from kanref.nodes import Nodes

DATA = Path(__file__).parent / "data"

WIDTH = (2, (3, (2, 3)), 3)
"""2 inputs; 3 sum nodes and 2 product nodes with 2 and 3 factors: 5 nodes, 8 sums; 3 outputs."""

SMOOTH = ("sin", "tanh", "gaussian", "x^2", "cosh")
"""Symbolic functions defined everywhere: differences may go where they like."""


def random_network(
    width: Sequence[Any] = WIDTH,
    G: int = 4,
    k: int = 3,
    *,
    symbolic: bool = True,
    masked: bool = True,
    extrapolate: str = "linear",
    spline_scale: bool = True,
    base_fun: str = "silu",
    groups: Sequence[str] = PARAMETERS,
    dtype: str = "float64",
    seed: int = 0,
    xp: ModuleType = np,
) -> Network:
    """Draw a network on uneven grids over [-1, 1], all of its parameters random.

    A level of `width` is a number of sum nodes, or (number of sum nodes, factors of each product
    node). With `symbolic`, a quarter of the edges of each layer are symbolic; with `masked`, a
    quarter are dead, with parameters that would show if they were not.
    """
    rng = np.random.default_rng(seed)
    levels = [level if isinstance(level, (tuple, list)) else (level, ()) for level in width]
    layers, nodes = [], []
    for (n_sum, arity), (next_sum, next_arity) in pairwise(levels):
        n_in, n_out = n_sum + len(arity), next_sum + sum(next_arity)
        layer = _random_layer(rng, n_in, n_out, G, k, symbolic, masked)
        if not spline_scale:
            layer = replace(layer, scale_spline=None)
        layers.append(replace(layer, extrapolate=extrapolate, base_fun=base_function(base_fun)))
        nodes.append(_random_nodes(rng, next_sum, tuple(next_arity)))

    def convert(a: np.ndarray) -> Any:
        return xp.asarray(a if a.dtype == bool else a.astype(dtype))

    return Network.assemble(layers, nodes, groups).map(convert)


def _random_layer(
    rng: np.random.Generator, n_in: int, n_out: int, G: int, k: int, symbolic: bool, masked: bool
) -> Layer:
    grid = np.linspace(-1, 1, G + 1) + rng.uniform(-0.3, 0.3, (n_in, G + 1)) / G
    edges = rng.permutation(n_in * n_out)
    quarter = len(edges) // 4
    taken = edges[:quarter] if symbolic else edges[:0]
    mask = np.ones(n_in * n_out, dtype=bool)
    mask[edges[quarter : 2 * quarter]] = not masked
    return Layer(
        knots=extend_grid(grid, k),
        coef=2 * rng.normal(size=(n_in, n_out, G + k)),
        scale_base=rng.normal(size=(n_in, n_out)),
        scale_spline=rng.normal(size=(n_in, n_out)),
        mask=mask.reshape(n_in, n_out),
        affine=rng.uniform(0.3, 1.0, (len(taken), 4)),
        symbolic=tuple(
            SymbolicEdge(int(e) // n_out, int(e) % n_out, FUNCTIONS[SMOOTH[s % len(SMOOTH)]])
            for s, e in enumerate(taken)
        ),
        k=k,
        extrapolate="linear",
        base_fun=base_function("silu"),
    )


def _random_nodes(rng: np.random.Generator, n_sum: int, arity: tuple[int, ...]) -> Nodes:
    n_subnodes, n_nodes = n_sum + sum(arity), n_sum + len(arity)
    return Nodes(
        n_sum=n_sum,
        arity=arity,
        subnode_scale=rng.uniform(0.6, 1.2, n_subnodes) * rng.choice([-1, 1], n_subnodes),
        subnode_bias=rng.normal(size=n_subnodes) / 2,
        node_scale=rng.uniform(0.6, 1.2, n_nodes),
        node_bias=rng.normal(size=n_nodes) / 4,
    )


def samples(N: int, n_in: int, *, seed: int = 1, dtype: str = "float64") -> np.ndarray:
    """Draw inputs (N, n_in) in [-1.3, 1.3]: some lie outside the grid."""
    return np.random.default_rng(seed).uniform(-1.3, 1.3, (N, n_in)).astype(dtype)


def pykan_network(name: str) -> tuple[Network, dict[str, np.ndarray]]:
    """Load a golden result of pykan: its network, and all arrays of the file."""
    with np.load(DATA / f"{name}.npz") as file:
        data = dict(file)
    sizes = json.loads(str(data["width"]))
    layers = [
        Layer(
            knots=data[f"layer{l}.knots"],
            coef=data[f"layer{l}.coef"],
            scale_base=data[f"layer{l}.scale_base"],
            scale_spline=data[f"layer{l}.scale_spline"],
            mask=data[f"layer{l}.mask"] > 0,
            affine=np.zeros((0, 4)),
            symbolic=(),
            k=int(data["k"]),
            extrapolate="zero",
            base_fun=base_function("silu"),
        )
        for l in range(len(sizes) - 1)
    ]
    return Network.assemble(layers, [plain_nodes(n) for n in sizes[1:]]), data


def efficient_kan_network(name: str) -> tuple[Network, dict[str, np.ndarray]]:
    """Load a golden result of efficient-kan: its network, and all arrays of the file."""
    with np.load(DATA / f"{name}.npz") as file:
        data = dict(file)
    sizes = json.loads(str(data["width"]))
    layers = []
    for l in range(len(sizes) - 1):
        state = f"state.layers.{l}."
        layers.append(
            Layer(
                knots=data[state + "grid"],
                coef=data[state + "spline_weight"].transpose(1, 0, 2),
                scale_base=data[state + "base_weight"].T,
                scale_spline=data[state + "spline_scaler"].T,
                mask=np.ones((sizes[l], sizes[l + 1]), dtype=bool),
                affine=np.zeros((0, 4)),
                symbolic=(),
                k=int(data["k"]),
                extrapolate="zero",
                base_fun=base_function("silu"),
            )
        )
    return Network.assemble(layers, [plain_nodes(n) for n in sizes[1:]]), data


def plain_nodes(n: int) -> Nodes:
    """Return n sum nodes with the identity as affines."""
    return Nodes(n, (), np.ones(n), np.zeros(n), np.ones(n), np.zeros(n))
