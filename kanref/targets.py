"""Targets, labels and weights: what a loss may be given, and what is wrong when it is not."""

from __future__ import annotations

import numpy as np

from ._arrays import Array, namespace, real


def target_matrix(target: Array, n_samples: int, n_out: int) -> Array:
    """Return `target` as (N, n_out); a vector becomes a column where n_out = 1.

    Raises
    ------
    ValueError
        If it has another shape.
    """
    if target.ndim == 1 and n_out == 1:
        target = target[:, None]
    if target.shape != (n_samples, n_out):
        raise ValueError(f"`target` must have shape ({n_samples}, {n_out}), got {target.shape}")
    return target


def class_labels(target: Array, n_samples: int, n_out: int) -> Array:
    """Return labels 0, …, n_out - 1, given as (N,) or (N, 1), as integers (N,).

    Raises
    ------
    TypeError
        If the labels are not numbers.
    ValueError
        If they have another shape, or one is not a whole number of this range.
    """
    if target.shape not in ((n_samples,), (n_samples, 1)):
        raise ValueError(f"labels must have shape ({n_samples},), got {target.shape}")
    return _labels(namespace(target).reshape(target, (-1,)), n_out, ", one per class")


def binary_labels(target: Array, n_samples: int, n_out: int) -> Array:
    """Return labels 0 and 1 as integers (N, n_out); errors as :func:`class_labels`."""
    return _labels(target_matrix(target, n_samples, n_out), 2, "")


def _labels(labels: Array, n_classes: int, why: str) -> Array:
    xp = namespace(labels)
    check_numbers("labels", labels)
    if xp.isdtype(labels.dtype, ("bool", "integral")):
        labels = xp.astype(labels, xp.int64)
    values = real(labels)
    good = (values >= 0) & (values < n_classes)  # NaN is neither
    if not xp.isdtype(values.dtype, "integral"):
        good = good & (xp.floor(values) == values)
    if not bool(xp.all(good)):
        first = float(values[~good][0])
        raise ValueError(
            f"labels must be whole numbers from 0 to {n_classes - 1}{why}, got {first:g}"
        )
    return xp.astype(values, xp.int64)


def check_numbers(name: str, values: Array) -> None:
    """Raise TypeError unless `values` is made of numbers."""
    if not namespace(values).isdtype(values.dtype, ("bool", "numeric")):
        raise TypeError(f"{name} must be numbers, got dtype {values.dtype}")


def weight_shares(weight: Array, n_samples: int) -> Array:
    """Return w / Σ w for the weights w (N,) of the samples, in double precision.

    Raises
    ------
    TypeError
        If the weights are not numbers.
    ValueError
        If they do not have the shape (N,), or are negative, not finite, or all 0.
    """
    xp = namespace(weight)
    check_numbers("`weight`", weight)
    if weight.shape != (n_samples,):
        raise ValueError(f"`weight` must have shape ({n_samples},), got {weight.shape}")
    weight = xp.astype(weight, xp.float64)
    total = float(xp.sum(weight))
    if not (bool(xp.all(weight >= 0)) and np.isfinite(total) and total > 0):
        low, high = float(xp.min(weight)), float(xp.max(weight))
        raise ValueError(
            f"`weight` must hold finite numbers ≥ 0, not all 0, got {low:g} to {high:g}"
        )
    return weight / total
