"""From splines to functions, and from the network to a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from .. import symbolic
from ..functions import Domain, Function, make_function
from ..symbolic import Suggestions, SymbolicPlan
from . import checks
from .formulas import Formulas
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

        Returns
        -------
        Function
            As :func:`~kanref.make_function` makes it.
        """
        function = make_function(name, f, df, sympy=sympy, complexity=complexity, domain=domain)
        self.functions = {**self.functions, name: function}
        return function

    def suggest_symbolic(self, l: int, i: int, j: int, X: Any, **options: Any) -> Suggestions:
        """Rank the functions that edge (l, i, j) may follow, by r² and complexity.

        Parameters
        ----------
        l, i, j : int
            The edge from node i of layer l to subnode j of the next.
        X : (N, n_in) or data frame
            Inputs in data units: the edge is fitted at the values it takes on them.
        **options
            `lib`, `a_range`, `b_range`, `weight_simple`, `top`; see
            :func:`kanref.symbolic.suggest`.

        Returns
        -------
        Suggestions
            A ranked table that prints well; ``.best`` is its first row.
        """
        return symbolic.suggest(
            self.network, l, i, j, self._inputs(X), functions=self.functions, **options
        )

    def fix_symbolic(
        self,
        l: int,
        i: int,
        j: int,
        function: str | Function,
        X: Any = None,
        *,
        affine: Sequence[float] | None = None,
        **ranges: Any,
    ) -> Self:
        """Return the model whose edge (l, i, j) follows c·f(a·x + b) + d.

        Parameters
        ----------
        l, i, j : int
            The edge, which must be alive.
        function : str or Function
            f: a name of the library or of :meth:`add_function`, or a Function.
        X : (N, n_in) or data frame, optional
            Inputs in data units: a, b, c, d are fitted to what the edge does to them.
        affine : (4,), optional
            a, b, c, d, in network units. One of `X` and `affine` is needed, and not both.
        **ranges
            `a_range`, `b_range`: where the search starts.

        Returns
        -------
        KAN
            A new model; this one stays as it was.

        Examples
        --------
        >>> from kanref import KAN
        >>> model = KAN([2, 1]).fix_symbolic(0, 0, 0, "sin", affine=[2, 0, 1, 0])
        >>> model.fix_symbolic(0, 1, 0, "x^2", affine=[1, 0, 3, 0]).symbolic_formula()
        [3*x_2**2 + sin(2*x_1)]
        """
        if (X is None) == (affine is None):
            given = "both" if affine is not None else "neither"
            raise ValueError(f"one of `X` and `affine` is needed, and not both, got {given}")
        x = None if X is None else self._inputs(X)
        network = symbolic.fix_symbolic(
            self.network, l, i, j, function, x=x, affine=affine, functions=self.functions, **ranges
        )
        return self._with(network)

    def unfix_symbolic(self, l: int, i: int, j: int) -> Self:
        """Return the model whose symbolic edge (l, i, j) is the spline again that it was before.

        Parameters
        ----------
        l, i, j : int
            A symbolic edge.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        return self._with(symbolic.unfix_symbolic(self.network, l, i, j))

    def auto_symbolic(
        self,
        X: Any,
        y: Any,
        *,
        lib: Sequence[str | Function] | None = None,
        r2_threshold: float = 0.9,
        **options: Any,
    ) -> Self:
        """Return the model with its splines snapped to functions and all constants fitted jointly.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        y : (N, n_out), (N,)
            Targets in data units: what decides between functions is the fit of the whole network.
        lib : sequence of str or Function, optional
            What to try; by default the whole library and the model's own functions.
        r2_threshold : float
            An edge that no function fits so well stays a spline.
        **options
            `loss`, `weight_simple`, `a_range`, `b_range`, `top`, `weight`, `refit_steps`,
            `max_refits`; see :func:`kanref.symbolic.auto_symbolic`.

        Returns
        -------
        KAN
            A new model; this one stays as it was.
        """
        plan = self.symbolic_plan(X, y, lib=lib, r2_threshold=r2_threshold, **options)
        return self._with(plan.network)

    def symbolic_plan(self, X: Any, y: Any, *, loss: str = "mse", **options: Any) -> SymbolicPlan:
        """Tell what :meth:`auto_symbolic` with the same arguments would choose, and how it fits.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        y : (N, n_out), (N,)
            Targets in data units.
        loss : str
            As in :meth:`fit`.
        **options
            As in :meth:`auto_symbolic`.

        Returns
        -------
        SymbolicPlan
            Prints as a table: for each edge the function, its r², and what becomes of the loss.
        """
        batch = self._batch_of(X, y, loss, None, labels=self._labels(X))
        return symbolic.symbolic_plan(
            self.network, batch.x, batch.target, loss=loss, functions=self.functions, **options
        )

    def symbolic_formula(
        self,
        names: Sequence[str] | None = None,
        round_to: int | None = None,
        *,
        simplify: bool = False,
    ) -> list[Any]:
        """Return one SymPy expression for each output, in data units: a list.

        Parameters
        ----------
        names : sequence of str, optional
            Names of the inputs; by default the model's `input_names`.
        round_to : int, optional
            Round constants to so many significant digits; by default they are exact, and the
            formula equals the model inside the domains of its functions.
        simplify : bool
            Let SymPy look for a shorter form, which may take long.

        Returns
        -------
        list of sympy.Expr
            One for each output.

        Raises
        ------
        ValueError
            If a live edge is still a spline; the message names it.
        """
        if names is not None:
            names = checks.names("names", names, self.n_in)
        if round_to is not None:
            checks.integer("round_to", round_to, 1)
        expressions = symbolic.symbolic_formula(
            self.network,
            input_names=self.input_names if names is None else names,
            scaling=self.scaling,
            round_to=round_to,
            simplify=simplify,
        )
        return Formulas(expressions, self.output_names)
