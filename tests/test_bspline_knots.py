"""Grids and knots: uniform, adaptive, extended."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kanref.bspline import adaptive_grid, basis, extend_grid, knots_grid, uniform_grid

G = 4


def test_uniform_grid_per_input_with_exact_ends():
    low, high = [0.1, -3.0, 7.0], [0.7, 5.0, 7.3]
    grid = uniform_grid(low, high, G)
    assert grid.shape == (3, G + 1)
    assert grid[:, 0].tolist() == low and grid[:, -1].tolist() == high
    assert np.max(np.abs(grid - np.linspace(low, high, G + 1, axis=1))) <= 1e-15 * 8


def test_uniform_grid_of_numbers_for_several_inputs():
    grid = uniform_grid(-1, 1, 2, n_in=3, dtype="float32")
    assert grid.dtype == np.float32
    assert grid.tolist() == [[-1, 0, 1]] * 3
    assert uniform_grid(0, [1.0, 2.0], 1).tolist() == [[0, 1], [0, 2]]


@pytest.mark.parametrize("k", range(7))
def test_extension_adds_k_mean_cells(k):
    grid = np.array([[0.0, 0.5, 0.5, 4.0], [-1.0, -0.5, 0.0, 2.0]])
    knots = extend_grid(grid, k)
    h = (grid[:, -1] - grid[:, 0]) / 3
    for i in range(2):
        expected = [grid[i, 0] - q * h[i] for q in range(k, 0, -1)] + list(grid[i])
        expected += [grid[i, -1] + q * h[i] for q in range(1, k + 1)]
        assert knots[i].tolist() == expected
    assert np.array_equal(knots_grid(knots, k), grid)


def pykan_grid(column, grid_eps):
    """peers.md, section E: update_grid_from_samples, one input, one breakpoint at a time."""
    ordered, N = sorted(float(v) for v in column), len(column)
    q = [ordered[int(N * m / G)] for m in range(G)] + [ordered[N - 1]]
    u = [ordered[0] + m * (ordered[-1] - ordered[0]) / G for m in range(G + 1)]
    return [grid_eps * u[m] + (1 - grid_eps) * q[m] for m in range(G + 1)]


@pytest.mark.parametrize("grid_eps", [0.0, 0.02, 0.3, 1.0])
@pytest.mark.parametrize("N", [5, 37, 200])
def test_adaptive_grid_is_pykans_where_that_is_sound(N, grid_eps):
    x = np.random.default_rng(N).normal(size=(N, 2)) * [1.0, 30.0]
    grid = adaptive_grid(x, G, grid_eps)
    for i in range(2):
        assert grid[i] == pytest.approx(pykan_grid(x[:, i], grid_eps), rel=1e-14, abs=1e-14)
    assert np.array_equal(grid[:, 0], x.min(axis=0))
    assert np.array_equal(grid[:, -1], x.max(axis=0))


def test_narrow_cells_are_widened_by_the_least_uniform_share():
    x = np.repeat([[0.0], [1.0]], [9, 1], axis=0)  # quantiles 0 0 0 0 1
    grid = adaptive_grid(x, G, grid_eps=0.0)[0]
    assert np.diff(grid) == pytest.approx([0.0025] * 3 + [0.9925], abs=1e-15)
    assert np.diff(adaptive_grid(x, G)[0]) == pytest.approx([0.005] * 3 + [0.985], abs=1e-15)


def test_a_constant_column_gets_a_uniform_grid_around_it():
    x = np.array([[0.25, -5.0, 0.0], [0.25, -5.0, 1.0]])
    grid = adaptive_grid(x, 2)
    assert grid[0].tolist() == [-0.75, 0.25, 1.25]
    assert grid[1].tolist() == [-10.0, -5.0, 0.0]
    assert grid[2, [0, -1]].tolist() == [0.0, 1.0]


def test_a_column_that_floats_cannot_resolve_counts_as_constant():
    x = np.array([[1000.0], [np.nextafter(1000.0, 2000)]])
    assert adaptive_grid(x, G)[0, [0, -1]] == pytest.approx([0.0, 2000.0])
    denormal = np.array([[0.0], [1e-310]])
    assert adaptive_grid(denormal, G)[0, [0, -1]].tolist() == [-1.0, 1.0]


@given(
    arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(1, 9), st.just(2)),
        elements=st.sampled_from(
            [0.0, -0.0, 1.0, 1.0000001, 3.0, -7.5, 1e-12, 1e-30, 1e6, 1e6 + 1]
        ),
    ),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.001, 0.02, 1.0]),
)
def test_adaptive_grid_always_increases_and_covers_the_samples(x, n_cells, grid_eps):
    grid = adaptive_grid(x, n_cells, grid_eps)
    assert grid.shape == (2, n_cells + 1) and grid.dtype == x.dtype
    gaps = np.diff(grid, axis=1)
    assert np.all(gaps > 0)
    assert np.all(gaps >= 0.0099 * (grid[:, -1:] - grid[:, :1]) / n_cells)
    assert np.all(grid[:, 0] <= x.min(axis=0)) and np.all(x.max(axis=0) <= grid[:, -1])
    knots = extend_grid(grid, 3)
    assert np.all(np.diff(knots, axis=1) > 0)
    assert np.all(np.isfinite(basis(x, knots, 3)))


def test_array_api_strict_gives_the_same_bits():
    x = np.random.default_rng(0).normal(size=(23, 3))
    x[:, 1] = 0.5
    x[:, 2] = np.round(x[:, 2])
    for grid_eps in (0.0, 0.02):
        expected = adaptive_grid(x, G, grid_eps)
        grid = adaptive_grid(strict.asarray(x), G, grid_eps)
        assert np.array_equal(np.asarray(grid), expected)
        for k in (0, 3):
            knots = extend_grid(grid, k)
            assert np.array_equal(np.asarray(knots), extend_grid(expected, k))
            assert np.array_equal(np.asarray(knots_grid(knots, k)), expected)
    low, high = strict.asarray([0.0, -1.0]), strict.asarray([1.0, 3.0])
    assert np.array_equal(np.asarray(uniform_grid(low, high, G)), uniform_grid([0, -1], [1, 3], G))


GRID = np.array([[0.0, 1.0, 2.0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: uniform_grid(1, 1, G), ValueError, "low < high, got low=1 and high=1"),
        (lambda: uniform_grid(0, np.inf, G), ValueError, "must be finite with low < high"),
        (lambda: uniform_grid(0, 1, 0), ValueError, "`G` must be an integer >= 1, got 0"),
        (lambda: uniform_grid([0, 0], [1, 1, 1], G), ValueError, r"`low` must be a number or have"),
        (
            lambda: uniform_grid(0, [1, 2], G, n_in=3),
            ValueError,
            r"`high` must be a number or have",
        ),
        (lambda: adaptive_grid(GRID[:0], G), ValueError, r"with N >= 1, got \(0, 3\)"),
        (lambda: adaptive_grid(GRID[0], G), ValueError, r"`x` must have shape \(N, n_in\), got"),
        (lambda: adaptive_grid(GRID * np.nan, G), ValueError, "`x` must be finite"),
        (lambda: adaptive_grid(GRID, G, 1.5), ValueError, r"`grid_eps` must be within \[0, 1\]"),
        (
            lambda: adaptive_grid(GRID.astype(int), G),
            TypeError,
            "`x` must be a real floating-point",
        ),
        (lambda: adaptive_grid(GRID, 2.5), TypeError, "`G` must be an integer >= 1, got 2.5"),
        (lambda: extend_grid(GRID[:, ::-1], 3), ValueError, "`grid` must not decrease"),
        (lambda: extend_grid(GRID * 0, 3), ValueError, "`grid` must span a domain, t_0 < t_G"),
        (lambda: extend_grid(GRID / [[1, 1, 0.0]], 3), ValueError, "`grid` must be finite"),
        (lambda: extend_grid(GRID[:, :1], 3), ValueError, r"with G >= 1, got \(1, 1\)"),
        (
            lambda: extend_grid(GRID[0], 3),
            ValueError,
            r"`grid` must have shape \(n_in, G\+1\), got",
        ),
        (lambda: extend_grid([[0.0, 1.0]], 3), TypeError, "`grid` must be an array"),
        (lambda: extend_grid(GRID, -2), ValueError, "`k` must be an integer >= 0, got -2"),
        (lambda: knots_grid(GRID, 1), ValueError, r"at least 4 knots for k = 1, got \(1, 3\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_errors_state_the_rule_and_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()
