"""How far the floating-point value of an edge may be from the exact one.

Sources of error, all in units of `eps` of the model's dtype (twice the unit roundoff):

* the basis. A kernel evaluates each spline of a cell as a polynomial of u in [0, 1] by Horner's
  rule. Bernstein polynomials have monomial coefficients with Σ_p ≤ 3^k, summed over all splines of
  the cell, and Horner's rule errs by 2k unit roundoffs of that sum. The recursion of Cox and de
  Boor adds positive terms only, and is better;
* the place within the cell. On a uniform grid the kernel divides x - t_0 by the mean cell, though
  the knots may be off by 8 eps of the largest: 24 eps of the largest knot, times the slope;
* beyond the grid, the error of the slope times the distance;
* the sum over k + 1 splines, the base function and all inputs.

The constants are generous: the margin is to hold, and is still of the order of 1e-13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import to_numpy
from ..parameters import Layer
from .splines import Splines

COMPILED_DEGREES = 5
"""The kernels evaluate degrees up to this as polynomials."""


@dataclass(frozen=True, eq=False)
class Rounding:
    """The rounding errors of one layer.

    Attributes
    ----------
    eps, tiny, greatest : float
        Relative spacing, smallest normal and largest number of the model's dtype.
    basis : float
        Error of the basis, for coefficients of size 1.
    place : (n_in,)
        Error of the place within the grid.
    mixing, summing : float
        Error of the sum, for terms of size 1: over splines and inputs, and over inputs alone.
    largest : (n_in, n_out)
        The largest absolute coefficient.
    steepest : (n_in,)
        Bound of Σ_m of the slopes of the basis.
    """

    eps: float
    tiny: float
    greatest: float
    basis: float
    place: np.ndarray
    mixing: float
    summing: float
    largest: np.ndarray
    steepest: np.ndarray

    @classmethod
    def of(cls, layer: Layer, splines: Splines) -> Rounding:
        """Return the constants of a layer."""
        info = np.finfo(to_numpy(layer.coef).dtype)
        eps, k = float(info.eps), layer.k
        knots = np.asarray(to_numpy(layer.knots), dtype=float)
        largest_knot = np.abs(knots).max(axis=1)
        steps = np.diff(knots, axis=1)
        uneven = steps.max(axis=1) - steps.min(axis=1) > 64 * eps * largest_knot
        powers = 3.0**k if k <= COMPILED_DEGREES else 4.0
        return cls(
            eps,
            float(info.tiny),
            float(info.max) * (1 - 16 * eps),
            eps * powers * (4 * k + 8),
            np.where(uneven, 4.0 * eps * (steps.max(axis=1)), 24 * eps * largest_knot),
            eps * (layer.n_in * (k + 2) + 8),
            eps * (layer.n_in + 4),
            splines.largest,
            splines.steepest,
        )

    def spline(self, beyond: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return error and size of the terms of the splines, (B, n_in, n_out).

        `beyond` (B, n_in) is how far the inputs reach beyond the grid.
        """
        reach = 1.0 + self.steepest * beyond  # Σ |B_m| there
        error = self.basis * reach + self.place * self.steepest * reach
        return error[..., None] * self.largest, reach[..., None] * self.largest
