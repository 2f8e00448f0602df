"""What holds for every B-spline, whatever its degree and knots."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanref.bspline import basis, curve, extend_grid, knots_grid


@st.composite
def splines(draw, least_degree=0):
    """A degree, non-uniform and possibly repeated knots of one input, and points on the domain."""
    k = draw(st.integers(least_degree, 6))
    cells = draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 1.0, 3.0]), min_size=1, max_size=6))
    cells[draw(st.integers(0, len(cells) - 1))] = 1.0
    grid = draw(st.floats(-5, 5)) + np.cumsum([0.0, *cells])[None]
    shares = draw(st.lists(st.floats(0, 1), min_size=1, max_size=9))
    x = np.array(shares)[:, None] * (grid[:, -1] - grid[:, 0]) + grid[:, 0]
    return k, extend_grid(grid, k), np.clip(x, grid[:, 0], grid[:, -1])


@given(splines())
def test_partition_of_unity(case):
    k, knots, x = case
    assert np.sum(basis(x, knots, k), axis=2) == pytest.approx(1.0, abs=1e-12)
    outside = np.concatenate([x + 100, x - 100])
    assert np.sum(basis(outside, knots, k), axis=2) == pytest.approx(1.0, abs=1e-9)


@given(splines())
def test_non_negative_and_local(case):
    k, knots, x = case
    for values in (basis(x, knots, k), basis(x, knots, k, extrapolate="zero")):
        assert np.all(values >= 0)
        m = np.arange(values.shape[2])
        outside = (x[:, :, None] < knots[0, m]) | (x[:, :, None] > knots[0, m + k + 1])
        assert not np.any(values[outside])
        assert np.all(np.sum(values != 0, axis=2) <= k + 1)


@given(splines(), st.integers(0, 2**32 - 1))
def test_convex_hull(case, seed):
    k, knots, x = case
    coef = np.random.default_rng(seed).normal(size=(1, 1, knots.shape[1] - 1 - k))
    values = curve(x, knots, coef, k)
    cell = np.clip(np.searchsorted(knots[0], x[:, 0], side="right") - 1, k, coef.shape[2] - 1)
    for n, J in enumerate(cell):
        active = coef[0, 0, J - k : J + 1]
        if knots[0, J] < knots[0, J + 1]:
            assert active.min() - 1e-12 <= values[n, 0, 0] <= active.max() + 1e-12


@given(splines(least_degree=1), st.integers(0, 6))
def test_polynomials_are_reproduced_by_marsdens_identity(case, power):
    """x^r = Σ_m e_r(t_{m+1}, …, t_{m+k}) / binom(k, r) · B_m(x), e_r elementary symmetric."""
    k, knots, x = case
    power = min(power, k)
    knots = knots - knots[:, k : k + 1]  # keeps powers small
    x = x - x[0]
    x = np.clip(np.abs(x), 0, knots_grid(knots, k)[0, -1])
    symmetric = [
        np.polynomial.polynomial.polyfromroots(-knots[0, m + 1 : m + k + 1])[k - power]
        for m in range(knots.shape[1] - 1 - k)
    ]
    coef = np.array(symmetric)[None, None] / math.comb(k, power)
    scale = max(1.0, float(np.max(np.abs(coef))))
    assert np.max(np.abs(curve(x, knots, coef, k)[:, 0] - x**power)) <= 1e-12 * scale


@given(splines(least_degree=1), st.floats(0.1, 50))
def test_straight_lines_stay_straight_outside(case, beyond):
    k, knots, _ = case
    greville = np.stack([knots[0, m + 1 : m + k + 1].mean() for m in range(knots.shape[1] - 1 - k)])
    ends = knots_grid(knots, k)[0, [0, -1]]
    x = np.array([[ends[0] - beyond], [ends[1] + beyond]])
    assert curve(x, knots, greville[None, None], k)[:, 0] == pytest.approx(x, rel=1e-9, abs=1e-9)
