"""The Numba kernels against the reference: the same results for the same arguments."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from builders import random_network, samples

from kanref import layer as reference
from kanref.functions import base_function
from kanref.layer import EdgeCotangent
from kanref.losses import loss_function
from kanref.network import PARAMETERS, network_backward, network_forward, theta_gradient
from kanref.objective import Objective
from kanref.regularization import Regularizer

cpu = pytest.importorskip("kanref.kernels.cpu")


def relative(a, b):
    return np.abs(a - b).max() / max(np.abs(b).max(), np.finfo(float).tiny)


def points(layer, n, seed=1):
    """Samples inside and outside, on the first and last breakpoint and on the last knot."""
    x = samples(n, layer.n_in, seed=seed, dtype=str(layer.coef.dtype))
    x[0], x[1], x[2] = layer.knots[:, layer.k], layer.knots[:, -1 - layer.k], layer.knots[:, -1]
    x[3] = layer.knots[:, layer.k + 1]
    return x


def assert_parity(layer, x, tolerance=1e-12):
    rng = np.random.default_rng(0)
    dtype = layer.coef.dtype
    dy = rng.normal(size=(len(x), layer.n_out)).astype(dtype)
    r = EdgeCotangent(*rng.normal(size=(3, layer.n_in, layer.n_out)).astype(dtype))
    y, cache = reference.layer_forward(layer, x, sums=True, continued=True)
    fast, fast_cache = cpu.layer_forward(layer, x, sums=True, continued=True)
    assert fast.dtype == dtype
    pairs = [(fast, y)]
    s, t = fast_cache.statistics, cache.statistics
    pairs += [(s.mean_abs, t.mean_abs), (s.edges.mean, t.edges.mean)]
    pairs += [(s.edges.std(), t.edges.std()), (s.u.std(), t.u.std()), (s.x.std(), t.x.std())]
    for cotangent in (None, r):
        dx, d = reference.layer_backward(layer, cache, dy, cotangent)
        fast_dx, fast_d = cpu.layer_backward(layer, fast_cache, dy, cotangent)
        names = [n for n in reference.PARAMETERS if getattr(d, n) is not None]
        pairs += [(fast_dx, dx)] + [(getattr(fast_d, n), getattr(d, n)) for n in names]
    for one, other in pairs:
        if other.size:
            assert relative(one, other) <= tolerance


def uniform(layer):
    knots = np.linspace(-1.5, 1.5, layer.knots.shape[1]).astype(layer.knots.dtype)
    return replace(layer, knots=np.tile(knots, (layer.n_in, 1)))


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_every_degree_on_adaptive_and_uniform_grids(k, extrapolate):
    for G in (1, 4, 30):
        for layer in random_network(k=k, G=G, extrapolate=extrapolate).layers:
            for n in (7, 300):  # few samples: the recursion; many: tables of polynomials
                assert_parity(layer, points(layer, n))
                assert_parity(uniform(layer), points(uniform(layer), n))


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_single_precision(extrapolate):
    for layer in random_network(dtype="float32", extrapolate=extrapolate).layers:
        assert_parity(layer, points(layer, 50), 1e-5)
        assert_parity(uniform(layer), points(uniform(layer), 50), 1e-5)


@pytest.mark.parametrize("base", ["identity", "zero", "tanh", "gaussian"])
def test_base_functions_known_and_unknown_to_the_loops(base):
    for layer in random_network(base_fun=base, spline_scale=False, symbolic=False).layers:
        assert_parity(layer, points(layer, 11))
    own = base_function((np.cos, lambda x: -np.sin(x)))
    layer = replace(random_network().layers[0], base_fun=own)
    assert_parity(layer, points(layer, 11))


@pytest.mark.parametrize("name", ["silu", "tanh"])
def test_base_functions_far_out_and_near_zero(name):
    base = base_function(name)
    x = np.concatenate([-np.logspace(-12, 300, 200), [0.0], np.logspace(-12, 300, 200)])
    value, slope = np.empty((2, x.size))
    cpu.basis.base_function({"silu": 2, "tanh": 3}[name], x, value, slope)
    expected, dexpected = base.pair(x)
    np.testing.assert_allclose(value, expected, rtol=1e-14, atol=1e-299)
    np.testing.assert_allclose(slope, dexpected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("n_out", [1, 2, 3, 8, 10, 11, 16, 19, 33, 37])
def test_every_number_of_outputs(n_out):
    """Full pairs of vectors, vectors of which a part is used, and single numbers."""
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        network = random_network((2, n_out), symbolic=False, spline_scale=True, dtype=dtype)
        layer = network.layers[0]
        assert_parity(layer, points(layer, 23), tolerance)


@pytest.mark.parametrize("G", [2, 700])
def test_several_blocks_of_samples_and_cells_without_any(G):
    for layer in random_network(G=G, symbolic=False).layers:
        assert_parity(layer, points(layer, 2 * cpu.BLOCK + 300))
    assert cpu.BLOCK // 2 % cpu.moments.STATISTICS_BLOCK == 0


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("masked", [True, False])
def test_arrays_that_are_used_again_change_nothing(extrapolate, masked):
    network = random_network(masked=masked, symbolic=masked, extrapolate=extrapolate)
    x, target = samples(31, 2), samples(31, 3, seed=4)
    objective = Objective(loss_function("mse"), Regularizer(lamb=0.1))
    other = network.with_theta(network.theta * 1.1)
    expected = objective.evaluate(network, x, target)
    first = objective.evaluate(other, x, target)
    again = objective.evaluate(network, x, target, reuse=first)
    assert again.gradient.theta is first.gradient.theta
    assert np.array_equal(again.gradient.theta, expected.gradient.theta)
    assert again.total == expected.total
    for new, old in zip(again.cache.layers, first.cache.layers, strict=True):
        assert new.work[1] is old.work[1]
    fewer = objective.evaluate(network, x[:13], target[:13], reuse=again)
    assert np.array_equal(
        fewer.gradient.theta, objective.evaluate(network, x[:13], target[:13]).gradient.theta
    )


@pytest.mark.parametrize("G", [3, 40])
@pytest.mark.parametrize("symbolic", [True, False])
def test_without_slopes_a_pass_holds_half_and_gives_no_dx(G, symbolic):
    network = random_network(G=G, symbolic=symbolic)
    layer = network.layers[0]
    x, dy = points(layer, 2 * cpu.BLOCK + 300), samples(2 * cpu.BLOCK + 300, layer.n_out, seed=5)
    y, cache = cpu.layer_forward(layer, x)
    fewer_y, fewer = cpu.layer_forward(layer, x, slopes=False)
    assert 2 * fewer.work[1].size == cache.work[1].size
    assert np.array_equal(y, fewer_y, equal_nan=True)
    dx, gradient = cpu.layer_backward(layer, fewer, dy, inputs=False)
    assert dx is None
    for name in reference.PARAMETERS:
        whole = getattr(cpu.layer_backward(layer, cache, dy)[1], name)
        assert np.array_equal(getattr(gradient, name), whole)
    with pytest.raises(ValueError, match="`cache` holds no slopes"):
        cpu.layer_backward(layer, fewer, dy)


def test_each_layer_keeps_the_slopes_that_its_gradients_need():
    network, x = random_network(), samples(7, 2)
    for slopes, kept in (("all", [1, 1]), ("hidden", [0, 1]), ("none", [0, 0])):
        cache = network_forward(network, x, slopes=slopes)[1]
        assert [layer.has_slopes for layer in cache.layers] == kept


@pytest.mark.parametrize("groups", [PARAMETERS, ("coef",), ("scale_base", "node_bias")])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_the_gradient_of_theta_alone(groups, backend):
    network = replace(random_network(groups=groups), backend=backend)
    x, dy = samples(9, 2), samples(9, 3, seed=4)
    _, cache = network_forward(network, x)
    whole = network_backward(network, cache, dy)[1].theta
    assert relative(theta_gradient(network, cache, dy).theta, whole) <= 1e-14
    out = theta_gradient(network, cache, 2 * dy)
    assert relative(theta_gradient(network, cache, dy, out=out).theta, whole) <= 1e-14


def test_repeated_knots():
    layer = random_network(symbolic=False).layers[0]
    knots = layer.knots.copy()
    knots[:, layer.k + 2] = knots[:, layer.k + 1]
    knots[0, layer.k + layer.G - 1] = knots[0, layer.k + layer.G]
    for n in (7, 300):
        repeated = replace(layer, knots=knots)
        assert_parity(repeated, points(repeated, n))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_input_goes_where_the_reference_sends_it(bad):
    layer = random_network(symbolic=False).layers[1]
    x = points(layer, 9)
    x[5, 0] = bad
    for continued in (False, True):
        y, cache = reference.layer_forward(layer, x, continued=continued)
        fast, fast_cache = cpu.layer_forward(layer, x, continued=continued)
        np.testing.assert_array_equal(np.isnan(fast), np.isnan(y))
        dy = np.ones_like(y)
        dx, _ = reference.layer_backward(layer, cache, dy)
        fast_dx, _ = cpu.layer_backward(layer, fast_cache, dy)
        np.testing.assert_array_equal(np.isnan(fast_dx), np.isnan(dx))


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_masked_edge_poisons_nobody(poison):
    layer = random_network().layers[0]
    sick = replace(layer, coef=layer.coef.copy(), scale_spline=layer.scale_spline.copy())
    dead = np.argwhere(~layer.mask)
    assert len(dead)
    for i, j in dead:
        sick.coef[i, j] = sick.scale_spline[i, j] = poison
    x = points(layer, 9)
    y, cache = cpu.layer_forward(sick, x)
    expected, _ = cpu.layer_forward(layer, x)
    np.testing.assert_array_equal(y, expected)
    _, d = cpu.layer_backward(sick, cache, np.ones_like(y))
    assert np.isfinite(d.coef).all()


def test_the_backend_decides_who_computes():
    network, x = random_network(), samples(7, 2)
    _, cache = network_forward(network, x)
    assert isinstance(cache.layers[0], cpu.CpuCache)
    _, cache = network_forward(replace(network, backend="numpy"), x)
    assert isinstance(cache.layers[0], reference.LayerCache)
    _, cache = network_forward(random_network(k=6), x)
    assert isinstance(cache.layers[0], reference.LayerCache)


THREADS = """
import numpy as np
from kanref import KAN
from kanref.kernels import cpu
cpu.THREADS_FROM = 1000  # so that both layers are spread over the threads, in three blocks
m = KAN([40, 30, 3], seed=0)
x = np.random.default_rng(0).uniform(-1, 1, (1100, 40))
y, cache = m.forward(x)
dx, g = m.backward(cache, np.cos(y))
value, r = m.reg(x, gradient=True)
print(y.sum().hex(), dx.sum().hex(), g.theta.sum().hex(), value.hex(), r.theta.sum().hex())
"""


def test_the_thread_count_changes_no_bit(tmp_path):
    results = set()
    for threads in ("1", "2"):
        environment = {"NUMBA_NUM_THREADS": threads, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        command = [sys.executable, "-c", THREADS]
        run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        results.add(run.stdout)
    assert len(results) == 1


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None  # importing it now raises ImportError
import numpy as np
from kanref import KAN
m = KAN([2, 3, 1], seed=0)
x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
h = m.fit(x, x[:, 0] * x[:, 1], steps=5)
print(type(m.forward(x)[1].layers[0]).__name__, h.loss[-1] < h.loss[0])
try:
    KAN([2, 1], backend="numba")
except ImportError as error:
    print(error)
"""


def test_without_numba_everything_works_on_numpy():
    command = [sys.executable, "-W", "error", "-c", WITHOUT_NUMBA]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    first, second = run.stdout.splitlines()
    assert first == "LayerCache True"
    assert second == "`backend` 'numba' needs Numba: pip install numba"
