"""Formulas that need SciPy's special functions: erf, Bessel J0 and J1, gelu.

They run on the host, whatever the namespace of the argument; the result goes back to it. Otherwise
they are as those of ``formulas``.
"""

from __future__ import annotations

import math

import numpy as np

from .._arrays import Array, is_complex, namespace, real, to_numpy, where
from .formulas import gaussian


def _host(name: str, x: Array) -> Array:
    """Evaluate a function of scipy.special on the host, and return it where `x` lives."""
    import scipy.special

    return namespace(x).asarray(getattr(scipy.special, name)(to_numpy(x)), dtype=x.dtype)


def erf(x: Array) -> Array:
    """Return the error function."""
    return _host("erf", x)


def derf(x: Array) -> Array:
    """Return 2/√π exp(-x²)."""
    return (2 / math.sqrt(math.pi)) * gaussian(x)


def _bessel(order: int, x: Array) -> Array:
    """Return J0 or J1, also of complex arguments.

    SciPy's complex routine (AMOS) loses a small imaginary part in the rounding of the real one. A
    complex step has one far below 1e-8, where f(x) + ih f'(x) is exact to rounding.
    """
    if not is_complex(x):
        return _host(f"j{order}", x)
    from scipy.special import jv

    z = to_numpy(x)
    slope = (dj0, dj1)[order]
    y = _bessel(order, z.real) + 1j * z.imag * slope(z.real)
    far = np.abs(z.imag) >= 1e-8
    if far.any():
        y = np.where(far, jv(order, z), y)
    return namespace(x).asarray(y, dtype=x.dtype)


def j0(x: Array) -> Array:
    """Return the Bessel function J0."""
    return _bessel(0, x)


def dj0(x: Array) -> Array:
    """Return -J1(x)."""
    return -j1(x)


def j1(x: Array) -> Array:
    """Return the Bessel function J1."""
    return _bessel(1, x)


def dj1(x: Array) -> Array:
    """Return J0(x) - J1(x)/x, and 1/2 - 3x²/16 close to 0."""
    small = namespace(x).abs(real(x)) < 1e-4
    large = where(small, 1.0, x)
    near = where(small, x, 0.0)
    return where(small, 0.5 - 0.1875 * near * near, j0(large) - j1(large) / large)


def gelu(x: Array) -> Array:
    """Return x Φ(x), Φ the normal distribution function."""
    return gelu_pair(x)[0]


def dgelu(x: Array) -> Array:
    """Return Φ(x) + x exp(-x²/2)/√(2π)."""
    return gelu_pair(x)[1]


@np.errstate(over="ignore", invalid="ignore")
def gelu_pair(x: Array) -> tuple[Array, Array]:
    """Return gelu and its derivative."""
    phi = _host("ndtr", x)
    density = gaussian(x * math.sqrt(0.5)) / math.sqrt(2 * math.pi)
    return x * phi, phi + x * density
