"""One thread for BLAS while the matrices are small: more make them slower."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

SMALL = 1_000_000
"""Work with fewer edge evaluations in a step keeps BLAS on one thread."""


def blas_threads(edge_evaluations: int) -> AbstractContextManager:
    """Return a context that keeps the BLAS of NumPy and SciPy on one thread for small work.

    Examples
    --------
    >>> import numpy as np
    >>> with blas_threads(15 * 1000):
    ...     product = np.eye(3) @ np.eye(3)
    """
    if edge_evaluations >= SMALL:
        return nullcontext()
    limited: AbstractContextManager = _libraries().limit(limits=1, user_api="blas")
    return limited


@functools.cache
def _libraries() -> Any:
    """Return the loaded libraries with threads; looking for them takes milliseconds."""
    import scipy.linalg  # noqa: F401 (SciPy brings its own BLAS, which must be found)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
