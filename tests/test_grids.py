"""Grid updates and refinement: against other libraries, direct least squares, and identities."""

from __future__ import annotations

import re
from dataclasses import replace

import naive
import numpy as np
import pytest
from builders import efficient_kan_network, plain_nodes, pykan_network, random_network, samples
from hypothesis import given
from hypothesis import strategies as st

from kanref import KAN, grids
from kanref.bspline import adaptive_grid, curve, extend_grid, fit_coef, knots_grid
from kanref.functions import FUNCTIONS
from kanref.grids import refine, update_grid
from kanref.layer import Layer
from kanref.network import Network, layer_inputs, network_forward
from kanref.objective import MAX_MEMORY

N = 37
GOLDEN = ("pykan_2-5-1_G5_k3", "pykan_3-4-2_G4_k2")


def relative(a, b) -> float:
    assert a.shape == b.shape
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def output(network: Network, x: np.ndarray) -> np.ndarray:
    return network_forward(network, x)[0]


def arrays(network: Network) -> list[np.ndarray]:
    parts = [*network.layers, *network.nodes]
    return [a for part in parts for a in vars(part).values() if isinstance(a, np.ndarray)]


def assert_nothing_shared(a: Network, b: Network) -> None:
    for one in arrays(a):
        assert not any(np.shares_memory(one, other) for other in arrays(b))


def with_layer(network: Network, l: int, **fields) -> Network:
    layers = list(network.layers)
    layers[l] = replace(layers[l], **fields)
    return Network.assemble(layers, network.nodes, network.groups)


def fitted(layer: Layer, x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """The old splines, fitted anew edge by edge with NumPy's own least squares."""
    B = naive.basis(x, knots, layer.k, extrapolate=layer.extrapolate)
    y = naive.curve(x, layer.knots, layer.coef, layer.k, extrapolate=layer.extrapolate)
    coef = np.empty((layer.n_in, layer.n_out, B.shape[2]))
    for i in range(layer.n_in):
        for j in range(layer.n_out):
            coef[i, j] = np.linalg.lstsq(B[:, i], y[:, i, j], rcond=1e-13)[0]
    return coef


# --- golden results ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOLDEN)
def test_update_grid_equals_pykan(name):
    network, data = pykan_network(name)
    new = update_grid(network, data["grid_update.x"])
    for l, layer in enumerate(new.layers):
        assert relative(layer.knots, data[f"grid_update.layer{l}.knots"]) < 1e-10
        assert relative(layer.coef, data[f"grid_update.layer{l}.coef"]) < 1e-10
        assert np.array_equal(layer.scale_spline, data[f"grid_update.layer{l}.scale_spline"])
        assert np.array_equal(layer.scale_base, data[f"grid_update.layer{l}.scale_base"])
    assert relative(output(new, data["x"]), data["grid_update.y"]) < 1e-10


@pytest.mark.parametrize("name", GOLDEN)
def test_refine_equals_pykan(name):
    """Knot insertion needs no samples, and gives the coefficients that pykan fits to 200 of them.

    So the outputs agree beyond the domain too, where in zero mode they are not those of before.
    """
    network, data = pykan_network(name)
    network = update_grid(network, data["grid_update.x"])
    new = refine(network, 2 * int(data["G"]))
    for l, layer in enumerate(new.layers):
        assert relative(layer.knots, data[f"refine.layer{l}.knots"]) < 1e-10
        assert relative(layer.coef, data[f"refine.layer{l}.coef"]) < 1e-10
    assert relative(output(new, data["x"]), data["refine.y"]) < 1e-10
    assert relative(output(new, data["x"]), data["grid_update.y"]) > 1e-3


def test_update_grid_keeps_what_efficient_kan_changes():
    """efficient-kan fits scaler · spline, and then its forward scales again."""
    network, _ = efficient_kan_network("efficient_kan_3-4-2_G5_k3")
    x = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    y = output(network, x)
    assert relative(output(update_grid(network, x, 1.0), x), y) < 1e-3
    theirs = network
    for l, layer in enumerate(network.layers):
        theirs = with_layer(theirs, l, coef=layer.coef * layer.scale_spline[:, :, None])
    assert relative(output(update_grid(theirs, x, 1.0), x), y) > 5e-2


# --- update_grid -------------------------------------------------------------------------------


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("spline_scale", [True, False])
def test_update_grid_follows_its_own_activations(extrapolate, spline_scale):
    network = random_network(extrapolate=extrapolate, spline_scale=spline_scale)
    x = samples(N, 2)
    new = update_grid(network, x, 0.3)
    for old, layer, inputs in zip(network.layers, new.layers, layer_inputs(new, x), strict=True):
        expected = extend_grid(adaptive_grid(inputs, 4, 0.3), 3)
        assert relative(layer.knots, expected) < 1e-12
        assert relative(layer.coef, fitted(old, inputs, layer.knots)) < 1e-9
        assert layer.symbolic == old.symbolic
        assert np.array_equal(layer.affine, old.affine)
        assert np.array_equal(layer.mask, old.mask)
        assert np.array_equal(layer.scale_base, old.scale_base)
    assert new.groups == network.groups


def cubic(x: np.ndarray) -> np.ndarray:
    """Three cubic polynomials of each of two inputs, (N, 2, 3)."""
    powers = np.random.default_rng(5).normal(size=(4, 2, 3))
    return sum(powers[p] * x[:, :, None] ** p for p in range(4))


@pytest.mark.parametrize("grid_eps", [0.0, 0.02, 1.0])
def test_update_grid_keeps_what_both_spline_spaces_hold(grid_eps):
    """A cubic polynomial is a cubic spline on every grid."""
    grid = np.array([[-2, -1, 0.5, 0.7, 2.0], [-1.5, -0.5, 0, 1, 2]])
    points = np.linspace(grid[:, 0], grid[:, -1], 30)
    knots = extend_grid(grid, 3)
    network = random_network((2, 3), symbolic=False, masked=False)
    network = with_layer(network, 0, knots=knots, coef=fit_coef(points, cubic(points), knots, 3))
    x = samples(N, 2)
    new = update_grid(network, x, grid_eps)
    assert np.all(knots_grid(new.layers[0].knots, 3)[:, 0] == x.min(axis=0))
    assert relative(output(new, x), output(network, x)) < 1e-12
    layer = new.layers[0]
    assert relative(curve(x, layer.knots, layer.coef, 3), cubic(x)) < 1e-12


def test_dead_and_symbolic_edges_are_carried_and_poison_nobody():
    network = random_network(extrapolate="zero")
    dead = tuple(np.argwhere(~network.layers[0].mask)[0])
    symbolic = network.layers[0].symbolic[0]
    spoiled = network.layers[0].coef.copy()
    spoiled[dead] = np.nan
    spoiled[symbolic.i, symbolic.j, 1] = np.inf
    x = samples(N, 2)
    for change in (lambda n: update_grid(n, x), lambda n: refine(n, 8), lambda n: refine(n, 5, x)):
        clean = change(network)
        new = change(with_layer(network, 0, coef=spoiled))
        coef, expected = new.layers[0].coef, clean.layers[0].coef.copy()
        assert np.all(np.isnan(coef[dead])) and np.all(np.isnan(coef[symbolic.i, symbolic.j]))
        assert np.all(np.isfinite(expected))  # a dead or symbolic edge keeps its spline
        expected[dead] = expected[symbolic.i, symbolic.j] = np.nan
        assert np.array_equal(coef, expected, equal_nan=True)
        assert np.array_equal(output(new, x), output(clean, x))


@pytest.mark.parametrize(
    "x",
    [
        np.array([[0.3, -0.2]]),
        np.array([[0.3, -0.2], [0.1, 0.5], [-0.6, 0.4]]),
        np.array([[0.5, -0.2], [0.5, 0.1], [0.5, 0.9], [0.5, 0.9]]),  # constant, repeated
        np.zeros((4, 2)),
    ],
    ids=["one sample", "fewer than G", "constant and repeated", "all zero"],
)
def test_update_grid_on_meagre_batches(x):
    """The splines pass through what they were at the samples, and nothing is NaN."""
    network = random_network((2, 3), symbolic=False, masked=False)
    new = update_grid(network, x)
    assert all(np.all(np.isfinite(a)) for a in arrays(new))
    assert np.all(np.diff(new.layers[0].knots, axis=1) > 0)
    assert relative(output(new, x), output(network, x)) < 1e-9


def test_update_grid_in_chunks(monkeypatch):
    network, x = random_network(), samples(N, 2)
    whole = update_grid(network, x), refine(network, 6, x)
    monkeypatch.setattr(grids, "MAX_MEMORY", 20_000)
    assert len(grids.split(network, x, grids.MAX_MEMORY)) > 3
    for new, old in zip((update_grid(network, x), refine(network, 6, x)), whole, strict=True):
        for a, b in zip(arrays(new), arrays(old), strict=True):
            assert np.allclose(a, b, rtol=0, atol=1e-11)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("k", [0, 1, 3, 5])
def test_the_kernels_fit_as_the_reference_does(k, extrapolate, monkeypatch):
    network, x = random_network(k=k, extrapolate=extrapolate), samples(400, 2)
    expected = update_grid(replace(network, backend="numpy"), x, 0.3)
    monkeypatch.setattr(grids, "BLOCK_ELEMENTS", 1000)  # several blocks of rows
    new = update_grid(replace(network, backend="auto"), x, 0.3)
    for one, other in zip(new.layers, expected.layers, strict=True):
        np.testing.assert_allclose(one.knots, other.knots, rtol=0, atol=1e-12)
        np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-10)


def test_symbolic_functions_are_continued():
    """As in training: a sample outside the domain of a logarithm is no reason to stop."""
    network = random_network((2, 3, 1), masked=False)
    edge = replace(network.layers[0].symbolic[0], function=FUNCTIONS["log"])
    affine = np.array([[1.0, -5.0, 1.0, 0.0]])  # log(x - 5), x < 5
    network = with_layer(network, 0, symbolic=(edge,), affine=affine)
    x = samples(N, 2)
    assert np.any(np.isnan(output(network, x)))
    new = update_grid(network, x)
    assert all(np.all(np.isfinite(a)) for a in arrays(new))
    assert refine(network, 6, x).layers[1].G == 6


# --- refine ------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("G", [8, [12, 4]])
def test_refine_by_insertion_changes_nothing(k, G):
    network = random_network(k=k, G=4)
    x = 3 * samples(N, 2)  # far beyond the grid, too
    new = refine(network, G)
    sizes = [G, G] if isinstance(G, int) else G
    for old, layer, size in zip(network.layers, new.layers, sizes, strict=True):
        assert (layer.G, layer.k) == (size, k)
        grid, step = knots_grid(layer.knots, k), size // 4
        assert np.array_equal(grid[:, ::step], knots_grid(old.knots, k))
        inner = np.diff(grid, axis=1).reshape(old.n_in, 4, step)
        assert np.allclose(inner, inner[:, :, :1], rtol=1e-12, atol=0)  # equal parts
        assert layer.coef.shape == (old.n_in, old.n_out, size + k)
    assert relative(output(new, x), output(network, x)) < 1e-12


def test_refine_in_zero_mode_changes_the_extension_only():
    network = random_network((2, 3), extrapolate="zero", masked=False)
    grid = knots_grid(network.layers[0].knots, 3)
    x = grid[:, 0] + np.linspace(0, 1, 50)[:, None] * (grid[:, -1] - grid[:, 0])
    new = refine(network, 12)
    assert relative(output(new, x), output(network, x)) < 1e-12
    beyond = grid[:, -1:].T + np.array([[0.2], [0.3]])
    assert relative(output(new, beyond), output(network, beyond)) > 1e-3


def test_refine_by_least_squares_at_the_old_activations():
    network = random_network(G=4)
    x = samples(N, 2)
    new = refine(network, [7, 6], x)
    for old, layer, inputs, G in zip(
        network.layers, new.layers, layer_inputs(network, x), (7, 6), strict=True
    ):
        index = np.arange(G + 1) * 4 / G
        breakpoints = [np.interp(index, np.arange(5), g) for g in knots_grid(old.knots, 3)]
        assert relative(layer.knots, extend_grid(np.array(breakpoints), 3)) < 1e-14
        assert relative(layer.coef, fitted(old, inputs, layer.knots)) < 1e-8


def test_refine_mixes_both_and_needs_x_for_one():
    network, x = random_network(G=4), samples(N, 2)
    new = refine(network, [8, 6], x)
    assert np.array_equal(new.layers[0].coef, refine(network, [8, 4]).layers[0].coef)
    assert np.array_equal(new.layers[1].coef, refine(network, [4, 6], x).layers[1].coef)
    message = "`x` must be given to refine layer 1: 6 grid intervals are not a multiple of its 4"
    with pytest.raises(ValueError, match=re.escape(message)):
        refine(network, [8, 6])


def test_refine_to_the_same_size_is_a_copy():
    network = random_network(extrapolate="zero")
    knots = network.layers[0].knots.copy()
    knots[:, 0] -= 1  # an extension of its own
    network = with_layer(network, 0, knots=knots)
    new = refine(network, 4)
    for a, b in zip(arrays(new), arrays(network), strict=True):
        assert np.array_equal(a, b)
    assert_nothing_shared(new, network)


@given(
    cells=st.lists(st.sampled_from([0.0, 0.1, 1.0, 3.0]), min_size=2, max_size=5).filter(sum),
    factor=st.integers(2, 4),
    k=st.integers(0, 4),
)
def test_refine_of_repeated_breakpoints(cells, factor, k):
    """Multiplicities grow with G; the curve stays, and stays finite."""
    grid = np.array([0.1 + np.cumsum([0, *cells]), -1 + np.cumsum([0, *cells])])
    G = len(cells)
    network = random_network((2, 3), G=G, k=k, symbolic=False)
    network = with_layer(network, 0, knots=extend_grid(grid, k))
    new = refine(network, factor * G)
    # Midpoints: at a repeated breakpoint itself the curve may jump, and rounding takes sides.
    x = ((grid[:, 1:] + 2 * grid[:, :-1]) / 3)[:, np.array(cells) > 0].T
    assert np.max(np.abs(output(new, x) - output(network, x))) < 1e-10


# --- both --------------------------------------------------------------------------------------


def test_grids_and_degrees_per_layer():
    layers = [random_network((2, 3), G=5, k=2), random_network((3, 1), G=3, k=4)]
    network = Network.assemble([n.layers[0] for n in layers], [plain_nodes(3), plain_nodes(1)])
    x = samples(N, 2)
    new = update_grid(network, x)
    assert [(layer.G, layer.k) for layer in new.layers] == [(5, 2), (3, 4)]
    new = refine(network, [10, 9])
    assert [(layer.G, layer.k) for layer in new.layers] == [(10, 2), (9, 4)]
    assert relative(output(new, x), output(network, x)) < 1e-11


@pytest.mark.parametrize(
    "change", [update_grid, lambda n, x: refine(n, 8), lambda n, x: refine(n, 7, x)]
)
def test_the_old_network_stays_and_shares_nothing(change):
    network, x = random_network(), samples(N, 2)
    before = network.copy()
    new = change(network, x)
    assert_nothing_shared(new, network)
    for a, b in zip(arrays(network), arrays(before), strict=True):
        assert np.array_equal(a, b)


def test_float32():
    network, x = random_network(dtype="float32"), samples(N, 2, dtype="float32")
    for new in (update_grid(network, x), refine(network, 8), refine(network, 7, x)):
        assert {str(a.dtype) for a in arrays(new)} == {"float32", "bool"}
    assert relative(output(refine(network, 8), x), output(network, x)) < 1e-4


def test_x_that_does_not_fit():
    network = random_network()
    for x in (np.zeros((4, 3)), np.zeros(2), np.zeros((0, 2))):
        with pytest.raises(ValueError, match=re.escape(f"shape (N, 2) with N >= 1, got {x.shape}")):
            update_grid(network, x)
        with pytest.raises(ValueError, match=re.escape(f"got {x.shape}")):
            refine(network, 7, x)


def test_activations_that_are_not_finite():
    network, x = random_network(), samples(N, 2)
    x[3, 1] = np.inf
    for change in (lambda n: update_grid(n, x), lambda n: refine(n, 7, x)):
        with pytest.raises(ValueError, match=re.escape("`x` must be finite, got NaN or inf")):
            change(network)
    numeric = tuple(np.argwhere(network.layers[0].numeric & (np.arange(8) < 3))[0])
    coef = network.layers[0].coef.copy()
    coef[numeric] = np.nan
    message = f"enter layer 1 must be finite, got NaN or infinity in columns [{numeric[1]}]"
    with pytest.raises(ValueError, match=re.escape(message)):
        update_grid(with_layer(network, 0, coef=coef), samples(N, 2))


def test_an_input_without_live_edges_may_be_anything():
    network, x = random_network(symbolic=False), samples(N, 2)
    mask = network.layers[0].mask.copy()
    mask[1] = False
    network = with_layer(network, 0, mask=mask)
    x[:, 1] = np.nan
    for new in (update_grid(network, x), refine(network, 7, x)):
        assert np.all(np.isfinite(new.theta))
        assert np.all(np.isfinite(output(new, x)))


@pytest.mark.parametrize("G", [[8], [8, 8, 8]])
def test_refine_needs_one_size_per_layer(G):
    with pytest.raises(ValueError, match=re.escape(f"one for each of 2 layers, got {G}")):
        refine(random_network(), G)


@pytest.mark.parametrize("G", [0, [8, 0], -4])
def test_refine_needs_an_interval(G):
    with pytest.raises(ValueError, match="`G` must be an integer >= 1"):
        refine(random_network(), G)


@pytest.mark.parametrize("G", [2.5, [8, "8"], True])
def test_refine_needs_integers(G):
    with pytest.raises(TypeError, match="`G` must be an integer >= 1"):
        refine(random_network(), G)


def test_refinement_stays_within_the_memory_that_its_chunks_are_made_for():
    import tracemalloc

    model = KAN([7, 4, 1], grid=50, seed=0)
    x = np.random.default_rng(0).uniform(-1, 1, (30_000, 7))
    refine(model.network, 60, x[:50])  # compiled, imported
    tracemalloc.start()
    refine(model.network, 60, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MAX_MEMORY
