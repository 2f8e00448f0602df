"""Networks of every kind there is, through every target that computes: equal to the model."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from export_cases import HOSTILE, broken_rows, quiet_predict
from export_runs import ALL

from kanref import KAN, Scaling
from kanref.bspline import extend_grid
from kanref.export import ExportError
from kanref.functions import BASE_FUNCTIONS, FUNCTIONS, base_function
from kanref.layer import Layer, SymbolicEdge
from kanref.network import Network
from kanref.nodes import Nodes

NAMES = [
    *HOSTILE,
    *("x", "u", "math", "np", "list", "INPUTS", "predict", "class", "lambda", "None", "double"),
    *("NaN", "__proto__", "constructor", "length", "@", "a%b", "LEAST", "knots_0_0", "layer_0"),
    *("e", "pi", "I", "S", "kanref0input", "x_2", "y", "=1+1", "'; DROP TABLE data; --", "1e5"),
    *("x" * 2000, "é", "e\u0301", "\ufeff", "\U0001f600", "\ud800", "-->", "%%", "{0}", "\x1b[31m"),
]


def any_knots(rng: np.random.Generator, n_in: int, G: int, k: int) -> np.ndarray:
    """Return uneven, even, clamped or partly coinciding knots of any place and width."""
    kind, found = rng.integers(4), []
    for _ in range(n_in):
        inner = np.sort(rng.uniform(0, 1, G - 1))
        grid = np.linspace(0, 1, G + 1) if kind == 0 else np.concatenate([[0], inner, [1]])
        grid = rng.normal() * rng.choice([0, 1, 5]) + 10 ** rng.uniform(-2, 2) * grid
        knots = extend_grid(grid[None], k)[0]
        if kind == 2:
            knots = np.concatenate([[grid[0]] * k, grid, [grid[-1]] * k])
        if kind == 3 and G >= 3:
            knots = knots.copy()
            knots[k + 1] = knots[k + 2]
        found.append(knots)
    return np.array(found)


def any_layer(rng: np.random.Generator, n_in: int, n_out: int, functions: float) -> Layer:
    """Return a layer of any grid, degree and base, with a share of functions and dead edges."""
    G, k = int(rng.integers(1, 8)), int(rng.integers(0, 6))
    edges = [(i, j) for i in range(n_in) for j in range(n_out) if rng.random() < functions]
    library = list(FUNCTIONS.values())
    affine = rng.normal(size=(len(edges), 4))
    affine[:, 3] *= rng.random(len(edges)) < 0.7
    used = rng.random((n_in, n_out)) < rng.choice([0, 0.5, 1])
    scale = 10 ** rng.uniform(-2, 2)
    return Layer(
        knots=any_knots(rng, n_in, G, k),
        coef=scale * rng.normal(size=(n_in, n_out, G + k)),
        scale_base=scale * rng.normal(size=(n_in, n_out)) * used,
        scale_spline=None if rng.random() < 0.3 else rng.normal(size=(n_in, n_out)),
        mask=rng.random((n_in, n_out)) >= rng.choice([0, 0.3, 0.7]),
        affine=affine,
        symbolic=tuple(SymbolicEdge(*e, library[rng.integers(len(library))]) for e in edges),
        k=k,
        extrapolate=str(rng.choice(["linear", "zero"])),
        base_fun=base_function(str(rng.choice(list(BASE_FUNCTIONS)))),
    )


def any_nodes(rng: np.random.Generator, n_sum: int, arity: tuple[int, ...]) -> Nodes:
    """Return sum and product nodes, with affines or without."""
    subnodes, nodes = n_sum + sum(arity), n_sum + len(arity)
    if rng.random() < 0.4:
        return Nodes(
            n_sum, arity, np.ones(subnodes), np.zeros(subnodes), np.ones(nodes), np.zeros(nodes)
        )
    parts = [rng.normal(size=n) for n in (subnodes, subnodes, nodes, nodes)]
    return Nodes(n_sum, arity, *parts)


def any_model(seed: int) -> KAN:
    """Return a model of one to four layers, of any width, with any names, units and labels."""
    rng = np.random.default_rng(seed)
    levels: list = [(int(rng.choice([1, 2, 3, 5])), ())]
    for _ in range(int(rng.integers(1, 5))):
        n_sum, products = int(rng.integers(0, 5)), rng.integers(1, 4, rng.integers(0, 3))
        arity = tuple(int(n) for n in products)
        levels.append((n_sum, arity) if n_sum + len(arity) else (1, ()))
    levels = levels if seed % 8 else [(1, ()), (1, ())]
    functions = float(rng.choice([0, 0.4, 1]))
    layers, nodes = [], []
    for (n_sum, arity), (next_sum, next_arity) in pairwise(levels):
        sums = next_sum + sum(next_arity)
        layers.append(any_layer(rng, n_sum + len(arity), sums, functions))
        nodes.append(any_nodes(rng, next_sum, next_arity))
    model = KAN.from_network(Network.assemble(layers, nodes, backend="numpy"))
    n_in, n_out = model.n_in, model.n_out
    if rng.random() < 0.7:
        model.scaling = Scaling(
            rng.normal(size=n_in) * 10 ** rng.uniform(-2, 3),
            10 ** rng.uniform(-2, 2, n_in),
            5 * rng.normal(size=n_out),
            10 ** rng.uniform(-2, 2, n_out),
        )
    names = [NAMES[i] for i in rng.permutation(len(NAMES))]
    model.input_names, model.output_names = names[:n_in], names[n_in : n_in + n_out]
    n = max(n_out, 2)
    texts = [name for name in names[-2 * n :] if name != "\ud800"][:n]  # ONNX has valid text only
    kinds = (None, texts, rng.integers(-5, 5, n).tolist(), rng.normal(size=n).tolist())
    model.classes = kinds[rng.integers(4)]
    return model


def any_rows(model: KAN, seed: int) -> np.ndarray:
    """Return rows inside and outside the first grid, at all knots, and beside them."""
    rng = np.random.default_rng(seed)
    layer = model.layers[0]
    low, high = layer.knots[:, layer.k], layer.knots[:, -1 - layer.k]
    reach = 2 * (high - low)
    parts = [rng.uniform(low, high, (20, model.n_in))]
    parts.append(rng.uniform(low - reach, high + reach, (20, model.n_in)))
    parts += [layer.knots.T, np.nextafter(layer.knots.T, 9e9), np.nextafter(layer.knots.T, -9e9)]
    return np.concatenate(parts) * model.scaling.x_scale + model.scaling.x_shift


def rounding(model: KAN, rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return how far rounding alone may move each output: inputs and parameters moved by one.

    It is infinite where that decides whether there is a number at all: at a jump, and where a sine
    of 1e20 goes on into a logarithm.
    """
    rng, found = np.random.default_rng(0), np.zeros_like(wanted)
    for _ in range(6):
        theta = model.theta * (1 + rng.choice([-1, 1], model.theta.shape) * 2.3e-16)
        near = rows * (1 + rng.choice([-1, 1], rows.shape) * 2.3e-16)
        for other, x in ((model.with_theta(theta), rows), (model, near)):
            moved = quiet_predict(other, x)
            with np.errstate(invalid="ignore"):
                change = np.abs(moved - wanted)
            same = (moved == wanted) | (np.isnan(moved) & np.isnan(wanted))
            found = np.maximum(found, np.where(same, 0, np.where(np.isnan(change), np.inf, change)))
    return found


def check(seed: int, folder) -> float:
    """Compare all targets with the model; return the share of outputs that rounding leaves sure."""
    model = any_model(seed)
    usual, broken = any_rows(model, seed), broken_rows(model)
    rows = np.concatenate([usual, broken])
    wanted = quiet_predict(model, rows)
    size = np.where(np.isfinite(wanted), np.abs(wanted), 0).max(axis=0)
    bound = 1e-12 * size + 60 * rounding(model, rows, wanted) + 1e-300  # (N, n_out)
    bound[bound > 1e-3 * size + 1e-200] = np.inf  # noise, which may be NaN as well as a number
    for target, run in ALL.items():
        try:
            found, labels = run(model, rows, folder)
        except ExportError as error:
            pytest.fail(f"{target}, network {seed}: {error}")
        told = f"{target}, network {seed}, width {model.width}"
        sure = np.isfinite(bound)
        np.testing.assert_array_equal(np.isnan(found)[sure], np.isnan(wanted)[sure], told)
        with np.errstate(invalid="ignore"):
            near = (found == wanted) | (np.abs(found - wanted) <= bound) | np.isnan(wanted)
        assert near[sure].all(), told
        if model.classes is not None:
            check_labels(model, rows, labels, bound / model.scaling.y_scale, told)
    return float(np.isfinite(bound).mean())


def check_labels(model: KAN, rows: np.ndarray, labels: list, bound: np.ndarray, told: str) -> None:
    """Compare the labels, but where rounding decides: outputs closer than `bound` (N, n_out)."""
    with np.errstate(all="ignore"):
        y = model(model.scaling.x_to_network(rows))
        index = y.argmax(axis=1) if model.n_out > 1 else (y[:, 0] > 0).astype(int)
        ranked = np.sort(y, axis=1) if model.n_out > 1 else np.pad(np.abs(y), ((0, 0), (1, 0)))
        tied = ranked[:, -1] - ranked[:, -2] <= 2 * bound.max(axis=1)
    for row, choice in enumerate(index):
        assert tied[row] or labels[row] == model.classes[choice], f"{told}, row {row}"


@pytest.mark.parametrize("seed", range(6))
def test_any_network(seed, tmp_path):
    assert check(seed, tmp_path) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 206))
def test_many_networks(seed, tmp_path):
    check(seed, tmp_path)


def test_a_planted_error_is_seen(tmp_path, monkeypatch):
    def wrong(model, rows, folder):
        model = model.with_theta(model.theta * (1 + 1e-9))
        return quiet_predict(model, rows), None

    monkeypatch.setitem(ALL, "python", wrong)
    with pytest.raises(AssertionError, match="python, network 3"):
        check(3, tmp_path)
