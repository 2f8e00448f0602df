"""Knot insertion leaves the curve as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanref.bspline import curve, extend_grid, fit_coef, insert_knots, knots_grid, uniform_grid

N_IN, N_OUT, G = 2, 3, 4


def relative(a, b):
    return np.max(np.abs(a - b)) / np.max(np.abs(b))


def spline(k, seed=0, n_cells=G):
    rng = np.random.default_rng(seed)
    grid = np.sort(rng.uniform(-1, 1, (N_IN, n_cells + 1)), axis=1)
    return extend_grid(grid, k), rng.normal(size=(N_IN, N_OUT, n_cells + k))


def with_more(grid, more, seed=1):
    """Add `more` random breakpoints between the ends: several in one cell, none in another."""
    share = np.random.default_rng(seed).uniform(size=(grid.shape[0], more))
    return np.sort(
        np.concatenate([grid, grid[:, :1] + share * np.ptp(grid, axis=1)[:, None]], axis=1)
    )


def assert_same_curve(knots, coef, new_knots, new_coef, k, tolerance=1e-12):
    grid = knots_grid(knots, k)
    new_grid = knots_grid(new_knots, k)
    inside = grid[:, :1] + np.linspace(0, 1, 301) * np.ptp(grid, axis=1)[:, None]
    inside = np.clip(inside, grid[:, :1], grid[:, -1:])
    x = np.concatenate([inside, new_grid], axis=1).T
    for extrapolate in ("linear", "zero"):
        points = x if extrapolate == "linear" else x[np.all(x < grid[:, -1], axis=1)]
        before = curve(points, knots, coef, k, extrapolate=extrapolate)
        after = curve(points, new_knots, new_coef, k, extrapolate=extrapolate)
        assert relative(after, before) <= tolerance
    outside = np.concatenate(
        [grid[:, :1] - [0.3, 2.0, 9.0], grid[:, -1:] + [0.3, 2.0, 9.0]], axis=1
    ).T
    before, after = curve(outside, knots, coef, k), curve(outside, new_knots, new_coef, k)
    assert relative(after, before) <= tolerance


@pytest.mark.parametrize("more", [0, 1, 9])
@pytest.mark.parametrize("n_cells", [1, G])
@pytest.mark.parametrize("k", range(8))
def test_the_curve_is_unchanged(k, n_cells, more):
    knots, coef = spline(k, n_cells=n_cells)
    new_grid = with_more(knots_grid(knots, k), more)
    new_knots, new_coef = insert_knots(knots, coef, k, new_grid)
    assert np.array_equal(new_knots, extend_grid(new_grid, k))
    assert new_coef.shape == (N_IN, N_OUT, n_cells + more + k)
    assert_same_curve(knots, coef, new_knots, new_coef, k)


@pytest.mark.parametrize("k", range(7))
def test_nothing_inserted_returns_the_same_coefficients(k):
    knots, coef = spline(k)
    new_knots, new_coef = insert_knots(knots, coef, k, knots_grid(knots, k))
    assert np.array_equal(new_knots, knots)
    assert np.array_equal(new_coef, coef)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_uniform_refinement_up_to_rounding_of_the_breakpoints(k):
    """Grids 5 -> 10 -> 20 of linspace agree with each other to the last bit or the one before."""
    knots = extend_grid(np.linspace([-1.1, 0.3], [0.7, 2.9], 6, axis=1), k)
    coef = np.random.default_rng(2).normal(size=(N_IN, N_OUT, 5 + k))
    new_knots, new_coef = knots, coef
    for n_cells in (10, 20, 60):
        new_grid = np.linspace([-1.1, 0.3], [0.7, 2.9], n_cells + 1, axis=1)
        new_knots, new_coef = insert_knots(new_knots, new_coef, k, new_grid)
    assert_same_curve(knots, coef, new_knots, new_coef, k)


def test_the_middle_knot_of_one_cell_by_boehms_rule():
    """Boehm: c'_m = (1 - a_m) c_{m-1} + a_m c_m, a_m = (s - t_m) / (t_{m+k} - t_m), cut to [0, 1].

    With the old knots kept and one knot s added, no outer knot moves: here all that differ are the
    ones beyond the domain, which hold no interior coefficient.
    """
    k = 2
    knots = extend_grid(uniform_grid(0, 6, 6), k)
    coef = np.random.default_rng(3).normal(size=(1, 1, 6 + k))
    s = 3.25
    a = np.clip((s - knots[0, :9]) / (knots[0, k : 9 + k] - knots[0, :9]), 0, 1)
    padded = np.pad(coef[0, 0], 1)
    boehm = (1 - a) * padded[:9] + a * padded[1:10]
    new_grid = np.sort(np.append(np.arange(7.0), s))[None]
    new_coef = insert_knots(knots, coef, k, new_grid)[1]
    assert np.max(np.abs(new_coef[0, 0, k:-k] - boehm[k:-k])) <= 1e-14


@pytest.mark.parametrize("k", [1, 2, 3])
def test_repeated_breakpoints(k):
    grid = np.array([[-1.0, 0.25, 0.25, 0.5, 1.0], [-1.0, -1.0, 0.0, 1.0, 1.0]])
    knots = extend_grid(grid, k)
    coef = np.random.default_rng(4).normal(size=(N_IN, N_OUT, G + k))
    extra = np.array([[-0.5, 0.25, 0.7, 0.7], [-0.25, 0.0, 0.0, 0.5]])
    new_knots, new_coef = insert_knots(knots, coef, k, np.sort(np.append(grid, extra, axis=1)))
    assert np.all(np.isfinite(new_coef))
    assert_same_curve(knots, coef, new_knots, new_coef, k)


@pytest.mark.parametrize("grid", [[0.0, 0.1, 0.1, 10.0], [0.0, 9.9, 9.9, 10.0]])
def test_a_kink_beside_a_wide_cell(grid):
    """The first (last) coefficients belong to the narrow cell, however wide its neighbour is."""
    knots = extend_grid(np.array([grid]), 2)
    coef = np.random.default_rng(5).normal(size=(1, N_OUT, 5))
    new_knots, new_coef = insert_knots(knots, coef, 2, np.sort([[*grid, 5.0]]))
    assert_same_curve(knots, coef, new_knots, new_coef, 2)


@given(st.integers(0, 6), st.integers(1, 6), st.integers(0, 12), st.integers(0, 2**16))
def test_any_grid(k, n_cells, more, seed):
    rng = np.random.default_rng(seed)
    cells = 10.0 ** rng.uniform(-2, 0, (N_IN, n_cells))
    grid = np.concatenate([np.zeros((N_IN, 1)), np.cumsum(cells, axis=1)], axis=1)
    knots, coef = extend_grid(grid, k), rng.normal(size=(N_IN, N_OUT, n_cells + k))
    new_knots, new_coef = insert_knots(knots, coef, k, with_more(grid, more, seed))
    assert_same_curve(knots, coef, new_knots, new_coef, k)


def test_agrees_with_a_fit_of_the_old_curve():
    k = 3
    knots, coef = spline(k)
    new_knots, new_coef = insert_knots(knots, coef, k, with_more(knots_grid(knots, k), 3))
    grid = knots_grid(knots, k)
    x = np.linspace(grid[:, 0], grid[:, -1], 400)
    fitted = fit_coef(x, curve(x, knots, coef, k), new_knots, k)
    assert relative(curve(x, new_knots, fitted, k), curve(x, new_knots, new_coef, k)) <= 1e-12


def test_float32_in_and_out():
    knots, coef = (a.astype(np.float32) for a in spline(3))
    new_grid = with_more(knots_grid(knots, 3), 5).astype(np.float32)
    new_knots, new_coef = insert_knots(knots, coef, 3, new_grid)
    assert new_knots.dtype == new_coef.dtype == np.float32
    assert_same_curve(*(a.astype(float) for a in (knots, coef, new_knots, new_coef)), 3, 1e-5)


KNOTS, COEF = spline(3)
GRID = knots_grid(KNOTS, 3)


@pytest.mark.parametrize(
    ("new_grid", "message"),
    [
        (
            np.delete(GRID, 2, axis=1),
            "must contain every old breakpoint as often as it repeats; for",
        ),
        (np.concatenate([GRID, GRID[:, -1:] + 1], axis=1), "must begin and end where the old grid"),
        (np.concatenate([GRID[:, :1] - 1, GRID], axis=1), "must begin and end where the old grid"),
        (GRID[:, ::-1], "`new_grid` must not decrease"),
        (GRID[:1], r"`new_grid` must have shape \(2, G'\+1\), got \(1, 5\)"),
        (GRID[0], r"`new_grid` must have shape \(n_in, G\+1\), got \(5,\)"),
    ],
)
def test_a_grid_that_does_not_contain_the_old_is_refused(new_grid, message):
    with pytest.raises(ValueError, match=message):
        insert_knots(KNOTS, COEF, 3, new_grid)


def test_the_missing_breakpoint_is_named():
    knots = extend_grid(np.array([[0.0, 0.25, 0.25, 1.0], [0.0, 0.5, 0.625, 1.0]]), 2)
    new_grid = np.array([[0.0, 0.25, 0.75, 1.0], [0.0, 0.5, 0.625, 1.0]])
    with pytest.raises(ValueError, match=r"for input 0 it lacks 0\.25"):
        insert_knots(knots, np.zeros((2, 1, 5)), 2, new_grid)


def test_coefficients_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match=r"`coef` must have shape \(2, n_out, 7\), got \(2, 3, 6\)"
    ):
        insert_knots(KNOTS, COEF[:, :, 1:], 3, GRID)
