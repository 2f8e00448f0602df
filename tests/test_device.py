"""Models on a CUDA device: moving, evaluating, training, and what crosses the bus.

With ``xp`` from ``conftest.py`` every test runs twice: on arrays that stand for CuPy's, whose
kernels run on the host, and on a device where there is one.
"""

from __future__ import annotations

import sys
from collections import Counter

import fake_cupy
import matplotlib.pyplot as plt
import numpy as np
import pytest
from builders import random_network, samples

from kanref import KAN
from kanref._arrays import to_numpy
from kanref.kernels import cuda, device


def problem(n=60, seed=0):
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return x, np.sin(2 * x[:, 0]) * x[:, 1]


def rich(**options):
    """A model with symbolic and dead edges and product nodes."""
    return KAN.from_network(random_network(**options))


# --- without CuPy, without a device --------------------------------------------------------------


def test_without_cupy_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    sentence = r"^`backend` 'cupy' needs CuPy: pip install \"kanref\[gpu\]\"$"
    with pytest.raises(ImportError, match=sentence):
        KAN([2, 1], backend="cupy")
    with pytest.raises(ImportError, match=sentence):
        KAN([2, 1]).to("cupy")
    assert device.devices() == []


def no_driver():
    raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")


@pytest.mark.parametrize("broken", [False, True])
def test_without_a_device_one_sentence_says_so(monkeypatch, broken):
    fake = fake_cupy.module(count=0)
    if broken:
        fake.cuda.runtime.getDeviceCount = no_driver
    monkeypatch.setitem(sys.modules, "cupy", fake)
    rule = "cudaErrorInsufficientDriver" if broken else "none found"
    with pytest.raises(ImportError, match=rf"^`backend` 'cupy' needs a CUDA device, .*: {rule}"):
        KAN([2, 1], backend="cupy")
    assert device.devices() == []


def test_info_lists_devices(monkeypatch):
    machine = pytest.importorskip("kanref.cli.machine")
    fake = fake_cupy.module(count=2)
    fake.__version__ = "14.2.0"
    monkeypatch.setitem(sys.modules, "cupy", fake)
    text, data = machine.info()
    assert data["devices"] == ["Imaginary, 9.0, 8 GiB"] * 2
    assert data["cupy"] == "14.2.0"
    assert "device 1  Imaginary, 9.0, 8 GiB" in text
    monkeypatch.setitem(sys.modules, "cupy", None)
    text, data = machine.info()
    assert data["devices"] == []
    assert 'cupy: not there: it needs CuPy: pip install "kanref[gpu]"' in text


def test_backends_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"`backend` must be one of .*'cupy', got 'torch'"):
        KAN([2, 1]).to("torch")


# --- moving and evaluating -----------------------------------------------------------------------


def test_there_and_back_is_exact_and_shares_nothing(xp):
    model = rich()
    there = model.to("cupy")
    back = there.to("numpy")
    assert (there.backend, back.backend) == ("cupy", "numpy")
    assert isinstance(there.theta, xp.ndarray) and type(back.theta) is np.ndarray
    for before, after in zip(model.layers, back.layers, strict=True):
        for name in ("knots", "coef", "scale_base", "scale_spline", "mask", "affine"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    back.theta[...] = there.theta[...] = 0
    assert not np.any(to_numpy(there.layers[0].coef))  # views of theta there too
    assert np.any(model.theta)
    assert not np.shares_memory(KAN([2, 1]).to("numpy").theta, model.theta)


def test_a_model_begins_on_the_device(xp):
    model = KAN([2, 3, 1], backend="cupy", seed=4)
    np.testing.assert_array_equal(to_numpy(model.theta), KAN([2, 3, 1], seed=4).theta)
    assert repr(model) == repr(KAN([2, 3, 1], seed=4))


@pytest.mark.parametrize("options", [{}, {"extrapolate": "zero"}, {"k": 6}])
def test_evaluation_is_that_of_the_host_and_stays_there(xp, options):
    model, x = rich(**options), samples(9, 2)
    there = model.to("cupy")
    y, cache = there.forward(xp.asarray(x))
    expected, host_cache = model.forward(x)
    dy = np.cos(expected)
    dx, grads = there.backward(cache, xp.asarray(dy))
    host_dx, host_grads = model.backward(host_cache, dy)
    pairs = [(y, expected), (there(x), expected), (there(xp.asarray(x[0])), expected[0])]
    pairs += [(dx, host_dx), (grads.theta, host_grads.theta)]
    pairs += [(there.jacobian(x), model.jacobian(x))]
    pairs += list(zip(there.activations(x), model.activations(x), strict=True))
    pairs += list(zip(there.edges(x), model.edges(x), strict=True))
    for one, other in pairs:
        assert isinstance(one, xp.ndarray)
        np.testing.assert_allclose(to_numpy(one), other, rtol=1e-11, atol=1e-12)


def test_an_array_of_the_device_is_no_input_of_a_model_on_the_host(xp):
    with pytest.raises(TypeError, match=r"`x` is on a device .* model.to\('cupy'\)"):
        KAN([2, 1])(xp.asarray(samples(3, 2)))


def test_theta_can_be_replaced(xp):
    model = KAN([2, 1], backend="cupy")
    new = model.with_theta(model.theta * 2)
    np.testing.assert_array_equal(to_numpy(new.theta), 2 * to_numpy(model.theta))


# --- training ------------------------------------------------------------------------------------

FITS = {
    "lbfgs": {"steps": 8},
    "lbfgs with penalty": {"steps": 6, "lamb": 1e-3, "update_grid": False},
    "adam": {"opt": "adam", "steps": 12, "lr": 0.02},
    "mini-batches": {"opt": "adam", "steps": 12, "batch_size": 16, "clip_norm": 0.5},
    "clipped": {"opt": "adam", "steps": 6, "clip_value": 1e-2, "restore_best": True},
    "scores": {"steps": 4, "lamb": 1e-3, "reg_metric": "edge_backward"},
}


@pytest.mark.parametrize("name", FITS)
def test_training_takes_the_steps_of_the_host(xp, name):
    x, y = problem()
    host = KAN([2, 3, 1], grid=4, seed=1)
    there = host.to("cupy")
    held_out = problem(30, seed=9)
    expected = host.fit(x, y, validation=held_out, **FITS[name])
    history = there.fit(x, y, validation=held_out, **FITS[name])
    assert isinstance(there.theta, xp.ndarray)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-6)
    np.testing.assert_allclose(there.predict(x), host.predict(x), rtol=1e-5, atol=1e-6)


def test_tables_may_lie_on_the_device(xp):
    x, y = problem()
    one, other = (KAN([2, 3, 1], backend="cupy", seed=1) for _ in range(2))
    one.fit(x, y, steps=3, validation=(x, y))
    other.fit(xp.asarray(x), xp.asarray(y), steps=3, validation=(xp.asarray(x), xp.asarray(y)))
    np.testing.assert_array_equal(to_numpy(one.theta), to_numpy(other.theta))
    assert type(other.predict(xp.asarray(x))) is np.ndarray
    np.testing.assert_array_equal(other.predict(xp.asarray(x)), one.predict(x))


@pytest.mark.parametrize("n_out", [1, 3])
def test_classification(xp, n_out):
    x, y = problem()
    labels = (y > 0).astype(int) + (n_out > 1) * (x[:, 0] > 0.5)
    loss = "cross_entropy" if n_out > 1 else "binary_cross_entropy"
    host = KAN([2, n_out], seed=1)
    there = host.to("cupy")
    for model in (host, there):
        model.fit(x, labels, loss=loss, steps=4, opt="adam", lr=0.05)
    np.testing.assert_array_equal(there.predict_class(x), host.predict_class(x))


def test_memory_is_bounded_and_the_chunks_do_not_show(xp):
    x, y = problem(200)
    whole, pieces = (KAN([2, 3, 1], backend="cupy", seed=1) for _ in range(2))
    first = whole.fit(x, y, steps=3, update_grid=False)
    second = pieces.fit(x, y, steps=3, update_grid=False, max_memory=6000)
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-9)


def crossings_per_step(**options):
    """Count what crosses the bus in a step: by how much 14 steps differ from 4."""
    x, y = problem()
    counts, evaluations = [], []
    for steps in (4, 14):
        model = KAN([2, 3, 1], backend="cupy", seed=1)
        fake_cupy.crossings.clear()
        history = model.fit(x, y, steps=steps, update_grid=False, **options)
        counts.append(Counter(fake_cupy.crossings))
        evaluations.append(history.n_evaluations)
    n = 10 if "opt" in options else evaluations[1] - evaluations[0]
    kinds = ("array to host", "array to device", "number to host")
    return {kind: (counts[1][kind] - counts[0][kind]) / n for kind in kinds}


def only_on_the_host(xp):
    if xp.asarray is not fake_cupy.asarray:
        pytest.skip("crossings are counted on stand-ins only")


def test_adam_sends_no_array_and_reads_three_numbers(xp):
    """The loss, whether all is finite, the norm of the gradient; of all rows, its size too."""
    only_on_the_host(xp)
    per_step = crossings_per_step(opt="adam", batch_size=16)
    assert per_step["array to host"] == 0
    assert per_step["number to host"] <= 3
    assert per_step["array to device"] == 1  # which rows
    per_step = crossings_per_step(opt="adam")
    assert (per_step["array to host"], per_step["array to device"]) == (0, 0)
    assert per_step["number to host"] <= 4


def test_lbfgs_sends_one_vector_each_way(xp):
    only_on_the_host(xp)
    per_evaluation = crossings_per_step()
    assert per_evaluation["array to host"] == 1
    assert 1 <= per_evaluation["array to device"] <= 1.5  # less one for each step of the search
    assert per_evaluation["number to host"] == 1


# --- everything else -----------------------------------------------------------------------------


def test_a_file_is_the_same_from_either_place(xp, tmp_path):
    model = rich()
    model.save(tmp_path / "host.npz")
    model.to("cupy").save(tmp_path / "device.npz")
    one, other = KAN.load(tmp_path / "host.npz"), KAN.load(tmp_path / "device.npz")
    np.testing.assert_array_equal(one.theta, other.theta)
    assert type(other.theta) is np.ndarray
    assert isinstance(other.to("cupy").theta, xp.ndarray)


def test_structure_changes_on_the_host_and_returns(xp):
    x, y = problem()
    model = KAN([2, 3, 1], grid=4, seed=1)
    model.fit(x, y, steps=5)
    there = model.to("cupy")
    for change in (
        lambda m: m.refine(8),
        lambda m: m.refine(7, x),
        lambda m: m.update_grid(x),
        lambda m: m.prune(x, 1e-3, 1e-3),
        lambda m: m.remove_edge(0, 1, 2),
        lambda m: m.fix_symbolic(0, 0, 1, "sin", x),
    ):
        new, expected = change(there), change(model)
        assert new.backend == "cupy" and isinstance(new.theta, xp.ndarray)
        np.testing.assert_allclose(to_numpy(new(x)), expected(x), rtol=1e-9, atol=1e-10)
    scores = there.attribute(xp.asarray(x)).feature_scores
    np.testing.assert_allclose(scores, model.attribute(x).feature_scores)
    assert there.reg(x) == pytest.approx(model.reg(x))


def test_pictures_and_formulas_of_a_model_on_the_device(xp):
    x, y = problem()
    there = KAN([2, 1], seed=1).to("cupy")
    there.fit(x, y, steps=3)
    for ax in (there.plot(X=x), there.plot_edge(0, 0, 0)):
        plt.close(ax.figure)  # the tests of the pictures count figures
    for i, name in enumerate(("sin", "x^2")):
        there = there.fix_symbolic(0, i, 0, name, x)
    there.fit(x, y, steps=3)
    assert "sin" in str(there.symbolic_formula())


def test_single_precision_stays_single(xp):
    model = KAN([2, 3, 1], dtype="float32", backend="cupy", seed=1)
    x, y = problem()
    model.fit(x, y, steps=3)
    assert (model.theta.dtype, model(x).dtype) == (np.float32, np.float32)
    assert all(str(layer.knots.dtype) == "float32" for layer in model.layers)


def test_training_uses_the_kernels(xp):
    x, y = problem()
    model = KAN([2, 3, 1], backend="cupy", seed=1)
    _, cache = model.forward(x)
    assert {type(c) for c in cache.layers} == {cuda.CudaCache}
    if xp.asarray is fake_cupy.asarray:
        fake_cupy.kernels.clear()
        model.fit(x, y, steps=2, lamb=1e-3)
        assert {name for name, *_ in fake_cupy.kernels} >= {
            "forward",
            "sort_by_cell",
            "edge_gradients",
            "input_cotangents",
            "finish",
            "edge_statistics",
            "merge_statistics",
        }


# --- a device alone ------------------------------------------------------------------------------


@pytest.mark.gpu
def test_a_full_device_says_how_many_rows_to_try():
    import cupy

    pool = cupy.get_default_memory_pool()
    model = KAN([50, 60], backend="cupy")
    x = cupy.zeros((200_000, 50))
    limit = pool.get_limit()
    pool.set_limit(size=pool.used_bytes() + 2**20)
    try:
        with pytest.raises(MemoryError, match=r"no memory for .* rows .* try chunks of"):
            model.forward(x)
    finally:
        pool.set_limit(size=limit)


@pytest.mark.gpu
def test_streams_are_respected():
    import cupy

    model, x = KAN([3, 4], backend="cupy"), cupy.asarray(samples(500, 3))
    expected = to_numpy(model(x))
    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.get_current_stream().synchronize()
    with stream:
        y = model(x)
    stream.synchronize()
    np.testing.assert_array_equal(to_numpy(y), expected)
