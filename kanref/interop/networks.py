"""Models of other libraries: their parameters, by name, become a network.

Both functions take what a PyTorch ``state_dict()`` gives, as NumPy arrays::

    state = {name: tensor.cpu().numpy() for name, tensor in model.state_dict().items()}

and return a network with ``extrapolate="zero"``, as both libraries have it, whose outputs and
gradients are theirs. All float32 arrays make a float32 network.

Where kanref then differs on purpose:

* pykan's ``prune_edge`` and ``prune`` can cut an output off from every input; see
  :mod:`kanref.pruning`.
* pykan's ``refine`` fits samples in every case and shares parameters with its parent;
  :func:`kanref.grids.refine` inserts knots where it can, and copies.
* pykan multiplies by masks, so a masked edge that is NaN spoils the rest; kanref selects.
* pykan's metric ``edge_forward_sum`` has no L1 and entropy gradient, because the activations are
  detached; kanref's has, unless ``detach=True``.
* efficient-kan's ``update_grid`` fits scaler · spline and leaves the scaler in place, which
  changes the function; :func:`kanref.grids.update_grid` keeps it.
* efficient-kan's ``regularization_loss`` is NaN where a spline is exactly 0 (0·log 0); kanref's
  ``reg_metric="weight"`` takes the limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from ..functions import FUNCTIONS, BaseFunction, Function, base_function
from ..layer import Layer, SymbolicEdge
from ..network import Network
from ..nodes import Nodes
from .state import StateReader

NODE_ARRAYS = ("subnode_scale", "subnode_bias", "node_scale", "node_bias")
_IDENTITY = (np.ones, np.zeros, np.ones, np.zeros)  # in the same order


def network_from_pykan(
    state: Mapping[str, Any],
    width: Sequence[int | Sequence[int]],
    *,
    mult_arity: int | Sequence[Sequence[int]] = 2,
    base_fun: Any = "silu",
    symbolic: Mapping[tuple[int, int, int], str | Function] | None = None,
) -> Network:
    """Return the network of a pykan model (``kan.KAN``, ``kan.MultKAN``; version 0.2.8).

    Parameters
    ----------
    state : mapping of str to array
        ``model.state_dict()``: ``act_fun.l.grid``, ``.coef``, ``.mask``, ``.scale_base``,
        ``.scale_sp``, ``symbolic_fun.l.mask``, ``.affine``, ``node_scale_l``, ``node_bias_l``,
        ``subnode_scale_l``, ``subnode_bias_l``. Without the names of a layer's symbolic part, or
        of its node affines, there are no symbolic edges there, and the affines are the identity.
    width : sequence
        ``model.width``: ``[2, 5, 1]``, or ``[n_sum, n_product]`` in place of a number.
    mult_arity : int or sequence of sequence of int
        ``model.mult_arity``: of all product nodes, or a list for each entry of `width`.
    base_fun : str, BaseFunction or (callable, callable)
        ``model.base_fun_name``, or your own with its derivative.
    symbolic : mapping of (l, i, j) to str or Function, optional
        The functions of the symbolic edges, which are not part of the state: the name that pykan
        has in ``model.symbolic_fun[l].funs_name[j][i]`` (mind the order), or a function of your
        own. Edges whose symbolic mask is 0 may be listed too, and are ignored, so that all can be::

            {(l, i, j): name for l, layer in enumerate(model.symbolic_fun)
             for j, row in enumerate(layer.funs_name) for i, name in enumerate(row)}

    Returns
    -------
    network : Network
        The degree k of each layer is inferred from the shapes of grid and coefficients.

    Raises
    ------
    ValueError
        If a name is missing or unknown, a shape does not fit `width`, a mask is neither 0 nor 1,
        or an edge is numeric and symbolic at once or symbolic without a known function.
    TypeError
        If something is not an array of real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> state = {
    ...     "act_fun.0.grid": np.array([[-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5]]),
    ...     "act_fun.0.coef": np.array([[[0.0, 1.0, 0.0, 1.0, 0.0]]]),
    ...     "act_fun.0.mask": np.ones((1, 1)),
    ...     "act_fun.0.scale_base": np.zeros((1, 1)),
    ...     "act_fun.0.scale_sp": np.ones((1, 1)),
    ... }
    >>> layer = network_from_pykan(state, [1, 1]).layers[0]
    >>> layer.G, layer.k
    (4, 1)
    """
    read = StateReader(state)
    levels = _levels(width, mult_arity)
    base = base_function(base_fun)
    layers, nodes = [], []
    for l, (n_sum, arity) in enumerate(levels[1:]):
        shape = (levels[l][0] + len(levels[l][1]), n_sum + sum(arity))
        layers.append(_pykan_layer(read, l, shape, base, symbolic or {}))
        nodes.append(_pykan_nodes(read, l, n_sum, arity))
    for place in symbolic or {}:
        _check_place(place, layers)
    return _network(read, layers, nodes)


def _levels(
    width: Sequence[int | Sequence[int]], mult_arity: int | Sequence[Sequence[int]]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return the sum nodes and the arities of the product nodes of each level."""
    levels = []
    for l, entry in enumerate(width):
        n_sum, n_products = (entry, 0) if isinstance(entry, Integral) else entry  # type: ignore[misc]
        if isinstance(mult_arity, Integral):
            arity = (int(mult_arity),) * n_products
        else:
            arity = tuple(mult_arity[l]) if l < len(mult_arity) else ()  # type: ignore[index,arg-type]
        if len(arity) != n_products:
            raise ValueError(
                f"`mult_arity` must give {n_products} arities for level {l} of `width`, got {arity}"
            )
        levels.append((int(n_sum), arity))
    return levels


def _pykan_layer(
    read: StateReader,
    l: int,
    shape: tuple[int, int],
    base_fun: BaseFunction,
    functions: Mapping[tuple[int, int, int], str | Function],
) -> Layer:
    name, n_in = f"act_fun.{l}.", shape[0]
    coef = read(name + "coef", (*shape, None))
    knots, k = read.knots(name + "grid", n_in, coef.shape[2])
    numeric = read.mask(name + "mask", shape)
    on, affine = _symbolic_part(read, l, shape)
    _check_both(l, numeric & on)
    places = np.argwhere(on).tolist()
    return Layer(
        knots=knots,
        coef=coef,
        scale_base=read(name + "scale_base", shape),
        scale_spline=read(name + "scale_sp", shape),
        mask=numeric | on,
        affine=affine[on],
        symbolic=tuple(SymbolicEdge(i, j, _function(functions, (l, i, j))) for i, j in places),
        k=k,
        extrapolate="zero",
        base_fun=base_fun,
    )


def _symbolic_part(
    read: StateReader, l: int, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the symbolic mask (n_in, n_out) and the affines (n_in, n_out, 4)."""
    mask, affine = f"symbolic_fun.{l}.mask", f"symbolic_fun.{l}.affine"
    if mask not in read.state and affine not in read.state:
        return np.zeros(shape, dtype=bool), np.zeros((*shape, 4), dtype=np.float32)
    on = read.mask(mask, shape[::-1]).T
    return on, read(affine, (*shape[::-1], 4)).transpose(1, 0, 2)


def _pykan_nodes(read: StateReader, l: int, n_sum: int, arity: tuple[int, ...]) -> Nodes:
    sizes = [n_sum + sum(arity)] * 2 + [n_sum + len(arity)] * 2
    names = [f"{name}_{l}" for name in NODE_ARRAYS]
    if not any(name in read.state for name in names):  # as after pykan's expand_depth
        return Nodes(n_sum, arity, *(f(n) for f, n in zip(_IDENTITY, sizes, strict=True)))
    arrays = [read(name, (size,)) for name, size in zip(names, sizes, strict=True)]
    return Nodes(n_sum, arity, *arrays)


def network_from_efficient_kan(state: Mapping[str, Any], *, base_fun: Any = "silu") -> Network:
    """Return the network of an efficient-kan model (``efficient_kan.KAN``).

    Parameters
    ----------
    state : mapping of str to array
        ``model.state_dict()``: ``layers.l.grid``, ``.base_weight``, ``.spline_weight`` and, unless
        the model was made with ``enable_standalone_scale_spline=False``, ``.spline_scaler``.
    base_fun : str, BaseFunction or (callable, callable)
        Its ``base_activation``, SiLU unless it was given.

    Returns
    -------
    network : Network
        Without `scale_spline` where there is no scaler. Widths and degree come from the shapes.

    Raises
    ------
    ValueError
        If a name is missing or unknown, or shapes do not fit.
    TypeError
        If something is not an array of real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> state = {
    ...     "layers.0.grid": np.linspace(-2, 2, 9)[None, :],
    ...     "layers.0.base_weight": np.ones((3, 1)),
    ...     "layers.0.spline_weight": np.zeros((3, 1, 6)),
    ... }
    >>> layer = network_from_efficient_kan(state).layers[0]
    >>> layer.n_out, layer.k, layer.scale_spline is None
    (3, 2, True)
    """
    read = StateReader(state)
    base = base_function(base_fun)
    layers: list[Layer] = []
    while not layers or f"layers.{len(layers)}.base_weight" in state:
        layers.append(_efficient_layer(read, len(layers), layers, base))
    nodes = [Nodes(n, (), *(f(n) for f in _IDENTITY)) for n in (layer.n_out for layer in layers)]
    return _network(read, layers, nodes)


def _efficient_layer(
    read: StateReader, l: int, before: Sequence[Layer], base_fun: BaseFunction
) -> Layer:
    name = f"layers.{l}."
    n_out, n_in = read(name + "base_weight", (None, before[-1].n_out if before else None)).shape
    coef = read(name + "spline_weight", (n_out, n_in, None))
    knots, k = read.knots(name + "grid", n_in, coef.shape[2])
    scaler = None
    if name + "spline_scaler" in read.state:
        scaler = read(name + "spline_scaler", (n_out, n_in)).T
    return Layer(
        knots=knots,
        coef=coef.transpose(1, 0, 2),
        scale_base=read(name + "base_weight", (n_out, n_in)).T,
        scale_spline=scaler,
        mask=np.ones((n_in, n_out), dtype=bool),
        affine=np.zeros((0, 4), coef.dtype),
        symbolic=(),
        k=k,
        extrapolate="zero",
        base_fun=base_fun,
    )


def _network(read: StateReader, layers: Sequence[Layer], nodes: Sequence[Nodes]) -> Network:
    """Assemble copies in one dtype, once everything was taken."""
    read.finish()
    dtype = read.dtype()
    network = Network.assemble(layers, nodes)
    return network.map(lambda a: a.copy() if a.dtype == bool else a.astype(dtype))


def _check_both(l: int, both: np.ndarray) -> None:
    if both.any():
        edges = [(l, i, j) for i, j in np.argwhere(both).tolist()]
        raise ValueError(
            f"an edge must be numeric or symbolic, got both at {edges}: choose one with pykan's "
            "set_mode(l, i, j, 'n') or 's'"
        )


def _function(
    functions: Mapping[tuple[int, int, int], str | Function], place: tuple[int, int, int]
) -> Function:
    if place not in functions:
        raise ValueError(f"`symbolic` must give the function of the symbolic edge {place}")
    function = functions[place]
    if isinstance(function, Function):
        return function
    if function not in FUNCTIONS:
        raise ValueError(
            f"`symbolic[{place}]` must be a Function, or one of {', '.join(FUNCTIONS)}, "
            f"got {function!r}"
        )
    return FUNCTIONS[function]


def _check_place(place: tuple[int, int, int], layers: Sequence[Layer]) -> None:
    l, i, j = place
    if not (0 <= l < len(layers) and 0 <= i < layers[l].n_in and 0 <= j < layers[l].n_out):
        raise ValueError(f"`symbolic` must have edges (l, i, j) of the network, got {place}")
