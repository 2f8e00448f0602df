"""The CUDA kernels against the reference and the textbook, on the host and on a device.

On the host their source runs as C++ (``cuda_host.py``) on arrays that stand for CuPy's.
"""

from __future__ import annotations

from dataclasses import replace

import cuda_host
import fake_cupy
import naive
import numpy as np
import pytest
from builders import random_network, samples

from kanref import layer as reference
from kanref._arrays import to_numpy
from kanref.functions import base_function
from kanref.kernels import cuda, device, launch
from kanref.kernels import layer_backward as any_backward
from kanref.kernels import layer_forward as any_forward
from kanref.layer import EdgeCotangent
from kanref.network import network_forward, theta_gradient

ARRAYS = ("knots", "coef", "scale_base", "scale_spline", "mask", "affine")


def on(layer, xp):
    """Return the layer with its arrays on the device; coef as it is stored, n_out innermost."""
    fields = {n: getattr(layer, n) for n in ARRAYS if getattr(layer, n) is not None}
    arrays = {n: xp.asarray(a) for n, a in fields.items()}
    stored = np.ascontiguousarray(layer.coef.transpose(0, 2, 1))
    arrays["coef"] = xp.asarray(stored).transpose(0, 2, 1)
    return replace(layer, **arrays)


def points(layer, n, seed=1):
    """Samples inside and outside, on the first and last breakpoint and on the last knot."""
    x = samples(n, layer.n_in, seed=seed, dtype=str(layer.coef.dtype))
    special = (layer.k, -1 - layer.k, -1, layer.k + 1)
    for row, at in zip(range(n), special, strict=False):
        x[row] = layer.knots[:, at]
    return x


def uniform(layer):
    knots = np.linspace(-1.5, 1.5, layer.knots.shape[1]).astype(layer.knots.dtype)
    return replace(layer, knots=np.tile(knots, (layer.n_in, 1)))


def close(one, other, tolerance=1e-12):
    one = to_numpy(one)
    assert one.shape == other.shape
    if other.size:
        scale = max(np.abs(other).max(), np.finfo(float).tiny)
        assert np.abs(one - other).max() / scale <= tolerance


def assert_parity(layer, x, xp, tolerance=1e-12):
    rng = np.random.default_rng(0)
    dtype = layer.coef.dtype
    dy = rng.normal(size=(len(x), layer.n_out)).astype(dtype)
    r = rng.normal(size=(3, layer.n_in, layer.n_out)).astype(dtype)
    there = on(layer, xp)
    y, cache = reference.layer_forward(layer, x, sums=True, continued=True)
    fast, fast_cache = cuda.layer_forward(there, xp.asarray(x), sums=True, continued=True)
    assert fast.dtype == dtype
    close(fast, y, tolerance)
    s, t = fast_cache.statistics, cache.statistics
    close(s.mean_abs, t.mean_abs, tolerance)
    close(s.edges.mean, t.edges.mean, tolerance)
    for one, other in ((s.edges, t.edges), (s.u, t.u), (s.x, t.x)):
        close(one.std(), other.std(), tolerance)
    for cotangent in (None, r):
        given = None if cotangent is None else EdgeCotangent(*cotangent)
        sent = None if cotangent is None else EdgeCotangent(*(xp.asarray(a) for a in cotangent))
        dx, d = reference.layer_backward(layer, cache, dy, given)
        fast_dx, fast_d = cuda.layer_backward(there, fast_cache, xp.asarray(dy), sent)
        close(fast_dx, dx, tolerance)
        for name in reference.PARAMETERS:
            if getattr(d, name) is not None:
                close(getattr(fast_d, name), getattr(d, name), tolerance)


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_every_degree_on_adaptive_and_uniform_grids(xp, k, extrapolate):
    for G, n in ((1, 7), (4, 150), (30, 150)):
        first, second = random_network(k=k, G=G, extrapolate=extrapolate).layers
        assert_parity(first, points(first, n), xp)
        assert_parity(uniform(second), points(uniform(second), n), xp)
    assert_parity(first, points(first, 1), xp)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_the_edges_are_those_of_the_textbook(xp, extrapolate):
    layer = random_network(extrapolate=extrapolate).layers[0]
    x = points(layer, 7)
    y, _ = cuda.layer_forward(on(layer, xp), xp.asarray(x))
    close(y, naive.edges(layer, x).sum(axis=1))


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_single_precision(xp, extrapolate):
    for layer in random_network(dtype="float32", extrapolate=extrapolate).layers:
        assert_parity(layer, points(layer, 50), xp, 1e-5)
        assert_parity(uniform(layer), points(uniform(layer), 50), xp, 1e-5)


@pytest.mark.parametrize("base", ["identity", "zero", "tanh", "gaussian"])
def test_base_functions_known_and_unknown_to_the_kernels(xp, base):
    for layer in random_network(base_fun=base, spline_scale=False, symbolic=False).layers:
        assert_parity(layer, points(layer, 11), xp)


def test_base_functions_far_out(xp):
    layer = random_network(symbolic=False).layers[0]
    x = points(layer, 9)
    x[4:6], x[6:8] = [-1e4, -800], [1e4, 800]
    for base in ("silu", "tanh"):
        assert_parity(replace(layer, base_fun=base_function(base)), x, xp)


@pytest.mark.parametrize("widths", [(3, 1), (1, 130), (40, 33), (5, 128)])
def test_tails_of_blocks(xp, widths):
    layer = random_network(widths, symbolic=False).layers[0]
    for n in (63, 130):
        assert_parity(layer, points(layer, n), xp)


def test_many_slabs_and_inputs_shared_out(xp, monkeypatch):
    monkeypatch.setattr(launch, "LEAST_SAMPLES", 3)
    monkeypatch.setattr(cuda, "FAN", 4)
    layer = random_network((37, 3)).layers[0]
    for n in (70, 301):
        plan = launch.WalkPlan.of(launch.LayerSize(n, 37, 3, 4, 3, True, 8))
        assert plan.slabs > 4**2
        assert_parity(layer, points(layer, n), xp)


def test_counts_of_cells_beyond_shared_memory(xp):
    layer = random_network((2, 3), G=13_000, symbolic=False).layers[0]
    size = launch.LayerSize(150, 2, 3, 13_000, 3, True, 8)
    assert not launch.WalkPlan.of(size).sort_in_shared
    assert_parity(layer, points(layer, 150), xp, 1e-11)


def test_samples_in_one_cell(xp):
    layer = random_network(symbolic=False, G=30).layers[1]
    x = np.random.default_rng(3).uniform(0.001, 0.02, (200, layer.n_in))
    assert_parity(layer, x, xp)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_repeated_knots(xp, extrapolate):
    layer = random_network(symbolic=False, extrapolate=extrapolate).layers[0]
    knots = layer.knots.copy()
    knots[:, layer.k + 2] = knots[:, layer.k + 1]
    knots[0, layer.k + layer.G - 1] = knots[0, layer.k + layer.G]
    repeated = replace(layer, knots=knots)
    assert_parity(repeated, points(repeated, 40), xp)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_input_goes_where_the_reference_sends_it(xp, bad):
    for layer in random_network().layers:
        x = points(layer, 9)
        x[5, 0] = bad
        y, cache = reference.layer_forward(layer, x, sums=True)
        fast, fast_cache = cuda.layer_forward(on(layer, xp), xp.asarray(x), sums=True)
        np.testing.assert_array_equal(np.isnan(to_numpy(fast)), np.isnan(y))
        close(fast_cache.statistics.mean_abs, cache.statistics.mean_abs)
        dy = np.ones_like(y)
        dx, _ = reference.layer_backward(layer, cache, dy)
        fast_dx, _ = cuda.layer_backward(on(layer, xp), fast_cache, xp.asarray(dy))
        np.testing.assert_array_equal(np.isnan(to_numpy(fast_dx)), np.isnan(dx))


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_masked_edge_poisons_nobody(xp, poison):
    layer = random_network().layers[0]
    sick = replace(layer, coef=layer.coef.copy(), scale_spline=layer.scale_spline.copy())
    dead = np.argwhere(~layer.mask)
    assert len(dead)
    for i, j in dead:
        sick.coef[i, j] = sick.scale_spline[i, j] = poison
    x = xp.asarray(points(layer, 9))
    y, cache = cuda.layer_forward(on(sick, xp), x)
    expected, _ = cuda.layer_forward(on(layer, xp), x)
    np.testing.assert_array_equal(to_numpy(y), to_numpy(expected))
    dx, d = cuda.layer_backward(on(sick, xp), cache, y)
    for gradient in (dx, d.coef, d.scale_spline, d.scale_base):
        assert np.isfinite(to_numpy(gradient)).all()


def test_a_run_repeats_to_the_bit(xp):
    layer = on(random_network((3, 5), G=9).layers[0], xp)
    x, found = xp.asarray(samples(500, 3)), set()
    for _ in range(3):
        y, cache = cuda.layer_forward(layer, x)
        dx, d = cuda.layer_backward(layer, cache, y)
        found.add(b"".join(to_numpy(a).tobytes() for a in (y, dx, d.coef, d.scale_spline)))
    assert len(found) == 1


@pytest.mark.parametrize("options", [{}, {"symbolic": False}, {"spline_scale": False}])
def test_gradients_are_written_where_training_keeps_them(xp, options):
    host = random_network(**options)
    network, x = host.map(xp.asarray), xp.asarray(samples(20, 2))
    y, cache = network_forward(network, x)
    assert {type(c) for c in cache.layers} == {cuda.CudaCache}
    fresh = theta_gradient(network, cache, y)
    out = network.copy()
    out.theta[...] = 7.0
    kept = theta_gradient(network, cache, y, out=out)
    assert kept is out
    np.testing.assert_array_equal(to_numpy(kept.theta), to_numpy(fresh.theta))
    y, cache = network_forward(replace(host, backend="numpy"), samples(20, 2))
    close(fresh.theta, theta_gradient(host, cache, y).theta)


def test_arrays_decide_who_computes(xp):
    layer, x = random_network().layers[0], samples(7, 2)
    for backend in ("auto", "cupy", "numba"):
        _, cache = any_forward(backend, on(layer, xp), xp.asarray(x))
        assert isinstance(cache, cuda.CudaCache)
    y, cache = any_forward("numpy", on(layer, xp), xp.asarray(x))  # the reference on the device
    assert isinstance(cache, reference.LayerCache)
    dx, _ = any_backward(on(layer, xp), cache, y)
    expected, host_cache = reference.layer_forward(layer, x)
    close(y, expected)
    close(dx, reference.layer_backward(layer, host_cache, expected)[0])
    for high in (on(random_network(k=6).layers[0], xp), on(layer, xp)):
        empty = xp.asarray(x[: 0 if high.k == 3 else 7])
        assert isinstance(any_forward("auto", high, empty)[1], reference.LayerCache)


def test_no_array_of_the_size_of_the_basis(xp, monkeypatch):
    """Nothing that a pass allocates has N · n_in · (k + 1) elements or more."""
    largest, empty = [], xp.empty

    def watched(shape, **options):
        largest.append(np.prod(shape))
        return empty(shape, **options)

    monkeypatch.setattr(xp, "empty", watched, raising=False)
    layer = on(random_network((20, 6), G=5, symbolic=False).layers[0], xp)
    x = xp.asarray(samples(400, 20))
    y, cache = cuda.layer_forward(layer, x, sums=True)
    cuda.layer_backward(layer, cache, y)
    assert largest and max(largest) < 400 * 20 * 4


def test_a_full_device_names_rows_to_try(xp, monkeypatch):
    def full(shape, **options):
        raise fake_cupy.OutOfMemoryError("out of memory allocating 9 bytes")

    layer = on(random_network().layers[0], xp)
    monkeypatch.setattr(xp, "empty", full, raising=False)
    with pytest.raises(MemoryError, match=r"no memory for 60 rows .* chunks of 15 rows"):
        cuda.layer_forward(layer, xp.asarray(samples(60, 2)))


BUGS = {
    "saved = (v - left) * share": "saved = (v - left) * share * 1.001",
    "sum[q] += f.base * edge_base + dot(f.value, w)": "sum[q] += f.base * edge_base",
    "dbase += f.base * g": "dbase += f.dbase * g",
    "d[m] = d[m + 1];": "d[m] = d[m];",
    "m2 += delta * (phi - mean)": "m2 += delta * delta",
    "sum += slabs[slab * size + at % size]": "sum = slabs[slab * size + at % size]",
    "f.dbase * edge_base + dot(f.slope, w)": "f.dbase * edge_base + dot(f.value, w)",
    "dcoef[at] = numeric ? edge_scale * d": "dcoef[at] = numeric ? d",
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_the_parity_body_sees_a_planted_bug(monkeypatch, xp, bug, tmp_path):
    if xp.asarray is not fake_cupy.asarray:
        pytest.skip("planted in the source for the host")
    source = device.SOURCE.read_text()
    assert bug in source
    planted = cuda_host.library("float64", 3, source.replace(bug, BUGS[bug]))
    monkeypatch.setattr(cuda_host, "library", lambda dtype, k: planted)
    monkeypatch.setattr(launch, "LEAST_SAMPLES", 3)
    layer = random_network((37, 3)).layers[0]
    with pytest.raises(AssertionError):
        assert_parity(layer, points(layer, 300), xp)
