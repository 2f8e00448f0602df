"""The stack of layers against literal loops, complex steps and hand-made product nodes."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from builders import plain_nodes, random_network, samples

from kanref.network import (
    DEFAULT_GROUPS,
    PARAMETERS,
    Network,
    jacobian,
    layer_inputs,
    network_backward,
    network_forward,
)
from kanref.nodes import Nodes, nodes_backward, nodes_forward

N = 7


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("k", [0, 2, 3])
def test_forward_equals_the_loops(extrapolate, k):
    network = random_network(k=k, extrapolate=extrapolate)
    x = samples(N, 2)
    y, cache = network_forward(network, x)
    assert relative(y, naive.network(network, x)) <= 1e-12
    inputs = layer_inputs(network, x)
    np.testing.assert_array_equal(inputs[1], cache.x[1])
    assert inputs[1].shape == (N, 5)


def complex_network(network):
    """The network in complex numbers; its knots stay real."""
    network = network.map(lambda a: a if a.dtype == bool else a.astype(complex))
    real = [layer.knots.real for layer in network.layers]
    for layer, knots in zip(network.layers, real, strict=True):
        object.__setattr__(layer, "knots", knots)
    return network


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_the_gradient_of_theta_and_inputs_is_the_complex_step(extrapolate):
    network = random_network(extrapolate=extrapolate)
    assert network.groups == PARAMETERS
    rng = np.random.default_rng(3)
    x, dy = samples(N, 2), rng.normal(size=(N, 3))
    _, cache = network_forward(network, x)
    dx, gradient = network_backward(network, cache, dy)
    h, other = 1e-30, complex_network(network)
    exact = np.empty(network.theta.size)
    for p in range(exact.size):
        theta = other.theta.copy()
        theta[p] += 1j * h
        exact[p] = (network_forward(other.with_theta(theta), x)[0] * dy).sum().imag / h
    assert relative(gradient.theta, exact) <= 1e-12
    for n, i in np.ndindex(N, 2):
        moved = x.astype(complex)
        moved[n, i] += 1j * h
        step = (network_forward(other, moved)[0] * dy).sum().imag / h
        assert abs(dx[n, i] - step) <= 1e-12 * np.abs(dx).max()


def test_the_jacobian_is_the_complex_step():
    network = random_network()
    x, h = samples(N, 2), 1e-30
    J = jacobian(network, x)
    assert J.shape == (N, 3, 2)
    for i in range(2):
        moved = x.astype(complex)
        moved[:, i] += 1j * h
        column = network_forward(complex_network(network), moved)[0].imag / h
        assert relative(J[:, :, i], column) <= 1e-12


def test_product_nodes_multiply_their_factors():
    nodes = Nodes(1, (2, 3), np.ones(6), np.zeros(6), np.array([1.0, 2, 3]), np.array([0, 0, 5.0]))
    u = np.array([[7.0, 2, 3, 4, 5, 6]])
    z = nodes_forward(nodes, u)
    np.testing.assert_array_equal(z, [[7, 2 * 6, 3 * 120 + 5]])
    assert nodes.factors() == [range(0, 1), range(1, 3), range(3, 6)]
    assert (nodes.n_nodes, nodes.n_subnodes) == (3, 6)


def test_a_zero_factor_does_not_stop_the_gradient_of_the_others():
    nodes = Nodes(0, (3,), np.ones(3), np.zeros(3), np.ones(1), np.zeros(1))
    u = np.array([[0.0, 3, 4]])
    du, _ = nodes_backward(nodes, u, np.ones((1, 1)))
    np.testing.assert_array_equal(du, [[12, 0, 0]])


def test_theta_is_one_block_of_which_the_layers_hold_views():
    network = random_network()
    for layer, nodes in zip(network.layers, network.nodes, strict=True):
        for name in PARAMETERS:
            a = getattr(layer, name, None)
            a = getattr(nodes, name) if a is None else a
            assert np.shares_memory(a, network.theta), name
    network.layers[1].coef[1, 2, 0] = 42
    assert 42 in network.theta
    assert network.layers[1].coef.shape == (5, 3, 7)
    total = sum(a.size for _, _, a in network.parameters())
    assert network.theta.size == total


def test_with_theta_replaces_the_parameters_and_copies_nothing_else():
    network = random_network()
    theta = np.arange(network.theta.size, dtype=float)
    other = network.with_theta(theta)
    assert other.theta is theta
    back = Network.assemble(other.layers, other.nodes, other.groups)
    np.testing.assert_array_equal(back.theta, theta)
    assert not np.shares_memory(network.theta, theta)


def test_groups_choose_what_theta_holds():
    network = random_network(groups=DEFAULT_GROUPS)
    assert not np.shares_memory(network.nodes[0].node_scale, network.theta)
    few = network.regroup(["node_bias", "affine"])
    assert few.groups == ("affine", "node_bias")
    assert few.theta.size == sum(x.affine.size for x in few.layers) + 5 + 3
    _, cache = network_forward(few, samples(N, 2))
    gradient = network_backward(few, cache, np.ones((N, 3)))[1]
    assert gradient.theta.size == few.theta.size
    none = network.regroup([])
    assert none.theta.size == 0


def test_a_copy_shares_nothing():
    network = random_network()
    other = network.copy()
    for one, two in zip(network.layers, other.layers, strict=True):
        for name in (*PARAMETERS[:4], "knots", "mask"):
            assert not np.shares_memory(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(network.theta, other.theta)
    assert not np.shares_memory(network.nodes[0].node_scale, other.nodes[0].node_scale)


def test_the_network_runs_on_any_array_namespace():
    xp = pytest.importorskip("array_api_strict")
    network, strict = random_network(), random_network(xp=xp)
    x, dy = samples(N, 2), np.random.default_rng(0).normal(size=(N, 3))
    y, cache = network_forward(network, x, sums=True)
    dx, gradient = network_backward(network, cache, dy)
    ys, caches = network_forward(strict, xp.asarray(x), sums=True)
    dxs, gradients = network_backward(strict, caches, xp.asarray(dy))
    for one, other in ((ys, y), (dxs, dx), (gradients.theta, gradient.theta)):
        np.testing.assert_allclose(np.asarray(one), other, rtol=1e-12, atol=1e-13)
    J = jacobian(strict, xp.asarray(x))
    np.testing.assert_allclose(np.asarray(J), jacobian(network, x), rtol=1e-12, atol=1e-13)


def test_plain_nodes_pass_the_sums_on():
    u = samples(N, 3)
    np.testing.assert_array_equal(nodes_forward(plain_nodes(3), u), u)
