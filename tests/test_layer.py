"""The layer against literal loops, finite differences and complex steps."""

from __future__ import annotations

from dataclasses import replace

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanref import layer as layer_module
from kanref._arrays import absolute
from kanref.functions import FUNCTIONS, base_function
from kanref.layer import (
    EdgeCotangent,
    Layer,
    SymbolicEdge,
    layer_backward,
    layer_edges,
    layer_forward,
    select,
)

N, N_IN, N_OUT, G = 7, 2, 3, 4
SYMBOLIC = (SymbolicEdge(0, 1, FUNCTIONS["sin"]), SymbolicEdge(1, 2, FUNCTIONS["x^2"]))


def make_layer(k=3, extrapolate="linear", *, scale=True, symbolic=True, masked=True, seed=0):
    rng = np.random.default_rng(seed)
    knots = np.sort(rng.uniform(-1.5, 1.5, (N_IN, G + 2 * k + 1)), axis=1)
    mask = np.ones((N_IN, N_OUT), dtype=bool)
    if masked:
        mask[0, 0] = False
    edges = SYMBOLIC if symbolic else ()
    return Layer(
        knots=knots,
        coef=rng.normal(size=(N_IN, N_OUT, G + k)),
        scale_base=rng.normal(size=(N_IN, N_OUT)),
        scale_spline=rng.normal(size=(N_IN, N_OUT)) if scale else None,
        mask=mask,
        affine=rng.uniform(0.3, 1.5, (len(edges), 4)),
        symbolic=edges,
        k=k,
        extrapolate=extrapolate,
        base_fun=base_function("silu"),
    )


def inputs(layer, seed=1):
    """Points inside, outside, and on the knots."""
    x = np.random.default_rng(seed).uniform(-2, 2, (N, N_IN))
    x[0] = layer.knots[:, layer.k]
    x[1] = layer.knots[:, layer.k + 1]
    return x


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


LAYERS = [(k, e) for k in (0, 1, 2, 3, 5) for e in ("linear", "zero")]


@pytest.mark.parametrize(("k", "extrapolate"), LAYERS)
@pytest.mark.parametrize("scale", [True, False])
def test_forward_and_edges_equal_the_loops(k, extrapolate, scale):
    layer = make_layer(k, extrapolate, scale=scale)
    x = inputs(layer)
    phi = naive.edges(layer, x)
    y, cache = layer_forward(layer, x)
    assert relative(layer_edges(layer, x), phi) <= 1e-12
    assert relative(y, phi.sum(axis=1)) <= 1e-12
    assert cache.statistics is None


@pytest.mark.parametrize("block", [1, 10**9])
def test_statistics_are_those_of_the_edges(monkeypatch, block):
    monkeypatch.setattr(layer_module, "BLOCK_ELEMENTS", block)
    layer = make_layer()
    x = inputs(layer)
    phi = naive.edges(layer, x)
    _, cache = layer_forward(layer, x, sums=True)
    s = cache.statistics
    assert relative(s.mean_abs, np.abs(phi).mean(axis=0)) <= 1e-13
    assert relative(s.edges.std(), phi.std(axis=0, ddof=1)) <= 1e-12
    assert relative(s.edges.mean, phi.mean(axis=0)) <= 1e-12
    assert relative(s.u.std(), phi.sum(axis=1).std(axis=0, ddof=1)) <= 1e-12
    assert relative(s.x.std(), x.std(axis=0, ddof=1)) <= 1e-13
    assert s.edges.std()[0, 0] == 0  # the dead edge


def objective(layer, x, dy, r):
    """The scalar whose gradient the backward pass must give: the cotangents integrated."""
    phi = layer_edges(layer, x, continued=True)
    value = np.einsum("nj,nij->", dy, phi)
    if r is not None:
        size = absolute(phi)
        value = value + (r.r0 * phi + r.r1 * phi**2 / 2 + r.r2 * size).sum()
    return value


def as_complex(layer):
    changes = {n: getattr(layer, n).astype(complex) for n in layer_module.PARAMETERS}
    return replace(layer, **changes)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("regularised", [False, True])
@pytest.mark.parametrize("block", [1, 10**9])
def test_every_gradient_is_the_complex_step(monkeypatch, extrapolate, regularised, block):
    monkeypatch.setattr(layer_module, "BLOCK_ELEMENTS", block)
    rng = np.random.default_rng(2)
    layer = make_layer(extrapolate=extrapolate)
    x, dy = inputs(layer), rng.normal(size=(N, N_OUT))
    r = EdgeCotangent(*rng.normal(size=(3, N_IN, N_OUT))) if regularised else None
    _, cache = layer_forward(layer, x)
    dx, dlayer = layer_backward(layer, cache, dy, r)
    h = 1e-30

    def step(name, index):
        if name == "x":
            moved = x.astype(complex)
            moved[index] += 1j * h
            return objective(as_complex(layer), moved, dy, r).imag / h
        moved = as_complex(layer)
        getattr(moved, name)[index] += 1j * h
        return objective(moved, x.astype(complex), dy, r).imag / h

    for name in ("x", *layer_module.PARAMETERS):
        gradient = dx if name == "x" else getattr(dlayer, name)
        exact = np.empty_like(gradient)
        for index in np.ndindex(gradient.shape):
            exact[index] = step(name, index)
        assert relative(gradient, exact) <= 1e-12, name


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("base", ["silu", "zero"])
def test_a_bad_input_reaches_what_live_edges_reach_and_nothing_else(bad, extrapolate, base):
    layer = replace(
        make_layer(extrapolate=extrapolate, symbolic=False), base_fun=base_function(base)
    )
    x = inputs(layer)
    clean, _ = layer_forward(layer, x)
    x[3, 0] = bad
    y, cache = layer_forward(layer, x)
    assert np.isnan(y[3, 1:]).all()
    assert np.isfinite(y[3, 0])  # edge (0, 0) is dead
    others = np.arange(N) != 3
    np.testing.assert_array_equal(y[others], clean[others])
    dx, _ = layer_backward(layer, cache, np.ones((N, N_OUT)))
    assert np.isnan(dx[3, 0])
    assert np.isfinite(dx[3, 1])
    assert np.isnan(layer_edges(layer, x)[3, 0, 1:]).all()


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_masked_edge_poisons_nobody(poison):
    layer = make_layer()
    mask = layer.mask.copy()
    mask[0, 1] = False  # a symbolic edge, beside the numeric edge (0, 0)
    dead = replace(layer, mask=mask)
    sick = replace(
        dead,
        coef=dead.coef.copy(),
        scale_base=dead.scale_base.copy(),
        scale_spline=dead.scale_spline.copy(),
        affine=dead.affine.copy(),
    )
    sick.coef[0, 0] = sick.scale_base[0, 0] = sick.scale_spline[0, 0] = poison
    sick.affine[0] = poison
    x, dy = inputs(layer), np.ones((N, N_OUT))
    r = EdgeCotangent(*np.ones((3, N_IN, N_OUT)))
    for one, other in zip(everything(dead, x, dy, r), everything(sick, x, dy, r), strict=True):
        np.testing.assert_array_equal(one, other)


def everything(layer, x, dy, r):
    y, cache = layer_forward(layer, x, sums=True)
    dx, d = layer_backward(layer, cache, dy, r)
    s = cache.statistics
    return y, s.mean_abs, s.edges.m2, dx, d.coef, d.scale_base, d.scale_spline, d.affine


def test_gradients_of_edges_that_are_not_numeric_are_zero():
    layer = make_layer()
    _, cache = layer_forward(layer, inputs(layer))
    _, d = layer_backward(layer, cache, np.ones((N, N_OUT)))
    for i, j in [(0, 0), (0, 1), (1, 2)]:
        assert not d.coef[i, j].any()
        assert d.scale_base[i, j] == d.scale_spline[i, j] == 0
    assert d.coef[1, 0].any()


def test_a_symbolic_function_is_continued_in_training_only():
    edge = (SymbolicEdge(0, 0, FUNCTIONS["log"]),)
    layer = replace(
        make_layer(symbolic=False, masked=False), symbolic=edge, affine=np.array([[1.0, 0, 1, 0]])
    )
    x = inputs(layer)
    x[:, 0] = np.linspace(-1, 1, N)
    strict, _ = layer_forward(layer, x)
    assert np.isnan(strict[:4, 0]).all()
    y, cache = layer_forward(layer, x, continued=True)
    dx, d = layer_backward(layer, cache, np.ones((N, N_OUT)))
    for a in (y, dx, d.affine):
        assert np.isfinite(a).all()
    np.testing.assert_array_equal(y[4:], strict[4:])


@given(
    rows=st.lists(st.integers(0, N_IN - 1), min_size=1, unique=True),
    columns=st.lists(st.integers(0, N_OUT - 1), min_size=1, unique=True),
)
def test_a_selected_layer_has_the_selected_edges(rows, columns):
    layer = make_layer()
    x = inputs(layer)
    part = select(layer, rows, columns)
    expected = layer_edges(layer, x)[:, rows][:, :, columns]
    np.testing.assert_allclose(layer_edges(part, x[:, rows]), expected, rtol=1e-13, atol=1e-13)
    assert not np.shares_memory(part.coef, layer.coef)


def test_float32_stays_float32():
    layer = make_layer()
    changes = {n: getattr(layer, n).astype(np.float32) for n in (*layer_module.PARAMETERS, "knots")}
    single = replace(layer, **changes)
    x = inputs(layer).astype(np.float32)
    y, cache = layer_forward(single, x, sums=True)
    r = EdgeCotangent(*np.ones((3, N_IN, N_OUT), dtype=np.float32))
    dx, d = layer_backward(single, cache, np.ones((N, N_OUT), dtype=np.float32), r)
    assert {a.dtype for a in (y, dx, d.coef, d.scale_base, d.affine)} == {np.dtype(np.float32)}
    assert cache.statistics.edges.m2.dtype == np.float64
    assert relative(y, layer_forward(layer, x.astype(float))[0]) <= 1e-5


def test_the_layer_runs_on_any_array_namespace():
    xp = pytest.importorskip("array_api_strict")
    layer = make_layer()
    arrays = {n: xp.asarray(v) for n, v in vars(layer).items() if isinstance(v, np.ndarray)}
    strict, x = replace(layer, **arrays), inputs(layer)
    x[2, 0] = np.nan
    dy = np.ones((N, N_OUT))
    r = EdgeCotangent(*np.random.default_rng(3).normal(size=(3, N_IN, N_OUT)))
    strict_r = EdgeCotangent(*(xp.asarray(a) for a in (r.r0, r.r1, r.r2)))
    results = everything(strict, xp.asarray(x), xp.asarray(dy), strict_r)
    for one, other in zip(results, everything(layer, x, dy, r), strict=True):
        np.testing.assert_allclose(np.asarray(one), other, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(
        np.asarray(layer_edges(strict, xp.asarray(x))), layer_edges(layer, x)
    )
