"""Functions of the user's own: numerical derivatives, complex steps, SymPy forms, errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.special
import sympy

from kanref.functions import Domain, make_function

X = np.array([-2.3, -0.7, 0.01, 0.4, 1.9])


def test_the_users_derivative_is_used():
    f = make_function("cube", lambda x: x**3, lambda x: 7 * x, complexity=5)
    np.testing.assert_array_equal(f.df(X), 7 * X)
    assert (f.name, f.complexity, str(f.domain)) == ("cube", 5, "every x")


@pytest.mark.parametrize(
    ("f", "df", "tolerance"),
    [
        (lambda x: np.exp(np.sin(3 * x)), lambda x: 3 * np.cos(3 * x) * np.exp(np.sin(3 * x)), 0),
        (lambda x: x**3 / (1 + x * x), lambda x: (3 * x**2 + x**4) / (1 + x * x) ** 2, 0),
        # no complex arrays at all
        (np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2), 1e-4),
        (scipy.special.i0, scipy.special.i1, 1e-11),
        # complex arrays, and nonsense: the modulus and an ordering are not analytic
        (lambda x: np.abs(x) * x, lambda x: 2 * np.abs(x), 1e-9),
        (lambda x: np.maximum(x, 0) ** 2, lambda x: 2 * np.maximum(x, 0), 1e-5),
        (lambda x: np.real(x) ** 2, lambda x: 2 * x, 1e-11),
        (
            lambda x: (x.real**2).astype(complex) if x.dtype.kind == "c" else x**2,
            lambda x: 2 * x,
            1e-11,
        ),
    ],
)
def test_a_missing_derivative_is_taken_numerically(f, df, tolerance):
    made = make_function("mine", f)
    x = X[np.abs(X) > 0.1] if f is np.cbrt else X
    scale = np.abs(df(x)).max()
    assert np.abs(made.df(x) - df(x)).max() <= max(tolerance, 1e-14) * scale
    assert made.df(x.astype(np.float32)).dtype == np.float32
    assert np.abs(made.df(x.astype(np.float32)) - df(x)).max() <= max(tolerance, 1e-6) * scale


def test_near_an_edge_the_difference_stays_in_the_domain():
    def f(x):
        if np.any((np.real(x) < -1) | (np.real(x) > 3)):
            raise AssertionError("called outside its domain")
        return np.asarray(np.real(x)) ** 3

    probing = make_function("cube", lambda x: np.real(x) ** 3, domain=(-1, 3))
    slope = probing.dformula.df  # what differentiates `f`, below the masks
    strict = type(slope)(f, slope.analytic, slope.domain)
    x = np.array([-1.0, -1 + 1e-9, -1 + 1e-4, -0.2, 2.99999, 3.0])
    np.testing.assert_allclose(strict(x), 3 * x**2, rtol=1e-4)
    np.testing.assert_allclose(strict(x)[3], 3 * x[3] ** 2, rtol=1e-11)
    np.testing.assert_array_equal(probing.df(x), strict(x))


@pytest.mark.parametrize("f", [np.exp, scipy.special.i0, np.cbrt])
def test_complex_steps_pass(f):
    made = make_function("mine", f)
    for value, slope in ((made.f, made.df), (made.continued, made.dcontinued)):
        stepped = value(X + 1e-40j)
        np.testing.assert_allclose(stepped.real, f(X), rtol=1e-14)
        np.testing.assert_allclose(stepped.imag / 1e-40, slope(X), rtol=1e-12)
        assert slope(X + 1e-40j).dtype == np.complex128
        np.testing.assert_allclose(slope(X + 1e-40j).real, slope(X), rtol=1e-9)


def test_an_analytic_function_has_its_second_derivative_too():
    made = make_function("mine", lambda x: np.exp(2 * x))
    second = made.df(X + 1e-10j).imag / 1e-10
    np.testing.assert_allclose(second, 4 * np.exp(2 * X), rtol=1e-4)


def test_domain_and_continuation():
    made = make_function("xlogx", lambda x: x * np.log(x), domain=Domain(0.0, closed=False))
    x = np.array([-1.0, 0.0, 0.5, 2.0])
    np.testing.assert_array_equal(np.isnan(made.f(x)), [True, True, False, False])
    assert np.isfinite(made.continued_pair(x)).all()
    pair = make_function("line", lambda x: x + 0.0, domain=(-1, 2)).domain
    assert (pair.low, pair.high, pair.closed) == (-1.0, 2.0, True)


def test_where_a_users_function_fails_its_continuation_is_0():
    made = make_function("undeclared", np.log)  # NaN below 0, with no domain given
    x = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(made.continued(x), [0.0, 0.0, 0.0])
    np.testing.assert_allclose(made.dcontinued(x), [0.0, 0.0, 1.0], rtol=1e-12)
    assert np.isnan(make_function("never", lambda x: x * np.nan).df(np.ones(1)))
    for domain in (None, (0, 1), Domain(high=-1), Domain(low=1)):
        f = make_function("steep", lambda x: np.exp(x**2), domain=domain)
        assert np.isfinite(f.continued_pair(np.array([-1e3, -5.0, 0.5, 2.0, 1e3, 1e308]))).all()


def test_sympy_forms():
    x = sympy.Symbol("x")
    assert str(make_function("mine", np.exp).sympy(2 * x)) == "mine(2*x)"
    made = make_function("mine", np.exp, sympy=lambda e: sympy.exp(e) + 1)
    assert made.sympy(x) == sympy.exp(x) + 1


def test_the_result_takes_the_dtype_of_the_argument():
    with warnings.catch_warnings(record=True) as caught:
        made = make_function("wide", lambda x: np.asarray(x, dtype=float) * 2, lambda x: x * 0 + 2)
    assert caught == []  # that `f` drops an imaginary part is not the user's business
    assert made.f(np.ones(2, np.float32)).dtype == np.float32
    assert made.continued(np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", np.sin), ValueError, "`name` must be a non-empty string, got ''"),
        ((3, np.sin), ValueError, "`name` must be"),
        (("f", 3), TypeError, "`f` must be callable, got 3"),
        (("f", None), TypeError, "`f` must be callable, got None"),
        (("f", np.sin, 3), TypeError, "`df` must be callable"),
        (("f", np.sin, np.cos, "sin(x)"), TypeError, "`sympy` must be callable, got 'sin"),
        (("f", np.sin, np.cos, None, -1), ValueError, "`complexity` must be an integer >= 0"),
        (("f", np.sin, np.cos, None, 1.5), ValueError, "`complexity` must be .* got 1.5"),
        (("f", np.sin, np.cos, None, True), ValueError, "`complexity` must be .* got True"),
        (("f", np.sum), ValueError, r"`f` must return an array of shape \(7,\), got \(\)"),
        (("f", np.sin, np.sum), ValueError, r"`df` must return an array of shape \(7,\), got \(\)"),
        (("f", np.sin, np.cos, None, 1, 3), TypeError, r"a Domain or \(low, high\), got 3"),
        (("f", np.sin, np.cos, None, 1, (1, 2, 3)), TypeError, r"got \(1, 2, 3\)"),
        (("f", np.sin, np.cos, None, 1, (2, 1)), ValueError, "low < high, got low=2.0, high=1.0"),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        make_function(*arguments)
