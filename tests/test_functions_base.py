"""The base functions, against mpmath and complex steps, and at the ends of the number line."""

from __future__ import annotations

import array_api_strict as strict
import mpmath
import numpy as np
import pytest

from kanref.functions import BASE_FUNCTIONS, BaseFunction, base_function

LINE = np.array([-7.3, -2.9, -1.31, -0.47, -1e-3, 1e-5, 0.08, 0.61, 1.7, 3.3, 8.9])
ORACLES = {
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "identity": lambda x: x,
    "zero": lambda x: 0 * x,
    "tanh": mpmath.tanh,
    "relu": lambda x: x if x > 0 else 0 * x,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "sin": mpmath.sin,
    "gaussian": lambda x: mpmath.exp(-x * x),
}
base_names = pytest.mark.parametrize("name", ORACLES)


def exactly(oracle, x):
    """Value and derivative of the oracle in 40 digits, rounded to double."""
    with mpmath.workdps(40):
        points = [mpmath.mpf(float(v)) for v in x]
        values = [float(oracle(p)) for p in points]
        slopes = [float(mpmath.diff(oracle, p, h=mpmath.mpf(10) ** -18)) for p in points]
    return np.array(values), np.array(slopes)


@base_names
def test_base_function_equals_mpmath(name):
    x = np.concatenate([LINE, [-40.0, -25.0, 30.0]])
    value, slope = exactly(ORACLES[name], x)
    b = BASE_FUNCTIONS[name]
    assert list(BASE_FUNCTIONS) == list(ORACLES)
    tail = 2e-16 if name in ("tanh", "gelu") else 0.0  # exact to eps, not relative to itself
    np.testing.assert_allclose(b.f(x), value, rtol=5e-14, atol=1e-300)
    np.testing.assert_allclose(b.df(x), slope, rtol=2e-13, atol=tail)
    np.testing.assert_array_equal(b.pair(x), (b.f(x), b.df(x)))
    for part, same in zip(b.pair(x.astype(np.float32)), b.pair(x), strict=True):
        assert part.dtype == np.float32
        np.testing.assert_allclose(part, same, rtol=1e-5, atol=2e-7)


@base_names
def test_base_function_passes_complex_steps(name):
    b = BASE_FUNCTIONS[name]
    x = np.append(LINE, 0.0 if name != "relu" else 1.0)
    stepped, slope = b.pair(x + 1e-40j)
    np.testing.assert_allclose(stepped.real, b.f(x), rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(stepped.imag / 1e-40, b.df(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slope.real, b.df(x), rtol=1e-12, atol=1e-15)


@base_names
def test_base_function_on_extreme_and_undefined_arguments(name):
    b = BASE_FUNCTIONS[name]
    for dtype in (np.float64, np.float32):
        big = np.finfo(dtype).max
        x = np.array([-big, -big / 3, -800, -90, 90, 800, big / 3, big, 0, 5e-324], dtype=dtype)
        value, slope = b.pair(x)  # warnings are errors
        assert np.isfinite(value).all() and np.isfinite(slope).all()
        assert np.isnan(b.pair(np.array([np.nan], dtype=dtype))).all()
        b.pair(np.array([-np.inf, np.inf], dtype=dtype))  # the layer's business, but no warning
        if name in ("silu", "gelu", "softplus", "relu"):
            np.testing.assert_allclose(value[:3], 0, atol=1e-30)
            np.testing.assert_array_equal(value[4:8], x[4:8])
            np.testing.assert_allclose(slope[:3], 0, atol=1e-30)
            np.testing.assert_array_equal(slope[4:8], 1)


@base_names
def test_base_function_under_array_api_strict(name):
    if name == "gelu":  # SciPy's ndtr: not on the array API
        return
    b = BASE_FUNCTIONS[name]
    for x in (np.append(LINE, [-800.0, 0.0, np.nan]), LINE.astype(np.float32), LINE + 0.25j):
        pairs = zip(b.pair(strict.asarray(x)), b.pair(x), strict=True)
        for found, expected in pairs:
            np.testing.assert_array_equal(np.asarray(found), expected)


def test_base_function_specifications():
    assert base_function("silu") is BASE_FUNCTIONS["silu"]
    assert base_function(BASE_FUNCTIONS["tanh"]) is BASE_FUNCTIONS["tanh"]
    named = base_function(("bump", np.cos, np.sin))
    assert (named.name, named.f, named.df) == ("bump", np.cos, np.sin)
    assert base_function((lambda x: x, np.ones_like)).name == "custom"
    own = BaseFunction("own", np.sinh, np.cosh)
    np.testing.assert_array_equal(own.pair(LINE), (np.sinh(LINE), np.cosh(LINE)))


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("sillu", ValueError, r"must be one of silu, .*got 'sillu' \(did you mean 'silu'\?\)"),
        ("zzz", ValueError, r"got 'zzz'$"),
        (np.sin, TypeError, r"a pair \(f, df\) or a triple"),
        ((np.sin,), TypeError, "got"),
        ((np.sin, 3), TypeError, "of two functions"),
        ((7, np.sin, np.cos), TypeError, "of two functions"),
    ],
)
def test_base_function_errors(spec, error, message):
    with pytest.raises(error, match=message):
        base_function(spec)
