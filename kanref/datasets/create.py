"""Data sets from a function to sample, or from a table to split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._arrays import Array
from .dataset import Dataset

Seed = int | np.random.Generator


def create_dataset(
    f: Callable[[Array], Array],
    n_var: int = 2,
    ranges: Sequence[Any] = (-1, 1),
    n_train: int = 1000,
    n_test: int = 1000,
    *,
    noise: float = 0.0,
    seed: Seed = 0,
) -> Dataset:
    """Sample a function at uniformly random points.

    Parameters
    ----------
    f : callable
        A NumPy function of an (N, n_var) array that returns shape (N,), (N, 1) or (N, m). A
        function `g` of separate columns is ``lambda x: g(*x.T)``.
    n_var : int
        Number of variables.
    ranges : sequence
        ``(low, high)`` for all variables, or one such pair per variable, shape (n_var, 2).
    n_train, n_test : int
        Number of points. The training points do not depend on `n_test`.
    noise : float
        Standard deviation of normal noise on `y_train`. `y_test` stays exact, so that a test error
        measures the distance to `f` itself.
    seed : int or numpy.random.Generator
        Where the points and the noise come from.

    Returns
    -------
    Dataset
        With inputs x_1, x_2, … and output y (y_1, y_2, … when there are several).

    Raises
    ------
    ValueError
        If `ranges` is not of one of the two forms, `noise` is negative, or `f` returns another
        shape or a number that is not finite.

    Examples
    --------
    >>> f = lambda x: np.exp(np.sin(np.pi * x[:, 0]) + x[:, 1] ** 2)
    >>> dataset = create_dataset(f, n_var=2, ranges=[(-1, 1), (0, 1)], n_train=5, n_test=3)
    >>> dataset
    Dataset(5 training and 3 test rows; inputs x_1, x_2; output y)
    >>> bool(np.all(dataset.y_train[:, 0] == f(dataset.X_train)))
    True
    """
    low, high = _ranges(ranges, n_var)
    if n_train < 1 or n_test < 0:
        raise ValueError(f"`n_train` must be >= 1 and `n_test` >= 0, got {n_train} and {n_test}")
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"`noise` must be a finite number >= 0, got {noise}")
    x_rng, noise_rng = np.random.default_rng(seed).spawn(2)
    X = x_rng.uniform(low, high, (n_train + n_test, n_var))
    y = _sample(f, X)
    X_train, X_test, y_train, y_test = X[:n_train], X[n_train:], y[:n_train], y[n_train:]
    if noise > 0:
        y_train = y_train + noise * noise_rng.standard_normal(y_train.shape)
    return Dataset(X_train, y_train, X_test, y_test)


def create_dataset_from_data(
    X: Array,
    y: Array,
    train_ratio: float = 0.8,
    seed: Seed = 0,
    *,
    input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
    classes: Sequence[Any] | None = None,
    name: str = "",
) -> Dataset:
    """Split a table at random into training and test rows.

    Parameters
    ----------
    X : array_like
        Inputs, shape (N, n_in) or (N,). The columns of a pandas table give the names.
    y : array_like
        Outputs, shape (N, n_out) or (N,); integer labels with `classes`.
    train_ratio : float
        Share of the rows to train on, in (0, 1]: N · `train_ratio` of them, rounded, at least one.
    seed : int or numpy.random.Generator
        Where the order of the rows comes from.
    input_names, output_names, classes, name
        As in :class:`Dataset`.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If `X` is empty, `X` and `y` differ in length, or `train_ratio` is outside (0, 1].

    Examples
    --------
    >>> create_dataset_from_data(np.eye(10), np.arange(10.0), train_ratio=0.7)
    Dataset(7 training and 3 test rows; 10 inputs x_1, x_2, …, x_10; output y)
    """
    if not 0 < train_ratio <= 1:
        raise ValueError(f"`train_ratio` must lie in (0, 1], got {train_ratio}")
    names = (
        input_names if len(input_names) else _column_names(X),
        output_names if len(output_names) else _column_names(y),
    )
    X, y = np.asarray(X), np.asarray(y)
    if X.shape[:1] != y.shape[:1] or X.shape[:1] in ((), (0,)):
        raise ValueError(
            "`X` and `y` must have the same number of rows, at least one, "
            f"got shapes {X.shape} and {y.shape}"
        )
    order = np.random.default_rng(seed).permutation(len(X))
    n_train = max(1, round(len(X) * train_ratio))
    train, test = order[:n_train], order[n_train:]
    return Dataset(X[train], y[train], X[test], y[test], *names, classes, name)


def _column_names(table: Array) -> Sequence[str]:
    """Return the column names of a pandas table, or the name of a pandas column, if any."""
    columns = getattr(table, "columns", None)
    if columns is None:
        name = getattr(table, "name", None)
        columns = () if name is None else (name,)
    return [str(column) for column in columns]


def _ranges(ranges: Sequence[Any], n_var: int) -> tuple[Array, Array]:
    """Return the lower and upper ends, shape (n_var,) each."""
    if n_var < 1:
        raise ValueError(f"`n_var` must be >= 1, got {n_var}")
    ends = np.asarray(ranges, dtype=np.float64)
    if ends.shape not in ((2,), (n_var, 2)):
        raise ValueError(
            f"`ranges` must be (low, high) or one such pair for each of the {n_var} variables, "
            f"got shape {ends.shape}"
        )
    low, high = np.broadcast_to(ends, (n_var, 2)).T
    if not np.all(np.isfinite(ends)) or np.any(low >= high):
        raise ValueError(f"`ranges` must be finite with low < high, got {ranges}")
    return low, high


def _sample(f: Callable[[Array], Array], X: Array) -> Array:
    """Return f(X) as (N, m), after a look at what came."""
    y = np.asarray(f(X.copy()), dtype=np.float64)  # a copy: f may work in place
    if y.ndim not in (1, 2) or len(y) != len(X):
        raise ValueError(
            f"`f` must return shape (N,), (N, 1) or (N, m) for N = {len(X)} points, got {y.shape}"
        )
    y = y.reshape(len(X), -1)
    finite = np.all(np.isfinite(y), axis=1)
    if not np.all(finite):
        raise ValueError(
            f"`f` must be finite on `ranges`, got {y[~finite][0]} at x = {X[~finite][0]}"
        )
    return y
