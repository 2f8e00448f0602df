"""The table of starting curves: what it holds, and that its starts are as good as searched ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kanref.functions import FUNCTIONS
from kanref.symbolic.catalogue import NODES, POINTS, at_nodes, catalogue
from kanref.symbolic.families import family
from kanref.symbolic.fit import QUICK, ROUGH, Search
from kanref.symbolic.polish import Samples
from kanref.symbolic.starts import Ranges

LIBRARY = tuple(FUNCTIONS.values())
RANGES = Ranges((-10.0, 10.0), (-10.0, 10.0))


def samples_of(x: np.ndarray, y: np.ndarray) -> Samples:
    t = (x - (x.max() + x.min()) / 2) / (np.ptp(x) / 2)
    return Samples.of(np.clip(t, -1, 1), y)


def test_the_curves_are_those_of_the_functions() -> None:
    table = catalogue(LIBRARY, RANGES)
    assert table is not None
    assert np.isfinite(table.curves).all()
    assert np.all(np.diff(table.of) >= 0)
    for row in range(0, len(table.of), 97):
        function = LIBRARY[table.of[row]]
        expected = function.f(table.a[row] * NODES + table.b[row])
        np.testing.assert_allclose(table.curves[row], expected, rtol=1e-12, atol=1e-14)
    searched = {n for n, f in enumerate(LIBRARY) if not family(f).constant}
    assert set(table.of.tolist()) == searched
    assert catalogue(LIBRARY, RANGES) is table  # kept


def test_large_ranges_have_no_table() -> None:
    assert catalogue(LIBRARY, Ranges((-50.0, 50.0), (-10.0, 10.0))) is None
    assert catalogue(LIBRARY, Ranges((-10.0, 10.0), (-10.0, 90.0))) is None


def test_costs_are_the_unexplained_shares_on_weighted_points() -> None:
    x = np.random.default_rng(0).normal(size=800).clip(-2, 2)
    coarse = at_nodes(samples_of(x, np.tanh(2 * x) + 0.1 * x))
    table = catalogue(LIBRARY[:20], RANGES)
    assert coarse is not None
    assert table is not None
    rows = table.starts(coarse, [3] * 20)
    assert 20 < rows.a.size <= 60
    weight = coarse.root**2
    for of, a, b, cost in zip(rows.of, rows.a, rows.b, rows.cost, strict=True):
        f = LIBRARY[of].f(a * NODES + b)
        A = np.stack([f, np.ones(POINTS)], axis=1)
        root = np.sqrt(weight)
        c_d = np.linalg.lstsq(A * root[:, None], coarse.y * root, rcond=None)[0]
        left = np.sum(weight * (coarse.y - A @ c_d) ** 2)
        assert cost == pytest.approx(left, rel=1e-6, abs=1e-9)


def test_points_have_the_weight_of_the_samples_around_them() -> None:
    x = np.concatenate([np.linspace(-1, 0, 901), np.linspace(0.01, 1, 99)])
    coarse = at_nodes(samples_of(x, np.exp(x)))
    assert coarse is not None
    weight = coarse.root**2
    assert weight[NODES < 0].sum() == pytest.approx(0.9, abs=0.02)
    few = np.repeat(np.linspace(-1, 1, 9), 50)
    assert at_nodes(samples_of(few, few**2)) is None


@pytest.mark.parametrize("spread", [0.3, 7.0])
@pytest.mark.parametrize(
    "name", ["sin", "x^2", "exp", "log", "tanh", "1/x", "gaussian", "sqrt", "cosh", "sgn"]
)
def test_the_right_function_is_found_from_the_table(name: str, spread: float) -> None:
    rng = np.random.default_rng(3)
    x = spread * rng.uniform(-1, 1, 500)
    b = {"log": 1.3, "1/x": 1.4, "sqrt": 1.1}.get(name, 0.2)
    a = (2.0 if name in ("sin", "tanh", "gaussian") else 1.0) / spread
    y = -1.5 * FUNCTIONS[name].f(a * x + b) + 0.3
    rough = Search(LIBRARY, effort=ROUGH).fit(x, y)
    quick = Search(LIBRARY, effort=QUICK).fit(x, y)
    here = [fit.function.name for fit in rough].index(name)
    assert rough[here].unexplained < 1e-6
    for a_fit, b_fit in zip(rough, quick, strict=True):  # nothing good is missed
        assert a_fit.unexplained <= max(30 * b_fit.unexplained, 0.03), a_fit.function
    assert not math.isnan(rough[here].affine.sum())
