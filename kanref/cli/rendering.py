"""A model as text and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..plotting import figure_size
from ..report import formula_name, latex_name

if TYPE_CHECKING:
    from ..model import KAN

DIGITS = (4, 5, 6, 8, 10, 12, 15, 17)
"""Significant digits of constants that are tried."""


def formula_text(model: KAN, digits: int | None = None, X: Any = None) -> list[tuple[str, str]]:
    """Return what each output equals, as text and as LaTeX.

    Names stand there as :func:`kanref.report.formula_name` and `latex_name` have them.

    Parameters
    ----------
    model : KAN
        All its live edges are symbolic.
    digits : int, optional
        Significant digits of the constants; by default four, or more where four would spoil the
        predictions.
    X : (N, n_in), optional
        Where to look at the predictions; by default around the centre of the data.

    Raises
    ------
    ValueError
        If an edge is still a spline.
    """
    import sympy

    if digits is None:
        digits = _needed_digits(model, _typical(model) if X is None else X)
    quoted = [formula_name(name) for name in model.input_names]
    rounded = model.symbolic_formula(names=quoted, round_to=digits)
    symbols = map(sympy.Symbol, quoted)
    in_latex = dict(zip(symbols, map(latex_name, model.input_names), strict=True))
    return [(str(y), sympy.latex(y, symbol_names=in_latex)) for y in rounded]


def _needed_digits(model: KAN, X: np.ndarray) -> int:
    """Return how many digits the constants need for predictions to 1e-3 of their spread."""
    exact = _values(model, model.symbolic_formula(), X)  # (N, n_out)
    known = np.isfinite(exact)
    if not known.any():
        return DIGITS[-1]
    for digits in DIGITS:
        rounded = _values(model, model.symbolic_formula(round_to=digits), X)
        if np.abs(rounded - exact)[known].max() <= 1e-3 * np.std(exact[known]):  # not for NaN
            return digits
    return DIGITS[-1]


def _values(model: KAN, expressions: list, X: np.ndarray) -> np.ndarray:
    """Evaluate formulas (N, n_out); NaN where they are not defined."""
    import sympy

    dummies = [sympy.Dummy() for _ in model.input_names]  # columns may be called "sin" or "x y"
    names = dict(zip(map(sympy.Symbol, model.input_names), dummies, strict=True))
    columns = []
    with np.errstate(all="ignore"):
        for expression in expressions:
            f = sympy.lambdify(dummies, expression.xreplace(names), modules=["scipy", "numpy"])
            columns.append(np.broadcast_to(np.asarray(f(*X.T), dtype=float), len(X)))
    return np.stack(columns, axis=1)


def _typical(model: KAN) -> np.ndarray:
    """Return points around the centre of the data, as the scaling of the model has it."""
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (200, model.n_in))
    return model.scaling.x_shift + x * model.scaling.x_scale


def draw(model: KAN, path: Path, X: Any = None) -> None:
    """Draw the network to a PNG, SVG or PDF file, as its suffix says; the same each time."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    names = {"input_names": model.input_names, "output_names": model.output_names}
    figure = Figure(figsize=figure_size(model.network, **names), dpi=150)
    model.plot(figure.add_axes((0, 0, 1, 1)), X)
    kind = path.suffix.lower().lstrip(".")
    dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with rc_context({"svg.hashsalt": "kanref"}):
        figure.savefig(path, format=kind, metadata=dated.get(kind))
