"""Minimum-norm least squares in blocks, against NumPy's pseudoinverse."""

from __future__ import annotations

import numpy as np
import pytest

from kanref.least_squares import minimum_norm

EPS = np.finfo(float).eps


def systems(rank, rows, M=4, n=2, n_rhs=3):
    rng = np.random.default_rng(rows)
    A = rng.normal(size=(n, rows, rank)) @ rng.normal(size=(n, rank, M))
    return A, rng.normal(size=(n, rows, n_rhs))


@pytest.mark.parametrize("sizes", [[9], [1, 8], [3, 3, 3], [1] * 9])
@pytest.mark.parametrize("rank", [1, 2, 4])
def test_is_the_pseudoinverse_however_the_rows_are_cut(rank, sizes):
    A, b = systems(rank, sum(sizes))
    cuts = np.cumsum(sizes)[:-1]
    blocks = zip(np.split(A, cuts, axis=1), np.split(b, cuts, axis=1), strict=True)
    solution = minimum_norm(blocks, 9 * EPS)
    expected = np.linalg.pinv(A, rcond=1e-12) @ b
    assert solution.shape == (2, 4, 3)
    assert np.max(np.abs(solution - expected)) <= 1e-12 * np.max(np.abs(expected))


def test_fewer_rows_than_unknowns():
    A, b = systems(4, 2)
    solution = minimum_norm([(A, b)], 4 * EPS)
    assert np.max(np.abs(A @ solution - b)) <= 1e-12
    assert np.max(np.abs(solution - np.linalg.pinv(A) @ b)) <= 1e-12


def test_rcond_decides_what_counts_as_zero():
    A, b = np.diag([1.0, 1e-6])[None], np.ones((1, 2, 1))
    assert minimum_norm([(A, b)], 1e-7)[0, :, 0] == pytest.approx([1.0, 1e6])
    assert minimum_norm([(A, b)], 1e-5)[0, :, 0].tolist() == [1.0, 0.0]


def test_no_block_is_an_error():
    with pytest.raises(ValueError, match="at least one block"):
        minimum_norm([], EPS)
