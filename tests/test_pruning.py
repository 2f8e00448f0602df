"""Pruning: what goes, what must stay, and that the rest is what it was."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from builders import plain_nodes, pykan_network, random_network, samples
from hypothesis import given
from hypothesis import strategies as st

from kanref.attribution import attribute
from kanref.functions import FUNCTIONS
from kanref.layer import SymbolicEdge
from kanref.network import Network, network_forward, network_statistics
from kanref.pruning import (
    PruneItem,
    prune,
    prune_edge,
    prune_input,
    prune_node,
    prune_plan,
    remove_edge,
    remove_node,
)
from kanref.pruning_graph import needed_edges

N = 23
WIDTH = (3, (3, (2, 3)), (2, (2,)), 2)  # 3 inputs; 5 nodes of 8 sums; 3 nodes of 4 sums; 2 outputs
GOLDEN = ("pykan_2-5-1_G5_k3", "pykan_3-4-2_G4_k2")


def output(network: Network, x: np.ndarray) -> np.ndarray:
    return network_forward(network, x)[0]


def assert_same(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-12) -> None:
    assert a.shape == b.shape
    assert np.max(np.abs(a - b)) <= tolerance * max(np.max(np.abs(b)), 1e-3)


def with_masks(network: Network, masks: list[np.ndarray]) -> Network:
    layers = [replace(a, mask=a.mask & m) for a, m in zip(network.layers, masks, strict=True)]
    return Network.assemble(layers, network.nodes, network.groups)


def all_edges(network: Network) -> list[np.ndarray]:
    return [np.ones(layer.mask.shape, dtype=bool) for layer in network.layers]


def with_biases(network: Network, value: float) -> Network:
    nodes = [
        replace(n, subnode_bias=n.subnode_bias * 0 + value, node_bias=n.node_bias * 0)
        for n in network.nodes
    ]
    return Network.assemble(network.layers, nodes, network.groups)


def scores(network: Network, x: np.ndarray):
    return attribute(network, network_statistics(network, [x]))


def arrays(network: Network) -> list[np.ndarray]:
    parts = [*network.layers, *network.nodes]
    return [a for part in parts for a in vars(part).values() if isinstance(a, np.ndarray)]


def sizes(network: Network) -> list[int]:
    return [network.n_in, *(nodes.n_nodes for nodes in network.nodes)]


def moving(network: Network, x: np.ndarray) -> list[list[int]]:
    """Per level, the nodes that depend on the inputs: those that vary over the batch."""
    y, cache = network_forward(network, x)
    return [
        np.flatnonzero(np.ptp(z, axis=0) > 1e-9 * np.abs(z).max(axis=0)).tolist()
        for z in (*cache.x, y)
    ]


def moving_std(network: Network, x: np.ndarray) -> list[np.ndarray]:
    return [z.std(axis=0) for z in network_forward(network, x)[1].x]


# --- by score ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOLDEN)
def test_nodes_by_pykans_scores(name):
    """The nodes that stay are those whose score, as pykan has it, exceeds the threshold."""
    network, data = pykan_network(name)
    golden = data["node_score1"]
    low, mid = np.sort(golden)[1:3]
    for threshold in (low - 1e-9, low + 1e-9, mid + 1e-9):
        kept = np.flatnonzero(golden > threshold)
        new = prune_node(network, data["x"], threshold)
        assert np.array_equal(new.layers[0].coef, network.layers[0].coef[:, kept])
        assert np.array_equal(new.layers[1].coef, network.layers[1].coef[kept])
        assert np.array_equal(new.layers[1].knots, network.layers[1].knots[kept])
        assert sizes(new)[1] == len(kept)


@pytest.mark.parametrize("name", GOLDEN)
def test_edges_by_pykans_scores(name):
    network, data = pykan_network(name)
    golden = [data["edge_score0"].T, data["edge_score1"].T]
    ordered = np.sort(np.concatenate([g.ravel() for g in golden]))
    for threshold in ordered[[0, 1, 3]] + 1e-9:
        masks = [g > threshold for g in golden]
        new = prune_edge(network, data["x"], threshold)
        assert_same(output(new, data["x"]), output(with_masks(network, masks), data["x"]))
    new = prune_edge(network, data["x"], ordered[0] + 1e-9)
    for layer, g in zip(new.layers, golden, strict=True):
        assert np.array_equal(layer.mask, g > ordered[0] + 1e-9)


def test_prune_scores_the_smaller_network_anew():
    network, x = random_network(WIDTH, symbolic=False), samples(N, 3)
    node_th, edge_th = 0.2, 0.15
    smaller = prune_node(network, x, node_th)
    anew = scores(smaller, x).edge_scores
    masks = [score > edge_th for score in anew]
    assert any(
        (old[:, : new.shape[1]][: new.shape[0]] > edge_th).sum() != (new > edge_th).sum()
        for old, new in zip(scores(network, x).edge_scores, anew, strict=True)
    )
    assert_same(
        output(prune(network, x, node_th, edge_th), x), output(with_masks(smaller, masks), x)
    )


def test_symbolic_edges_go_with_their_nodes_only():
    network, x = random_network((3, 4, 2)), samples(N, 3)
    edge_scores = scores(network, x).edge_scores
    symbolic = [[(e.i, e.j) for e in layer.symbolic] for layer in network.layers]
    threshold = 1.001 * min(edge_scores[l][s] for l in range(2) for s in symbolic[l])
    new = prune_edge(network, x, threshold)
    assert sizes(new) == [3, 4, 2]
    for old, layer in zip(network.layers, new.layers, strict=True):
        assert layer.symbolic == old.symbolic
        assert np.array_equal(layer.affine, old.affine)

    first = symbolic[0][0][1]  # a node that a symbolic edge enters
    kept = [i for i in range(4) if i != first]
    new = prune_node(network, active=[kept])
    expected = [
        (s, SymbolicEdge(e.i, kept.index(e.j), e.function))
        for s, e in enumerate(network.layers[0].symbolic)
        if e.j != first
    ]
    assert 0 < len(expected) < len(symbolic[0])
    assert new.layers[0].symbolic == tuple(e for _, e in expected)
    assert np.array_equal(new.layers[0].affine, network.layers[0].affine[[s for s, _ in expected]])


def test_dead_edges_stay_dead_and_poison_nobody():
    network, x = random_network(WIDTH), samples(N, 3)
    layers = []
    for layer in network.layers:
        coef = np.where(layer.mask[:, :, None], layer.coef, np.nan)
        scale_base = np.where(layer.mask, layer.scale_base, np.inf)
        layers.append(replace(layer, coef=coef, scale_base=scale_base))
    spoiled = Network.assemble(layers, network.nodes, network.groups)
    for node_th, edge_th in [(0.1, 0.1), (100.0, 100.0)]:
        new, expected = (prune(n, x, node_th, edge_th) for n in (spoiled, network))
        assert_same(output(new, x), output(expected, x), 0)
        for layer in new.layers:
            assert np.all(np.isfinite(layer.coef[layer.mask]))


# --- cuts are exact ------------------------------------------------------------------------------


@pytest.mark.parametrize("active", [[[0, 2, 4], [1, 2]], [[3], [2]], [[1, 4], [0]]])
def test_a_network_without_nodes_is_one_without_their_edges(active):
    network, x = random_network(WIDTH, masked=False), samples(N, 3)
    masks = all_edges(network)
    for l, kept in enumerate(active, start=1):
        masks[l][np.setdiff1d(np.arange(sizes(network)[l]), kept)] = False
    new = prune_node(network, active=[reversed(kept) for kept in active])
    assert_same(output(new, x), output(with_masks(network, masks), x))
    assert sizes(new) == [3, *map(len, active), 2]
    assert new.groups == network.groups


def test_product_nodes_take_their_factors_along():
    network = random_network(WIDTH)  # sums 3 and 4 are the factors of node 3; 5, 6, 7 those of 4
    new = prune_node(network, active=[[1, 4], [0, 1, 2]])
    assert (new.nodes[0].n_sum, new.nodes[0].arity) == (1, (3,))
    assert np.array_equal(new.nodes[0].subnode_bias, network.nodes[0].subnode_bias[[1, 5, 6, 7]])
    assert np.array_equal(new.nodes[0].subnode_scale, network.nodes[0].subnode_scale[[1, 5, 6, 7]])
    assert np.array_equal(new.nodes[0].node_scale, network.nodes[0].node_scale[[1, 4]])
    assert np.array_equal(new.nodes[0].node_bias, network.nodes[0].node_bias[[1, 4]])
    assert np.array_equal(new.layers[0].mask, network.layers[0].mask[:, [1, 5, 6, 7]])
    assert np.array_equal(new.layers[1].coef, network.layers[1].coef[[1, 4]])


def test_remove_edge_numeric_and_symbolic():
    network, x = random_network(WIDTH), samples(N, 3)
    symbolic = network.layers[0].symbolic[1]
    numeric = tuple(np.argwhere(network.layers[1].numeric)[0].tolist())
    for l, i, j in [(0, symbolic.i, symbolic.j), (1, *numeric)]:
        masks = all_edges(network)
        masks[l][i, j] = False
        new = remove_edge(network, l, i, j)
        assert_same(output(new, x), output(with_masks(network, masks), x), 0)
        assert sizes(new) == sizes(network)
        assert not new.layers[l].mask[i, j]
    new = remove_edge(network, 0, symbolic.i, symbolic.j)
    assert symbolic not in new.layers[0].symbolic
    assert np.array_equal(new.layers[0].affine, np.delete(network.layers[0].affine, 1, axis=0))


def test_remove_node():
    network, x = random_network(WIDTH), samples(N, 3)
    new = remove_node(network, 1, 3)
    expected = prune_node(network, active=[[0, 1, 2, 4], [0, 1, 2]])
    assert_same(output(new, x), output(expected, x), 0)
    assert sizes(new) == [3, 4, 3, 2]


def test_prune_input():
    network, x = random_network(WIDTH), samples(N, 3)
    feature = scores(network, x).feature_scores
    weakest = int(np.argmin(feature))
    others = [i for i in range(3) if i != weakest]
    masks = all_edges(network)
    masks[0][weakest] = False
    expected = output(with_masks(network, masks), x)
    threshold = float(feature[weakest]) + 1e-9
    for new, kept in (prune_input(network, x, threshold), prune_input(network, active=others)):
        assert kept == others
        assert new.n_in == 2
        assert_same(output(new, x[:, kept]), expected)
    assert prune_input(network, active=[2, 0])[1] == [0, 2]


# --- dead ends -----------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 10_000),
    density=st.sampled_from([0.15, 0.4, 0.8]),
    bias=st.sampled_from([None, 0.0]),
)
def test_dead_ends_go_and_nothing_changes(seed, density, bias):
    """A threshold that everything passes leaves the dead ends to be taken out, and no more."""
    network = random_network(WIDTH, masked=False, seed=seed % 5)
    network = network if bias is None else with_biases(network, bias)
    rng = np.random.default_rng(seed)
    network = with_masks(network, [rng.random(m.shape) < density for m in all_edges(network)])
    x = samples(N, 3)
    new = prune(network, x, -1.0, -1.0)
    assert_same(output(new, x), output(network, x), 1e-10)
    after = moving(new, x)
    assert after[-1] == moving(network, x)[-1]
    for l in range(1, 3):
        useful = new.layers[l].mask.any(axis=1)
        assert sizes(new)[l] == 1 or (np.all(useful) and len(after[l]) == sizes(new)[l])
    plan = prune_plan(network, x, -1.0, -1.0)
    assert len(plan.nodes) == sum(sizes(network)) - sum(sizes(new))
    assert plan.edges == []


def chain(biases: tuple[float, float] = (0.0, 0.0)) -> Network:
    """[2, [1, 1], 1]: node 0 a sum, node 1 the product of sums 1 and 2."""
    network = with_biases(random_network((2, (1, (2,)), 1), symbolic=False, masked=False), 0.0)
    nodes = replace(network.nodes[0], subnode_bias=np.array([0.0, *biases]))
    return Network.assemble(network.layers, [nodes, network.nodes[1]], network.groups)


def kill(network: Network, *edges: tuple[int, int, int]) -> Network:
    masks = all_edges(network)
    for l, i, j in edges:
        masks[l][i, j] = False
    return with_masks(network, masks)


def test_a_product_with_a_factor_of_zero_is_constant():
    network, x = kill(chain(), (0, 0, 2), (0, 1, 2)), samples(N, 2)
    new = prune(network, x, -1.0, -1.0)
    assert (new.nodes[0].n_sum, new.nodes[0].arity) == (1, ())
    assert_same(output(new, x), output(network, x))
    # The product was 0; its edge to the output gave phi(0), which is not.
    assert abs(new.nodes[1].subnode_bias[0]) > 1e-3
    (item,) = prune_plan(network, x, -1.0, -1.0).items
    assert (item.what, item.why) == (
        "node (1, 1)",
        "it is constant; what it gave went to the next biases",
    )


def test_a_product_with_another_constant_factor_stays():
    network, x = kill(chain((0.0, 0.7)), (0, 0, 2), (0, 1, 2)), samples(N, 2)
    new = prune(network, x, -1.0, -1.0)
    assert new.nodes[0].arity == (2,)
    assert_same(output(new, x), output(network, x), 0)


def test_constants_are_followed_through_the_levels():
    network = random_network((2, 2, 2, 1), symbolic=False, masked=False)
    network = kill(network, (0, 0, 0), (0, 1, 0), (1, 1, 0))  # node 0 twice in a row
    x = samples(N, 2)
    new = prune(network, x, -1.0, -1.0)
    assert sizes(new) == [2, 1, 1, 1]
    assert_same(output(new, x), output(network, x))
    assert prune_plan(network, x, -1.0, -1.0).nodes == [(1, 0), (2, 0)]


def test_a_constant_that_is_not_finite_stays():
    network = with_biases(random_network((2, 2, 1), symbolic=False, masked=False), 0.0)
    nodes = [replace(n, node_scale=np.ones(n.n_nodes)) for n in network.nodes]
    edge = SymbolicEdge(0, 0, FUNCTIONS["1/x"])
    layers = [
        network.layers[0],
        replace(network.layers[1], symbolic=(edge,), affine=np.array([[1.0, 0.0, 1.0, 0.0]])),
    ]
    network = kill(Network.assemble(layers, nodes), (0, 0, 0), (0, 1, 0))  # 1/0
    new = prune_node(network, samples(N, 2), -1.0)
    assert sizes(new) == [2, 2, 1]
    assert new.layers[1].symbolic == (edge,)
    assert np.all(np.isfinite(new.nodes[1].subnode_bias))


def test_a_constant_network_keeps_a_node_in_each_layer():
    network = random_network((2, 3, 2, 1), masked=False)
    network = with_masks(network, [m & (l != 1) for l, m in enumerate(all_edges(network))])
    x = samples(N, 2)
    for thresholds in [(-1.0, -1.0), (100.0, 100.0)]:
        new = prune(network, x, *thresholds)
        assert sizes(new) == [2, 1, 1, 1]
        assert_same(output(new, x), output(network, x))


# --- nothing essential is cut off ---------------------------------------------------------------


@given(seed=st.integers(0, 10_000), density=st.sampled_from([0.3, 0.6, 1.0]))
def test_every_output_still_depends_on_an_input(seed, density):
    rng = np.random.default_rng(seed)
    network = random_network(WIDTH, masked=False, symbolic=bool(seed % 2), seed=seed % 5)
    if seed % 3:
        network = with_biases(network, 0.0)
    network = with_masks(network, [rng.random(m.shape) < density for m in all_edges(network)])
    x = samples(N, 3)
    before = moving(network, x)[-1]
    changes = [
        lambda t: prune(network, x, t, t),
        lambda t: prune_node(network, x, t),
        lambda t: prune_edge(network, x, t),
    ]
    for change, threshold in product(changes, [100.0, 0.3]):
        new = change(threshold)
        assert moving(new, x)[-1] == before
        assert min(sizes(new)) >= 1
    for threshold in (100.0, 0.3):
        new, kept = prune_input(network, x, threshold)
        assert moving(new, x[:, kept])[-1] == before
        assert min(sizes(new)) >= 1


@pytest.mark.parametrize("seed", range(6))
def test_the_strongest_path_stays(seed):
    """Of all paths to the output, that whose lowest score is highest: here by trying all."""
    network = random_network((3, 4, 2, 1), symbolic=False, seed=seed)
    x = samples(N, 3)
    edge, node = scores(network, x).edge_scores, scores(network, x).node_scores
    live = [layer.mask for layer in network.layers]
    paths = [
        p
        for p in product(range(3), range(4), range(2), range(1))
        if all(live[l][p[l], p[l + 1]] for l in range(3))
    ]

    def weakest(path):
        return min(edge[l][path[l], path[l + 1]] for l in range(3))

    best = max(paths, key=weakest)
    new = prune_edge(network, x, 100.0)
    kept = prune_plan(network, x, -1.0, 100.0).kept
    assert sizes(new) == [3, 1, 1, 1]
    assert [item.place for item in kept] == [(l, best[l], best[l + 1]) for l in range(3)]
    assert all("would depend on no input" in item.why for item in kept)
    assert [item.score for item in kept] == [edge[l][best[l], best[l + 1]] for l in range(3)]

    through = {(p[1], p[2]) for p in paths}
    best = max(through, key=lambda p: min(node[1][p[0]], node[2][p[1]]))
    kept = prune_plan(network, x, 100.0, -1.0).kept
    assert [item.place for item in kept] == [(1, best[0]), (2, best[1])]


def test_wide_layers_are_not_severed():
    """Forty edges that share a sum alike all score below 3e-2, however much the sum matters."""
    network = random_network((40, (0, (2,)), 1), symbolic=False, masked=False)
    network = with_biases(network, 0.0)
    x = samples(200, 40)
    before = scores(network, x).edge_scores
    assert before[0].max() < 0.6 < before[1][0, 0]
    new = prune_edge(network, x, 0.6)
    assert new.nodes[0].arity == (2,)
    assert new.layers[0].mask.sum(axis=0).tolist() == [1, 1]
    assert new.layers[0].mask.argmax(axis=0).tolist() == before[0].argmax(axis=0).tolist()


def test_every_factor_of_a_product_that_stays_keeps_an_edge():
    """Node 1 is a product of a sum that moves and one that hardly does: 0 without the latter."""
    network, x = chain(), samples(N, 2)
    layers = list(network.layers)
    factor = np.array([1.0, 1.0, 1e-7])
    layers[0] = replace(
        layers[0], coef=layers[0].coef * factor[:, None], scale_base=layers[0].scale_base * factor
    )
    nodes = [replace(network.nodes[0], node_scale=np.array([1.0, 1e7])), network.nodes[1]]
    network = Network.assemble(layers, nodes, network.groups)
    edge_scores = scores(network, x).edge_scores[0]
    assert np.all(edge_scores[:, 2] < 3e-2) and np.all(scores(network, x).node_scores[1] > 3e-2)
    new = prune_edge(network, x)
    assert new.nodes[0].arity == (2,)
    assert (
        new.layers[0].mask[:, 2].tolist() == (edge_scores[:, 2] == edge_scores[:, 2].max()).tolist()
    )


def test_a_product_that_leads_nowhere_is_not_rescued():
    """Node (2, 0) leads on through two edges of low score each, and is fed by a strong one."""
    network = random_network(
        (20, (1, (2,)), 3, 2), symbolic=False, masked=False, base_fun="identity"
    )
    network = kill(network, (1, 0, 0), (1, 1, 1), (1, 1, 2), (2, 1, 1), (2, 2, 0))
    x = samples(N, 20)
    spread = moving_std(network, x)[2]
    scale = np.array([0.5, 0.9, 0.9]) / spread
    last = network.layers[2]
    last = replace(last, coef=last.coef * 0, scale_base=np.outer(scale, np.ones(2)))
    network = Network.assemble([*network.layers[:2], last], network.nodes, network.groups)
    edge_scores = scores(network, x).edge_scores
    assert edge_scores[1][1, 0] > 0.3 > max(edge_scores[2][0])  # strong, then weak
    assert edge_scores[0][:, 1:].max() < 0.3  # the factors of the product: all weak
    plan = prune_plan(network, x, -1.0, 0.3)
    assert (1, 1) in plan.nodes and (2, 0) in plan.nodes
    assert plan.kept == ()


def test_equal_strength_is_decided_by_the_edge_itself():
    """Both paths share the weakest edge (0, 0, 0)."""
    network = random_network((1, 1, 2, 1), symbolic=False, masked=False)
    scored = [np.array([[0.1]]), np.array([[0.4, 0.5]]), np.array([[0.2], [0.3]])]
    none = [mask & False for mask in all_edges(network)]
    assert needed_edges(network, none, scored) == [(0, 0, 0), (1, 0, 1), (2, 1, 0)]


def test_what_scores_the_threshold_itself_goes():
    network, x = random_network((2, 4, 1), symbolic=False, masked=False), samples(N, 2)
    found = scores(network, x)
    assert sizes(prune_node(network, x, float(found.node_scores[1].min()))) == [2, 3, 1]
    threshold = float(found.edge_scores[0].min())
    assert prune_edge(network, x, threshold).layers[0].mask.sum() == 7


def test_a_factor_that_is_another_constant_severs_nothing():
    """The output is the product of two sums; one of them hangs on a constant hidden node."""
    network = with_biases(random_network((2, 2, (0, (2,))), symbolic=False, masked=False), 0.0)
    network = kill(network, (0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 1))
    assert moving(network, samples(N, 2))[-1] == [0]
    with pytest.raises(ValueError, match=re.escape("outputs [0]")):
        remove_edge(network, 1, 1, 1)
    with pytest.raises(ValueError, match=re.escape("outputs [0]")):
        remove_edge(network, 1, 0, 0)  # the product would be 0


def test_explicit_cuts_that_would_sever_are_refused():
    network = random_network((2, 2, 2), symbolic=False, masked=False)
    network = kill(network, (1, 0, 1))  # output 1 hangs on node 1 alone
    message = "nothing would be left between any input and outputs [1]"
    for cut in (
        lambda: prune_node(network, active=[[0]]),
        lambda: remove_node(network, 1, 1),
        lambda: remove_edge(network, 1, 1, 1),
        lambda: prune_input(kill(network, (0, 0, 1)), active=[0]),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            cut()
    assert sizes(prune_node(network, active=[[1]])) == [2, 1, 2]
    assert remove_edge(network, 1, 0, 1).layers[1].mask.sum() == 3  # already dead


# --- the plan -----------------------------------------------------------------------------------


def test_the_plan_is_what_prune_does():
    network, x = random_network(WIDTH), samples(N, 3)
    for node_th, edge_th in [(0.2, 0.1), (0.01, 0.3), (100.0, 100.0)]:
        new, plan = prune(network, x, node_th, edge_th), prune_plan(network, x, node_th, edge_th)
        masks = all_edges(network)
        for item in plan.items:
            if (item.action, item.kind) == ("remove", "node") and "constant" not in item.why:
                masks[item.place[0]][item.place[1]] = False
            if (item.action, item.kind) == ("remove", "edge"):
                masks[item.place[0]][item.place[1:]] = False
        assert_same(output(new, x), output(with_masks(network, masks), x))
        assert plan.nodes or plan.edges
        assert len(plan.nodes) == sum(sizes(network)) - sum(sizes(new))
        assert plan.n_edges_after == sum(int(layer.mask.sum()) for layer in new.layers)
        assert plan.n_edges_before == sum(int(layer.mask.sum()) for layer in network.layers)
        assert plan.width_before == [3, [3, 2], [2, 1], 2]
        assert plan.width_after[0] == 3 and plan.width_after[-1] == 2
        assert {item.action for item in plan.items} <= {"remove", "keep", "prune_input"}
        for item in plan.items:
            assert item.threshold is None or item.score <= item.threshold


def test_the_plan_lists_inputs_that_prune_input_takes_out():
    network, x = random_network((3, 2, 1), symbolic=False, masked=False), samples(N, 3)
    network = kill(network, (0, 1, 0), (0, 1, 1))
    plan = prune_plan(network, x, 0.0, 0.0)
    assert plan.inputs == [(1,)]
    assert prune(network, x, 0.0, 0.0).n_in == 3
    assert prune_input(network, x)[1] == [0, 2]
    plan = prune_plan(network, x, 0.0, 0.0, 100.0)
    assert len(plan.inputs) == 2 and [item.kind for item in plan.kept] == ["input"]


def test_the_plan_prints_well():
    network = random_network((2, 2, 1), symbolic=False, masked=False)
    network, x = kill(network, (1, 1, 0)), samples(N, 2)
    plan = prune_plan(network, x, 0.0, 0.0)
    assert str(plan) == repr(plan)
    assert str(plan).splitlines() == [
        "Pruning [2, 2, 1] to [2, 1, 1]: 5 edges to 3",
        "action  what         score  threshold  why",
        "remove  node (1, 1)                    no live edge leads on from it to an output",
    ]
    html = plan._repr_html_()
    assert html.startswith("<p>Pruning [2, 2, 1] to [2, 1, 1]: 5 edges to 3</p><table>")
    assert "<td>node (1, 1)</td><td></td><td></td>" in html

    plan = prune_plan(network, x, 0.0, 100.0, 100.0)
    low, needed = "its score is not above the threshold", plan.kept[0].why
    assert needed == "needed: without it an output or a product would depend on no input"
    assert str(plan).splitlines() == [
        "Pruning [2, 2, 1] to [2, 1, 1]: 5 edges to 2",
        "action       what            score  threshold  why",
        "remove       node (1, 1)                       no live edge leads on from it to an output",
        f"remove       edge (0, 0, 0)  0.251        100  {low}",
        f"keep         edge (0, 1, 0)  0.931        100  {needed}",
        f"keep         edge (1, 0, 0)      1        100  {needed}",
        f"prune_input  input 0             0        100  {low}",
        f"keep         input 1             1        100  {needed}",
    ]
    frame = plan.to_pandas()
    columns = ["action", "kind", "l", "i", "j", "score", "threshold", "why"]
    assert frame.columns.tolist() == columns
    assert frame["kind"].tolist() == ["node", "edge", "edge", "edge", "input", "input"]
    assert frame["l"].tolist() == [1, 0, 0, 1, 0, 0]
    assert frame["threshold"].tolist()[1:] == [100.0] * 5
    edge = frame.iloc[-3]
    assert (edge["i"], edge["j"], edge["action"]) == (0, 0, "keep")
    assert frame["j"].isna().tolist() == [True, False, False, False, True, True]
    assert PruneItem("remove", "input", (2,), 0.5, 1.0, "").what == "input 2"


def test_a_plan_of_nothing():
    plan = prune_plan(random_network((2, 3), symbolic=False, masked=False), samples(N, 2), 0, 0)
    assert str(plan).endswith("Nothing scores below its threshold.")
    assert len(plan.to_pandas()) == 0


# --- in general --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_is_shared_and_the_old_network_stays(dtype):
    network, x = random_network(WIDTH, dtype=dtype), samples(N, 3)
    before = network.copy()
    results = [
        prune(network, x, 0.1, 0.1),
        prune_node(network, x, 0.2),
        prune_edge(network, x, 0.2),
        prune_input(network, x, 0.2)[0],
        prune_node(network, active=[range(5), range(3)]),
        remove_edge(network, 0, 0, 0),
        remove_node(network, 2, 1),
    ]
    for new in results:
        assert {str(a.dtype) for a in arrays(new)} == {dtype, "bool"}
        assert not any(np.shares_memory(a, b) for a in arrays(new) for b in arrays(network))
        assert new.groups == network.groups
    for a, b in zip(arrays(network), arrays(before), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("x", [np.zeros((5, 2)), np.zeros((1, 3)), np.zeros(3)])
def test_x_that_does_not_fit(x):
    with pytest.raises(ValueError, match=re.escape(f"shape (N, 3) with N >= 2, got {x.shape}")):
        prune(random_network(WIDTH), x)


def test_x_that_is_not_finite_or_missing():
    network, x = random_network(WIDTH), samples(N, 3)
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="`x` must be finite"):
        prune_edge(network, x)
    for call in (prune_node, prune_input):
        with pytest.raises(ValueError, match="`x` must be given"):
            call(network)


def test_a_network_that_is_not_finite():
    network = random_network((2, 3, 1), symbolic=False, masked=False)
    network.layers[0].coef[:] = np.nan
    with pytest.raises(ValueError, match="must be finite on `x`, got NaN or infinity in layer 0"):
        prune(network, samples(N, 2))


def test_places_that_do_not_exist():
    network = random_network(WIDTH)
    cases = {
        "`l` must be less than 3, got 3": lambda: remove_edge(network, 3, 0, 0),
        "`i` must be less than 3, got 3": lambda: remove_edge(network, 0, 3, 0),
        "`j` must be less than 8, got 8": lambda: remove_edge(network, 0, 0, 8),
        "`j` must be an integer >= 0, got -1": lambda: remove_edge(network, 0, 0, -1),
        "`l` must be a hidden level, 1 to 2, got 0": lambda: remove_node(network, 0, 0),
        "1 to 2, got 3: inputs are": lambda: remove_node(network, 3, 0),
        "`i` must be less than 5, got 5": lambda: remove_node(network, 1, 5),
        "each of 2 hidden layers, got 1 lists": lambda: prune_node(network, active=[[0]]),
        "`active[1]` must list one or more": lambda: prune_node(network, active=[[0], []]),
        "each once, got [0, 0]": lambda: prune_node(network, active=[[0, 0], [0]]),
        "`active[0]` must be less than 5": lambda: prune_node(network, active=[[5], [0]]),
        "`active` must be less than 3": lambda: prune_input(network, active=[3]),
        "`active` must list one or more": lambda: prune_input(network, active=[]),
    }
    for message, call in cases.items():
        with pytest.raises(ValueError, match=re.escape(message)):
            call()


def test_a_network_without_hidden_layers():
    network = Network.assemble(random_network((3, 2), masked=False).layers, [plain_nodes(2)])
    x = samples(N, 3)
    assert sizes(prune(network, x)) == [3, 2]
    assert sizes(prune_node(network, active=[])) == [3, 2]
