from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_softmax, softmax, xlog1py, xlogy

from kanref.losses import (
    LOSSES,
    Huber,
    UserLoss,
    binary_cross_entropy,
    check_target,
    cross_entropy,
    loss_function,
    mae,
    mse,
)
from kanref.targets import weight_shares

N, N_OUT = 7, 3
NAMES = ["mse", "mae", "huber", "cross_entropy", "binary_cross_entropy"]


def draw(name: str, seed: int = 0, n_out: int = N_OUT) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and a target for the loss of that name."""
    rng = np.random.default_rng(seed)
    pred = 2 * rng.normal(size=(N, n_out))
    if name == "cross_entropy":
        return pred, rng.integers(0, n_out, N)
    if name == "binary_cross_entropy":
        return pred, rng.integers(0, 2, (N, n_out))
    return pred, rng.normal(size=(N, n_out))


WEIGHT = np.array([0.5, 2.0, 0.0, 1.0, 3.0, 0.25, 1.5])


def per_sample(name: str, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The loss of every sample (N,), by SciPy and by the definitions."""
    if name == "cross_entropy":
        return -log_softmax(pred, axis=1)[np.arange(N), target]
    if name == "binary_cross_entropy":
        p = expit(pred)
        return -(xlogy(target, p) + xlog1py(1 - target, -p)).mean(axis=1)
    e = np.abs(pred - target)
    if name == "huber":
        return np.where(e <= 1, e**2 / 2, e - 0.5).mean(axis=1)
    return (e**2 if name == "mse" else e).mean(axis=1)


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_value_is_the_mean_over_the_samples(name):
    pred, target = draw(name)
    value, dpred = loss_function(name)(pred, target)
    assert_allclose(value, per_sample(name, pred, target).mean(), rtol=1e-13)
    assert np.shape(value) == ()
    assert dpred.shape == pred.shape


@pytest.mark.parametrize("name", NAMES)
def test_weights_make_a_weighted_mean(name):
    pred, target = draw(name)
    value, _ = loss_function(name)(pred, target, WEIGHT)
    assert_allclose(value, np.average(per_sample(name, pred, target), weights=WEIGHT), rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_weight_is_a_repeated_sample(name):
    pred, target = draw(name)
    times = np.array([1, 2, 0, 1, 3, 1, 1])
    value, dpred = loss_function(name)(pred, target, times)
    repeated, drepeated = loss_function(name)(pred.repeat(times, axis=0), target.repeat(times, 0))
    assert_allclose(value, repeated, rtol=1e-13)
    starts = np.cumsum(times) - times
    for n in range(N):
        own = drepeated[starts[n] : starts[n] + times[n]].sum(axis=0)
        assert_allclose(dpred[n], own, rtol=1e-13, atol=1e-16)


def test_huber_has_its_corner_at_delta():
    pred = np.array([[0.5], [-3.0]])
    value, dpred = Huber(delta=2.0)(pred, np.zeros((2, 1)))
    assert_allclose(value, (0.125 + 2 * (3 - 1)) / 2)
    assert_allclose(dpred, [[0.25], [-1.0]])
    wide = Huber(delta=1e6)(*draw("huber"))
    half = mse(*draw("huber"))
    assert_allclose(wide[0], half[0] / 2)
    assert_allclose(wide[1], half[1] / 2)


# --- cotangents ----------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", NAMES)
def test_cotangent_is_exact(name, weight):
    pred, target = draw(name)
    loss = loss_function(name)
    _, dpred = loss(pred, target, weight)
    stepped, difference = np.empty_like(pred), np.empty_like(pred)
    for index in np.ndindex(pred.shape):
        e = np.zeros(pred.shape)
        e[index] = 1.0
        stepped[index] = loss(pred + 1e-30j * e, target, weight)[0].imag / 1e-30
        ends = [loss(pred + h * e, target, weight)[0] for h in (1e-6, -1e-6)]
        difference[index] = (ends[0] - ends[1]) / 2e-6
    assert np.max(np.abs(dpred - stepped)) <= 1e-13 * np.max(np.abs(stepped))
    assert np.max(np.abs(dpred - difference)) <= 1e-8 * np.max(np.abs(difference))


@pytest.mark.parametrize("loss", [mse, mae, Huber()])
def test_nothing_pulls_where_the_prediction_is_right(loss):
    pred = np.ones((N, N_OUT))
    value, dpred = loss(pred, pred)
    assert value == 0
    assert_array_equal(dpred, 0)


def test_binary_cotangent_at_a_logit_of_zero():
    target = np.array([[0], [1]])
    step = binary_cross_entropy(np.array([[1e-30j], [0]]), target)[0].imag / 1e-30
    _, dpred = binary_cross_entropy(np.zeros((2, 1)), target)
    assert_array_equal(dpred, [[0.25], [-0.25]])
    assert step == 0.25


# --- logits of any size --------------------------------------------------------------------------


@given(st.floats(-1e300, 1e300), st.integers(0, 1))
def test_binary_cross_entropy_at_any_logit(z, label):
    value, dpred = binary_cross_entropy(np.array([[z]]), np.array([label]))
    assert_allclose(value, np.logaddexp(0, z if label == 0 else -z), rtol=1e-14)
    if label == 0:
        assert_allclose(dpred, expit(z), rtol=1e-13)
    else:
        assert_allclose(dpred, -expit(-z), rtol=1e-13)


def test_binary_cross_entropy_at_infinity():
    value, dpred = binary_cross_entropy(np.array([[np.inf], [-np.inf]]), np.array([1, 0]))
    assert value == 0
    assert_array_equal(dpred, 0)
    assert binary_cross_entropy(np.array([[np.inf]]), np.array([0]))[0] == np.inf


@given(st.lists(st.floats(-1e300, 1e300), min_size=3, max_size=3), st.integers(0, 2))
def test_cross_entropy_at_any_logits(logits, label):
    pred = np.array([logits])
    value, dpred = cross_entropy(pred, np.array([label]))
    assert np.isfinite(value)
    assert_allclose(value, -log_softmax(pred)[0, label], rtol=1e-12, atol=1e-15)
    expected = softmax(pred)
    expected[0, label] -= 1
    assert_allclose(dpred, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_nan_stays_visible(name):
    pred, target = draw(name)
    pred[2, 1] = np.nan
    value, dpred = loss_function(name)(pred, target)
    assert np.isnan(value)
    assert np.isnan(dpred[2, 1])
    assert np.all(np.isfinite(dpred[:2]))


# --- shapes, types -------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", NAMES)
def test_single_precision_stays_single_and_sums_in_double(name, weight):
    pred, target = draw(name)
    single = pred.astype(np.float32)
    value, dpred = loss_function(name)(single, target, weight)
    assert dpred.dtype == np.float32
    assert value.dtype == np.float64
    expected, dexpected = loss_function(name)(single.astype(float), target, weight)
    assert_allclose(value, expected, rtol=1e-6)
    assert_allclose(dpred, dexpected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", NAMES)
def test_array_api_strict_gives_the_same(name, weight):
    xp = array_api_strict
    pred, target = draw(name)
    strict_weight = None if weight is None else xp.asarray(weight)
    value, dpred = loss_function(name)(xp.asarray(pred), xp.asarray(target), strict_weight)
    expected, dexpected = loss_function(name)(pred, target, weight)
    assert_allclose(float(value), expected, rtol=1e-14)
    assert_allclose(np.asarray(dpred), dexpected, rtol=1e-13, atol=1e-16)
    checked = check_target(name, xp.asarray(target), N_OUT)
    assert_array_equal(np.asarray(checked), check_target(name, target, N_OUT))


@pytest.mark.parametrize(
    "labels", [[0, 2, 1], [0.0, 2.0, 1.0], np.array([[0], [2], [1]], np.uint8)]
)
def test_labels_may_be_a_column_and_any_whole_numbers(labels):
    checked = check_target("cross_entropy", labels, 3)
    assert_array_equal(checked, [0, 2, 1])
    assert np.isdtype(checked.dtype, "integral")
    pred = np.arange(9.0).reshape(3, 3) ** 0.5
    value, _ = cross_entropy(pred, np.asarray(labels))
    assert value == cross_entropy(pred, checked)[0]


@pytest.mark.parametrize("labels", [[0, 1, 1], [False, True, True], [[0.0], [1.0], [1.0]]])
def test_binary_labels_become_a_column(labels):
    checked = check_target("binary_cross_entropy", labels, 1)
    assert_array_equal(checked, [[0], [1], [1]])
    pred = np.array([[0.5], [-1.0], [2.0]])
    value = binary_cross_entropy(pred, np.asarray(labels))[0]
    assert value == binary_cross_entropy(pred, checked)[0]


def test_a_regression_target_becomes_a_matrix():
    assert check_target("mse", [1.0, 2.0], 1).shape == (2, 1)
    assert check_target(mae, np.ones((5, 2)), 2).shape == (5, 2)
    assert check_target("huber", np.ones((5, 1), dtype=int), 1).shape == (5, 1)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "got"),
    [([0, 3], "3"), ([-1, 0], "-1"), ([0, 1.5], "1.5"), ([np.nan, 0], "nan"), ([0, np.inf], "inf")],
)
def test_labels_must_be_classes(labels, got):
    message = f"labels must be whole numbers from 0 to 2, one per class, got {got}"
    with pytest.raises(ValueError, match=message):
        check_target("cross_entropy", labels, 3)
    with pytest.raises(ValueError, match=message):
        cross_entropy(np.zeros((2, 3)), np.array(labels))


def test_binary_labels_must_be_zero_or_one():
    for labels in ([0, 2], [0.5, 1], [-1, 1]):
        with pytest.raises(ValueError, match="labels must be whole numbers from 0 to 1, got"):
            check_target("binary_cross_entropy", labels, 1)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_labels_must_be_numbers(name):
    with pytest.raises(TypeError, match="labels must be numbers, got dtype <U3"):
        check_target(name, ["cat", "dog"], 1)


@pytest.mark.parametrize(
    ("name", "shape", "n_out", "message"),
    [
        ("cross_entropy", (5, 3), 3, r"labels must have shape \(5,\), got \(5, 3\)"),
        ("cross_entropy", (), 3, r"labels must have shape \(0,\), got \(\)"),
        ("binary_cross_entropy", (5,), 2, r"`target` must have shape \(5, 2\), got \(5,\)"),
        ("mse", (5,), 2, r"`target` must have shape \(5, 2\), got \(5,\)"),
        ("mae", (5, 1, 1), 1, r"`target` must have shape \(5, 1\), got \(5, 1, 1\)"),
    ],
)
def test_targets_must_have_the_shape(name, shape, n_out, message):
    with pytest.raises(ValueError, match=message):
        check_target(name, np.zeros(shape), n_out)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_targets_must_be_finite(value):
    with pytest.raises(ValueError, match="`target` must be finite, got NaN or infinity"):
        check_target("mse", [1.0, value], 1)


def test_targets_must_be_numbers():
    with pytest.raises(TypeError, match="`target` must be numbers, got dtype object"):
        check_target("mse", np.array([1.0, None]), 1)


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_losses_never_broadcast(name):
    with pytest.raises(ValueError, match=r"must have the shape \(7, 1\) of pred, got \(7,\)"):
        loss_function(name)(np.zeros((7, 1)), np.zeros(7))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(7,), (0, 3)])
def test_predictions_must_be_a_matrix(name, shape):
    with pytest.raises(ValueError, match=r"`pred` must have shape \(N, n_out\), not empty, got"):
        loss_function(name)(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(6), r"`weight` must have shape \(7,\), got \(6,\)"),
        (np.ones((7, 1)), r"`weight` must have shape \(7,\), got \(7, 1\)"),
        (-WEIGHT, "finite numbers ≥ 0, not all 0, got -3 to -0"),
        (0 * WEIGHT, "finite numbers ≥ 0, not all 0, got 0 to 0"),
        (np.r_[WEIGHT[1:], np.nan], "finite numbers ≥ 0"),
        (np.r_[WEIGHT[1:], np.inf], "finite numbers ≥ 0, not all 0, got 0 to inf"),
    ],
)
def test_weights_must_be_weights(name, weight, message):
    with pytest.raises(ValueError, match=message):
        loss_function(name)(*draw(name), weight)


def test_weights_must_be_numbers():
    with pytest.raises(TypeError, match="`weight` must be numbers, got dtype <U1"):
        weight_shares(np.array(["a", "b"]), 2)


def test_delta_must_be_positive():
    for delta in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="`delta` must be positive and finite, got"):
            Huber(delta)


# --- the losses by name, and a loss of one's own -------------------------------------------------


def test_losses_have_names():
    assert list(LOSSES) == NAMES
    for name, loss in LOSSES.items():
        assert loss_function(name) is loss
        assert loss_function(loss) is loss
    assert loss_function(Huber(2.0)) == Huber(2.0)


def quartic(pred, target):
    return np.sum((pred - target) ** 4), 4 * (pred - target) ** 3


def test_a_loss_of_ones_own():
    pred, target = draw("mse")
    loss = loss_function(quartic)
    assert loss_function(loss) is loss
    value, dpred = loss(pred, target)
    assert_allclose(value, np.sum((pred - target) ** 4))
    assert_allclose(dpred, 4 * (pred - target) ** 3)
    words = ["any", "thing"]
    assert check_target(quartic, words, 1) is words
    assert loss(pred.astype(np.float32), target)[1].dtype == np.float32


def test_a_loss_of_ones_own_gets_no_weights():
    with pytest.raises(ValueError, match="weights need one of the losses mse, mae"):
        loss_function(quartic)(*draw("mse"), WEIGHT)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda p, t: 1.0, TypeError, r"must return \(value, dpred\), got float"),
        (lambda p, t: (p, p), ValueError, r"one number as its value, got shape \(7, 3\)"),
        (lambda p, t: (1.0, p[:, 0]), ValueError, r"shape \(7, 3\) of pred, got \(7,\)"),
        (lambda p, t: (1.0, 2.0), ValueError, r"shape \(7, 3\) of pred, got float"),
    ],
)
def test_a_loss_of_ones_own_must_return_what_it_should(function, error, message):
    with pytest.raises(error, match=message):
        UserLoss(function)(*draw("mse"))


def test_unknown_losses_are_errors():
    with pytest.raises(ValueError, match=r"`loss` must be one of mse, mae, .*, got 'rmse'"):
        loss_function("rmse")
    with pytest.raises(TypeError, match="`loss` must be a name or a callable, got int"):
        loss_function(3)
