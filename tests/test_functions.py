"""The symbolic library against mpmath, SciPy, SymPy and complex steps."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys

import array_api_strict as strict
import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
import sympy

from kanref.functions import (
    ALIASES,
    BASE_FUNCTIONS,
    FUNCTIONS,
    REALS,
    Domain,
    base_function,
    make_function,
    resolve_library,
)

LINE = np.array([-7.3, -2.9, -1.31, -0.47, -1e-3, 1e-5, 0.08, 0.61, 1.7, 3.3, 8.9])
HALF = np.array([1e-9, 3e-4, 0.08, 0.61, 1.7, 3.3, 8.9, 47.0])
UNIT = np.array([-0.999999, -0.93, -0.47, -1e-3, 1e-5, 0.08, 0.61, 0.98, 0.9999999])

# name: (complexity in pykan, where to look, what it is)
ORACLES = {
    "0": (0, LINE, lambda x: 0 * x),
    "x": (1, LINE, lambda x: x),
    "x^2": (2, LINE, lambda x: mpmath.power(x, 2)),
    "x^3": (3, LINE, lambda x: mpmath.power(x, 3)),
    "x^4": (3, LINE, lambda x: mpmath.power(x, 4)),
    "x^5": (3, LINE, lambda x: mpmath.power(x, 5)),
    "1/x": (2, LINE, lambda x: mpmath.power(x, -1)),
    "1/x^2": (2, LINE, lambda x: mpmath.power(x, -2)),
    "1/x^3": (3, LINE, lambda x: mpmath.power(x, -3)),
    "1/x^4": (4, LINE, lambda x: mpmath.power(x, -4)),
    "1/x^5": (5, LINE, lambda x: mpmath.power(x, -5)),
    "sqrt": (2, HALF, mpmath.sqrt),
    "x^0.5": (2, HALF, mpmath.sqrt),
    "x^1.5": (4, HALF, lambda x: mpmath.power(x, 1.5)),
    "1/sqrt(x)": (2, HALF, lambda x: mpmath.power(x, -0.5)),
    "1/x^0.5": (2, HALF, lambda x: mpmath.power(x, -0.5)),
    "exp": (2, LINE, mpmath.exp),
    "log": (2, HALF, mpmath.log),
    "abs": (3, LINE, lambda x: x if x > 0 else -x),
    "sin": (2, LINE, mpmath.sin),
    "cos": (2, LINE, mpmath.cos),
    "tan": (3, LINE, mpmath.tan),
    "tanh": (3, LINE, mpmath.tanh),
    "sgn": (3, LINE, lambda x: mpmath.mpf(1 if x > 0 else -1)),
    "arcsin": (4, UNIT, mpmath.asin),
    "arccos": (4, UNIT, mpmath.acos),
    "arctan": (4, LINE, mpmath.atan),
    "arctanh": (4, UNIT, mpmath.atanh),
    "gaussian": (3, LINE, lambda x: mpmath.exp(-x * x)),
    "sinh": (None, LINE, mpmath.sinh),
    "cosh": (None, LINE, mpmath.cosh),
    "sigmoid": (None, LINE, lambda x: 1 / (1 + mpmath.exp(-x))),
    "erf": (None, LINE, mpmath.erf),
    "sinc": (None, LINE, lambda x: mpmath.sin(x) / x),
    "j0": (None, LINE, mpmath.j0),
    "j1": (None, LINE, mpmath.j1),
}
HOST = ("erf", "j0", "j1")  # SciPy's functions: not on the array API
names = pytest.mark.parametrize("name", ORACLES)


def exactly(oracle, x):
    """Value and derivative of the oracle in 40 digits, rounded to double."""
    with mpmath.workdps(40):
        points = [mpmath.mpf(float(v)) for v in x]
        values = [float(oracle(p)) for p in points]
        slopes = [float(mpmath.diff(oracle, p, h=mpmath.mpf(10) ** -18)) for p in points]
    return np.array(values), np.array(slopes)


def test_the_library_is_pykans_29_functions_and_seven_more():
    assert list(FUNCTIONS) == list(ORACLES)
    complexity = {name: f.complexity for name, f in FUNCTIONS.items()}
    assert {n: c for n, (c, _, _) in ORACLES.items() if c is not None}.items() <= complexity.items()
    assert {complexity[n] for n in ("sinh", "cosh", "sigmoid")} == {3}
    assert {complexity[n] for n in ("erf", "sinc", "j0", "j1")} == {4}
    with pytest.raises(TypeError):
        FUNCTIONS["new"] = FUNCTIONS["sin"]


@names
def test_value_and_derivative_equal_mpmath(name):
    _, x, oracle = ORACLES[name]
    value, slope = exactly(oracle, x)
    f = FUNCTIONS[name]
    assert f.inside(x).all()
    np.testing.assert_allclose(f.f(x), value, rtol=2e-15, atol=3e-16 if name in HOST else 1e-16)
    # 1 - tanh² is exact to eps, not relative to itself
    np.testing.assert_allclose(f.df(x), slope, rtol=5e-14, atol=2e-16)
    np.testing.assert_array_equal(f.pair(x), (f.f(x), f.df(x)))


@names
def test_float32_is_kept_and_right(name):
    _, x, _ = ORACLES[name]
    f = FUNCTIONS[name]
    x32 = x[np.abs(np.abs(x) - 1) > 1e-3].astype(np.float32)
    for g in (f.f, f.df, f.continued, f.dcontinued):
        assert g(x32).dtype == np.float32
        np.testing.assert_allclose(g(x32), g(x32.astype(float)), rtol=3e-6, atol=1e-6)


@names
def test_derivative_equals_complex_step(name):
    _, x, _ = ORACLES[name]
    f = FUNCTIONS[name]
    for g, dg in ((f.f, f.df), (f.continued, f.dcontinued)):
        stepped = g(x + 1e-40j)
        assert stepped.dtype == np.complex128
        np.testing.assert_allclose(stepped.real, g(x), rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(stepped.imag / 1e-40, dg(x), rtol=1e-12, atol=1e-15)
        # the second derivative: the slope takes complex arrays as well
        x = x[np.abs(x) < 0.99] if x is UNIT else x
        h = 1e-5 * np.minimum(np.abs(x), 1)
        second = (dg(x + h) - dg(x - h)) / (2 * h)
        wanted = dg(x + 1e-40j).imag / 1e-40
        np.testing.assert_allclose(wanted, second, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in ORACLES if n not in ("0", "abs", "sgn")])
def test_complex_arguments_equal_mpmath(name):
    _, x, oracle = ORACLES[name]
    z = x + np.resize([0.25j, -1e-3j, 1e-12j], x.shape)
    expected = np.array([complex(oracle(mpmath.mpc(v))) for v in z])
    np.testing.assert_allclose(FUNCTIONS[name].f(z), expected, rtol=5e-14, atol=3e-16)


@names
def test_array_api_strict_equals_numpy(name):
    if name in HOST:  # they pass through the host, which the standard knows nothing of
        return
    _, x, _ = ORACLES[name]
    f = FUNCTIONS[name]
    x = np.concatenate([x, [-80.0, -1.0, 0.0, 1.0, 2.5, 800.0, 1e30, np.inf, np.nan]])
    for a in (x, x[:6].reshape(2, 3), x.astype(np.float32), x[:5] + 0.25j):
        for g in (f.inside, f.f, f.df, f.continued, f.dcontinued):
            found = g(strict.asarray(a))
            assert isinstance(found, type(strict.asarray(a)))
            np.testing.assert_array_equal(np.asarray(found), g(a))


@names
def test_sympy_form_equals_f(name):
    _, x, _ = ORACLES[name]
    symbol = sympy.Symbol("x", real=True)
    form = FUNCTIONS[name].sympy(symbol)
    assert isinstance(form, sympy.Expr)
    x = x[np.abs(x) < 0.9999] if x is UNIT else x  # lambdify loses arcsin's digits at ±1 - 1e-7
    value = sympy.lambdify(symbol, form, ["scipy", "numpy"])(x)
    np.testing.assert_allclose(np.broadcast_to(value, x.shape), FUNCTIONS[name].f(x), rtol=1e-13)
    no_peak = {"DiracDelta": np.zeros_like}  # sgn' off 0
    slope = sympy.lambdify(symbol, sympy.diff(form, symbol), [no_peak, "scipy", "numpy"])(x)
    far = np.abs(x) > 0.01  # SymPy's sinc' cancels at 0
    expected = FUNCTIONS[name].df(x)
    slope = np.broadcast_to(slope, x.shape)
    np.testing.assert_allclose(slope[far], expected[far], rtol=1e-10, atol=1e-14)


def test_aliases_are_the_same_functions():
    for alias, name in ALIASES.items():
        np.testing.assert_array_equal(FUNCTIONS[alias].f(HALF), FUNCTIONS[name].f(HALF))
        assert FUNCTIONS[alias].complexity == FUNCTIONS[name].complexity


def test_removable_points():
    tiny = np.array([0.0, 5e-324, -5e-324, 1e-300, 1e-9])
    np.testing.assert_array_equal(FUNCTIONS["sinc"].f(tiny), np.ones(5))
    np.testing.assert_allclose(FUNCTIONS["sinc"].df(tiny), -tiny / 3, rtol=1e-15)
    np.testing.assert_array_equal(FUNCTIONS["j1"].df(tiny), np.full(5, 0.5))
    around = np.array([0.9999, 1.0, 1.0001, 9.9e-5, 1.01e-4])  # where the formulas change
    np.testing.assert_allclose(
        FUNCTIONS["sinc"].df(around), -scipy.special.spherical_jn(1, around), rtol=1e-14
    )
    np.testing.assert_allclose(FUNCTIONS["j1"].df(around), scipy.special.jvp(1, around), rtol=1e-12)
    assert FUNCTIONS["sgn"].f(np.zeros(1)) == 0 and FUNCTIONS["sgn"].df(np.zeros(1)) == 0
    assert FUNCTIONS["abs"].df(np.zeros(1)) == 0


def test_nothing_known_is_lost_by_copying_or_pickling():
    for table in (FUNCTIONS, BASE_FUNCTIONS):
        for f in table.values():
            assert copy.deepcopy(f) is f
            assert pickle.loads(pickle.dumps(f)) is f
    own = pickle.loads(pickle.dumps(base_function((np.cos, scipy.special.jv))))
    assert (own.name, own.f) == ("cos", np.cos)
    again = pickle.loads(pickle.dumps(make_function("cube root", np.cbrt)))
    assert again.f(np.array([8.0])) == 2.0


def test_numbers_lists_and_integers_are_taken_as_floats():
    square = FUNCTIONS["x^2"]
    assert square.f(3.0) == 9.0 and square.continued(3) == 9.0
    np.testing.assert_array_equal(square.df([1, -2]), [2.0, -4.0])
    np.testing.assert_array_equal(FUNCTIONS["1/x"].f(np.arange(3)), [np.nan, 1.0, 0.5])
    assert square.f(np.zeros((7, 2, 3))).shape == (7, 2, 3)
    assert square.continued(np.zeros((0, 2))).shape == (0, 2)


def test_the_import_does_not_bring_heavy_modules():
    code = (
        "import sys, kanref.functions as f; f.FUNCTIONS['sin'].continued(1.0);"
        "print(sorted({'scipy', 'sympy', 'numba', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- domains and the library as a list -------------------------------------------------------


def test_domains_of_the_library():
    edges = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, np.inf, -np.inf, np.nan])
    inside = {
        "sqrt": "...xxxx...",
        "x^0.5": "...xxxx...",
        "x^1.5": "...xxxx...",
        "log": "....xxx...",
        "1/sqrt(x)": "....xxx...",
        "1/x^0.5": "....xxx...",
        "arcsin": ".xxxxx....",
        "arccos": ".xxxxx....",
        "arctanh": "..xxx.....",
        **dict.fromkeys(["1/x", "1/x^2", "1/x^3", "1/x^4", "1/x^5"], "xxx.xxx..."),
    }
    for name, f in FUNCTIONS.items():
        pattern = inside.get(name, "xxxxxxx...")
        assert "".join(".x"[int(v)] for v in f.inside(edges)) == pattern, name
        outside = ~f.inside(edges)
        assert np.isnan(f.f(edges)[outside]).all() and np.isnan(f.df(edges)[outside]).all()
        assert np.isfinite(f.f(edges)[~outside]).all(), name


def test_domain_covers_whole_intervals():
    tan = FUNCTIONS["tan"].domain
    assert tan.covers(-1.5, 1.5) and tan.covers(1.6, 4.7) and tan.covers(-4.7, -1.6)
    assert not tan.covers(1.5, 1.6) and not tan.covers(-11.1, -10.9) and not tan.covers(4.6, 4.8)
    pole = FUNCTIONS["1/x"].domain
    assert pole.covers(1e-9, 5.0) and not pole.covers(-1.0, 1.0) and not pole.covers(0.0, 1.0)
    assert FUNCTIONS["sqrt"].domain.covers(0.0, 3.0) and not POSITIVE.covers(0.0, 3.0)
    assert not FUNCTIONS["arcsin"].domain.covers(-0.5, 1.1) and REALS.covers(-1e300, 1e300)
    for interval in ((1.0, 0.0), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="finite with low <= high, got"):
            REALS.covers(*interval)


POSITIVE = Domain(0.0, closed=False)


def test_domain_in_words():
    words = [str(FUNCTIONS[n].domain) for n in ("sin", "log", "sqrt", "1/x", "arcsin", "arctanh")]
    assert words == ["every x", "x > 0", "x >= 0", "x != 0", "-1 <= x <= 1", "-1 < x < 1"]
    assert str(Domain(high=2.5, poles=(1.0,))) == "x <= 2.5 and x != 1"
    assert str(FUNCTIONS["tan"].domain) == f"x != {math.pi / 2:g} + {math.pi:g} n"
    with pytest.raises(ValueError, match=r"low < high, got low=2\.0, high=1\.0"):
        Domain(2.0, 1.0)


def test_resolve_library():
    own = make_function("mine", np.cbrt)
    everything = resolve_library(None, {"mine": own})
    assert list(everything) == [n for n in FUNCTIONS if n not in ALIASES] + ["mine"]
    assert list(resolve_library(["x^0.5", "mine", own, "x"], {"mine": own})) == [
        "x^0.5",
        "mine",
        "x",
    ]
    assert resolve_library([own]) == {"mine": own}
    replaced = make_function("x^0.5", np.cbrt)
    assert resolve_library(None, {"x^0.5": replaced})["x^0.5"] is replaced
    with pytest.raises(ValueError, match="`lib` must name one or more"):
        resolve_library([])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ln", "'log'"),
        ("x**2", "'x\\^2'"),
        ("ATAN", "'arctan'"),
        ("gausian", "'gaussian'"),
        ("sqrt ", "'sqrt'"),
    ],
)
def test_an_unknown_name_lists_the_known_and_the_nearest(name, hint):
    with pytest.raises(ValueError, match=rf"one of 0, x, .*, j1, mine, got .*mean {hint}.*\?\)$"):
        resolve_library([name], {"mine": make_function("mine", np.cbrt)})


def test_library_errors():
    with pytest.raises(ValueError, match=r"got 'qqqq'$"):
        resolve_library(["qqqq"])
    with pytest.raises(TypeError, match="a list of function names, got the string 'sin'"):
        resolve_library("sin")
    with pytest.raises(TypeError, match="names or Functions, got 3"):
        resolve_library([3])
