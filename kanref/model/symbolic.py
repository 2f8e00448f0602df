"""From splines to functions, and from the network to a formula."""

from __future__ import annotations

from collections.abc import Callable

from ..functions import Domain, Function, make_function
from .structure import StructureMethods


class SymbolicMethods(StructureMethods):
    """The symbolic library, snapping and the formula."""

    def add_function(
        self,
        name: str,
        f: Callable,
        df: Callable | None = None,
        *,
        sympy: Callable | None = None,
        complexity: int = 3,
        domain: Domain | tuple[float, float] | None = None,
    ) -> Function:
        """Add a function of your own to this model's library.

        Parameters
        ----------
        name : str
            What it is called; a name of the library is replaced for this model.
        f, df : callable
            Value and derivative, elementwise on arrays; without `df` it is differentiated
            numerically.
        sympy : callable, optional
            Its SymPy form; without it the formula holds an undefined function of that name.
        complexity : int
            Its price in the ranking.
        domain : Domain or (low, high), optional
            Where it is defined; everywhere by default.
        """
        function = make_function(name, f, df, sympy=sympy, complexity=complexity, domain=domain)
        self.functions = {**self.functions, name: function}
        return function
