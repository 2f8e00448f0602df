"""Knots and points that the B-spline tests share."""

from __future__ import annotations

import numpy as np

from kanref.bspline import extend_grid, knots_grid, uniform_grid

N, N_IN, N_OUT, G = 7, 2, 3, 4
MODES = ("linear", "zero")


def relative(a, b):
    return np.max(np.abs(a - b)) / np.max(np.abs(b))


def make_knots(k, uniform, n_in=N_IN, n_cells=G):
    if uniform:
        return extend_grid(uniform_grid(-1.0, np.linspace(0.5, 1.5, n_in), n_cells), k)
    cells = np.random.default_rng(n_in * n_cells).uniform(0.2, 1.0, (n_in, n_cells))
    grid = np.concatenate([np.zeros((n_in, 1)), np.cumsum(cells, axis=1)], axis=1)
    return extend_grid(grid / grid[:, -1:] * 2 - 1, k)


def repeated_knots(k):
    """Double and triple breakpoints inside, at the left end and at the right end of the domain."""
    grid = np.array([[-1.0, -0.5, -0.5, 0.5, 1.0], [-1.0, 0.25, 0.25, 0.25, 1.0],
                     [-1.0, -1.0, 0.1, 0.4, 1.0], [-1.0, -0.2, 0.3, 1.0, 1.0]])  # fmt: skip
    return extend_grid(grid, k)


def points_inside(knots, k, n=N, seed=0):
    grid = knots_grid(knots, k)
    share = np.random.default_rng(seed).uniform(size=(n, grid.shape[0]))
    return grid[:, 0] + share * (grid[:, -1] - grid[:, 0])


def points_everywhere(knots, k):
    """Points far and near, and every knot itself."""
    low, high = knots[:, 0], knots[:, -1]
    share = np.random.default_rng(3).uniform(-0.3, 1.3, (N, knots.shape[0]))
    zero = np.full((1, knots.shape[0]), -0.0)
    return np.concatenate([low + share * (high - low), knots.T, zero], axis=0)
