"""KAN, as its users meet it: construction, units, doors, structure, files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import efficient_kan_network, random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from kanref import KAN, Dataset, Scaling
from kanref.network import network_forward

N = 7


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


def points(n_in=2, n=N, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, n_in))


# --- construction --------------------------------------------------------------------------------


def test_shapes_follow_the_width():
    model = KAN([2, [3, 2], 1], grid=[5, 4], k=[3, 2], mult_arity=[[], [2, 3], []])
    first, second = model.layers
    assert first.coef.shape == (2, 3 + 2 + 3, 8)
    assert second.coef.shape == (5, 1, 6)
    assert first.knots.shape == (2, 12)
    assert model.width == [2, [3, 2], 1]
    assert model.n_params == model.theta.size == 2 * 8 * 10 + 5 * 8
    assert model.nodes[0].arity == (2, 3)
    assert KAN([2, [3, 2], 1], mult_arity=3).layers[0].n_out == 9


def test_the_paper_init_has_the_distribution_of_the_papers_library():
    model = KAN([100, 80, 1], grid=5, k=3, noise_scale=0.3, scale_base_mu=0.5, seed=1)
    layer = model.layers[0]
    np.testing.assert_allclose(layer.scale_spline, 0.1)
    base = layer.scale_base * 10
    assert base.min() >= -0.5
    assert base.max() <= 1.5
    assert abs(base.mean() - 0.5) < 0.03
    # The splines pass as near as they can by noise of U(-1/2, 1/2) * noise_scale / G at 6 points;
    # with 8 coefficients they pass through it.
    values = np.einsum("nm,ijm->nij", _basis_at_breakpoints(layer), layer.coef)
    assert np.abs(values).max() <= 0.5 * 0.3 / 5
    assert abs(values.std() - 0.3 / 5 / np.sqrt(12)) < 5e-4


def _basis_at_breakpoints(layer):
    from kanref.bspline import basis

    grid = layer.knots[:1, layer.k : -layer.k]
    return basis(grid.T, layer.knots[:1], layer.k)[:, 0]


def test_kaiming_draws_the_spline_scale_too():
    scale = KAN([100, 80, 1], init="kaiming").layers[0].scale_spline * 10
    assert abs(scale.mean()) < 0.02
    assert abs(scale.std() - 1 / np.sqrt(3)) < 0.01


def test_power_and_glorot_have_the_published_spread():
    layer = KAN([20, 30, 1], grid=7, init="power").layers[0]
    assert abs(layer.coef.std() / (11 * 20) ** -1.75 - 1) < 0.05
    assert abs(layer.scale_base.std() / (11 * 20) ** -0.25 - 1) < 0.1
    assert (layer.scale_spline == 1).all()
    # Glorot: 2 gain^2 / (M (n_in E[B^2] + n_out E[B'^2])), by an independent quadrature.
    layer = KAN([20, 30, 1], grid=4, k=1, init="glorot").layers[0]
    h = 0.5  # hats of width h: over [-1, 1] each of 3 whole and 2 half ones
    e_value = (4 * h * 2 / 3) / 2 / 5
    e_slope = (8 * h / h**2) / 2 / 5
    expected = np.sqrt(2 / 3 / (6 * (20 * e_value + 30 * e_slope)))
    assert abs(layer.coef.std() / expected - 1) < 0.05


def test_a_sparse_start_connects_nearest_neighbours_both_ways():
    mask = KAN([3, 5, 1], sparse_init=True).layers[0].mask
    assert mask.any(axis=0).all()
    assert mask.any(axis=1).all()
    assert mask[0, 0] and mask[1, 2] and mask[2, 4]
    assert mask.sum() == 5


def test_without_spline_scale_there_is_none():
    model = KAN([2, 3, 1], spline_scale=False)
    assert model.layers[0].scale_spline is None
    assert model.n_params == 9 * 9
    y, cache = model.forward(points())
    _, grads = model.backward(cache, np.ones_like(y))
    assert grads.layers[0].scale_spline is None
    assert grads.theta.size == model.n_params


def test_the_same_seed_gives_the_same_bits_and_another_another():
    a, b, c = (KAN([3, 4, 2], seed=s) for s in (5, 5, 6))
    assert a.theta.tobytes() == b.theta.tobytes()
    assert not np.array_equal(a.theta, c.theta)


BAD = [
    ({"width": [2]}, "`width` must list the nodes of two or more layers"),
    ({"width": "251"}, "`width` must list"),
    ({"width": [2, 0, 1]}, r"`width\[1\]` must have a node"),
    ({"width": [[2, 1], 1]}, r"`width\[0\]` must be the number of inputs"),
    ({"width": [2, [1, 2, 3], 1]}, r"`width\[1\]` must be an integer or \[n_sum, n_product\]"),
    ({"width": [2, -1]}, r"`width\[1\]` must be an integer of at least 0, got -1"),
    ({"width": [2, 1.5]}, r"`width\[1\]` must be an integer"),
    ({"grid": 0}, "`grid` must be an integer of at least 1, got 0"),
    ({"grid": [5, 5, 5]}, "`grid` must be an integer or a list of 2"),
    ({"k": -1}, "`k` must be an integer of at least 0"),
    ({"k": True}, "`k` must be an integer"),
    ({"grid_range": (1, -1)}, "`grid_range` must have low < high"),
    ({"grid_range": 3}, "`grid_range` must be a pair"),
    ({"grid_range": (0, np.nan)}, "`grid_range` must be a finite number"),
    ({"init": "lecun"}, "`init` must be one of 'paper'"),
    ({"extrapolate": "constant"}, "`extrapolate` must be one of"),
    ({"dtype": "float16"}, "`dtype` must be one of"),
    ({"backend": "torch"}, "`backend` must be one of"),
    ({"base_fun": "sillu"}, "silu"),
    ({"noise_scale": np.inf}, "`noise_scale` must be a finite number"),
    ({"grid_eps": 1.5}, r"`grid_eps` must be a finite number in \[0, 1\]"),
    ({"width": [2, [1, 2], 1], "mult_arity": [[], [2]]}, "`mult_arity"),
    ({"width": [2, [1, 1], 1], "mult_arity": 1}, "`mult_arity` must be an integer of at least 2"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        KAN(**{"width": [2, 3, 1], **arguments})


def test_the_callers_list_stays_as_it_is():
    width = [2, [3, 1], 1]
    KAN(width)
    assert width == [2, [3, 1], 1]


# --- evaluation ----------------------------------------------------------------------------------


def test_any_leading_dimensions():
    model, x = KAN([2, 3, 4]), points(n=12)
    y = model(x)
    assert y.shape == (12, 4)
    np.testing.assert_array_equal(model(x.reshape(3, 2, 2, 2)), y.reshape(3, 2, 2, 4))
    np.testing.assert_allclose(model(x[0]), y[0], rtol=1e-14)
    assert model(np.zeros((0, 2))).shape == (0, 4)


def test_forward_backward_and_jacobian_agree():
    model, x = KAN([2, [2, 1], 3], seed=3), points()
    y, cache = model.forward(x)
    np.testing.assert_array_equal(y, model(x))
    J = model.jacobian(x)
    for o in range(3):
        dy = np.zeros((N, 3))
        dy[:, o] = 1
        dx, _ = model.backward(cache, dy)
        np.testing.assert_allclose(dx, J[:, o], rtol=1e-12, atol=1e-14)
    h = 1e-6
    for i in range(2):
        e = np.eye(2)[i] * h
        difference = (model(x + e) - model(x - e)) / (2 * h)
        assert relative(J[:, :, i], difference) < 1e-7


def test_gradients_mirror_the_parameters():
    model, x = KAN([2, 3, 1]), points()
    _, cache = model.forward(x)
    _, grads = model.backward(cache, np.ones((N, 1)))
    for layer, d in zip(model.layers, grads.layers, strict=True):
        assert d.coef.shape == layer.coef.shape
        assert d.scale_base.shape == layer.scale_base.shape
    moved = model.with_theta(model.theta + 1e-7 * grads.theta)
    gain = (moved(x) - model(x)).sum()
    assert abs(gain / (1e-7 * (grads.theta**2).sum()) - 1) < 1e-4


def test_arrays_written_in_place_count():
    model, x = KAN([2, 3, 1]), points()
    before, theta = model(x), model.theta
    model.layers[0].mask[0, :] = False
    assert not np.array_equal(model(x), before)
    model.layers[0].mask[:] = True
    np.testing.assert_array_equal(model(x), before)
    model.layers[1].coef[...] = 0
    model.layers[1].scale_base[...] = 0
    assert not model(x).any()
    assert (theta == 0).sum() >= 3 * 8
    knots = model.layers[0].knots
    knots += 0.25
    assert (model.layers[0].knots == knots).all()
    with pytest.raises(AttributeError, match="cannot assign"):
        model.layers[0].coef = np.zeros(3)


def test_edges_sum_to_the_inputs_of_the_next_layer():
    model, x = KAN([2, 3, 1]), points()
    phi, z = model.edges(x), model.activations(x)
    assert [e.shape for e in phi] == [(N, 2, 3), (N, 3, 1)]
    np.testing.assert_allclose(phi[0].sum(axis=1), z[1], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(phi[1].sum(axis=1), z[2], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m(np.zeros(3)), r"`x` must have shape \(..., 2\), got \(3,\)"),
        (lambda m: m(1.0), r"`x` must have shape \(..., 2\), got \(\)"),
        (lambda m: m.forward(np.zeros((2, 2, 2))), r"`x` must have shape \(N, 2\)"),
        (lambda m: m.predict(np.zeros((2, 3))), r"`X` must have shape \(N, 2\)"),
        (lambda m: m.with_theta(np.zeros(3)), "`theta` must have shape"),
        (
            lambda m: m.backward(m.forward(points())[1], np.ones(N)),
            r"`dy` must have shape \(7, 1\)",
        ),
    ],
)
def test_bad_shapes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(KAN([2, 3, 1]))


def test_complex_and_text_points_are_refused():
    for x in (np.zeros((3, 2), complex), np.array([["a", "b"]])):
        with pytest.raises(TypeError, match="`x` must hold real numbers"):
            KAN([2, 1])(x)


def test_single_precision_rules():
    model = KAN([2, 3, 1], dtype="float32")
    assert {a.dtype for a in (model.theta, model(points()), model.predict(points()))} == {
        np.dtype("float32")
    }
    history = model.fit(points(n=30), points(1, n=30), steps=3, update_grid=False, lamb=0.01)
    assert model.theta.dtype == np.float32
    assert history.loss[-1] <= history.loss[0]


# --- units and names -----------------------------------------------------------------------------


def test_predict_speaks_data_units():
    model = KAN([2, 3, 2])
    model.scaling = Scaling([1, -2], [3, 0.5], [10, 20], [2, 4])
    X = points() * 3
    x = (X - [1, -2]) / [3, 0.5]
    np.testing.assert_allclose(model.predict(X), model(x) * [2, 4] + [10, 20], rtol=1e-13)


def test_fit_in_data_units_is_the_fit_in_network_units():
    X, y = 5 + 3 * points(n=50), 100 + 7 * np.sin(points(1, n=50, seed=1))
    scaled, plain = KAN([2, 2, 1], seed=2), KAN([2, 2, 1], seed=2)
    scaled.scaling = Scaling.standard(X, y)
    scaled.fit(X, y, steps=5)
    s = scaled.scaling
    plain.fit(s.x_to_network(X), s.y_to_network(y), steps=5)
    np.testing.assert_array_equal(scaled.theta, plain.theta)


def test_a_frame_names_the_inputs_and_is_read_by_name():
    X = pd.DataFrame(points(n=40), columns=["angle", "speed"])
    y = X["angle"] * X["speed"]
    model = KAN([2, 2, 1])
    model.fit(X, y, steps=3)
    assert model.input_names == ["angle", "speed"]
    shuffled = X.assign(other="text")[["other", "speed", "angle"]]
    np.testing.assert_array_equal(model.predict(shuffled), model.predict(X.to_numpy()))
    with pytest.raises(ValueError, match=r"\['speed'\] are missing"):
        model.predict(X[["angle"]])


def test_a_refused_fit_changes_nothing():
    X = pd.DataFrame(points(n=10), columns=["a", "b"])
    model = KAN([2, 2, 1])
    theta = model.theta.copy()
    for y, options in (
        (np.ones(9), {}),
        (np.ones(10), {"steps": -1}),
        (np.ones(10), {"lamb": -1}),
        (np.full(10, np.nan), {}),
        (np.ones(10), {"validation": (points(3), np.ones(N))}),
        (np.ones(10), {"sample_weight": np.ones(3)}),
        (np.ones(10), {"trainable": ("nonsense",)}),
        (np.ones(10), {"loss": "nonsense"}),
    ):
        with pytest.raises(ValueError, match="`"):
            model.fit(X, y, **options)
    with pytest.raises(ValueError, match="`y` must be given"):
        model.fit(X)
    assert model.input_names == ["x_1", "x_2"]
    np.testing.assert_array_equal(model.theta, theta)


def test_a_data_set_brings_names_and_test_rows():
    data = Dataset(points(n=30), points(1, n=30), points(n=9), points(1, n=9), ["a", "b"], ["c"])
    model = KAN([2, 2, 1])
    history = model.fit(data, steps=3)
    assert (model.input_names, model.output_names) == (["a", "b"], ["c"])
    assert np.isfinite(history.validation).all()
    loss = np.mean((model.predict(data.X_test) - data.y_test) ** 2)
    assert abs(history.validation[-1] / loss - 1) < 1e-12
    keys = ("train_input", "train_label", "test_input", "test_label")
    again = KAN([2, 2, 1])
    again.fit(dict(zip(keys, data, strict=True)), steps=3)
    np.testing.assert_array_equal(again.theta, model.theta)
    with pytest.raises(ValueError, match="beside a data set"):
        model.fit(data, np.ones(30))


def test_classes():
    X = points(n=200)
    labels = np.where(X[:, 0] > 0, np.where(X[:, 1] > 0, "both", "first"), "none")
    model = KAN([2, 3, 3], seed=0)
    model.classes = ["none", "first", "both"]
    model.fit(X, labels, loss="cross_entropy", steps=40)
    assert (model.predict_class(X) == labels).mean() > 0.9
    with pytest.raises(ValueError, match=r"`y` must hold labels of .*'other'"):
        model.fit(X, np.where(labels == "none", "other", labels), loss="cross_entropy")
    binary = KAN([2, 2, 1], seed=0)
    binary.fit(X, (X[:, 0] > 0).astype(int), loss="binary_cross_entropy", steps=40)
    assert (binary.predict_class(X) == (X[:, 0] > 0)).mean() > 0.9


# --- structure -----------------------------------------------------------------------------------


def test_structural_methods_return_a_model_and_leave_this_one():
    model, X = KAN([3, 4, 1], seed=1), points(3, n=60)
    model.input_names = ["a", "b", "c"]
    before, knots = model.theta.copy(), model.layers[0].knots.copy()
    others = [
        model.update_grid(X * 2),
        model.refine(10),
        model.prune(X),
        model.prune_node(active=[[0, 2]]),
        model.prune_edge(X, threshold=0.1),
        model.prune_input(active=[0, 2]),
        model.remove_edge(0, 1, 1),
        model.remove_node(1, 0),
        model.copy(),
        model.with_theta(before + 1),
    ]
    for other in others:
        assert type(other) is KAN
        other.theta[...] = 7
        other.layers[0].knots[...] += 1
        other.layers[0].mask[...] = False
    np.testing.assert_array_equal(model.theta, before)
    np.testing.assert_array_equal(model.layers[0].knots, knots)
    assert model.layers[0].mask.all()


def test_pruned_inputs_take_their_names_and_units_along():
    model = KAN([3, 2, 1], seed=1)
    model.input_names = ["a", "b", "c"]
    model.scaling = Scaling([1, 2, 3], [1, 10, 100], [0], [1])
    few = model.prune_input(active=[2, 0])
    assert few.input_names in (["c", "a"], ["a", "c"])
    at = [model.input_names.index(n) for n in few.input_names]
    np.testing.assert_array_equal(few.scaling.x_scale, model.scaling.x_scale[at])
    frame = pd.DataFrame(points(3), columns=["a", "b", "c"])
    expected = model.remove_edge(0, 1, 0).remove_edge(0, 1, 1).predict(frame)
    np.testing.assert_allclose(few.predict(frame), expected, rtol=1e-12)


def test_the_generator_belongs_to_the_model():
    model = KAN([2, 1], seed=4)
    copy = model.copy()
    assert model.rng.random() == copy.rng.random()


# --- files and representation --------------------------------------------------------------------


def test_a_model_comes_back_whole(tmp_path):
    model = KAN([2, [2, 1], 3], seed=5, grid_eps=0.5)
    model.scaling = Scaling([1, 2], [3, 4], [5, 6, 7], [8, 9, 10])
    model.input_names, model.output_names = ["a", "b"], ["u", "v", "w"]
    model.classes = ["p", "q", "r"]
    model.save(tmp_path / "m.npz")
    other = KAN.load(tmp_path / "m.npz")
    assert repr(other) == repr(model)
    np.testing.assert_array_equal(other.predict(points()), model.predict(points()))
    for name in ("input_names", "output_names", "classes", "grid_eps", "width", "backend"):
        assert getattr(other, name) == getattr(model, name), name
    assert other.rng.random() == model.rng.random()


def test_representations():
    model = KAN([2, 3, 1])
    model.input_names = ["<b>", "b"]
    model.layers[0].mask[0, 0] = False
    assert "8 of 9 edges live" in repr(model)
    html = model._repr_html_()
    assert "<table>" in html
    assert "<svg" in html
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_a_network_can_be_wrapped():
    network = random_network()
    model = KAN.from_network(network)
    assert model.network is network
    x = points()
    np.testing.assert_array_equal(model(x), network_forward(network, x)[0])
    assert (len(model.input_names), len(model.output_names)) == (2, 3)


# --- the penalty, for people's own loops ---------------------------------------------------------


def test_reg_is_the_golden_value_and_its_gradient_the_difference():
    network, data = efficient_kan_network("efficient_kan_3-4-2_G5_k3")
    model = KAN.from_network(network)
    value = model.reg(data["x"], "weight", lamb_l1=1, lamb_entropy=2)
    assert abs(value / data["reg"] - 1) < 1e-10
    model, X = KAN([2, 3, 1], seed=2), points()
    value, grads = model.reg(X, lamb_coef=0.1, gradient=True)
    direction = np.random.default_rng(0).normal(size=model.n_params)
    h = 1e-6
    plus, minus = (
        model.with_theta(model.theta + s * h * direction).reg(X, lamb_coef=0.1) for s in (1, -1)
    )
    assert abs((plus - minus) / (2 * h) / (grads.theta @ direction) - 1) < 1e-6
    assert value == model.reg(X, lamb_coef=0.1)


@settings(max_examples=20)
@given(
    width=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    G=st.integers(1, 6),
    k=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_any_width_grid_and_degree(width, G, k, seed):
    model = KAN(width, grid=G, k=k, seed=seed)
    x = points(width[0], seed=seed)
    y, cache = model.forward(x)
    dx, grads = model.backward(cache, np.ones_like(y))
    assert y.shape == (N, width[-1])
    assert np.isfinite(grads.theta).all()
    assert np.isfinite(dx).all()


# --- doors that were once open ------------------------------------------------------------------


def test_numeric_classes_mean_what_they_say():
    X = points(n=100)
    y = (X[:, 0] > 0).astype(int)
    for classes in ([0, 1], [1, 0], [3, 7], [7.5, -1.0]):
        model = KAN([2, 2, 2])
        model.classes = classes
        labels = np.where(y == 0, classes[0], classes[1])
        model.fit(X, labels, loss="cross_entropy", steps=30)
        assert (model.predict_class(X) == labels).mean() > 0.9
        with pytest.raises(ValueError, match="`y` must hold labels of"):
            model.fit(X, np.where(y == 0, 99, labels), loss="cross_entropy")


def test_a_data_set_of_classes_is_learnt_by_name():
    X = points(n=100)
    y = (X[:, 0] > 0).astype(int)
    data = Dataset(X, y, X[:30], y[:30], classes=["neg", "pos"])
    model = KAN([2, 2, 2])
    history = model.fit(data, loss="cross_entropy", steps=30)
    assert model.classes == ["neg", "pos"]
    assert (model.predict_class(X) == np.array(["neg", "pos"])[y]).mean() > 0.9
    assert np.isfinite(history.validation).all()


@pytest.mark.parametrize("call", [KAN.reg, KAN.attribute, KAN.prune])
def test_scores_of_what_is_not_finite_are_refused(call):
    X = points()
    X[3, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        call(KAN([2, 3, 1]), X)
    with pytest.raises(ValueError, match=r"must have|N"):
        call(KAN([2, 3, 1]), X[:0])


def test_validation_is_of_the_model_as_it_predicts():
    X = points(n=40)
    model = KAN([2, 1]).fix_symbolic(0, 0, 0, "log", affine=[1, 0, 1, 0])
    held_out = (X, X[:, 1])
    history = model.fit(X, X[:, 1], steps=2, validation=held_out, trainable=("coef",))
    assert np.isnan(model.predict(X)).any()
    assert np.isnan(history.validation[-1])
    assert np.isfinite(history.loss[-1])


def test_a_dead_end_that_is_nan_keeps_its_nan():
    model = KAN([3, [1, 1], 1], seed=1)
    model.layers[1].mask[1, 0] = False
    model.layers[0].coef[2, 2] = np.nan
    y, cache = model.forward(np.full((5, 3), 0.1))
    _, grads = model.backward(cache, np.ones((5, 1)))
    assert np.isfinite(y).all()
    bad = ~np.isfinite(grads.layers[0].scale_spline)
    assert bad.sum() <= 1  # the edge that is NaN itself
    assert np.isfinite(grads.layers[0].coef[:2]).all()
    assert np.isfinite(grads.layers[1].coef).all()


@pytest.mark.parametrize(
    ("assign", "error"),
    [
        (lambda m: setattr(m, "scaling", Scaling([0], [1], [0], [1])), "`scaling` must be of 2"),
        (lambda m: setattr(m, "scaling", 3), "`scaling` must be a Scaling"),
        (lambda m: setattr(m, "input_names", ["a"]), "`input_names` must be a list of 2"),
        (lambda m: setattr(m, "output_names", "ab"), None),
        (lambda m: setattr(m, "input_names", ["a", "a"]), "must differ"),
        (lambda m: m.fit(points(), points(1), stepz=3), r"got \['stepz'\]"),
        (lambda m: m.fit(points(), points(1), max_memory=-1), "`max_memory`"),
        (lambda m: m.fit(points(), points(1), lamb="a"), "`lamb` must be finite"),
        (lambda m: m.fit(points(), points(1), validation=3), "`validation` must be a pair"),
        (lambda m: m.reg(points(), lamb=3), "`lamb` is the factor"),
        (lambda m: m.prune(points(), node_th=np.nan), "thresholds of scores"),
        (lambda m: m.plot(points()), "`ax` must be Matplotlib axes"),
        (lambda m: m.fix_symbolic(0, 0, 0, "sin"), "one of `X` and `affine` is needed"),
        (lambda m: m.suggest_symbolic(0, 0, 0, points(), lib=[]), "`lib` must name one"),
        (lambda m: m.suggest_symbolic(0, 0, 0, points(), a_range=2), "`a_range` must be"),
        (lambda m: m.symbolic_formula(names=["a"]), "`names` must be a list of 2"),
        (lambda m: m.symbolic_formula(round_to=0), "`round_to` must be an integer"),
        (lambda m: KAN([2, 1], dtype="foo"), "`dtype` must be one of"),
        (lambda m: KAN([2, 1], seed="a"), "`seed` must be an integer"),
    ],
)
def test_more_arguments_are_checked(assign, error):
    model = KAN([2, 2, 1])
    if error is None:
        assign(model)
        assert model.output_names == ["ab"]
        return
    with pytest.raises((ValueError, TypeError), match=error):
        assign(model)


def test_a_copys_scaling_cannot_change_the_models():
    model = KAN([2, 1])
    with pytest.raises(ValueError, match="read-only"):
        model.copy().scaling.x_shift[0] = 3


def test_a_series_names_the_output():
    X = pd.DataFrame(points(n=20), columns=["a", "b"])
    model = KAN([2, 1])
    model.fit(X, X["a"].rename("drag"), steps=2, verbose=False)
    assert model.output_names == ["drag"]


def test_prediction_in_chunks_is_prediction(monkeypatch):
    from kanref.model import core

    model, x = KAN([2, 3, 1]), points(n=100)
    whole, slopes = model(x), model.jacobian(x)
    monkeypatch.setattr(core, "MAX_MEMORY", 1)
    np.testing.assert_allclose(model(x), whole, rtol=1e-13)
    np.testing.assert_allclose(model.jacobian(x), slopes, rtol=1e-12)


def test_files_with_flags_of_the_wrong_kind_are_refused(tmp_path):
    model = KAN([2, 1])
    model.add_function("cube", lambda x: x**3)
    path = tmp_path / "m.npz"
    model.fix_symbolic(0, 0, 0, "cube", affine=[1, 0, 1, 0]).save(path)
    with pytest.raises(ValueError, match="`functions` must map names to Function"):
        KAN.load(path, functions={"cube": lambda x: x**3})
    other = KAN.load(path, functions=model.functions)
    np.testing.assert_allclose(other(points())[:, 0] - model(points())[:, 0], 0, atol=9)


def test_from_splines_to_a_formula_in_data_units():
    X = points(n=200) * 3 + 5
    y = 10 + 4 * np.sin(X[:, 0])
    model = KAN([2, 1], grid=8, seed=0)
    model.scaling = Scaling.standard(X, y)
    model.input_names = ["angle", "wind speed (m/s)"]
    model.fit(X, y, steps=40)
    best = model.suggest_symbolic(0, 0, 0, X).best
    assert best.function in ("sin", "cos")
    plan = model.symbolic_plan(X, y)
    snapped = model.auto_symbolic(X, y)
    assert np.abs(plan.network.theta - snapped.theta).max() == 0
    assert np.abs(snapped.predict(X)[:, 0] - y).max() < 1e-8
    back = snapped.unfix_symbolic(0, 0, 0)
    assert back.layers[0].numeric[0, 0]
    import sympy

    (formula,) = snapped.symbolic_formula()
    symbols = [sympy.Symbol(name) for name in model.input_names]
    f = sympy.lambdify(symbols, formula, "numpy")
    values = np.broadcast_to(f(X[:, 0], X[:, 1]), len(X))
    np.testing.assert_allclose(values, snapped.predict(X)[:, 0], rtol=1e-10)
    with pytest.raises(ValueError, match="edge"):
        model.symbolic_formula()


@pytest.mark.parametrize("shape", [(), (1,), (4,), (0,), (2, 3)])
def test_the_jacobian_takes_points_as_the_model_does(shape):
    model = KAN([2, 4, 3], seed=0)
    x = np.random.default_rng(1).uniform(-1, 1, (*shape, 2))
    found = model.jacobian(x)
    assert found.shape == (*shape, 3, 2) == (*model(x).shape, 2)
    step = 1e-6
    for i in range(2):
        moved = [model(x + sign * step * np.eye(2)[i]) for sign in (1, -1)]
        difference = (moved[0] - moved[1]) / (2 * step)
        np.testing.assert_allclose(found[..., i], difference, rtol=1e-5, atol=1e-7)
    for wrong in (np.zeros(3), np.zeros((2, 3)), 0.5):
        with pytest.raises(ValueError, match=r"`x` must have shape \(\.\.\., 2\), got"):
            model.jacobian(wrong)
