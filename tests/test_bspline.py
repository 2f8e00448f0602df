"""The B-spline basis and curves, against SciPy, the literal loops and closed forms."""

from __future__ import annotations

import math

import array_api_strict as strict
import naive
import numpy as np
import pytest
from bspline_cases import (
    MODES,
    N_IN,
    N_OUT,
    G,
    N,
    make_knots,
    points_everywhere,
    points_inside,
    relative,
    repeated_knots,
)
from scipy.interpolate import BSpline

from kanref.bspline import basis, basis_pair, curve, extend_grid, knots_grid, uniform_grid

DEGREES = range(7)
ORDERS = [(k, nu) for k in DEGREES for nu in range(k + 1)]
BOTH_GRIDS = pytest.mark.parametrize("uniform", [True, False], ids=["uniform", "non-uniform"])


# --- against the literal recursion -----------------------------------------------------------


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize(("k", "nu"), [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 0), (3, 1),
                                       (3, 2), (3, 3), (4, 2), (5, 1), (6, 0), (6, 4)])  # fmt: skip
def test_basis_is_the_textbook_recursion(k, nu, extrapolate):
    knots = make_knots(k, uniform=False)
    x = points_everywhere(knots, k)
    expected = naive.basis(x, knots, k, nu, extrapolate)
    actual = basis(x, knots, k, nu=nu, extrapolate=extrapolate)
    assert actual.shape == (x.shape[0], N_IN, G + k)
    assert relative(actual, expected) <= 1e-13


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize(("k", "nu"), [(0, 0), (1, 0), (1, 1), (2, 0), (3, 0), (3, 2)])
def test_repeated_knots_are_the_textbook_recursion(k, nu, extrapolate):
    knots = repeated_knots(k)
    x = points_everywhere(knots, k)
    expected = naive.basis(x, knots, k, nu, extrapolate)
    assert relative(basis(x, knots, k, nu=nu, extrapolate=extrapolate), expected) <= 1e-13


def test_curve_is_the_literal_sum():
    knots = make_knots(3, uniform=False)
    coef = np.random.default_rng(1).normal(size=(N_IN, N_OUT, G + 3))
    x = points_everywhere(knots, 3)
    for nu in (0, 1):
        expected = naive.curve(x, knots, coef, 3, nu)
        assert relative(curve(x, knots, coef, 3, nu=nu), expected) <= 1e-13


# --- against SciPy ---------------------------------------------------------------------------


@BOTH_GRIDS
@pytest.mark.parametrize("k", DEGREES)
def test_basis_is_scipys_design_matrix(k, uniform):
    knots = make_knots(k, uniform)
    x = np.concatenate([points_inside(knots, k), knots_grid(knots, k).T])
    for i in range(N_IN):
        expected = BSpline.design_matrix(x[:, i], knots[i], k).toarray()
        assert np.max(np.abs(basis(x, knots, k)[:, i] - expected)) <= 1e-13


@BOTH_GRIDS
@pytest.mark.parametrize(("k", "nu"), ORDERS)
def test_curve_and_its_derivatives_are_scipys(k, nu, uniform):
    knots = make_knots(k, uniform)
    coef = np.random.default_rng(2).normal(size=(N_IN, N_OUT, G + k))
    x = points_inside(knots, k)
    actual = curve(x, knots, coef, k, nu=nu)
    assert actual.shape == (N, N_IN, N_OUT)
    for i in range(N_IN):
        expected = BSpline(knots[i], coef[i].T, k)(x[:, i], nu=nu)
        assert relative(actual[:, i], expected) <= 1e-13


@pytest.mark.parametrize("k", [1, 2, 3])
def test_clamped_knots_are_scipys(k):
    grid = np.array([[0.0, 0.3, 0.3, 0.7, 2.0]])
    knots = np.concatenate([np.full((1, k), 0.0), grid, np.full((1, k), 2.0)], axis=1)
    x = np.concatenate([points_inside(knots, k, 11), grid.T])
    expected = BSpline.design_matrix(x[:, 0], knots[0], k).toarray()
    assert np.max(np.abs(basis(x, knots, k)[:, 0] - expected)) <= 1e-13


@BOTH_GRIDS
@pytest.mark.parametrize(("k", "nu"), ORDERS)
def test_zero_mode_is_each_basis_element_alone(k, nu, uniform):
    knots = make_knots(k, uniform)
    share = np.random.default_rng(4).uniform(-0.2, 1.2, (31, N_IN))
    x = knots[:, 0] + share * (knots[:, -1] - knots[:, 0])
    actual = basis(x, knots, k, nu=nu, extrapolate="zero")
    for i in range(N_IN):
        for m in range(G + k):
            support = knots[i, m : m + k + 2]
            element = BSpline.basis_element(support, extrapolate=False)
            inside = (support[0] <= x[:, i]) & (x[:, i] < support[-1])
            expected = np.where(
                inside, element.derivative(nu)(x[:, i]) if nu else element(x[:, i]), 0
            )
            assert np.max(np.abs(actual[:, i, m] - expected)) <= 1e-13 * np.max(np.abs(actual))


@pytest.mark.parametrize("k", range(1, 7))
def test_linear_mode_continues_scipys_value_and_slope(k):
    knots = make_knots(k, uniform=False)
    coef = np.random.default_rng(5).normal(size=(N_IN, N_OUT, G + k))
    grid = knots_grid(knots, k)
    for end, beyond in ((grid[:, 0], -0.7), (grid[:, -1], 0.9)):
        x = (end + beyond)[None]
        for i in range(N_IN):
            spline = BSpline(knots[i], coef[i].T, k)
            value, slope = spline(end[i]), spline(end[i], nu=1)
            assert relative(curve(x, knots, coef, k)[0, i], value + beyond * slope) <= 1e-13
            assert relative(curve(x, knots, coef, k, nu=1)[0, i], slope) <= 1e-13
        for nu in range(2, k + 1):
            assert not np.any(curve(x, knots, coef, k, nu=nu))


def test_a_constant_spline_continues_as_a_constant():
    knots = make_knots(0, uniform=True)
    x = np.array([[-9.0, -9.0], [9.0, 9.0]])
    ends = np.eye(G)[[0, -1]]
    assert np.array_equal(basis(x, knots, 0), np.stack([ends, ends], axis=1))
    values, slopes = basis_pair(x, knots, 0)
    assert np.array_equal(values, basis(x, knots, 0))
    assert slopes.shape == values.shape and not np.any(slopes)
    assert not np.any(basis(x, knots, 0, extrapolate="zero"))


# --- the two ways to get a derivative ----------------------------------------------------------


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize("k", range(1, 7))
def test_pair_is_basis_and_first_derivative(k, extrapolate):
    knots = make_knots(k, uniform=False)
    x = points_everywhere(knots, k)
    values, slopes = basis_pair(x, knots, k, extrapolate)
    assert relative(values, basis(x, knots, k, extrapolate=extrapolate)) <= 1e-15
    assert relative(slopes, basis(x, knots, k, nu=1, extrapolate=extrapolate)) <= 1e-15


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize(("k", "nu"), [(2, 0), (3, 0), (3, 1), (5, 0), (5, 3)])
def test_derivative_is_the_slope_of_central_differences(k, nu, extrapolate):
    knots = make_knots(k, uniform=False)
    x = points_everywhere(knots, k)[:N]
    h = 1e-5
    up, down = (basis(x + s, knots, k, nu=nu, extrapolate=extrapolate) for s in (h, -h))
    exact = basis(x, knots, k, nu=nu + 1, extrapolate=extrapolate)
    assert relative((up - down) / (2 * h), exact) <= 1e-8


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize(("k", "nu"), [(0, 0), (1, 0), (2, 1), (3, 0), (6, 0), (6, 3)])
def test_derivative_is_the_complex_step(k, nu, extrapolate):
    """At a knot too: comparisons look at the real part, so the step stays on its cell."""
    knots = make_knots(k, uniform=False)
    x = points_everywhere(knots, k)
    stepped = basis(x + 1e-30j, knots, k, nu=nu, extrapolate=extrapolate)
    plain = basis(x, knots, k, nu=nu, extrapolate=extrapolate)
    assert relative(stepped.real, plain) <= 1e-15
    if nu < k:
        exact = basis(x, knots, k, nu=nu + 1, extrapolate=extrapolate)
        assert relative(stepped.imag / 1e-30, exact) <= 1e-13


# --- cells, ends, special values ---------------------------------------------------------------


def test_cells_are_half_open_and_the_last_is_closed():
    knots = extend_grid(uniform_grid(-1, 1, 2), 0)
    x = np.array([[-1.0], [np.nextafter(0, -1)], [-0.0], [0.0], [1.0], [np.nextafter(1, 2)]])
    assert basis(x, knots, 0)[:, 0, 1].tolist() == [0, 0, 1, 1, 1, 1]
    assert basis(x, knots, 0, extrapolate="zero")[:, 0, 1].tolist() == [0, 0, 1, 1, 0, 0]
    assert basis(x, knots, 0, extrapolate="zero")[:, 0, 0].tolist() == [1, 1, 0, 0, 0, 0]


def test_the_derivative_at_the_end_is_from_the_left_or_in_zero_mode_from_the_right():
    knots = extend_grid(np.array([[0.0, 1.0, 3.0]]), 1)  # h = 1.5 beyond
    end = np.array([[3.0]])
    assert basis(end, knots, 1, nu=1)[0, 0].tolist() == [0, -0.5, 0.5]
    slopes = basis(end, knots, 1, nu=1, extrapolate="zero")[0, 0]
    assert slopes == pytest.approx([0, 0, -1 / 1.5], abs=1e-15)


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize(("k", "nu"), [(0, 0), (1, 0), (1, 1), (3, 0), (3, 1), (3, 2), (3, 3)])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_gives_nan_to_its_own_entries_only(bad, k, nu, extrapolate):
    knots = make_knots(k, uniform=True)
    x = points_inside(knots, k)
    clean = basis(x, knots, k, nu=nu, extrapolate=extrapolate)
    x[3, 1] = bad
    values = basis(x, knots, k, nu=nu, extrapolate=extrapolate)
    assert np.all(np.isnan(values[3, 1]))
    assert np.all(np.isnan(np.stack(basis_pair(x, knots, k, extrapolate))[:, 3, 1]))
    values[3, 1] = clean[3, 1]
    assert np.array_equal(values, clean)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_points_stay_finite(dtype):
    knots = make_knots(3, uniform=True).astype(dtype)
    x = np.array([[1e30, -1e30]], dtype=dtype)
    assert np.all(np.isfinite(basis(x, knots, 3)))
    assert not np.any(basis(x, knots, 3, extrapolate="zero"))


def test_nearly_repeated_knots_stay_finite():
    knots = extend_grid(np.array([[-1.0, 0.0, 1e-300, 1.0]]), 2)
    x = np.array([[-0.5], [0.0], [5e-301], [1e-300], [0.5]])
    values, slopes = basis_pair(x, knots, 2)
    assert np.sum(values, axis=2) == pytest.approx(1.0, abs=1e-15)
    assert np.all(np.isfinite(slopes))


@pytest.mark.parametrize("extrapolate", MODES)
def test_float32_stays_float32(extrapolate):
    knots = make_knots(3, uniform=False).astype(np.float32)
    x = points_everywhere(knots, 3).astype(np.float32)
    values, slopes = basis_pair(x, knots, 3, extrapolate)
    assert values.dtype == slopes.dtype == np.float32
    doubles = basis_pair(x.astype(float), knots.astype(float), 3, extrapolate)
    assert relative(values, doubles[0]) <= 1e-5
    assert relative(slopes, doubles[1]) <= 1e-5


def test_no_samples_give_an_empty_basis():
    assert basis(np.zeros((0, N_IN)), make_knots(3, uniform=True), 3).shape == (0, N_IN, G + 3)


def test_flattening_the_basis_copies_nothing():
    """A layer multiplies the rows (N, n_in·(G+k)) by its coefficients, without a copy first."""
    knots = make_knots(3, uniform=True)
    values = basis(points_inside(knots, 3), knots, 3)
    assert np.shares_memory(values, values.reshape(N, -1))


# --- the array API -----------------------------------------------------------------------------


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize("k", [0, 1, 3, 6])
def test_array_api_strict_gives_the_same_bits(k, extrapolate):
    knots = make_knots(k, uniform=False)
    x = points_everywhere(knots, k)
    x[0, 0] = np.nan
    coef = np.random.default_rng(10).normal(size=(N_IN, N_OUT, G + k))
    for points in (x, x + 0.5j):
        sx, st_, sc = (strict.asarray(a) for a in (points, knots, coef))
        pairs = zip(
            basis_pair(sx, st_, k, extrapolate),
            basis_pair(points, knots, k, extrapolate),
            strict=True,
        )
        assert all(np.array_equal(np.asarray(a), b, equal_nan=True) for a, b in pairs)
        for nu in range(k + 1):
            a = curve(sx, st_, sc, k, nu=nu, extrapolate=extrapolate)
            b = curve(points, knots, coef, k, nu=nu, extrapolate=extrapolate)
            assert np.array_equal(np.asarray(a), b, equal_nan=True)


# --- errors ------------------------------------------------------------------------------------

KNOTS = make_knots(3, uniform=True)
X = np.zeros((N, N_IN))
COEF = np.zeros((N_IN, N_OUT, G + 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: basis(X[:, :1], KNOTS, 3),
            ValueError,
            r"`x` must have shape \(N, 2\), got \(7, 1\)",
        ),
        (lambda: basis(X[0], KNOTS, 3), ValueError, r"`x` must have shape \(N, 2\), got \(2,\)"),
        (lambda: basis([[0.0]], KNOTS, 3), TypeError, r"`x` must be an array \(N, 2\), got list"),
        (
            lambda: basis(X.astype(int), KNOTS, 3),
            TypeError,
            "`x` must be a floating-point array, got",
        ),
        (lambda: basis(X, KNOTS, -1), ValueError, "`k` must be an integer >= 0, got -1"),
        (lambda: basis(X, KNOTS, 3.0), TypeError, "`k` must be an integer >= 0, got 3.0"),
        (lambda: basis(X, KNOTS, True), TypeError, "`k` must be an integer >= 0, got True"),
        (lambda: basis(X, KNOTS, 3, nu=4), ValueError, "`nu` must be at most k = 3, got 4"),
        (lambda: basis(X, KNOTS, 3, nu=-1), ValueError, "`nu` must be an integer >= 0, got -1"),
        (lambda: basis(X, KNOTS[:, ::-1], 3), ValueError, "`knots` must not decrease"),
        (lambda: basis(X, KNOTS * np.nan, 3), ValueError, "`knots` must not decrease"),
        (lambda: basis(X, KNOTS, 9), ValueError, r"at least 20 knots for k = 9, got \(2, 11\)"),
        (
            lambda: basis(X, KNOTS[0], 3),
            ValueError,
            r"`knots` must have shape \(n_in, G\+2k\+1\), got",
        ),
        (
            lambda: basis_pair(X, KNOTS, 3, "cubic"),
            ValueError,
            r"`extrapolate` must be one of \('linear', 'zero'\), got 'cubic'",
        ),
        (
            lambda: curve(X, KNOTS, COEF[:, :, 1:], 3),
            ValueError,
            r"`coef` must have shape \(2, n_out, 7\), got \(2, 3, 6\)",
        ),
    ],
)
def test_errors_state_the_rule_and_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()
