"""Networks of pykan and efficient-kan against what these libraries computed."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise

import naive
import numpy as np
import pytest
from builders import DATA

from kanref.functions import FUNCTIONS, make_function
from kanref.interop import (
    from_efficient_kan,
    from_pykan,
    network_from_efficient_kan,
    network_from_pykan,
)
from kanref.network import Network, network_backward, network_forward

TOLERANCE = 1e-10
PYKAN = ("pykan_2-5-1_G5_k3", "pykan_3-4-2_G4_k2")
EFFICIENT = "efficient_kan_3-4-2_G5_k3"
PYKAN_NAMES = {"knots": "grid", "scale_spline": "scale_sp"}
FIELDS = ("knots", "coef", "scale_base", "scale_spline", "mask")


def golden(name: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"{name}.npz") as file:
        return dict(file)


def pykan_state(data: dict[str, np.ndarray], prefix: str = "") -> dict[str, np.ndarray]:
    """The arrays of a golden result under the names of pykan's state_dict, none missing."""
    state, sizes = {}, json.loads(str(data["width"]))
    for l, (n_in, n_out) in enumerate(pairwise(sizes)):
        for field in FIELDS:
            name = f"act_fun.{l}.{PYKAN_NAMES.get(field, field)}"
            state[name] = data[f"{prefix}layer{l}.{field}"]
        state[f"symbolic_fun.{l}.mask"] = np.zeros((n_out, n_in))
        state[f"symbolic_fun.{l}.affine"] = np.zeros((n_out, n_in, 4))
        for part in ("node", "subnode"):
            state[f"{part}_scale_{l}"] = np.ones(n_out)
            state[f"{part}_bias_{l}"] = np.zeros(n_out)
    return state


def efficient_state(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name[6:]: array for name, array in data.items() if name.startswith("state.")}


def relative(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


# --- golden results ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PYKAN)
def test_pykan_outputs_and_gradients(name):
    data = golden(name)
    network = network_from_pykan(pykan_state(data), json.loads(str(data["width"])))
    y, cache = network_forward(network, data["x"])
    assert relative(y, data["y"]) < TOLERANCE
    dx, gradients = network_backward(network, cache, data["dy"])
    assert relative(dx, data["grad.x"]) < TOLERANCE
    for l, layer in enumerate(gradients.layers):
        for field in ("coef", "scale_base", "scale_spline"):
            assert relative(getattr(layer, field), data[f"grad.layer{l}.{field}"]) < TOLERANCE
    assert [(layer.G, layer.k) for layer in network.layers] == [(data["G"], data["k"])] * 2


@pytest.mark.parametrize("name", PYKAN)
@pytest.mark.parametrize("stage", ["grid_update", "refine"])
def test_pykan_models_with_moved_grids(name, stage):
    data = golden(name)
    state = pykan_state(data, f"{stage}.")
    network = network_from_pykan(state, json.loads(str(data["width"])))
    assert relative(network_forward(network, data["x"])[0], data[f"{stage}.y"]) < TOLERANCE
    assert network.layers[0].G == data["G"] * (2 if stage == "refine" else 1)


def test_efficient_kan_outputs_and_gradients():
    data = golden(EFFICIENT)
    network = network_from_efficient_kan(efficient_state(data))
    y, cache = network_forward(network, data["x"])
    assert relative(y, data["y"]) < TOLERANCE
    dx, gradients = network_backward(network, cache, data["dy"])
    assert relative(dx, data["grad.x"]) < TOLERANCE
    for l, layer in enumerate(gradients.layers):
        theirs = {
            name: data[f"grad.layers.{l}.{name}"] for name in ("base_weight", "spline_scaler")
        }
        assert relative(layer.scale_base.T, theirs["base_weight"]) < TOLERANCE
        assert relative(layer.scale_spline.T, theirs["spline_scaler"]) < TOLERANCE
        coef = layer.coef.transpose(1, 0, 2)
        assert relative(coef, data[f"grad.layers.{l}.spline_weight"]) < TOLERANCE


def test_efficient_kan_without_standalone_scale():
    data = golden(EFFICIENT)
    state = efficient_state(data)
    for l in range(2):
        scaler = state.pop(f"layers.{l}.spline_scaler")
        state[f"layers.{l}.spline_weight"] = state[f"layers.{l}.spline_weight"] * scaler[..., None]
    network = network_from_efficient_kan(state)
    assert [layer.scale_spline for layer in network.layers] == [None, None]
    assert relative(network_forward(network, data["x"])[0], data["y"]) < TOLERANCE


# --- what the golden results lack: product nodes, symbolic edges, affines ------------------------

SINE, SQUARE, OWN = (0, 1, 3), (0, 0, 5), (1, 2, 0)
"""Symbolic edges (l, i, j) of `rich_state`."""


def rich_state(seed: int = 0) -> dict[str, np.ndarray]:
    """A pykan state of width [2, [2, 2], 1] with arities 3 and 2: 2 + 5 sums in layer 0."""
    rng = np.random.default_rng(seed)
    state = {}
    for l, (n_in, n_out, n_nodes, G, k) in enumerate([(2, 7, 4, 3, 2), (4, 1, 1, 4, 3)]):
        grid = np.sort(rng.uniform(-1, 1, (n_in, G + 2 * k + 1)), axis=1)
        numeric = np.ones((n_in, n_out))
        symbolic = np.zeros((n_out, n_in))
        for place in (SINE, SQUARE, OWN):
            if place[0] == l:
                numeric[place[1], place[2]], symbolic[place[2], place[1]] = 0, 1
        if l == 0:
            numeric[0, 2] = 0  # a dead edge
        arrays = {
            f"act_fun.{l}.grid": grid,
            f"act_fun.{l}.coef": rng.normal(size=(n_in, n_out, G + k)),
            f"act_fun.{l}.mask": numeric,
            f"act_fun.{l}.scale_base": rng.normal(size=(n_in, n_out)),
            f"act_fun.{l}.scale_sp": rng.normal(size=(n_in, n_out)),
            f"symbolic_fun.{l}.mask": symbolic,
            f"symbolic_fun.{l}.affine": rng.normal(size=(n_out, n_in, 4)),
            f"subnode_scale_{l}": rng.normal(size=n_out),
            f"subnode_bias_{l}": rng.normal(size=n_out),
            f"node_scale_{l}": rng.normal(size=n_nodes),
            f"node_bias_{l}": rng.normal(size=n_nodes),
        }
        state |= arrays
    return state


RICH = {"width": [2, [2, 2], 1], "mult_arity": [[], [3, 2], []]}
CUBE = make_function("my cube", lambda x: x**3, lambda x: 3 * x**2)
RICH_SYMBOLIC = {SINE: "sin", SQUARE: "x^2", OWN: CUBE, (1, 0, 0): "exp"}  # the last is numeric
VALUES = {SINE: math.sin, SQUARE: lambda t: t * t, OWN: lambda t: t**3}


def pykan_literally(state: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """phi = mask · (base + spline) + symbolic mask [j, i] · (c f(a x + b) + d), one by one."""
    rows = []
    for row in x.tolist():
        for l, factors in enumerate([[[0], [1], [2, 3, 4], [5, 6]], [[0]]]):
            array = {
                name.rpartition(".")[2] + ("_s" if "symbolic" in name else ""): a
                for name, a in state.items()
                if f".{l}." in name
            }
            n_in, n_out, n_basis = array["coef"].shape
            k = array["grid"].shape[1] - n_basis - 1
            v = []
            for j in range(n_out):
                u = 0.0
                for i in range(n_in):
                    if array["mask"][i, j]:
                        t, knots = row[i], array["grid"][i].tolist()
                        spline = sum(
                            array["coef"][i, j, m] * naive.bspline(t, knots, m, k)
                            for m in range(n_basis)
                        )
                        u += array["scale_base"][i, j] * t / (1 + math.exp(-t))
                        u += array["scale_sp"][i, j] * spline
                    if array["mask_s"][j, i]:
                        a, b, c, d = array["affine_s"][j, i]
                        u += c * VALUES[l, i, j](a * row[i] + b) + d
                v.append(state[f"subnode_scale_{l}"][j] * u + state[f"subnode_bias_{l}"][j])
            products = [math.prod(v[j] for j in of) for of in factors]
            scale, bias = state[f"node_scale_{l}"], state[f"node_bias_{l}"]
            row = [scale[n] * p + bias[n] for n, p in enumerate(products)]
        rows.append(row)
    return np.array(rows)


def test_pykan_product_nodes_symbolic_edges_and_affines():
    state, x = rich_state(), np.random.default_rng(1).uniform(-1, 1, (7, 2))
    network = network_from_pykan(state, **RICH, symbolic=RICH_SYMBOLIC)
    assert relative(network_forward(network, x)[0], pykan_literally(state, x)) < 1e-13
    assert [(layer.G, layer.k) for layer in network.layers] == [(3, 2), (4, 3)]
    assert network.nodes[0].arity == (3, 2)
    assert network.layers[1].symbolic[0].function is CUBE
    assert int(network.layers[0].mask.sum()) == 13


def test_arity_for_all_and_base_function():
    state = rich_state()
    for l, (n_sub, n_nodes) in enumerate([(6, 4), (1, 1)]):
        kept = {"subnode_scale": n_sub, "subnode_bias": n_sub, "node_scale": n_nodes}
        state |= {f"{name}_{l}": state[f"{name}_{l}"][:n] for name, n in kept.items()}
    state = {
        name: np.take(a, range(6), axis=0 if "symbolic" in name else 1)
        if ".0." in name and not name.endswith("grid")
        else a
        for name, a in state.items()
    }
    network = network_from_pykan(
        state, [2, [2, 2], [1, 0]], base_fun="tanh", symbolic=RICH_SYMBOLIC
    )
    assert network.nodes[0].arity == (2, 2)
    assert network.layers[1].base_fun.df(np.zeros(1)) == 1  # tanh'


def test_parts_that_pykan_may_lack_are_the_identity():
    data = golden(PYKAN[0])
    state = {n: a for n, a in pykan_state(data).items() if n.startswith("act_fun")}
    network = network_from_pykan(state, [2, 5, 1])
    assert relative(network_forward(network, data["x"])[0], data["y"]) < TOLERANCE


def test_float32_stays_float32_and_nothing_is_shared():
    data = golden(PYKAN[1])
    state = {name: a.astype(np.float32) for name, a in pykan_state(data).items()}
    network = network_from_pykan(state, [3, 4, 2])
    assert dtypes(network) == {"float32", "bool"}
    y, _ = network_forward(network, data["x"].astype(np.float32))
    assert y.dtype == np.float32
    assert relative(y, data["y"]) < 1e-5
    network.layers[0].knots[:] = 0
    network.layers[0].coef[:] = 0
    assert np.all(state["act_fun.0.grid"][:, -1] > 0) and np.any(state["act_fun.0.coef"] != 0)

    state["act_fun.0.coef"] = state["act_fun.0.coef"].astype(np.float64)  # a mixed state
    assert dtypes(network_from_pykan(state, [3, 4, 2])) == {"float64", "bool"}


def dtypes(network: Network) -> set[str]:
    parts = [*network.layers, *network.nodes]
    return {str(a.dtype) for part in parts for a in vars(part).values() if hasattr(a, "dtype")}


# --- errors --------------------------------------------------------------------------------------


def without(name: str):
    return lambda state: state.pop(name)


def put(name: str, index, value):
    def change(state):
        state[name] = state[name].copy()
        state[name][index] = value

    return change


def swap(name: str, array):
    return lambda state: state.update({name: array})


PYKAN_ERRORS = {
    "'act_fun.1.coef'": without("act_fun.1.coef"),
    "'act_fun.0.mask'": without("act_fun.0.mask"),
    "'symbolic_fun.0.affine'": without("symbolic_fun.0.affine"),
    "'node_bias_1'": without("node_bias_1"),
    "other names than a model's, got ['act_fun.2.coef']": swap("act_fun.2.coef", np.zeros(3)),
    "'act_fun.0.scale_base' must have shape (2, 5), got (5, 2)": swap(
        "act_fun.0.scale_base", np.zeros((5, 2))
    ),
    "'act_fun.0.coef' must have shape (2, 5, any), got (10, 8)": swap(
        "act_fun.0.coef", np.zeros((10, 8))
    ),
    "got 9 and 9": lambda state: state.update(
        {"act_fun.0.grid": np.zeros((2, 9)), "act_fun.0.coef": np.zeros((2, 5, 9))}
    ),
    "got 12 and 5": swap("act_fun.0.coef", np.zeros((2, 5, 5))),
    "'act_fun.0.mask' must hold 0 and 1": put("act_fun.0.mask", (0, 0), 0.5),
    "both at [(0, 1, 4)]": put("symbolic_fun.0.mask", (4, 1), 1.0),
}


@pytest.mark.parametrize("message", PYKAN_ERRORS)
def test_pykan_errors_name_the_array(message):
    state = pykan_state(golden(PYKAN[0]))
    PYKAN_ERRORS[message](state)
    with pytest.raises(ValueError, match=re.escape(message)):
        network_from_pykan(state, [2, 5, 1])


def test_pykan_symbolic_and_arity_errors():
    with pytest.raises(ValueError, match=re.escape("the symbolic edge (0, 0, 5)")):
        network_from_pykan(rich_state(), **RICH)
    with pytest.raises(ValueError, match=re.escape("symbolic[(0, 1, 3)]` must be a Function, or")):
        network_from_pykan(rich_state(), **RICH, symbolic=RICH_SYMBOLIC | {SINE: "sine"})
    with pytest.raises(ValueError, match=re.escape("got (0, 3, 1)")):
        network_from_pykan(rich_state(), **RICH, symbolic=RICH_SYMBOLIC | {(0, 3, 1): "sin"})
    for arity in ([[], [3]], [[]]):
        with pytest.raises(ValueError, match="must give 2 arities for level 1"):
            network_from_pykan(rich_state(), RICH["width"], mult_arity=arity)


def test_not_a_state():
    with pytest.raises(TypeError, match="must map names to arrays, got list"):
        network_from_pykan([1], [1, 1])
    with pytest.raises(TypeError, match="real numbers, got <U1"):
        network_from_pykan({"act_fun.0.coef": np.array(["a"])}, [1, 1])


EFFICIENT_ERRORS = {
    "must have 'layers.0.base_weight'": without("layers.0.base_weight"),
    "must have 'layers.1.grid'": without("layers.1.grid"),
    "got ['layers.2.grid']": swap("layers.2.grid", np.zeros((2, 12))),
    "'layers.1.base_weight' must have shape (any, 4), got (2, 3)": swap(
        "layers.1.base_weight", np.zeros((2, 3))
    ),
    "'layers.0.spline_scaler' must have shape (4, 3), got (4, 3, 1)": swap(
        "layers.0.spline_scaler", np.zeros((4, 3, 1))
    ),
}


@pytest.mark.parametrize("message", EFFICIENT_ERRORS)
def test_efficient_kan_errors_name_the_array(message):
    state = efficient_state(golden(EFFICIENT))
    EFFICIENT_ERRORS[message](state)
    with pytest.raises(ValueError, match=re.escape(message)):
        network_from_efficient_kan(state)


def test_library_has_pykans_names():
    names = "0 x x^2 x^3 x^4 x^5 1/x 1/x^2 1/x^3 1/x^4 1/x^5 sqrt x^0.5 x^1.5 1/sqrt(x) 1/x^0.5"
    names += " exp log abs sin cos tan tanh sgn arcsin arccos arctan arctanh gaussian"
    assert set(names.split()) <= set(FUNCTIONS) and len(names.split()) == 29


def test_models_are_wrapped_with_names():
    """The public doors give a KAN around the same network."""
    state = {
        "layers.0.grid": np.linspace(-2, 2, 9)[None, :],
        "layers.0.base_weight": np.ones((3, 1)),
        "layers.0.spline_weight": np.arange(18.0).reshape(3, 1, 6),
    }
    x = np.linspace(-1, 1, 5)[:, None]
    model = from_efficient_kan(state)
    expected, _ = network_forward(network_from_efficient_kan(state), x)
    np.testing.assert_array_equal(model(x), expected)
    assert (model.width, model.output_names) == ([1, 3], ["y_1", "y_2", "y_3"])
    pykan = {
        "act_fun.0.grid": np.linspace(-1.5, 1.5, 7)[None, :],
        "act_fun.0.coef": np.array([[[0.0, 1.0, 0.0, 1.0, 0.0]]]),
        "act_fun.0.mask": np.ones((1, 1)),
        "act_fun.0.scale_base": np.zeros((1, 1)),
        "act_fun.0.scale_sp": np.ones((1, 1)),
    }
    other = from_pykan(pykan, [1, 1])
    expected, _ = network_forward(network_from_pykan(pykan, [1, 1]), x)
    np.testing.assert_array_equal(other.predict(x), expected)
