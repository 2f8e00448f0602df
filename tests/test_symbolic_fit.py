"""The one-edge fit and the suggestions, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from symbolic_networks import points, spline_network

from kanref import KAN
from kanref.functions import FUNCTIONS, Domain, make_function, resolve_library
from kanref.symbolic import EdgeFit, Suggestions, fit_edge, fix_symbolic, suggest
from kanref.symbolic.constants import point_inside
from kanref.symbolic.families import Family, covers, family, price
from kanref.symbolic.suggest import rank

LIBRARY = resolve_library()

# a and b on inputs in [-1, 1]; there, a·x + b stays within the domain.
INNER = {
    "arcsin": [(0.7, 0.2), (-0.3, 0.65), (0.95, 0.0)],
    "arccos": [(0.7, 0.2), (-0.3, 0.65), (0.95, 0.0)],
    "arctanh": [(0.7, 0.2), (-0.3, 0.65), (0.95, 0.0)],
    "tan": [(0.9, 0.4), (-1.2, 0.1), (0.5, -0.7)],
    "gaussian": [(1.5, 0.4), (-4.0, 1.5), (0.8, -0.3)],
    "tanh": [(1.5, 0.4), (-9.0, 3.0), (25.0, 5.0)],
    "erf": [(1.5, 0.4), (-4.0, 1.5), (0.8, -0.3)],
    "sigmoid": [(3.0, 0.8), (-9.0, 3.0), (1.5, -0.5)],
    "abs": [(1.5, 0.4), (-2.0, 1.3), (1.0, 0.0)],
    "sgn": [(1.5, 0.4), (-2.0, 1.3), (1.0, 0.05)],
    "sin": [(1.5, 0.4), (-9.6, 3.0), (math.pi, 0.0)],
    "j1": [(1.5, 0.4), (-2.5, 1.3), (5.0, 0.3)],
}
SINGULAR = [(1.0, 1.05), (-0.5, 1.6), (2.0, 2.3)]
SMOOTH = [(1.5, 0.4), (-2.5, 1.3), (0.6, -1.9)]


def inner(name: str) -> list[tuple[float, float]]:
    domain = FUNCTIONS[name].domain
    return INNER.get(name, SINGULAR if domain.bounded or domain.poles else SMOOTH)


RANGES = [(-1.0, 1.0), (0.2, 5.1), (-0.02, 0.01), (2000.0, 2150.0)]
OUTER = [(-3.7, 12.0), (2.4e-7, 1e-8), (5.1e6, -2e6), (0.9, 0.0)]


@pytest.mark.parametrize("name", [n for n in LIBRARY if n != "0"])
def test_every_function_is_recovered_from_samples(name: str) -> None:
    function = LIBRARY[name]
    rng = np.random.default_rng(5)
    for (low, high), (a, b), (c, d) in zip(
        RANGES, [*inner(name), inner(name)[0]], OUTER, strict=True
    ):
        x = rng.uniform(low, high, 311)
        t = (x - (low + high) / 2) / ((high - low) / 2)
        y = c * function.f(a * t + b) + d
        fit = fit_edge(function, x, y)
        assert fit.unexplained < 1e-18, (a, b, fit)
        np.testing.assert_allclose(fit(x), y, rtol=0, atol=1e-8 * np.ptp(y))


@pytest.mark.parametrize("name", [n for n in LIBRARY if n not in ("0", "sgn")])
def test_every_function_is_recovered_under_noise(name: str) -> None:
    function = LIBRARY[name]
    rng = np.random.default_rng(6)
    a, b = inner(name)[0]
    x = rng.uniform(-1, 1, 700)
    y = 2.0 * function.f(a * x + b) - 1.0
    noise = 0.05 * y.std() * rng.normal(size=x.size)
    fit = fit_edge(function, x, y + noise)
    # Four constants take up about 4/700 of the variance of the noise.
    assert np.var(fit(x) - y) < 20 / 700 * np.var(noise)
    assert fit.r2 == pytest.approx(1 - np.var(noise) / np.var(y + noise), abs=1e-4)


def test_r2_is_one_minus_the_ratio_of_the_sums_of_squares() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.uniform(-1, 2, 83), rng.uniform(0.1, 3, 83)
    y = np.exp(x) + rng.normal(size=83)
    fit = fit_edge(FUNCTIONS["x"], x, y, weight=weight)
    slope, offset = np.polyfit(x, y, 1, w=np.sqrt(weight))
    np.testing.assert_allclose(fit.affine, [1, 0, slope, offset], rtol=1e-10)
    residual = np.sum(weight * (y - slope * x - offset) ** 2)
    total = np.sum(weight * (y - np.average(y, weights=weight)) ** 2)
    assert fit.r2 == pytest.approx(1 - residual / total, rel=1e-12)


def test_r2_does_not_depend_on_the_scales_of_x_and_y() -> None:
    x = np.linspace(-1, 1, 57)
    y = np.tanh(3 * x) + 0.1 * x**3
    r2 = [fit_edge(FUNCTIONS["sin"], 1e5 * x + 3e4, s * y).unexplained for s in (1.0, 1e-9, 1e9)]
    np.testing.assert_allclose(r2, r2[0], rtol=1e-6)
    assert fit_edge(FUNCTIONS["sin"], x, y).unexplained == pytest.approx(r2[0], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "affine"),
    [
        ("x", (1, 0, -3, 2)),
        ("x^2", (1, 0.5, 4, -1)),
        ("x^3", (1, -0.25, -2, 0)),
        ("1/x", (1, 1.5, 2, 0.5)),
        ("sqrt", (1, 2, 3, -4)),
        ("sqrt", (-1, 2, 3, 0)),
        ("log", (1, 1.25, -2, 0)),
        ("exp", (-1.5, 0, 2, 1)),
        ("abs", (1, -0.5, 2, 1)),
        ("sin", (3, 0.5, -2, 0)),
        ("cos", (3, -0.5, 2, 0)),
        ("tanh", (3, 0.5, -2, 0)),
        ("gaussian", (2, -0.5, 1, 0)),
    ],
)
def test_redundant_constants_are_the_simplest(name: str, affine: tuple[float, ...]) -> None:
    x = np.linspace(-1, 1, 101)
    a, b, c, d = affine
    fit = fit_edge(FUNCTIONS[name], x, c * FUNCTIONS[name].f(a * x + b) + d)
    np.testing.assert_allclose(fit.affine, affine, rtol=1e-7, atol=1e-12)


def test_offset_of_exp_stays_where_it_keeps_the_factor_finite() -> None:
    x = np.linspace(1000, 1010, 50)
    fit = fit_edge(FUNCTIONS["exp"], x, np.exp(3 * (x - 1005)))
    assert fit.unexplained < 1e-20
    assert abs(math.log(fit.affine[2])) < 40


def test_a_map_that_meets_a_pole_between_the_samples_is_ruled_out() -> None:
    x = np.array([-1.0, -0.7, -0.45, 0.4, 0.8, 1.0])  # none of them near 0
    for name in ("1/x", "1/x^2", "1/x^5"):
        a, b = fit_edge(FUNCTIONS[name], x, FUNCTIONS[name].f(x)).affine[:2]
        assert not -1 <= -b / a <= 1
    a, b = fit_edge(FUNCTIONS["tan"], x, np.tan(2 * x)).affine[:2]
    low, high = (a * x + b).min(), (a * x + b).max()
    assert FUNCTIONS["tan"].domain.covers(low, high)


@given(
    name=st.sampled_from(["log", "sqrt", "1/sqrt(x)", "x^1.5", "arcsin", "arctanh", "1/x", "tan"]),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([1e-3, 1.0, 300.0]),
)
def test_the_fit_is_defined_on_all_samples(name: str, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = scale * (rng.uniform(-1, 1, 37) + rng.normal())
    y = np.cumsum(rng.normal(size=37))[np.argsort(np.argsort(x))]
    fit = fit_edge(FUNCTIONS[name], x, y)
    assert np.all(np.isfinite(fit(x)))
    assert 0 <= fit.r2 <= 1


def test_a_root_that_starts_on_a_sample_stays_defined_there() -> None:
    x = np.concatenate([[0.0], np.random.default_rng(0).uniform(0, 2, 99)])
    fit = fit_edge(FUNCTIONS["sqrt"], x, 3 * np.sqrt(x) + 1)
    assert fit.unexplained < 1e-12
    assert np.all(np.isfinite(fit(x)))


def test_sine_is_found_up_to_a_range_times_the_span() -> None:
    x = np.random.default_rng(1).uniform(-3, 3, 500)
    assert fit_edge(FUNCTIONS["sin"], x, np.sin(9 * x + 1)).unexplained < 1e-20
    far = np.sin(60 * x - 0.3)
    assert fit_edge(FUNCTIONS["sin"], x, far).unexplained > 0.5
    wide = fit_edge(FUNCTIONS["sin"], x, far, a_range=(-70, 70))
    np.testing.assert_allclose(wide.affine, [60, -0.3, 1, 0], atol=1e-9)
    j0 = FUNCTIONS["j0"]
    t = np.linspace(-1, 1, 400)
    assert fit_edge(j0, t, j0.f(20 * t), a_range=(-25, 25)).unexplained < 1e-20


def test_ranges_bound_the_start_not_the_result() -> None:
    x = np.linspace(-1, 1, 200)
    fit = fit_edge(FUNCTIONS["tanh"], x, np.tanh(18 * x), a_range=(-2, 2), b_range=(-1, 1))
    assert fit.affine[0] == pytest.approx(18, rel=1e-8)
    # A range that excludes the frequency leaves the search in another valley.
    narrow = fit_edge(FUNCTIONS["sin"], x, np.sin(30 * x), a_range=(0.1, 3))
    assert narrow.unexplained > 0.5


def test_step_is_placed_between_the_right_samples() -> None:
    x = np.random.default_rng(4).uniform(-3, 3, 1501)
    fit = fit_edge(FUNCTIONS["sgn"], x, np.where(x > 0.4321, 5.0, -1.0))
    assert fit.unexplained < 1e-28
    np.testing.assert_allclose(fit.affine[2:], [3, 2], rtol=1e-12)


def test_constant_values_are_explained_by_the_function_0_alone() -> None:
    x = np.linspace(0.5, 2, 31)
    for y in (np.full(31, -2.5), np.full(31, 1e-9), np.zeros(31)):
        for name, function in LIBRARY.items():
            fit = fit_edge(function, x, y)
            assert fit.r2 == (1.0 if name == "0" else 0.0)
            np.testing.assert_allclose(fit(x), y, rtol=1e-12)


def test_the_function_0_explains_nothing_else() -> None:
    x = np.linspace(-1, 1, 31)
    fit = fit_edge(FUNCTIONS["0"], x, x + 3)
    assert fit.r2 == 0
    np.testing.assert_allclose(fit.affine, [0, 0, 0, 3])


def test_constant_inputs_explain_nothing() -> None:
    y = np.random.default_rng(0).normal(size=20)
    fit = fit_edge(FUNCTIONS["exp"], np.full(20, 0.3), y)
    assert fit.r2 == 0
    np.testing.assert_allclose(fit(np.full(20, 0.3)), y.mean())


def test_two_samples_are_enough_for_a_line_and_one_is_a_constant() -> None:
    fit = fit_edge(FUNCTIONS["x"], np.array([1.0, 3.0]), np.array([5.0, 9.0]))
    np.testing.assert_allclose(fit.affine, [1, 0, 2, 3])
    assert fit_edge(FUNCTIONS["sin"], np.array([1.0]), np.array([5.0])).r2 == 0


def test_weights_of_zero_take_samples_out() -> None:
    x = np.linspace(-1, 1, 40)
    y = np.exp(2 * x)
    y[7] = 100.0
    weight = np.ones(40)
    weight[7] = 0.0
    fit = fit_edge(FUNCTIONS["exp"], x, y, weight=weight)
    np.testing.assert_allclose(fit.affine, [2, 0, 1, 0], atol=1e-7)
    assert fit_edge(FUNCTIONS["exp"], x, y).r2 < 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3), np.zeros(4)), r"same length > 0, got \(3,\) and \(4,\)"),
        ((np.zeros((3, 1)), np.zeros((3, 1))), "must be vectors"),
        ((np.zeros(0), np.zeros(0)), "same length > 0"),
        ((np.array([0.0, np.nan]), np.zeros(2)), "must be finite"),
        ((np.zeros(2), np.array([0.0, np.inf])), "must be finite"),
    ],
)
def test_samples_are_checked(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_edge(FUNCTIONS["x"], *arguments)


def test_settings_are_checked() -> None:
    x = np.arange(3.0)
    for weight in (np.ones(2), np.array([1, -1, 1.0]), np.zeros(3), np.array([1, np.nan, 1])):
        with pytest.raises(ValueError, match="`weight` must be 3 finite numbers"):
            fit_edge(FUNCTIONS["x"], x, x, weight=weight)
    for bad in ((1.0, 1.0), (3.0, -3.0), (0.0, math.inf), (1.0, 2.0, 3.0)):
        with pytest.raises(ValueError, match=r"`a_range` must be finite \(low, high\)"):
            fit_edge(FUNCTIONS["x"], x, x, a_range=bad)
        with pytest.raises(ValueError, match="`b_range`"):
            fit_edge(FUNCTIONS["x"], x, x, b_range=bad)


# --- invariances -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "invariances"),
    [
        ("0", {"constant"}),
        ("x", {"scaling", "shifting", "mirrored", "spanning", "turning"}),
        ("x^3", {"scaling", "mirrored"}),
        ("1/x^2", {"scaling", "mirrored"}),
        ("sqrt", {"scaling"}),
        ("log", {"scaling"}),
        ("exp", {"shifting", "spanning", "turning"}),
        ("sin", {"mirrored", "spanning", "turning", "oscillating"}),
        ("cosh", {"mirrored", "spanning"}),
        ("tan", {"mirrored", "turning"}),
        ("sgn", {"scaling", "mirrored", "flat"}),
        ("sigmoid", {"mirrored"}),
        ("j0", {"mirrored", "oscillating"}),
    ],
)
def test_invariances_are_found(name: str, invariances: set[str]) -> None:
    assert {key for key, held in vars(family(FUNCTIONS[name])).items() if held} == invariances


def test_invariances_of_own_functions_are_found_and_used() -> None:
    sixth = make_function("x^6", lambda x: x**6)
    ten = make_function("10^x", lambda x: 10**x)
    shifted = make_function("ln(x-5)", lambda x: np.log(x - 5), domain=(5.001, math.inf))
    assert family(sixth) == Family(scaling=True, mirrored=True)
    assert family(ten).shifting
    assert family(shifted) == Family()
    x = np.linspace(-1, 1, 90)
    np.testing.assert_allclose(
        fit_edge(sixth, x, 3 * (x - 1.5) ** 6).affine, [1, -1.5, 3, 0], atol=1e-8
    )
    np.testing.assert_allclose(
        fit_edge(ten, x, 10 ** (0.7 * x) + 1).affine, [0.7, 0, 1, 1], atol=1e-9
    )
    assert fit_edge(shifted, x, np.log(0.8 * x + 1.1)).unexplained < 1e-15


def test_covers_agrees_with_the_domain_one_by_one() -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(-4, 4, 200)
    high = low + rng.uniform(0, 3, 200)
    domains = [f.domain for f in LIBRARY.values()] + [Domain(-2, 2, poles=(0.5, 1.0))]
    for domain in domains:
        expected = [domain.covers(p, q) for p, q in zip(low, high, strict=True)]
        assert covers(domain, low, high).tolist() == expected


def test_point_inside() -> None:
    assert point_inside(FUNCTIONS["sin"]) == 0
    assert point_inside(FUNCTIONS["log"]) == 1
    far = make_function("far", np.sqrt, domain=(7.0, 9.0))
    assert point_inside(far) == 8


# --- suggestions -------------------------------------------------------------------------------


def curve_network(curve, low: float = -1.0, high: float = 1.0):  # type: ignore[no-untyped-def]
    x = points(300, 1, low, high)
    return spline_network([1, 1], {(0, 0, 0): curve}, x, G=20), x


EQUAL = {"cos": "sin", "sigmoid": "tanh", "arccos": "arcsin"}  # up to affine maps


@pytest.mark.parametrize("name", [n for n in LIBRARY if n not in ("0", "sinh", "cosh")])
def test_the_true_function_comes_first(name: str) -> None:
    a, b = inner(name)[0]
    affine = [a, b, -2.0, 0.7]
    network = fix_symbolic(KAN([1, 1]).network, 0, 0, 0, name, affine=affine)
    best = suggest(network, 0, 0, 0, points(200, 1)).best
    assert EQUAL.get(best.function, best.function) == EQUAL.get(name, name)
    assert best.fit.unexplained < 1e-15


def test_hyperbolic_functions_come_first_where_they_are_no_exponential() -> None:
    for name in ("sinh", "cosh"):
        network = fix_symbolic(KAN([1, 1]).network, 0, 0, 0, name, affine=[2, 0.3, 1, 0])
        assert suggest(network, 0, 0, 0, points(200, 1)).best.function == name


def test_splines_of_ordinary_functions_are_recognised() -> None:
    for name, curve in {
        "exp": np.exp,
        "x^2": np.square,
        "sin": lambda t: np.sin(math.pi * t),
        "x": lambda t: 3 * t + 1,
        "tanh": lambda t: np.tanh(3 * t),
    }.items():
        network, x = curve_network(curve)
        assert suggest(network, 0, 0, 0, x).best.function == name


def test_score_is_the_formula_of_the_docstring() -> None:
    fits = [
        EdgeFit(FUNCTIONS[name], np.array([1.0, 0, 1, 0]), left)
        for name, left in (("x", 1e-2), ("x^3", 1e-4), ("exp", 2e-4))
    ]
    rows = {row.function: row for row in rank(fits, 0.8)}
    assert rows["x"].score == pytest.approx(0.8 * 1 + 0.2 * 10 * math.log10(101))
    assert rows["x^3"].score == pytest.approx(0.8 * 3.5 + 0.2 * 10 * math.log10(2))
    assert rows["exp"].score == pytest.approx(0.8 * 2.5 + 0.2 * 10 * math.log10(3))
    assert [row.function for row in rank(fits, 0.8)] == ["exp", "x^3", "x"]
    assert [row.function for row in rank(fits, 1.0)] == ["x", "exp", "x^3"]
    assert [row.function for row in rank(fits, 0.0)] == ["x^3", "exp", "x"]
    with pytest.raises(ValueError, match="`weight_simple` must be within 0 and 1, got 3"):
        rank(fits, 3)


def test_price_is_complexity_and_the_constants_that_can_fit() -> None:
    expected = {"0": 0, "x": 1, "x^2": 2.5, "exp": 2.5, "log": 2.5, "sin": 3, "tanh": 4}
    assert {name: price(FUNCTIONS[name]) for name in expected} == expected


def test_functions_that_go_through_any_values_are_not_suggested() -> None:
    # Three different inputs: a parabola and a sine prove nothing there, a line does.
    x = np.tile([-1.0, 0.2, 1.0], 30)[:, None]
    network = spline_network([1, 1], {(0, 0, 0): np.exp}, points(50, 1), G=20)
    assert {row.function for row in suggest(network, 0, 0, 0, x, top=None)} == {"0", "x"}
    assert suggest(network, 0, 0, 0, x, lib=["x^2", "sin"]).best.function == "x^2"
    four = np.tile([-1.0, -0.3, 0.2, 1.0], 30)[:, None]
    found = {row.function for row in suggest(network, 0, 0, 0, four, top=None)}
    assert {"x^2", "exp"} <= found
    assert not {"sin", "tanh"} & found


def test_ranking_does_not_depend_on_the_size_of_the_edge() -> None:
    tables = []
    for scale in (1.0, 1e-6, 1e6):
        network, x = curve_network(lambda t, s=scale: s * np.sin(3 * t))
        tables.append([row.function for row in suggest(network, 0, 0, 0, x)])
    assert tables[0] == tables[1] == tables[2]


def test_suggestions_are_a_table() -> None:
    network, x = curve_network(np.exp)
    table = suggest(network, 0, 0, 0, x, top=4)
    assert isinstance(table, Suggestions)
    assert len(table) == 4
    assert table[0] is table.best
    assert next(iter(table)).function == "exp"
    scores = [row.score for row in table]
    assert scores == sorted(scores)
    lines = repr(table).splitlines()
    assert lines[0] == "edge (0, 0, 0)"
    assert lines[1].split() == ["function", "r2", "1", "-", "r2", "complexity", "score"]
    assert lines[2].split()[0] == "exp"
    assert len(lines) == 6
    frame = table.to_pandas()
    assert list(frame.columns) == ["function", "r2", "1 - r2", "complexity", "score"]
    assert frame["function"][0] == "exp"
    assert frame["complexity"][0] == FUNCTIONS["exp"].complexity
    assert table._repr_html_().count("<tr>") == 5
    assert len(suggest(network, 0, 0, 0, x, top=None)) == len(LIBRARY)


def test_suggestions_from_a_library_of_ones_own() -> None:
    own = make_function("<&>", lambda x: x**3 + x, complexity=1)
    network, x = curve_network(lambda t: t**3 + t)
    table = suggest(network, 0, 0, 0, x, lib=["x", "sin", own])
    assert {row.function for row in table} == {"x", "sin", "<&>"}
    assert table.best.function == "<&>"
    assert "&lt;&amp;&gt;" in table._repr_html_()
    assert suggest(network, 0, 0, 0, x, functions={"<&>": own}).best.function == "<&>"


def test_edges_are_checked() -> None:
    x = points(20, 2)
    network = spline_network([2, 3, 1], {(0, 0, 2): np.exp, (1, 2, 0): np.exp}, x)
    assert suggest(network, 1, 2, 0, x).edge == (1, 2, 0)
    for edge, message in {
        (2, 0, 0): "`l` must be a layer of edges, 0 to 1, got 2",
        (-1, 0, 0): "`l` must be",
        (0, 2, 0): "`i` and `j` must be below 2 and 3 in layer 0, got i=2, j=0",
        (0, 0, -1): "`i` and `j` must be",
        (0, 1, 2): r"the edge must be alive, got \(0, 1, 2\), which is dead",
    }.items():
        with pytest.raises(ValueError, match=message):
            suggest(network, *edge, x)
    with pytest.raises(ValueError, match="`top` must be at least 1, got 0"):
        suggest(network, 0, 0, 2, x, top=0)
