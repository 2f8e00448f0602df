"""Least-squares coefficients: exact where determined, of minimum norm where not."""

from __future__ import annotations

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
)

from kanref import bspline
from kanref.bspline import basis, curve, extend_grid, fit_coef, uniform_grid


@pytest.mark.parametrize("extrapolate", MODES)
@pytest.mark.parametrize("k", [0, 1, 3, 6])
def test_fit_recovers_coefficients(k, extrapolate):
    knots = make_knots(k, uniform=False)
    coef = np.random.default_rng(6).normal(size=(N_IN, N_OUT, G + k))
    x = np.concatenate([points_inside(knots, k, n=211), points_everywhere(knots, k)])
    y = curve(x, knots, coef, k, extrapolate=extrapolate)
    fitted = fit_coef(x, y, knots, k, extrapolate=extrapolate)
    assert fitted.shape == coef.shape
    condition = np.linalg.cond(np.swapaxes(basis(x, knots, k, extrapolate=extrapolate), 0, 1))
    assert relative(fitted, coef) <= 1e-15 * max(condition)
    assert relative(curve(x, knots, fitted, k, extrapolate=extrapolate), y) <= 1e-13


def deficient_samples(kind, knots):
    x = points_inside(knots, 3, n=40)
    if kind == "N < G":
        return x[:3]
    if kind == "one sample":
        return x[:1]
    if kind == "repeated":
        return np.repeat(x[:4], 10, axis=0)
    if kind == "constant column":
        return np.stack([x[:, 0], np.full(40, x[0, 1])], axis=1)
    return np.where(x < 0.1, x, -0.5)  # cells without any sample


@pytest.mark.parametrize(
    "kind", ["N < G", "one sample", "repeated", "constant column", "empty cells"]
)
def test_fit_is_the_minimum_norm_solution(kind):
    knots = make_knots(3, uniform=True)
    x = deficient_samples(kind, knots)
    y = np.random.default_rng(7).normal(size=(*x.shape, N_OUT))
    fitted = fit_coef(x, y, knots, 3)
    for i in range(N_IN):
        A = basis(x, knots, 3)[:, i]
        by_gelsd = np.linalg.lstsq(A, y[:, i], rcond=None)[0].T
        by_pinv = (np.linalg.pinv(A) @ y[:, i]).T
        assert relative(fitted[i], by_gelsd) <= 1e-9
        assert relative(fitted[i], by_pinv) <= 1e-9


def test_fit_without_any_support_is_zero():
    knots = make_knots(3, uniform=True)
    x = np.full((N, N_IN), 50.0)
    fitted = fit_coef(x, np.ones((N, N_IN, N_OUT)), knots, 3, extrapolate="zero")
    assert np.array_equal(fitted, np.zeros((N_IN, N_OUT, G + 3)))


def test_fit_does_not_depend_on_the_chunks(monkeypatch):
    knots = make_knots(3, uniform=False)
    x = points_inside(knots, 3, n=101)
    y = np.random.default_rng(8).normal(size=(101, N_IN, N_OUT))
    whole = fit_coef(x, y, knots, 3)
    monkeypatch.setattr(bspline, "_FIT_BYTES", 1)  # as small as chunks get: 11 samples
    calls = []
    monkeypatch.setattr(
        bspline,
        "basis",
        lambda x, *args, **kwargs: calls.append(len(x)) or basis(x, *args, **kwargs),
    )
    assert relative(fit_coef(x, y, knots, 3), whole) <= 1e-13
    assert calls == [11] * 9 + [2]


def test_fit_in_float32_is_solved_in_float64():
    knots = make_knots(3, uniform=True).astype(np.float32)
    coef = np.random.default_rng(9).normal(size=(N_IN, N_OUT, G + 3)).astype(np.float32)
    x = points_inside(knots, 3, n=60).astype(np.float32)
    y = curve(x, knots, coef, 3)
    fitted = fit_coef(x, y, knots, 3)
    exact = fit_coef(*(a.astype(np.float64) for a in (x, y, knots)), 3)
    assert fitted.dtype == np.float32
    assert np.array_equal(fitted, exact.astype(np.float32))
    few = fit_coef(x[:2], y[:2], knots, 3)
    assert np.max(np.abs(curve(x[:2], knots, few, 3) - y[:2])) <= 1e-6


def test_fit_in_float32_ignores_what_its_samples_cannot_tell():
    """One sample alone reaches the last B-spline, by 2e-10; the noise of y is 1e-7."""
    knots = extend_grid(uniform_grid(0.0, 1.0, 2, dtype="float32"), 3)
    x = np.append(np.linspace(0.0, 0.5, 20), 0.50055).astype(np.float32)[:, None]
    y = np.sin(3 * x)[:, :, None]
    assert 1e-10 < basis(x, knots, 3)[-1, 0, -1] < 3e-10
    fitted = fit_coef(x, y, knots, 3)
    assert np.max(np.abs(fitted)) < 20
    assert np.max(np.abs(curve(x, knots, fitted, 3) - y)) <= 2e-2


KNOTS = make_knots(3, uniform=True)
X = np.zeros((N, N_IN))
Y = np.zeros((N, N_IN, N_OUT))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: fit_coef(X, X, KNOTS, 3),
            ValueError,
            r"`y` must have shape \(N, n_in, n_out\), got \(7, 2\)",
        ),
        (
            lambda: fit_coef(X, np.zeros((5, N_IN, 1)), KNOTS, 3),
            ValueError,
            r"`y` must have shape \(7, 2, n_out\), got \(5, 2, 1\)",
        ),
        (lambda: fit_coef(X * np.nan, Y, KNOTS, 3), ValueError, "`x` must be finite"),
        (lambda: fit_coef(X, Y + np.inf, KNOTS, 3), ValueError, "`y` must be finite"),
        (lambda: fit_coef(X, Y + 1j, KNOTS, 3), TypeError, "`y` must be a real"),
        (lambda: fit_coef(X[:0], Y[:0], KNOTS, 3), ValueError, r"with N >= 1, got \(0, 2\)"),
    ],
)
def test_errors_state_the_rule_and_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()
