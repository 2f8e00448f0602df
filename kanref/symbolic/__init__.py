"""From splines to functions, and from a network to a formula.

``families``    which constants of c·f(a·x + b) + d are redundant for a function
``starts``      the grid search for a and b
``catalogue``   the same, for all functions and edges at once
``polish``      local least squares, for many functions at once
``constants``   from (a, b) to the four constants of an edge
``fit``         the one-edge fit
``edges``       one edge of a network
``suggest``     which functions an edge looks like
``snap``        make an edge symbolic, and back
``jacobian``    the outputs' derivatives, sample by sample
``refit``       the joint fit of all constants
``candidates``  the functions to try for an edge
``release``     a symbolic edge as a spline again
``search``      the functions of all edges, by the loss of the network
``sharpen``     better splines, and fewer, before the search
``fewer``       parts of the network that do as well as all of it
``planner``     the stages of a search
``gauge``       the simplest constants of a network
``offsets``     constants that are noise
``finish``      from the network of the search to the result
``plan``        the report of a search
``auto``        snap a whole network
``formula``     the network as SymPy expressions
"""

from .auto import auto_symbolic, symbolic_plan
from .constants import EdgeFit
from .fit import fit_edge
from .formula import ex_round, symbolic_formula
from .plan import Choice, SymbolicPlan
from .snap import fix_symbolic, unfix_symbolic
from .suggest import Suggestion, Suggestions, suggest

__all__ = [
    "Choice",
    "EdgeFit",
    "Suggestion",
    "Suggestions",
    "SymbolicPlan",
    "auto_symbolic",
    "ex_round",
    "fit_edge",
    "fix_symbolic",
    "suggest",
    "symbolic_formula",
    "symbolic_plan",
    "unfix_symbolic",
]
