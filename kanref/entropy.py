r"""Entropies of a matrix of activities, small where few entries carry all: values and slopes.

Both take V ≥ 0, (n_in, n_out), and return a number with its derivative with respect to V.
"""

from __future__ import annotations

import math

from ._arrays import Array, namespace, real, where

OFFSET = 1e-4
"""In the logarithm of :func:`row_column_entropy`, as in the paper's own library."""


def entropy(v: Array) -> tuple[Array, Array]:
    r"""Entropy of the shares of all entries (Liu et al. 2024, arXiv 2404.19756, eq. 2.19).

    .. math:: S = -\sum_{ij} p_{ij} \ln p_{ij}, \quad p = V / \sum V, \qquad
              \partial S / \partial V_{ij} = -(\ln p_{ij} + S) / \sum V

    with 0·ln 0 = 0. The slope at an entry of 0 is infinite; it is set to 0, which is exact for
    what V depends on: a mean of \|φ\| is 0 only where all φ are, and there sign φ = 0.
    If all entries are 0, so are S and its slopes.

    Examples
    --------
    >>> import numpy as np
    >>> value, slope = entropy(np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> print(f"{value:.6f} = log(2)")
    0.693147 = log(2)
    """
    xp = namespace(v)
    total = xp.sum(v)
    total = where(real(total) == 0, 1.0, total)
    p = v / total
    empty = real(p) == 0
    log_p = xp.log(where(empty, 1.0, p))
    value = -xp.sum(p * log_p)
    return value, where(empty, 0.0, -(log_p + value) / total)


def row_column_entropy(v: Array) -> tuple[Array, Array]:
    r"""Sum of the mean entropies of rows and columns, as the paper's own library has it.

    .. math:: P_{ij} = V_{ij} / (1 + \sum_i V_{ij}), \qquad
              H = -\operatorname{mean}_j \sum_i P_{ij} \log_2(P_{ij} + 10^{-4})

    and likewise with i and j exchanged; the sum of both. The means run over all rows and columns,
    empty ones too.

    Examples
    --------
    >>> import numpy as np
    >>> value, slope = row_column_entropy(np.array([[1.0]]))
    >>> print(f"{value:.4f}")
    0.9997
    """
    by_column, dby_column = _entropy_along(v, 0)
    by_row, dby_row = _entropy_along(v, 1)
    return by_column + by_row, dby_column + dby_row


def _entropy_along(v: Array, axis: int) -> tuple[Array, Array]:
    """Entropy along `axis`, averaged over the other axis, and its derivative."""
    xp = namespace(v)
    n_lines = v.shape[1 - axis]
    total = xp.sum(v, axis=axis, keepdims=True) + 1
    p = v / total
    log_p = xp.log(p + OFFSET) / math.log(2)
    value = -xp.sum(p * log_p) / n_lines
    dp = -(log_p + p / (p + OFFSET) / math.log(2)) / n_lines
    return value, (dp - xp.sum(dp * p, axis=axis, keepdims=True)) / total
