"""The array namespace of an argument, and the few operations it lacks.

Every reference function is written once, on the functions of the Python array API standard that
the namespace of its argument offers: NumPy, CuPy, or ``array_api_strict`` in the tests.

The complex-step check of :func:`kanref.check_gradients` runs the same code on complex arrays. The
derivative of a holomorphic function survives that; comparisons and absolute values do not, so they
are defined here on the real part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
"""An array of any namespace (NumPy, CuPy, array_api_strict)."""


def namespace(*arrays: Array) -> Any:
    """Return the array namespace that the arguments share (NumPy for scalars and lists).

    Raises
    ------
    TypeError
        If arrays of two different namespaces are mixed.
    """
    found: Any = None
    for a in arrays:
        if a is None or isinstance(a, (np.ndarray, np.generic, float, int, complex, list, tuple)):
            xp = np if isinstance(a, (np.ndarray, np.generic)) else None
        else:
            xp = a.__array_namespace__()
        if xp is None:
            continue
        if found is not None and xp is not found:
            raise TypeError(
                f"arrays must share one namespace, got {found.__name__} and {xp.__name__}"
            )
        found = xp
    return np if found is None else found


def is_complex(x: Array) -> bool:
    """Tell whether `x` has a complex dtype."""
    return bool(namespace(x).isdtype(x.dtype, "complex floating"))


def real(x: Array) -> Array:
    """Return the real part of `x`: `x` itself where it is real."""
    return namespace(x).real(x) if is_complex(x) else x


def sign(x: Array) -> Array:
    """Return the sign of the real part of `x`, in the dtype of `x`; the sign of 0 is 0."""
    xp = namespace(x)
    return xp.astype(xp.sign(xp.real(x)), x.dtype) if is_complex(x) else xp.sign(x)


def absolute(x: Array) -> Array:
    r"""Return ``sign(Re x) * x``: \|x\|, continued holomorphically off the real axis."""
    return sign(x) * x if is_complex(x) else namespace(x).abs(x)


def where(condition: Array, a: Array | float, b: Array | float) -> Array:
    """Select `a` where `condition` holds, else `b`; Python scalars take the other's dtype."""
    xp = namespace(condition)
    if isinstance(a, (int, float)):
        a = xp.asarray(a, dtype=b.dtype if not isinstance(b, (int, float)) else None)
    elif isinstance(b, (int, float)):
        b = xp.asarray(b, dtype=a.dtype)
    return xp.where(condition, a, b)


def accumulator_dtype(x: Array) -> Any:
    """Return the double-precision dtype, real or complex, in which sums over `x` are kept."""
    xp = namespace(x)
    return xp.complex128 if is_complex(x) else xp.float64


def to_numpy(x: Array) -> np.ndarray:
    """Copy or view `x` as a NumPy array on the host."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "get"):  # CuPy
        return x.get()
    return np.asarray(x)
