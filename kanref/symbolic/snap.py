"""Make an edge symbolic, and make it a spline again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .._arrays import Array
from ..functions import Function, resolve_library
from ..network import Network
from .edges import check_edge, edge_samples, row_of, with_symbolic, without_symbolic
from .fit import Range, fit_edge


def fix_symbolic(
    network: Network,
    l: int,
    i: int,
    j: int,
    function: str | Function,
    *,
    x: Array | None = None,
    affine: Sequence[float] | None = None,
    a_range: Range = (-10.0, 10.0),
    b_range: Range = (-10.0, 10.0),
    functions: Mapping[str, Function] | None = None,
) -> Network:
    """Return a network whose edge (l, i, j) follows c·f(a·x + b) + d.

    Parameters
    ----------
    network : Network
        Stays as it is.
    l, i, j : int
        The edge, from node i of layer l to subnode j of the next. It must be alive. If it is
        symbolic already, the new function takes the place of the old one.
    function : str or Function
        f: a name of the library or of `functions`, or a Function.
    x : (N, n_in), optional
        Inputs of the network, in its own units: a, b, c, d are then fitted to what the edge does to
        them, see :func:`~kanref.symbolic.fit_edge`.
    affine : (4,), optional
        a, b, c, d. One of `x` and `affine` is needed, and not both.
    a_range, b_range : (float, float)
        Where the search starts, with `x`.
    functions : mapping of name to Function, optional
        Functions beside those of the library.

    Raises
    ------
    ValueError
        If the edge is dead or not there, the name unknown, `affine` not four finite numbers, or not
        exactly one of `x` and `affine` is given.

    Examples
    --------
    >>> from kanref import KAN
    >>> from kanref.symbolic import fix_symbolic
    >>> network = fix_symbolic(KAN([2, 1]).network, 0, 1, 0, "x^2", affine=[1, 0, 3, 0])
    >>> network.layers[0].symbolic[0].function
    Function('x^2', every x, complexity 2)
    """
    check_edge(network, l, i, j)
    (chosen,) = resolve_library([function], functions).values()
    if (x is None) == (affine is None):
        given = "both" if x is not None else "neither"
        raise ValueError(f"exactly one of `x` and `affine` must be given, got {given}")
    if x is not None:
        samples = edge_samples(network, (l, i, j), x)
        values = fit_edge(chosen, *samples, a_range=a_range, b_range=b_range).affine
    else:
        values = np.asarray(affine, dtype=float)
        if values.shape != (4,) or not np.all(np.isfinite(values)):
            raise ValueError(f"`affine` must be four finite numbers a, b, c, d, got {affine}")
    return with_symbolic(network, {(l, i, j): (chosen, values)})


def unfix_symbolic(network: Network, l: int, i: int, j: int) -> Network:
    """Return a network whose edge (l, i, j) follows its spline again, as it was before the fix.

    Raises
    ------
    ValueError
        If the edge is not symbolic.
    """
    check_edge(network, l, i, j)
    if row_of(network.layers[l], i, j) is None:
        raise ValueError(f"the edge must be symbolic, got ({l}, {i}, {j}), which is a spline")
    return without_symbolic(network, [(l, i, j)])
