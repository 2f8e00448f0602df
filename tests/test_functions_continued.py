"""The continuation of the symbolic functions: finite, itself inside, leading back."""

from __future__ import annotations

import math

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kanref.functions import FUNCTIONS, Domain, make_function

names = pytest.mark.parametrize("name", FUNCTIONS)
MAX64, MAX32 = float(np.finfo(np.float64).max), float(np.finfo(np.float32).max)
TINY = 5e-324
ONE_SIDED = ("sqrt", "x^0.5", "x^1.5", "log", "1/sqrt(x)", "1/x^0.5")
TWO_SIDED = ("arcsin", "arccos", "arctanh")
CLOSED = ("sqrt", "x^0.5", "x^1.5", "arcsin", "arccos")


def column(*values, dtype=np.float64):
    return np.array(values, dtype=dtype)


EDGES = [0.0, TINY, -TINY, 1e-62, 1.0, math.nextafter(1, 2), -1.0, 83.0, 702.9, 710.0]


@given(arrays(float, 20, elements=st.floats(allow_nan=False, allow_infinity=False)))
@example(np.array([*EDGES, 1e62, -1e62, MAX64, -MAX64, MAX32, -MAX32]))
def test_finite_everywhere_and_itself_inside(numbers):
    single = numbers[np.abs(numbers) <= MAX32].astype(np.float32)
    for name, f in FUNCTIONS.items():
        for x in (numbers, single):
            value, slope = f.continued_pair(x)
            assert value.dtype == slope.dtype == x.dtype
            assert np.isfinite(value).all() and np.isfinite(slope).all(), name
            np.testing.assert_array_equal(f.continued(x), value)
            np.testing.assert_array_equal(f.dcontinued(x), slope)
            bound = np.finfo(x.dtype).max / 2000
            itself = f.inside(x) & (np.abs(f.f(x)) < bound) & (np.abs(f.df(x)) < bound)
            np.testing.assert_array_equal(value[itself], f.f(x)[itself], name)
            np.testing.assert_array_equal(slope[itself], f.df(x)[itself], name)


@names
def test_nan_and_infinity_give_nan(name):
    for dtype in (np.float64, np.float32, np.complex128):
        x = column(np.nan, np.inf, -np.inf, dtype=dtype)
        assert np.isnan(FUNCTIONS[name].continued_pair(x)).all()
        assert np.isnan(FUNCTIONS[name].pair(x)).all()


@names
@given(st.floats(1e-12, 1e12), st.sampled_from([-1.0, 1.0]), st.sampled_from([0.0, -1.0, 1.0]))
def test_the_slope_is_the_derivative_of_the_continuation(name, size, side, origin):
    f = FUNCTIONS[name]
    x = column(origin + side * size)
    if origin and min(abs(x), abs(abs(x) - 1)) < 1e-9:
        return  # on an edge, within the digits
    stepped = f.continued(x + 1e-60j)
    value, slope = f.continued_pair(x)
    np.testing.assert_allclose(stepped.real, value, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(stepped.imag / 1e-60, slope, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("x^2", [1e152, 5e152, 1e153, 1e200, 1e300]),
        ("x^5", [1e60, 1e61, 2e61, 1e100, 1e300]),
        ("x^1.5", [1e203, 1e204, 1e250, 1e300]),
        ("exp", [700.0, 703.0, 705.0, 1000.0, 1e100]),
        ("sinh", [700.0, 703.0, 705.0, 1000.0, 1e100]),
        ("cosh", [700.0, 703.0, 705.0, 1000.0, 1e100]),
        ("1/x^5", [1e-50, 1e-51, 1e-52, 1e-60]),
        ("1/sqrt(x)", [1e-202, 1e-204, 1e-210]),
        ("log", [1e-304, 4e-306, 1e-306]),
    ],
)
def test_the_slope_is_the_derivative_where_the_tangent_takes_over(name, points):
    f = FUNCTIONS[name]
    x = np.concatenate([points, np.negative(points)])
    value, slope = f.continued_pair(x)
    step = 1e-8 * np.abs(x)
    stepped = f.continued(x + 1j * step)
    np.testing.assert_allclose(stepped.real, value, rtol=1e-9)
    np.testing.assert_allclose(stepped.imag / step, slope, rtol=1e-6, atol=1e-290)
    assert (slope != f.df(x)).any()  # it did take over
    assert (value[x > 0] != 0).all() and (slope[x > 0] != 0).all()  # before anything overflowed


@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_edge_is_crossed_continuously(name):
    f = FUNCTIONS[name]
    for edge in (e for e in (f.domain.low, f.domain.high) if math.isfinite(e)):
        at = f.f(column(edge))
        assert f.continued(column(edge)) == at
        for distance in (1e-6, 1e-9, 1e-12):
            near = f.continued(column(edge - distance, edge + distance))
            assert np.abs(near - at).max() <= 2 * math.sqrt(distance)
            np.testing.assert_allclose(
                near[0] + near[1], 2 * at, rtol=1e-9, atol=1e-9
            )  # a point mirror


@pytest.mark.parametrize("name", ONE_SIDED + TWO_SIDED)
def test_outside_the_slope_keeps_its_sense_and_stays_moderate(name):
    f = FUNCTIONS[name]
    inside = np.linspace(0.01, 0.99, 7)
    sense = np.sign(f.df(inside)[0])
    outside = -np.logspace(-3, 9, 25)
    if name in TWO_SIDED:
        outside = np.concatenate([-1 + outside, 1 - outside])
    value, slope = f.continued_pair(outside)
    assert (np.sign(slope) == sense).all()
    assert (np.abs(slope) < 1e5).all() and (np.abs(value) < 1e6 + np.abs(outside) ** 1.5).all()
    order = np.argsort(outside)
    assert (np.sign(np.diff(value[order])) == sense).all() or name == "1/x^0.5"


def test_known_continuations():
    def at(name, *x):
        return FUNCTIONS[name].continued(column(*x))

    np.testing.assert_array_equal(at("sqrt", -4.0, -1e300, 9.0), [-2.0, -1e150, 3.0])
    np.testing.assert_array_equal(at("x^1.5", -4.0), [-8.0])
    e = 1e-3  # the anchor of open edges
    np.testing.assert_allclose(at("log", 0.0, -1.0), 2 * np.log(e) - np.log([2 * e, 2 * e + 1]))
    expected = 2 / np.sqrt(e) - 1 / np.sqrt([2 * e, 2 * e + 1])
    np.testing.assert_allclose(at("1/sqrt(x)", 0.0, -1.0), expected)
    assert -710 < at("log", TINY) < -700 and at("1/sqrt(x)", TINY) > 1e100  # f' overflows there
    np.testing.assert_allclose(at("arcsin", 1.5, -1.5), [np.pi * 5 / 6, -np.pi * 5 / 6])
    np.testing.assert_allclose(at("arccos", 1.5, -1.5), [-np.pi / 3, np.pi * 4 / 3])
    np.testing.assert_allclose(
        at("arcsin", 3.0), np.pi + np.arcsinh(1)
    )  # beyond the mirrored middle
    np.testing.assert_allclose(at("arctanh", 1.0), 2 * np.arctanh(1 - e) - np.arctanh(1 - 2 * e))
    np.testing.assert_allclose(at("arctanh", -1.0), -at("arctanh", 1.0))


def test_an_infinite_slope_at_an_edge_is_replaced_there_only():
    root, eps = FUNCTIONS["sqrt"], np.finfo(float).eps
    assert root.f(column(0.0)) == 0 and root.df(column(0.0)) == np.inf
    np.testing.assert_allclose(root.dcontinued(column(0.0, -0.0)), 0.5 * eps**-0.25)
    np.testing.assert_allclose(root.dcontinued(column(1e-300, -1e-300)), 0.5e150)
    arcsin, arccos = FUNCTIONS["arcsin"], FUNCTIONS["arccos"]
    steep = arcsin.df(column(1 - math.sqrt(eps)))
    np.testing.assert_allclose(arcsin.dcontinued(column(-1.0, 1.0)), [steep[0]] * 2, rtol=1e-7)
    np.testing.assert_allclose(arccos.dcontinued(column(-1.0, 1.0)), [-steep[0]] * 2, rtol=1e-7)
    assert FUNCTIONS["x^1.5"].dcontinued(column(0.0)) == 0


@pytest.mark.parametrize("n", range(1, 6))
def test_close_to_a_pole_the_tangent_takes_over(n):
    f = FUNCTIONS["1/x" if n == 1 else f"1/x^{n}"]
    assert f.continued_pair(column(0.0)) == (0.0, 0.0)
    hole = (n / (MAX64 / (2 * math.log(MAX64)))) ** (1 / (n + 1))
    for side in (1.0, -1.0):
        x = side * hole * column(1.0001, 0.9999, 0.5, 1e-3) + side * TINY
        value, slope = f.continued_pair(x)
        assert value[0] == f.f(x)[0] and slope[0] == f.df(x)[0]
        np.testing.assert_allclose(value[1:], value[1] * (1 + n * (1 - x[1:] / x[1])), rtol=1e-3)
        np.testing.assert_allclose(slope[1:], slope[0], rtol=1e-3)


def test_overflow_is_put_off_to_the_end_of_the_dtype():
    exp = FUNCTIONS["exp"]
    for dtype, last, largest in ((np.float64, 702.0, MAX64), (np.float32, 83.0, MAX32)):
        x = column(last, dtype=dtype)
        assert exp.continued(x) == np.exp(x) == exp.dcontinued(x)
        far = column(last, last + 1, 2 * last, 1e6, largest, dtype=dtype)
        value, slope = exp.continued_pair(far)
        assert (np.diff(value) > 0).all() and (slope > 0).all() and (np.diff(slope[1:]) < 0).all()
    assert exp.f(column(1000.0)) == np.inf  # f itself is exact
    np.testing.assert_array_equal(exp.continued(column(-1000.0)), [0.0])
    for name in ("x^2", "x^3", "x^4", "x^5"):
        n = int(name[-1])
        largest = (MAX64 / 2000) ** (1 / n)
        x = column(largest, -largest, 1e300, -1e300)
        value = FUNCTIONS[name].continued(x)
        np.testing.assert_array_equal(value[:2], FUNCTIONS[name].f(x[:2]))
        assert value[2] > value[0] and (value[3] > value[1] if n % 2 == 0 else value[3] < value[1])


@pytest.mark.parametrize("closed", [True, False])
def test_other_domains_continue_alike(closed):
    """A user's function with the other kinds of domain: upper edge only, a shifted pole."""
    upper = make_function(
        "root", lambda x: 3 - 2 * x, lambda x: -2 + 0 * x, domain=Domain(high=2.0, closed=closed)
    )
    value, slope = upper.continued_pair(column(1.0, 2.0, 5.0))
    np.testing.assert_allclose(value, [1.0, -1.0, -7.0])  # a line is its own continuation
    np.testing.assert_array_equal(slope, [-2.0, -2.0, -2.0])
    np.testing.assert_array_equal(
        np.isnan(upper.f(column(1.0, 2.0, 5.0))), [False, not closed, True]
    )
    pole = make_function(
        "pole", lambda x: 1 / (x - 0.5), lambda x: -((x - 0.5) ** -2), domain=Domain(poles=(0.5,))
    )
    assert pole.continued_pair(column(0.5)) == (0.0, 0.0)
    assert pole.continued(column(0.75)) == 4.0 and np.isnan(pole.f(column(0.5)))


def test_each_edge_has_its_own_slope():
    def f(x):
        return np.sqrt(x) - 3 * np.sqrt(4 - x)

    made = make_function("two", f, lambda x: 0.5 / np.sqrt(x) + 1.5 / np.sqrt(4 - x), domain=(0, 4))
    slope = made.dcontinued(column(0.0, 4.0))
    np.testing.assert_allclose(slope[1] / slope[0], 3, rtol=1e-3)
    assert made.continued_pair(column(1.0)) == (f(1.0), made.df(column(1.0)))
    short = make_function("short", np.sqrt, lambda x: 0.5 / np.sqrt(x), domain=(0, 1e-9))
    assert 1e4 < short.dcontinued(column(0.0)) < 1e10


def test_the_anchor_of_a_narrow_open_domain_is_inside():
    narrow = Domain(0.0, 1e-4, closed=False)
    made = make_function("narrow", lambda x: np.log(x) - np.log(1e-4 - x), domain=narrow)
    x = column(-1e-3, -1e-9, 0.0, 1e-4, 1e-4 + 1e-9, 1e-3)
    value, slope = made.continued_pair(x)
    assert (np.diff(value) > 0).all() and (slope > 0).all()


def test_a_mirrored_sample_comes_back_under_gradient_descent():
    """The point of it all: a misplaced affine map finds its way into the domain."""
    x = np.linspace(1, 2, 7)
    target = np.sqrt(x - 0.5)
    root, b = FUNCTIONS["sqrt"], -1.5  # all samples but the last few are outside
    for _ in range(800):
        error = root.continued(x + b) - target
        b -= 0.1 * np.clip(np.mean(error * root.dcontinued(x + b)), -1, 1)
    assert abs(b + 0.5) < 1e-6


def test_shapes_and_strict_arrays():
    f = FUNCTIONS["arcsin"]
    x = np.linspace(-5, 5, 42).reshape(7, 2, 3)
    np.testing.assert_array_equal(np.asarray(f.continued(strict.asarray(x))), f.continued(x))
    assert f.continued(np.zeros((0, 3))).shape == (0, 3)
    assert f.continued(strict.asarray(3.0)).shape == ()
