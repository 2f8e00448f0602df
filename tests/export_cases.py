"""Models and rows for the tests of exports: whatever a network can have, at every awkward point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from builders import random_network

from kanref import KAN, Scaling
from kanref.functions import FUNCTIONS, base_function
from kanref.layer import Layer, SymbolicEdge
from kanref.network import Network

HOSTILE = (
    '"); system("x',
    "*/ int main(void) { /*",
    "two\nlines\r\nand\ttabs",
    "back\\",
    "??/",
    "??/\n#error",
    "'''\"\"\"",
    "</script><script>alert(1)</script>",
    "Höhe über ∞ 面",
    "\u202eright to left\u2028\u0085",
    "for",
    "\x00\x07",
    "${x} {y} %s %n",
    " ",
)
"""Names that a table may have."""


def random_model(**options) -> KAN:
    """Wrap a random network, with scaling and names."""
    network = random_network(**options)
    model = KAN.from_network(replace(network, backend="numpy"))
    rng = np.random.default_rng(options.get("seed", 0) + 100)
    model.scaling = Scaling(
        rng.normal(size=model.n_in) * 3,
        rng.uniform(0.2, 5, model.n_in),
        rng.normal(size=model.n_out),
        rng.uniform(0.2, 5, model.n_out),
    )
    return model


def with_layers(model: KAN, change) -> KAN:
    """Return the model with `change` applied to each layer."""
    network = model.network
    layers = [change(layer) for layer in network.layers]
    found = KAN.from_network(Network.assemble(layers, network.nodes, network.groups, "numpy"))
    found.scaling = model.scaling
    return found


def with_repeated_knots(model: KAN) -> KAN:
    """Return the model with breakpoints that coincide, at the ends and within."""

    def repeat(layer: Layer) -> Layer:
        knots = layer.knots.copy()
        k, G = layer.k, layer.G
        if G >= 2:
            knots[:, k + 1] = knots[:, k]  # the first cell is empty
        if G >= 4:
            knots[:, k + 3] = knots[:, k + 2]
            knots[0, k + G - 1] = knots[0, k + G]  # the last cell of one input is empty
        return replace(layer, knots=knots)

    return with_layers(model, repeat)


def function_model(*names: str) -> KAN:
    """Return y_j = 1.3 f_j(0.5 x + 0.25) - 0.4 for each function."""
    model = KAN([1, len(names)], grid=2, k=1)
    edges = tuple(SymbolicEdge(0, j, FUNCTIONS[name]) for j, name in enumerate(names))
    affine = np.tile([0.5, 0.25, 1.3, -0.4], (len(names), 1))
    layer = replace(model.layers[0], affine=affine, symbolic=edges)
    return KAN.from_network(Network.assemble([layer], model.nodes, backend="numpy"))


def overflowing_model() -> KAN:
    """Return gaussian(exp(x)): infinity within goes on as NaN, though gaussian(inf) would be 0."""
    model = KAN([1, 1, 1], grid=2, k=1)
    layers = [
        replace(
            layer,
            affine=np.array([[1.0, 0.0, 1.0, 0.0]]),
            symbolic=(SymbolicEdge(0, 0, FUNCTIONS[name]),),
        )
        for layer, name in zip(model.layers, ("exp", "gaussian"), strict=True)
    ]
    return KAN.from_network(Network.assemble(layers, model.nodes, backend="numpy"))


def base_model(name: str) -> KAN:
    """Return a spline edge on a base function."""
    model = random_model(width=(2, 3), G=3, k=2, symbolic=False, masked=False)
    return with_layers(model, lambda layer: replace(layer, base_fun=base_function(name)))


def cube_root(x):
    return np.cbrt(x)


def cube_root_form(x):
    import sympy

    return sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3)


def own_model(sympy=None, domain=None) -> KAN:
    """Return 2 f(1.5 x + 0.25) - 1 with a function of the user's own."""
    model = KAN([1, 1], grid=2, k=1)
    model.add_function("*/ cbrt", cube_root, sympy=sympy, domain=domain)
    return model.fix_symbolic(0, 0, 0, "*/ cbrt", affine=(1.5, 0.25, 2.0, -1.0))


def rising_model() -> KAN:
    """Return a line whose arithmetic would make infinity of infinity."""
    model = KAN([1, 1], grid=1, k=1, base_fun="identity")
    layer = replace(model.layers[0], coef=np.array([[[-1.0, 1.0]]]), scale_base=np.ones((1, 1)))
    return KAN.from_network(Network.assemble([layer], model.nodes, backend="numpy"))


def bare_base_model(name: str) -> KAN:
    """Return y = b(x)."""
    model = KAN([1, 1], grid=2, k=1, base_fun=name)
    layer = replace(model.layers[0], coef=np.zeros((1, 1, 3)), scale_base=np.ones((1, 1)))
    return KAN.from_network(Network.assemble([layer], model.nodes, backend="numpy"))


def rows_for(model: KAN, n: int = 40, seed: int = 0) -> np.ndarray:
    """Return rows in data units: random ones, all breakpoints, their neighbours, far points."""
    rng = np.random.default_rng(seed)
    knots = np.asarray(model.layers[0].knots, dtype=float)
    low, high = knots.min(), knots.max()
    x = [rng.uniform(low - 1, high + 1, (n, model.n_in)), rng.normal(size=(n, model.n_in)) / 2]
    for points in (knots.T, np.nextafter(knots.T, 9), np.nextafter(knots.T, -9)):
        x.append(points)
    x += [np.full((1, model.n_in), v) for v in (0.0, -0.0, 50.0, -50.0)]
    x = np.concatenate(x)
    return x * model.scaling.x_scale + model.scaling.x_shift


def broken_rows(model: KAN) -> np.ndarray:
    """Return rows with one input after the other, and all, NaN or infinite."""
    good = rows_for(model, 3)[:3]
    rows = []
    for value in (np.nan, np.inf, -np.inf):
        for i in range(model.n_in):
            row = good[i % 3].copy()
            row[i] = value
            rows.append(row)
        rows.append(np.full(model.n_in, value))
    return np.array(rows)


def drawn_model(width: list[int], products: list[int], repeated: bool, **options) -> KAN:
    """Return the model that Hypothesis has drawn.

    Deep ones have no functions on edges: behind several layers a sine of a huge number is noise.
    """
    levels = [width[0], *((n, tuple(products)) for n in width[1:-1]), width[-1]]
    model = random_model(width=levels, symbolic=len(width) == 2, **options)
    return with_repeated_knots(model) if repeated else model


def agree(got, wanted, tolerance: float = 1e-12) -> None:
    """Assert equality, NaN and infinity alike, and `tolerance` relative to the largest value."""
    got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    np.testing.assert_array_equal(got[np.isinf(wanted)], wanted[np.isinf(wanted)])
    finite = np.isfinite(wanted)
    if finite.any():
        error = np.abs(got[finite] - wanted[finite]).max()
        assert error <= tolerance * max(np.abs(wanted[finite]).max(), 1e-300)


def agree_each(got, wanted, tolerance: float = 1e-12) -> None:
    """Assert equality as `agree` does, but relative to each value by itself."""
    got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    assert got.shape == wanted.shape
    with np.errstate(invalid="ignore"):
        close = (np.abs(got - wanted) <= tolerance * np.abs(wanted)) | (got == wanted)
    assert np.all(close | (np.isnan(got) & np.isnan(wanted)))


def function_rows() -> np.ndarray:
    """Return rows (N, 1) for `function_model`: inside, on, and outside all domains, and far out."""
    edges = [-0.5, 1.5, -2.5]  # where the argument of the functions is 0, 1 and -1
    edges += [np.nextafter(x, sign * 9) for x in edges for sign in (1, -1)]
    awkward = [30, -30, 100, -100, 300, 1e3, -1e3, 1e5, 1e-9]
    huge = [1e200, -1e200, 1e307, np.nan, np.inf, -np.inf]
    return np.concatenate([np.linspace(-4, 4, 101), edges, awkward, huge])[:, None]


def quiet_predict(model: KAN, rows: np.ndarray) -> np.ndarray:
    """Predict where numbers overflow."""
    with np.errstate(all="ignore"):
        return model.predict(rows)
