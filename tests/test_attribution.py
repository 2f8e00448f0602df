from __future__ import annotations

from dataclasses import replace

import array_api_strict
import literal
import numpy as np
import pytest
from builders import pykan_network, random_network, samples
from numpy.testing import assert_allclose

from kanref.attribution import (
    Attribution,
    attribute,
    feature_interaction,
    scores_backward,
    scores_from,
)
from kanref.network import Network, network_forward
from kanref.statistics import LayerStatistics

N = 11


def close(a, b, tolerance: float = 1e-13) -> None:
    assert a.shape == b.shape
    assert np.max(np.abs(a - b)) <= tolerance * np.max(np.abs(b))


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network()


@pytest.fixture(scope="module")
def statistics(network: Network) -> list[LayerStatistics]:
    return network_forward(network, samples(N, 2), sums=True)[1].statistics


@pytest.fixture(scope="module")
def measured(network: Network) -> list[literal.Measured]:
    return literal.measure(network, samples(N, 2))[1]


# --- values --------------------------------------------------------------------------------------


def check(found: Attribution, expected: tuple, n_q: int) -> None:
    """Compare with (A (q, i), S (q, j), B (q, j, i)) per level and layer."""
    nodes, subnodes, edges = expected
    assert len(found.node_scores) == len(nodes)
    for l, A in enumerate(nodes):
        assert found.node_scores_all[l].shape[0] == n_q
        close(found.node_scores_all[l], A)
        close(found.node_scores[l], A.mean(axis=0))
    for l, (S, B) in enumerate(zip(subnodes, edges, strict=True)):
        close(found.subnode_scores_all[l], S)
        close(found.subnode_scores[l], S.mean(axis=0))
        close(found.edge_scores_all[l], B.transpose(0, 2, 1))
        close(found.edge_scores[l], B.mean(axis=0).T)
    close(found.feature_scores, nodes[0].mean(axis=0))


def test_scores_follow_the_definition(network, statistics, measured):
    check(attribute(network, statistics), literal.scores(network, measured, np.eye(3)), n_q=3)


def test_out_score_weights_the_outputs(network, statistics, measured):
    weights = np.array([0.0, 2.0, 0.5])
    expected = literal.scores(network, measured, np.diag(weights))
    check(attribute(network, statistics, out_score=weights), expected, n_q=3)


@pytest.mark.parametrize("layer", [1, 2])
def test_starting_at_a_layer_scales_each_node_by_its_own_score(
    network, statistics, measured, layer
):
    top = literal.scores(network, measured, np.eye(3))[0][layer].mean(axis=0)
    expected = literal.scores(network, measured[:layer], np.diag(top))
    check(
        attribute(network, statistics, l=layer),
        expected,
        n_q=network.nodes[layer - 1].n_nodes,
    )


def test_starting_at_a_layer_takes_the_out_score_along(network, statistics, measured):
    weights = np.array([0.0, 2.0, 0.5])
    top = literal.scores(network, measured, np.diag(weights))[0][1].mean(axis=0)
    expected = literal.scores(network, measured[:1], np.diag(top))
    check(attribute(network, statistics, l=1, out_score=weights), expected, n_q=5)


@pytest.mark.parametrize("name", ["pykan_2-5-1_G5_k3", "pykan_3-4-2_G4_k2"])
def test_scores_equal_those_of_pykan(name):
    network, data = pykan_network(name)
    found = attribute(network, network_forward(network, data["x"], sums=True)[1].statistics)
    for l in range(3):
        close(found.node_scores[l], data[f"node_score{l}"], 1e-12)
    for l in range(2):
        close(found.edge_scores[l], data[f"edge_score{l}"].T, 1e-12)
    close(found.feature_scores, data["feature_score"], 1e-12)


def test_dead_edges_score_nothing(network, statistics):
    for layer, scores in zip(
        network.layers, attribute(network, statistics).edge_scores, strict=True
    ):
        assert np.all(scores[~layer.mask] == 0)
        assert np.all(scores[layer.mask] > 0)


def test_a_network_that_never_moves_has_scores_of_zero(network):
    statistics = network_forward(network, np.full((N, 2), 0.3), sums=True)[1].statistics
    found = attribute(network, statistics)
    assert_allclose(found.feature_scores, 0, atol=1e-10)


def test_array_api_strict_gives_the_same(network, statistics):
    strict = random_network(xp=array_api_strict)
    x = array_api_strict.asarray(samples(N, 2))
    found = attribute(
        strict,
        network_forward(strict, x, sums=True)[1].statistics,
        l=2,
        out_score=[0.5, 1.0, 2.0],
    )
    expected = attribute(network, statistics, l=2, out_score=[0.5, 1.0, 2.0])
    for name in ("node_scores", "subnode_scores", "edge_scores", "edge_scores_all"):
        for a, b in zip(getattr(found, name), getattr(expected, name), strict=True):
            close(np.asarray(a), b)


# --- backward ------------------------------------------------------------------------------------


def test_backward_is_the_derivative_of_the_recursion(network, measured):
    """Cotangents of all node and edge scores, against complex steps through the literal loops."""
    rng = np.random.default_rng(5)
    top = rng.uniform(0.5, 1.5, (2, 3))  # two rows q
    nodes, _, edges = literal.scores(network, measured, top)
    dnodes = [rng.normal(size=A.shape) for A in nodes]
    dedges = [rng.normal(size=B.shape[:0:-1]) for B in edges]

    def contracted(measured, top):
        nodes, _, edges = literal.scores(network, measured, top)
        return sum((d * A).sum() for d, A in zip(dnodes, nodes, strict=True)) + sum(
            (d * B.mean(axis=0).T).sum() for d, B in zip(dedges, edges, strict=True)
        )

    statistics = network_forward(network, samples(N, 2), sums=True)[1].statistics
    dstart, dedge_std, dsum_std = scores_backward(
        scores_from(network, statistics, top), dnodes, dedges
    )

    def step(array):
        """Derivative with respect to every entry of an array, in place."""
        gradient = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            array[index] += 1e-30j
            gradient[index] = np.imag(contracted(complex_measured, complex_top)) / 1e-30
            array[index] -= 1e-30j
        return gradient

    complex_top = top.astype(complex)
    complex_measured = [
        literal.Measured(*(a.astype(complex) for a in vars(m).values())) for m in measured
    ]
    close(dstart, step(complex_top), 1e-12)
    for l in range(2):
        close(dedge_std[l], step(complex_measured[l].std_phi), 1e-12)
        close(dsum_std[l], step(complex_measured[l].std_u), 1e-12)


def test_backward_without_cotangents_is_zero(network, statistics):
    dstart, dedge_std, dsum_std = scores_backward(scores_from(network, statistics, np.eye(3)))
    assert not any(np.any(a) for a in (dstart, *dedge_std, *dsum_std))


# --- interaction, errors -------------------------------------------------------------------------


def test_feature_interaction_counts_nodes_by_their_inputs():
    """Nodes that see: inputs 0 and 2 (twice), input 1, and nothing."""
    network = random_network((3, 4, 2), symbolic=False, masked=False)
    network.layers[0].mask[...] = [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0]]
    statistics = network_forward(network, samples(N, 3), sums=True)[1].statistics
    found = feature_interaction(network, statistics, 1)
    assert list(found.items()) == [((0, 2), 2), ((1,), 1)]
    assert feature_interaction(network, statistics, 1, neuron_th=1e3) == {}

    scores = attribute(network, statistics, l=1).node_scores_all[0]  # (4, 3)
    share = np.min(scores[0, [0, 2]]) / np.max(scores[0])
    less, more = (
        feature_interaction(network, statistics, 1, feature_th=share * by) for by in (0.9, 1.1)
    )
    assert less[0, 2] == 2
    assert more[0, 2] == 1


def test_scores_print_with_the_names_of_the_inputs():
    scores = Attribution((np.array([[0.5, 1.5], [0.7, 1.1]]),), (), (), (), ())
    assert repr(scores) == "Attribution(x2: 1.3, x1: 0.6)"
    assert repr(replace(scores, input_names=("a", "b"))) == "Attribution(b: 1.3, a: 0.6)"


def test_names_must_fit_the_inputs(network, statistics):
    assert attribute(network, statistics, input_names=["a", "b"]).input_names == ("a", "b")
    with pytest.raises(ValueError, match=r"`input_names` must name 2 inputs, got \['a'\]"):
        attribute(network, statistics, input_names=["a"])


@pytest.mark.parametrize("layer", [0, 3, -1])
def test_a_layer_that_does_not_exist_is_an_error(network, statistics, layer):
    with pytest.raises(ValueError, match=f"`l` must be between 1 and 2, got {layer}"):
        attribute(network, statistics, l=layer)


def test_out_score_of_the_wrong_shape_is_an_error(network, statistics):
    with pytest.raises(ValueError, match=r"`out_score` must have shape \(3,\), got \(2,\)"):
        attribute(network, statistics, out_score=[1.0, 2.0])


def test_statistics_of_another_network_are_an_error(network, statistics):
    with pytest.raises(ValueError, match=r"statistics of every layer \(2\) are needed, got 1"):
        attribute(network, statistics[:1])
