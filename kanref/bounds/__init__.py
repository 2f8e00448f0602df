r"""Guaranteed output intervals and Lipschitz constants of a network on a box of inputs.

Not an estimate from samples: no input within the box gives an output outside the bounds, as the
model computes it, in floating point. The parts:

``interval``   pairs of arrays and their arithmetic
``turns``      where the functions of the library turn
``ranges``     the range of a function and of its slope on an interval
``pieces``     the range of piecewise polynomials: convex hulls of Bernstein coefficients
``splines``    the range of splines, inside the grid and beyond it
``rounding``   how far floating point may be from exact arithmetic
``layers``     the range of a layer's sums
``lines``      how far edges are from lines, for lookup tables
``network``    the range of the outputs and of the Jacobian, forward and backward
``search``     branch and bound over the box
"""

from .box import check_box
from .guaranteed import PIECES, Lipschitz, lipschitz, network_bounds, network_box, output_bounds
from .interval import Interval
from .layers import PreparedLayer
from .lines import line_error
from .network import PreparedNetwork

__all__ = [
    "PIECES",
    "Interval",
    "Lipschitz",
    "PreparedLayer",
    "PreparedNetwork",
    "check_box",
    "line_error",
    "lipschitz",
    "network_bounds",
    "network_box",
    "output_bounds",
]
