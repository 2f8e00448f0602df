"""Functions of one variable: the base functions of an edge, and the symbolic library.

``formulas``   the values and derivatives, elementwise, on any array namespace
``special``    those of them that need SciPy
``base``       b(x), the smooth part of a numeric edge
``domain``     the real numbers on which a function is defined
``function``   a library function: formula, domain, complexity, SymPy form, finite continuation
``user``       the same for a function of the user's own
``library``    the table of all library functions
"""

from .base import BASE_FUNCTIONS, BaseFunction, base_function
from .domain import REALS, Domain
from .function import Function, Limits
from .library import ALIASES, FUNCTIONS, resolve_library
from .user import make_function

__all__ = [
    "ALIASES",
    "BASE_FUNCTIONS",
    "FUNCTIONS",
    "REALS",
    "BaseFunction",
    "Domain",
    "Function",
    "Limits",
    "base_function",
    "make_function",
    "resolve_library",
]
