"""Helpers for tests of pictures: networks to draw, and what is found on their axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import random_network
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.interpolate import BSpline

from kanref.functions import FUNCTIONS
from kanref.layer import SymbolicEdge
from kanref.network import Network

AIRFOIL = [
    "Frequency (Hz)",
    "Angle of attack (deg)",
    "Chord length (m)",
    "Free-stream velocity (m/s)",
    "Suction side displacement thickness (m)",
]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No picture leaves a file, nor a figure that a test does not close."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())
    assert not plt.get_fignums()


def axes(size: tuple[float, float] = (6, 5)) -> Axes:
    return Figure(figsize=size).add_axes((0, 0, 1, 1))


def plain(width: tuple, **options: Any) -> Network:
    return random_network(width, symbolic=False, masked=False, **options)


def with_masks(network: Network, masks: list) -> Network:
    layers = [
        replace(a, mask=np.array(m, bool)) for a, m in zip(network.layers, masks, strict=True)
    ]
    return Network.assemble(layers, network.nodes)


def with_functions(network: Network, *edges: tuple[int, int, int, str]) -> Network:
    """Make edges (l, i, j) symbolic: f(x)."""
    layers = []
    for l, layer in enumerate(network.layers):
        here = [e[1:] for e in edges if e[0] == l]
        symbolic = tuple(SymbolicEdge(i, j, FUNCTIONS[name]) for i, j, name in here)
        affine = np.array([[1.0, 0.0, 1.0, 0.0]] * len(here)).reshape(-1, 4)
        layers.append(replace(layer, symbolic=symbolic, affine=affine))
    return Network.assemble(layers, network.nodes)


def artist(ax: Axes, label: str) -> Any:
    found = [a for a in [*ax.collections, *ax.lines] if a.get_label() == label]
    assert len(found) == 1, label
    return found[0]


def paths(ax: Axes, label: str) -> list[np.ndarray]:
    return [path.vertices for path in artist(ax, label).get_paths()]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def live_edges(network: Network) -> list[tuple[int, int, int]]:
    return [
        (l, int(i), int(j))
        for l, layer in enumerate(network.layers)
        for i, j in np.argwhere(layer.mask)
    ]


def unit(values: np.ndarray) -> np.ndarray:
    return (values - np.nanmin(values)) / (np.nanmax(values) - np.nanmin(values))


def textbook_edge(network: Network, l: int, i: int, j: int, x: np.ndarray) -> np.ndarray:
    """φ of a numeric edge within its grid, by SciPy."""
    layer = network.layers[l]
    spline = BSpline(layer.knots[i], layer.coef[i, j], layer.k)(x)
    return layer.scale_base[i, j] * x / (1 + np.exp(-x)) + layer.scale_spline[i, j] * spline
