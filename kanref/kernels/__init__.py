"""The accelerators behind the reference: the same two functions, faster.

:func:`layer_forward` and :func:`layer_backward` here choose who computes. ``backend="auto"`` takes
Numba (:mod:`kanref.kernels.cpu`) where it is installed and can take the layer, else the reference;
``"numpy"`` always takes the reference. The backward pass follows the cache of the forward pass.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from .. import layer as reference
from .._arrays import Array
from ..layer import EdgeCotangent, Layer, LayerCache

BACKENDS = ("auto", "numpy", "numba")


def layer_forward(
    backend: str, layer: Layer, x: Array, *, sums: bool = False, continued: bool = False
) -> tuple[Array, Any]:
    """Evaluate a layer on the chosen backend; see :func:`kanref.layer.layer_forward`."""
    cpu = None if backend == "numpy" else numba_kernels()
    chosen = reference if cpu is None or not cpu.supports(layer, x) else cpu
    return chosen.layer_forward(layer, x, sums=sums, continued=continued)


def layer_backward(
    layer: Layer, cache: Any, dy: Array, edge_cotangent: EdgeCotangent | None = None
) -> tuple[Array, Layer]:
    """Propagate a cotangent on the backend that left `cache`."""
    chosen = reference if isinstance(cache, LayerCache) else numba_kernels()
    return chosen.layer_backward(layer, cache, dy, edge_cotangent)  # type: ignore[union-attr]


@functools.cache
def numba_kernels() -> ModuleType | None:
    """Return the module of the Numba kernels, or None where Numba is not installed."""
    try:
        from . import cpu
    except ImportError:
        return None
    return cpu
