"""The array namespace of an argument, and the few operations it lacks.

Every reference function is written once, on the functions of the Python array API standard that
the namespace of its argument offers: NumPy, CuPy, or ``array_api_strict`` in the tests.

The complex-step check of :func:`kanref.check_gradients` runs the same code on complex arrays. The
derivative of a holomorphic function survives that; comparisons and absolute values do not, so they
are defined here on the real part.
"""

from __future__ import annotations

import sys
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
    if len(arrays) == 1 and type(arrays[0]) is np.ndarray:
        return np  # the usual case, thousands of times in a fit
    found: Any = None
    for a in arrays:
        if a is None or isinstance(a, (np.ndarray, np.generic, float, int, complex, list, tuple)):
            xp = np if isinstance(a, (np.ndarray, np.generic)) else None
        else:
            xp = _own_namespace(a)
        if xp is None:
            continue
        if found is not None and xp is not found:
            raise TypeError(
                f"arrays must share one namespace, got {found.__name__} and {xp.__name__}"
            )
        found = xp
    return np if found is None else found


def _own_namespace(a: Array) -> Any:
    """Return the namespace that an array names; that of CuPy is CuPy, whose arrays name none."""
    if hasattr(a, "__array_namespace__"):
        return a.__array_namespace__()
    if type(a).__module__.partition(".")[0] == "cupy":
        return sys.modules["cupy"]
    raise TypeError(f"arrays must have a namespace, got {type(a).__name__}")


def is_complex(x: Array) -> bool:
    """Tell whether `x` has a complex dtype."""
    if type(x) is np.ndarray:
        return x.dtype.kind == "c"
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
    if type(condition) is np.ndarray:
        return np.where(condition, a, b)
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
