"""KAN: what users hold. Thin methods over the modules of the package, by subject."""

from __future__ import annotations

from .device import DeviceMethods

__all__ = ["KAN"]


class KAN(DeviceMethods):
    r"""A Kolmogorov–Arnold network.

    .. math:: z^{(l+1)}_j = \sum_i \phi^{(l)}_{ij}\bigl(z^{(l)}_i\bigr)

    with a learnable function on every edge: scale_base · b(x) + scale_spline · spline(x), or a
    symbolic function c·f(a·x + b) + d (Liu et al. 2024, arXiv 2404.19756).

    Parameters
    ----------
    width : sequence
        Nodes of each layer, inputs first: ``[2, 5, 1]``. ``[n_sum, n_product]`` in place of a
        number gives a layer product nodes too: ``[2, [3, 2], 1]``.
    grid : int or sequence of int
        Grid intervals G, for all layers or for each.
    k : int or sequence of int
        Spline degree, for all layers or for each; 3 is cubic.
    grid_range : (float, float)
        The domain of the first grid, for every input, in network units.
    base_fun : str, BaseFunction or (callable, callable)
        b: a name ("silu", "identity", "zero", "tanh", …) or your own pair (value, derivative).
    extrapolate : {"linear", "zero"}
        Outside the grid a spline continues with its slope, or fades to zero as in the paper's
        library.
    init : {"paper", "kaiming", "glorot", "power"}
        How the parameters start, see :mod:`kanref.initialization`.
    noise_scale : float
        Size of the noise of the initial splines ("paper", "kaiming").
    scale_base_mu, scale_base_sigma : float
        Centre and half-width of the initial scale_base, times √n_in ("paper", "kaiming").
    grid_eps : float
        Share of the uniform grid in a grid update; the rest are quantiles of the data.
    sparse_init : bool
        Begin with each node connected to its nearest neighbours only.
    mult_arity : int or sequence
        Factors of each product node: one number, or per layer a list with one for each node.
    spline_scale : bool
        False drops `scale_spline`: the coefficients alone set the size of a spline.
    dtype : {"float64", "float32"}
        Of all parameters and results.
    seed : int
        Of the model's own random generator.
    backend : {"auto", "numba", "numpy", "cupy"}
        Who computes: "auto" takes Numba where it is installed, else NumPy. Degrees above 5 are
        computed by NumPy in any case. "cupy" keeps the parameters on a CUDA device; `model(x)`,
        `forward`, `backward` and `jacobian` then return arrays of CuPy.

    Attributes
    ----------
    layers : tuple of Layer
        ``layers[l].knots``, ``.coef``, ``.scale_base``, ``.scale_spline``, ``.mask``, … are arrays
        that may be written in place.
    scaling : Scaling
        Between data units (``fit``, ``predict``, formula, plots) and network units (``model(x)``,
        ``forward``, ``backward``, ``jacobian``). The identity unless it is set.
    input_names, output_names : list of str
        Names of the variables.
    classes : list or None
        The labels that the outputs of a classifier stand for.
    history : History
        Of all fits that led to this model, those before a change of structure included; saved with
        it.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> model = KAN([2, 5, 1], grid=5, k=3, seed=0)
    >>> model
    KAN(width=[2, 5, 1], grid=5, k=3): 15 of 15 edges live, 0 symbolic, 150 parameters, float64
    >>> model(np.zeros((7, 2))).shape
    (7, 1)
    """
