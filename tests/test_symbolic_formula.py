"""Snapping edges by hand, and the formula of a network against the network itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from builders import random_network
from symbolic_networks import points, predict, shares_memory, spline_network

from kanref import KAN, Scaling
from kanref.functions import FUNCTIONS, make_function
from kanref.layer import layer_edges
from kanref.network import Network, layer_inputs
from kanref.symbolic import ex_round, fix_symbolic, symbolic_formula, unfix_symbolic

DOMAINS = {  # a and b that take [-1, 1] into the domain
    "arcsin": (0.6, 0.2),
    "arccos": (-0.6, 0.2),
    "arctanh": (0.6, 0.2),
    "tan": (0.9, 0.3),
}


def inner(name: str) -> tuple[float, float]:
    domain = FUNCTIONS[name].domain
    return DOMAINS.get(name, (0.8, 1.7) if domain.bounded or domain.poles else (0.8, 0.3))


def evaluate(network: Network, x: np.ndarray, **options: object) -> np.ndarray:
    """Evaluate the formula of a network with NumPy and SciPy, (N, n_out)."""
    names = [f"x{i}" for i in range(network.n_in)]
    outputs = symbolic_formula(network, input_names=names, **options)
    f = sympy.lambdify(sympy.symbols(names), outputs, modules=["numpy", "scipy"])
    columns = [np.broadcast_to(v, len(x)) for v in f(*x.T)]
    return np.stack(columns, axis=1)


def all_symbolic(network: Network, names: list[str], seed: int = 0) -> Network:
    """Fix every live edge of a network to one of `names`."""
    rng = np.random.default_rng(seed)
    for l, layer in enumerate(network.layers):
        for i, j in np.argwhere(layer.mask).tolist():
            a, b, c, d = rng.uniform(0.3, 0.9, 4) * rng.choice([-1, 1], 4)
            name = names[(i + 3 * j + 5 * l) % len(names)]
            network = fix_symbolic(network, l, i, j, name, affine=[a, b, c, d])
    return network


# --- the formula is the network ----------------------------------------------------------------


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_formula_of_every_function(name: str) -> None:
    a, b = inner(name)
    network = fix_symbolic(KAN([1, 1]).network, 0, 0, 0, name, affine=[a, b, -1.7, 0.4])
    x = points(40, 1)
    expected = -1.7 * FUNCTIONS[name].f(a * x + b) + 0.4
    np.testing.assert_allclose(evaluate(network, x), expected, rtol=1e-10)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "0"])
def test_formula_of_every_function_composed(name: str) -> None:
    a, b = inner(name)
    network = KAN([2, 1, 1]).network
    network = fix_symbolic(network, 0, 0, 0, "sin", affine=[0.7, 0.1, 0.5, 0])
    network = fix_symbolic(network, 0, 1, 0, name, affine=[a, b, 0.02, 0.1])
    network = fix_symbolic(network, 1, 0, 0, name, affine=[a, b, 3.0, -0.2])
    x = points(40, 2)
    z = 0.5 * np.sin(0.7 * x[:, 0] + 0.1) + 0.02 * FUNCTIONS[name].f(a * x[:, 1] + b) + 0.1
    expected = 3.0 * FUNCTIONS[name].f(a * z + b) - 0.2
    assert np.all(np.isfinite(expected))
    np.testing.assert_allclose(evaluate(network, x)[:, 0], expected, rtol=1e-10)
    np.testing.assert_allclose(predict(network, x)[:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_formula_with_products_affines_dead_edges_and_scaling(seed: int) -> None:
    network = random_network(seed=seed)  # 2 inputs, 3 + 2 nodes, 3 outputs
    network = all_symbolic(network, ["sin", "tanh", "x", "gaussian", "x^2", "0", "arctan"], seed)
    scaling = Scaling(
        np.array([3.0, -0.5]), np.array([2.0, 40.0]), np.array([1.0, 0, -7]), np.array([5, 0.1, 1])
    )
    x = points(7, 2)
    X = x * scaling.x_scale + scaling.x_shift
    expected = scaling.y_to_data(predict(network, x))
    np.testing.assert_allclose(evaluate(network, X, scaling=scaling), expected, rtol=1e-10)
    np.testing.assert_allclose(evaluate(network, x), predict(network, x), rtol=1e-10)


def test_formula_is_short() -> None:
    network = fix_symbolic(KAN([2, 1, 1]).network, 0, 0, 0, "x^2", affine=[1, 0, 1, 0])
    network = fix_symbolic(network, 0, 1, 0, "x^2", affine=[1, 0, 2, 0])
    network = fix_symbolic(network, 1, 0, 0, "sqrt", affine=[1, 0, 1, 0])
    x, y = sympy.symbols("x y")
    assert symbolic_formula(network, input_names=["x", "y"]) == [sympy.sqrt(x**2 + 2 * y**2)]


def test_scaling_cancels_where_it_should() -> None:
    # 0.1·(X - 3.3)/0.1 + 3.3 = X: no rest of a rounding error.
    assert 0.1 * (-3.3 / 0.1) + 3.3 != 0
    network = fix_symbolic(KAN([1, 1]).network, 0, 0, 0, "log", affine=[0.1, 3.3, 1, 0])
    scaling = Scaling(np.array([3.3]), np.array([0.1]), np.array([0.0]), np.array([1.0]))
    assert str(symbolic_formula(network, input_names=["X"], scaling=scaling)[0]) == "log(X)"


def test_names_are_symbols_as_they_are() -> None:
    names = ["chord length [m]", "import os; os.abort()"]
    network = fix_symbolic(KAN([2, 1]).network, 0, 0, 0, "x", affine=[1, 0, 2, 0])
    network = fix_symbolic(network, 0, 1, 0, "abs", affine=[1, 0, 1, 0])
    (formula,) = symbolic_formula(network, input_names=names)
    first, second = map(sympy.Symbol, names)
    assert formula == 2 * first + sympy.Abs(second)
    assert {str(s) for s in symbolic_formula(network)[0].free_symbols} == {"x_1", "x_2"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x"], "`input_names` must be 2 different names"),
        (["x", "x"], "`input_names` must be 2 different names"),
        (["x", ""], "`input_names` must be non-empty texts"),
        (["x", 3], "`input_names` must be non-empty texts"),
    ],
)
def test_names_are_checked(names: list, message: str) -> None:
    network = all_symbolic(KAN([2, 1]).network, ["x"])
    with pytest.raises(ValueError, match=message):
        symbolic_formula(network, input_names=names)


def test_splines_are_named() -> None:
    x = points(30, 2)
    curves = {(0, 0, 1): np.exp, (0, 1, 1): np.exp, (1, 1, 0): np.tanh}
    network = spline_network([2, 3, 1], curves, x)
    network = fix_symbolic(network, 0, 0, 1, "exp", x=x)
    with pytest.raises(ValueError, match=r"spline on edge \(l, i, j\) = \(0, 1, 1\) and 1 more"):
        symbolic_formula(network)
    network = fix_symbolic(network, 0, 1, 1, "exp", x=x)
    with pytest.raises(ValueError, match=r"spline on edge \(l, i, j\) = \(1, 1, 0\)$"):
        symbolic_formula(network)
    assert len(symbolic_formula(fix_symbolic(network, 1, 1, 0, "tanh", x=x))) == 1


def test_own_functions_stand_in_the_formula() -> None:
    network = KAN([1, 1]).network
    named = make_function("bump", lambda x: x / (1 + x**2))
    x = sympy.Symbol("x")
    fixed = fix_symbolic(network, 0, 0, 0, named, affine=[2, 0, 1, 0])
    assert symbolic_formula(fixed, input_names=["x"]) == [sympy.Function("bump")(2 * x)]
    spelled = make_function("bump2", lambda x: x / (1 + x**2), sympy=lambda x: x / (1 + x**2))
    fixed = fix_symbolic(
        network, 0, 0, 0, "bump2", affine=[2, 0, 1, 0], functions={"bump2": spelled}
    )
    assert symbolic_formula(fixed, input_names=["x"]) == [2 * x / (1 + 4 * x**2)]


def test_simplify_and_rounding() -> None:
    network = fix_symbolic(KAN([2, 1]).network, 0, 0, 0, "x^2", affine=[1, 1, 1.00004, -1])
    network = fix_symbolic(network, 0, 1, 0, "exp", affine=[3.14159, 0, 2e-7, 0])
    x, y = sympy.symbols("x y")
    (rounded,) = symbolic_formula(network, input_names=["x", "y"], round_to=3)
    assert rounded == (x + 1) ** 2 - 1 + 2.0e-7 * sympy.exp(3.14 * y)
    (simple,) = symbolic_formula(network, input_names=["x", "y"], round_to=3, simplify=True)
    assert sympy.simplify(simple - rounded) == 0
    (exact,) = symbolic_formula(network, input_names=["x", "y"])
    assert sympy.Float(1.00004) in exact.atoms(sympy.Float)


def test_rounding_is_to_significant_digits() -> None:
    x = sympy.Symbol("x")
    assert ex_round(123456.0 * x, 2) == 120000 * x
    assert ex_round(0.00012345 * x + 0.5, 3) == 0.000123 * x + 0.5
    assert ex_round(sympy.sin(2.9999999 * x) ** 2, 5) == sympy.sin(3 * x) ** 2
    assert ex_round(sympy.Rational(1, 3) * x, 2) == sympy.Rational(1, 3) * x
    assert str(ex_round(0.123456 * x, 3)) == "0.123*x"
    assert ex_round(sympy.Integer(7), 1) == 7
    for digits in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="`digits` must be a whole number of at least 1"):
            ex_round(x, digits)
    with pytest.raises(sympy.SympifyError):
        ex_round("x + 1", 3)


def test_dead_network_is_a_constant() -> None:
    network = all_symbolic(KAN([2, 1]).network, ["exp"])  # of which nothing is to be seen
    layer = replace(network.layers[0], mask=np.zeros((2, 1), dtype=bool))
    nodes = replace(network.nodes[0], node_bias=np.array([0.25]))
    assert symbolic_formula(network.with_parts([layer], [nodes])) == [0.25]


# --- fix and unfix -----------------------------------------------------------------------------


def test_fix_fits_what_the_edge_does() -> None:
    x = points(200, 2)
    curves = {
        (0, 0, 0): lambda t: 2 * np.sin(3 * t + 0.5),
        (0, 1, 0): np.square,
        (1, 0, 0): lambda t: np.exp(0.5 * t),
    }
    network = spline_network([2, 1, 1], curves, x, G=30)
    before = predict(network, x)
    fixed = fix_symbolic(network, 0, 0, 0, "sin", x=x)
    np.testing.assert_allclose(fixed.layers[0].affine, [[3, 0.5, 2, 0]], atol=1e-3)
    fixed = fix_symbolic(fixed, 1, 0, 0, "exp", x=x)
    np.testing.assert_allclose(fixed.layers[1].affine, [[0.5, 0, 1, 0]], atol=1e-3)
    np.testing.assert_allclose(predict(fixed, x), before, atol=1e-3)
    assert network.layers[0].symbolic == ()
    np.testing.assert_array_equal(predict(network, x), before)


def test_fix_takes_the_place_of_an_earlier_function() -> None:
    network = all_symbolic(KAN([2, 3]).network, ["sin", "x"])
    fixed = fix_symbolic(network, 0, 1, 2, "exp", affine=[1, 2, 3, 4])
    assert len(fixed.layers[0].symbolic) == 6
    (row,) = [s for s, e in enumerate(fixed.layers[0].symbolic) if (e.i, e.j) == (1, 2)]
    assert fixed.layers[0].symbolic[row].function is FUNCTIONS["exp"]
    assert fixed.layers[0].affine[row].tolist() == [1, 2, 3, 4]
    x = points(7, 2)
    others = np.ones((2, 3), dtype=bool)
    others[1, 2] = False
    np.testing.assert_array_equal(
        layer_edges(fixed.layers[0], x)[:, others], layer_edges(network.layers[0], x)[:, others]
    )


def test_unfix_restores_the_spline_exactly() -> None:
    x = points(7, 2)
    network = random_network((2, 4, 3), symbolic=False, masked=False)
    fixed = fix_symbolic(network, 0, 0, 1, "sin", affine=[1, 2, 3, 4])
    fixed = fix_symbolic(fixed, 1, 2, 0, "x", affine=[1, 2, 3, 4])
    back = unfix_symbolic(unfix_symbolic(fixed, 0, 0, 1), 1, 2, 0)
    np.testing.assert_array_equal(predict(back, x), predict(network, x))
    np.testing.assert_array_equal(back.theta, network.theta)
    assert all(layer.symbolic == () for layer in back.layers)
    once = unfix_symbolic(fixed, 1, 2, 0)
    assert [(e.i, e.j) for e in once.layers[0].symbolic] == [(0, 1)]


def test_nothing_is_shared() -> None:
    network = random_network()
    l, i, j = 0, *np.argwhere(network.layers[0].numeric)[0].tolist()
    fixed = fix_symbolic(network, l, i, j, "sin", affine=[1, 2, 3, 4])
    assert fixed.groups == network.groups
    assert not shares_memory(network, fixed)
    assert not shares_memory(fixed, unfix_symbolic(fixed, l, i, j))
    assert np.shares_memory(fixed.theta, fixed.layers[0].affine)


def test_float32_stays() -> None:
    network = KAN([1, 1], dtype="float32").network
    fixed = fix_symbolic(network, 0, 0, 0, "sin", x=points(50, 1).astype("float32"))
    assert fixed.theta.dtype == fixed.layers[0].affine.dtype == np.float32


def test_fix_and_unfix_are_checked() -> None:
    x = points(20, 2)
    network = spline_network([2, 2, 1], {(0, 0, 0): np.exp, (1, 0, 0): np.exp}, x)
    for edge in ((0, 1, 0), (1, 1, 0)):
        with pytest.raises(ValueError, match="the edge must be alive"):
            fix_symbolic(network, *edge, "exp", x=x)
        with pytest.raises(ValueError, match="the edge must be alive"):
            unfix_symbolic(network, *edge)
    with pytest.raises(ValueError, match=r"must be symbolic, got \(0, 0, 0\), which is a spline"):
        unfix_symbolic(network, 0, 0, 0)
    with pytest.raises(ValueError, match="`x` and `affine` must be given, got both"):
        fix_symbolic(network, 0, 0, 0, "exp", x=x, affine=[1, 0, 1, 0])
    with pytest.raises(ValueError, match="`x` and `affine` must be given, got neither"):
        fix_symbolic(network, 0, 0, 0, "exp")
    for affine in ([1, 2, 3], [1, 2, 3, np.nan], [[1, 2, 3, 4]]):
        with pytest.raises(ValueError, match="`affine` must be four finite numbers"):
            fix_symbolic(network, 0, 0, 0, "exp", affine=affine)
    with pytest.raises(ValueError, match="expo"):
        fix_symbolic(network, 0, 0, 0, "expo", x=x)
    assert len(layer_inputs(network, x)) == 2
