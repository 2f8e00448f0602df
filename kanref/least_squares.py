"""Linear least squares that knows about rank, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def minimum_norm(blocks: Iterable[tuple[np.ndarray, np.ndarray]], rcond: float) -> np.ndarray:
    """Return argmin ‖A c - b‖₂, of smallest ‖c‖₂ where that is not unique, for a stack of systems.

    The rows of A and b come in blocks. Those of the next block are put under the triangle R of all
    before, and factorised again, A = Q R; only [R, Qᵀb] is kept. At the end the SVD R = U S Vᵀ
    gives the Moore–Penrose solution c = V S⁺ Uᵀ Qᵀb (G. Golub & C. Van Loan, *Matrix Computations*,
    2013, §5.5). One factorisation serves all right-hand sides, and it never forms AᵀA, whose
    condition is that of A squared.

    Parameters
    ----------
    blocks : iterable of (A, b)
        A (n, rows, M) and b (n, rows, n_rhs): some rows of each of the n systems. At least one.
    rcond : float
        Singular values up to `rcond` times the largest count as 0.

    Returns
    -------
    solution : (n, M, n_rhs)

    Examples
    --------
    >>> A = np.array([[[1.0, 1.0]]])  # one equation c0 + c1 = 2 for two unknowns
    >>> minimum_norm([(A, np.array([[[2.0]]]))], 1e-15).round(12)
    array([[[1.],
            [1.]]])
    """
    R = projected = None
    for A, b in blocks:
        if R is not None:
            A, b = np.concatenate([R, A], axis=1), np.concatenate([projected, b], axis=1)
        R, projected = _triangle(A, b)
    if R is None:
        raise ValueError("`blocks` must hold at least one block of rows, got none")
    U, s, Vh = np.linalg.svd(R, full_matrices=False)  # (n, r, r), (n, r), (n, r, M)
    kept = s > rcond * s[:, :1]
    inverse = np.where(kept, 1 / np.where(kept, s, 1.0), 0.0)[:, :, None]
    return np.swapaxes(Vh, 1, 2) @ (inverse * (np.swapaxes(U, 1, 2) @ projected))


def _triangle(A: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return R (n, r, M) and Qᵀb (n, r, n_rhs) of A = Q R, with r <= M."""
    M = A.shape[2]
    if b.shape[2] > M:  # Q costs less than a triangle of all columns
        Q, R = np.linalg.qr(A)
        return R, np.swapaxes(Q, 1, 2) @ b
    both = np.asarray(np.linalg.qr(np.concatenate([A, b], axis=2), mode="r"))  # Q is never formed
    return both[:, :M, :M], both[:, :M, M:]  # the rows below are what A leaves of b
