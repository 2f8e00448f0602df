"""Losses: a number that says how far predictions are from the target, with its cotangent.

A loss is called as ``loss(pred, target, weight=None)`` and returns ``(value, dpred)`` with
dpred = ∂value/∂pred. `pred` (N, n_out) is what the network puts out; it sees all samples at once.
Values are means over the samples (and over the outputs, except for `cross_entropy`, where the
outputs of a sample belong to one distribution); with weights w,

    value = Σ_n w_n · (loss of sample n) / Σ_n w_n

so that weights may be scaled at will, and a weight of 2 is a sample that occurs twice. Values are
summed in double precision, `dpred` has the dtype of `pred`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from ._arrays import Array, absolute, accumulator_dtype, namespace, real, sign, where
from .targets import binary_labels, check_numbers, class_labels, target_matrix, weight_shares

Loss = Callable[..., tuple[Any, Array]]
"""``loss(pred, target, weight=None) -> (value, dpred)``."""


def mse(pred: Array, target: Array, weight: Array | None = None) -> tuple[Array, Array]:
    """Mean squared error, the mean of (pred - target)² over samples and outputs.

    Parameters
    ----------
    pred, target : (N, n_out)
        Predictions and what they should be.
    weight : (N,), optional
        Weights of the samples.

    Returns
    -------
    value : 0-d array
        The loss.
    dpred : (N, n_out)
        Its derivative with respect to `pred`.

    Raises
    ------
    ValueError
        If the shapes do not fit, or the weights are negative, not finite or all 0.

    Examples
    --------
    >>> value, dpred = mse(np.array([[1.0], [3.0]]), np.array([[1.0], [0.0]]))
    >>> float(value)
    4.5
    >>> dpred
    array([[0.],
           [3.]])
    """
    error = _difference(pred, target)
    return _mean(pred, error**2, 2 * error, weight)


def mae(pred: Array, target: Array, weight: Array | None = None) -> tuple[Array, Array]:
    r"""Mean absolute error, the mean of \|pred - target\|; its derivative at 0 is 0.

    Arguments, results and errors are those of :func:`mse`.

    Examples
    --------
    >>> value, dpred = mae(np.array([[1.0], [3.0]]), np.array([[1.0], [0.0]]))
    >>> float(value)
    1.5
    >>> dpred
    array([[0. ],
           [0.5]])
    """
    error = _difference(pred, target)
    return _mean(pred, absolute(error), sign(error), weight)


@dataclass(frozen=True)
class Huber:
    r"""Huber's loss (1964): e²/2 where \|e\| ≤ delta, delta·(\|e\| - delta/2) beyond.

    Its instances are losses; the arguments, results and errors of the call are those of
    :func:`mse`. ``loss_function("huber")`` is ``Huber()``.

    Attributes
    ----------
    delta : float
        Where the parabola goes over into straight lines.

    Examples
    --------
    >>> value, dpred = Huber(delta=2.0)(np.array([[1.0], [3.0]]), np.zeros((2, 1)))
    >>> float(value)
    2.25
    >>> dpred
    array([[0.5],
           [1. ]])
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        if not (self.delta > 0 and np.isfinite(self.delta)):
            raise ValueError(f"`delta` must be positive and finite, got {self.delta}")

    def __call__(
        self, pred: Array, target: Array, weight: Array | None = None
    ) -> tuple[Array, Array]:
        """Return the loss and its derivative with respect to `pred`, as :func:`mse` does."""
        error = _difference(pred, target)
        size, delta = absolute(error), self.delta
        near = real(size) <= delta
        value = where(near, error**2 / 2, delta * (size - delta / 2))
        return _mean(pred, value, where(near, error, delta * sign(error)), weight)


def cross_entropy(pred: Array, target: Array, weight: Array | None = None) -> tuple[Array, Array]:
    """Softmax cross-entropy, the mean of log Σ_o exp(pred_no) - pred_n,label.

    Parameters
    ----------
    pred : (N, n_out)
        Logits, one column per class.
    target : (N,) or (N, 1)
        Labels: whole numbers 0, 1, …, n_out - 1.
    weight : (N,), optional
        Weights of the samples.

    Returns
    -------
    value : 0-d array
        The loss; finite for finite logits of any size.
    dpred : (N, n_out)
        Its derivative with respect to `pred`: the softmax, less 1 at the label, over N.

    Raises
    ------
    TypeError
        If the labels are not numbers.
    ValueError
        If a label is not one of 0, …, n_out - 1, the shapes do not fit, or the weights are
        negative, not finite or all 0.

    Examples
    --------
    >>> value, dpred = cross_entropy(np.array([[0.0, 0.0], [1000.0, 0.0]]), np.array([0, 0]))
    >>> print(f"{value:.6f} = log(2) / 2")
    0.346574 = log(2) / 2
    >>> dpred
    array([[-0.25,  0.25],
           [ 0.  ,  0.  ]])
    """
    xp = namespace(pred, target)
    _check_matrix(pred)
    labels = class_labels(target, *pred.shape)  # (N,)
    at_label = labels[:, None] == xp.arange(pred.shape[1])[None, :]  # (N, n_out)
    top = xp.max(real(pred), axis=1, keepdims=True)
    shifted = pred - xp.astype(top, pred.dtype)  # the largest is 0: exp cannot overflow
    exponential = xp.exp(shifted)
    total = xp.sum(exponential, axis=1, keepdims=True)
    at = xp.sum(where(at_label, shifted, 0.0), axis=1, keepdims=True)
    dpred = exponential / total - xp.astype(at_label, pred.dtype)
    return _mean(pred, xp.log(total) - at, dpred, weight)


def binary_cross_entropy(
    pred: Array, target: Array, weight: Array | None = None
) -> tuple[Array, Array]:
    """Binary cross-entropy, the mean of log(1 + exp(∓pred)) for the labels 1 (-) and 0 (+).

    Parameters
    ----------
    pred : (N, n_out)
        Logits: the logarithm of the odds of label 1, each column a question of its own.
    target : (N, n_out), or (N,) where n_out = 1
        Labels, 0 or 1.
    weight : (N,), optional
        Weights of the samples.

    Returns
    -------
    value : 0-d array
        The loss; finite for finite logits of any size.
    dpred : (N, n_out)
        Its derivative with respect to `pred`: (sigmoid(pred) - target) / (N·n_out).

    Raises
    ------
    TypeError
        If the labels are not numbers.
    ValueError
        If a label is neither 0 nor 1, the shapes do not fit, or the weights are negative, not
        finite or all 0.

    Examples
    --------
    >>> value, dpred = binary_cross_entropy(np.array([[0.0], [-1000.0]]), np.array([1, 1]))
    >>> print(f"{value:.6f} = (log(2) + 1000) / 2")
    500.346574 = (log(2) + 1000) / 2
    >>> dpred
    array([[-0.25],
           [-0.5 ]])
    """
    xp = namespace(pred, target)
    _check_matrix(pred)
    toward = where(binary_labels(target, *pred.shape) == 1, -1.0, 1.0)  # (N, n_out)
    toward = xp.astype(toward, pred.dtype)
    t = toward * pred
    # log(1 + eᵗ) and its derivative, from e^-|t|, which cannot overflow. The two branches are one
    # holomorphic function, so t = 0 needs no exception.
    positive = real(t) >= 0
    small = xp.exp(where(positive, -t, t))
    value = where(positive, t, 0.0) + xp.log1p(small)
    slope = where(positive, 1 / (1 + small), small / (1 + small))
    return _mean(pred, value, toward * slope, weight)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "mse": mse,
        "mae": mae,
        "huber": Huber(),
        "cross_entropy": cross_entropy,
        "binary_cross_entropy": binary_cross_entropy,
    }
)
"""The losses that have a name."""


@dataclass(frozen=True)
class UserLoss:
    """A user's own ``function(pred, target) -> (value, dpred)``, checked at every call."""

    function: Callable[[Array, Array], tuple[Any, Array]]

    def __call__(
        self, pred: Array, target: Array, weight: Array | None = None
    ) -> tuple[Any, Array]:
        """Return what the function returns; weights are an error."""
        if weight is not None:
            raise ValueError(
                "weights need one of the losses "
                f"{', '.join(LOSSES)}; a loss of your own gets (pred, target) and no weights"
            )
        result = self.function(pred, target)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"a loss must return (value, dpred), got {type(result).__name__}")
        value, dpred = result
        if getattr(value, "shape", ()) != ():
            raise ValueError(f"a loss must return one number as its value, got shape {value.shape}")
        if getattr(dpred, "shape", None) != pred.shape:
            raise ValueError(
                f"a loss must return dpred of the shape {pred.shape} of pred, "
                f"got {getattr(dpred, 'shape', type(dpred).__name__)}"
            )
        return value, namespace(pred).astype(dpred, pred.dtype, copy=False)


def loss_function(spec: str | Loss) -> Loss:
    """Return the loss that `spec` means.

    Parameters
    ----------
    spec : str or callable
        ``"mse"``, ``"mae"``, ``"huber"``, ``"cross_entropy"``, ``"binary_cross_entropy"``; one of
        the losses of this module; or your own ``f(pred, target) -> (value, dpred)``.

    Returns
    -------
    callable
        ``loss(pred, target, weight=None) -> (value, dpred)``.

    Raises
    ------
    ValueError
        If no loss has that name.
    TypeError
        If `spec` is neither a name nor callable.

    Examples
    --------
    >>> loss = loss_function(lambda pred, target: ((pred - target).sum(), np.ones_like(pred)))
    >>> value, dpred = loss(np.array([[2.0]]), np.array([[0.5]]))
    >>> float(value)
    1.5
    """
    if isinstance(spec, str):
        if spec not in LOSSES:
            raise ValueError(f"`loss` must be one of {', '.join(LOSSES)}, got {spec!r}")
        return LOSSES[spec]
    if not callable(spec):
        raise TypeError(f"`loss` must be a name or a callable, got {type(spec).__name__}")
    if isinstance(spec, (Huber, UserLoss)) or any(spec is loss for loss in LOSSES.values()):
        return spec
    return UserLoss(spec)


def check_target(loss: str | Loss, target: Array, n_out: int) -> Array:
    """Check a target, and bring it to the shape and type that `loss` works with.

    Parameters
    ----------
    loss : str or callable
        As for :func:`loss_function`.
    target : array
        What came: labels for the cross-entropies, else numbers. Lists become NumPy arrays.
    n_out : int
        Number of outputs of the network.

    Returns
    -------
    array
        (N,) integers for `cross_entropy`, else (N, n_out): a vector becomes a column where
        n_out = 1. The target of a user's own loss is returned as it is.

    Raises
    ------
    TypeError
        If the target is not made of numbers.
    ValueError
        If its shape does not fit, a number is not finite, or a label is not one of the classes.

    Examples
    --------
    >>> check_target("mse", [0.5, 1.5], n_out=1)
    array([[0.5],
           [1.5]])
    >>> check_target("cross_entropy", [0, 3], n_out=3)
    Traceback (most recent call last):
        ...
    ValueError: labels must be whole numbers from 0 to 2, one per class, got 3
    """
    loss = loss_function(loss)
    if isinstance(loss, UserLoss):
        return target
    if not hasattr(target, "dtype"):
        target = np.asarray(target)
    xp = namespace(target)
    n_samples = target.shape[0] if target.ndim else 0
    if loss is cross_entropy:
        return class_labels(target, n_samples, n_out)
    if loss is binary_cross_entropy:
        return binary_labels(target, n_samples, n_out)
    check_numbers("`target`", target)
    target = target_matrix(target, n_samples, n_out)
    if not bool(xp.all(xp.isfinite(target))):
        raise ValueError("`target` must be finite, got NaN or infinity")
    return target


# --- parts -------------------------------------------------------------------------------------


def _check_matrix(pred: Array) -> None:
    if pred.ndim != 2 or 0 in pred.shape:
        raise ValueError(f"`pred` must have shape (N, n_out), not empty, got {pred.shape}")


def _difference(pred: Array, target: Array) -> Array:
    """Return pred - target, never broadcast."""
    xp = namespace(pred, target)
    _check_matrix(pred)
    if pred.shape != target.shape:
        raise ValueError(f"`target` must have the shape {pred.shape} of pred, got {target.shape}")
    return pred - xp.astype(target, pred.dtype)


def _mean(pred: Array, values: Array, slopes: Array, weight: Array | None) -> tuple[Array, Array]:
    """Average the values (N, n) over samples and columns, and divide the slopes alike.

    The columns of `values` are what the mean goes over: all outputs, or one value per sample.
    """
    xp = namespace(pred)
    n_samples, n_columns = values.shape
    if weight is None:
        share: Any = 1 / (n_samples * n_columns)
        value = xp.sum(values, dtype=accumulator_dtype(pred)) * share
        return value, slopes * share
    share = weight_shares(weight, n_samples)[:, None] / n_columns  # (N, 1), float64
    exact = xp.astype(values, accumulator_dtype(pred))
    value = xp.sum(exact * xp.astype(share, exact.dtype))
    return value, slopes * xp.astype(share, pred.dtype)
