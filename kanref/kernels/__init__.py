"""The accelerators behind the reference: the same two functions, faster.

:func:`layer_forward` and :func:`layer_backward` here choose who computes. ``backend="auto"`` takes
Numba (:mod:`kanref.kernels.cpu`) where it is installed and can take the layer, else the reference;
``"numpy"`` always takes the reference. Arrays of CuPy stay on their device, whatever else is there
(:mod:`kanref.kernels.cuda`). The backward pass follows the cache of the forward pass.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from .. import layer as reference
from .._arrays import Array
from ..layer import EdgeCotangent, Layer, LayerCache
from ..parameters import assign
from . import cuda

BACKENDS = ("auto", "numpy", "numba", "cupy")


def layer_forward(
    backend: str,
    layer: Layer,
    x: Array,
    *,
    sums: bool = False,
    continued: bool = False,
    slopes: bool = True,
    reuse: Any = None,
) -> tuple[Array, Any]:
    """Evaluate a layer on the chosen backend; see :func:`kanref.layer.layer_forward`.

    Without `slopes`, no dx may be asked for in a backward pass: a kernel then keeps less. It may
    overwrite the arrays of `reuse`, the cache of an earlier pass.
    """
    if backend != "numpy" and cuda.is_device_array(x) and cuda.supports(layer, x):
        return cuda.layer_forward(layer, x, sums=sums, continued=continued)
    cpu = None if backend == "numpy" else numba_kernels()
    if cpu is None or not cpu.supports(layer, x):
        return reference.layer_forward(layer, x, sums=sums, continued=continued)
    reuse = None if isinstance(reuse, LayerCache) else reuse
    return cpu.layer_forward(layer, x, sums=sums, continued=continued, slopes=slopes, reuse=reuse)


def layer_backward(
    layer: Layer,
    cache: Any,
    dy: Array,
    edge_cotangent: EdgeCotangent | None = None,
    *,
    out: Layer | None = None,
    inputs: bool = True,
) -> tuple[Any, Layer]:
    """Propagate a cotangent on the backend that left `cache`.

    The gradients are written into `out` where it is given; without `inputs`, dx may be None.
    """
    if isinstance(cache, cuda.CudaCache):
        return cuda.layer_backward(layer, cache, dy, edge_cotangent, out=out, inputs=inputs)
    if not isinstance(cache, LayerCache):
        cpu = numba_kernels()
        return cpu.layer_backward(  # type: ignore[union-attr]
            layer, cache, dy, edge_cotangent, out=out, inputs=inputs
        )
    dx, gradient = reference.layer_backward(layer, cache, dy, edge_cotangent)
    return dx, gradient if out is None else assign(out, gradient, reference.PARAMETERS)


def values_per_sample(backend: str, layer: Layer, x: Array) -> int:
    """Return how many numbers the passes through a layer hold for each sample, about."""
    if backend != "numpy" and cuda.is_device_array(x) and cuda.supports(layer, x):
        return 3 * layer.n_in + 4 * layer.n_out  # order, dx; sums, which may come in slabs
    cpu = None if backend == "numpy" else numba_kernels()
    if cpu is not None and cpu.supports(layer, x):
        return layer.n_in * (2 * layer.k + 8) + 4 * layer.n_out  # features, places, dx; sums
    # Basis, derivative and the recursion's temporaries; base, cotangents and sums.
    return 6 * layer.n_in * (layer.G + layer.k + 2) + 6 * layer.n_out


@functools.cache
def numba_kernels() -> ModuleType | None:
    """Return the module of the Numba kernels, or None where Numba is not installed."""
    try:
        from . import cpu
    except ImportError:
        return None
    return cpu
