"""Bring your model: KANs of other libraries, from their ``state_dict`` as NumPy arrays.

``networks``   the parameters, by name, become a network; and where kanref differs on purpose
``state``      reading a mapping of names to arrays with care
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..functions import Function
from ..model import KAN
from .networks import network_from_efficient_kan, network_from_pykan

__all__ = [
    "from_efficient_kan",
    "from_pykan",
    "network_from_efficient_kan",
    "network_from_pykan",
]


def from_pykan(
    state: Mapping[str, Any],
    width: Sequence[int | Sequence[int]],
    *,
    mult_arity: int | Sequence[Sequence[int]] = 2,
    base_fun: Any = "silu",
    symbolic: Mapping[tuple[int, int, int], str | Function] | None = None,
) -> KAN:
    """Return the model that a pykan ``state_dict`` holds, with the same outputs and gradients.

    Parameters and errors are those of :func:`~kanref.interop.networks.network_from_pykan`.

    Returns
    -------
    KAN
        In float32 if all arrays of the state are.
    """
    return KAN.from_network(
        network_from_pykan(
            state, width, mult_arity=mult_arity, base_fun=base_fun, symbolic=symbolic
        )
    )


def from_efficient_kan(state: Mapping[str, Any], *, base_fun: Any = "silu") -> KAN:
    """Return the model that an efficient-kan ``state_dict`` holds.

    Parameters and errors are those of
    :func:`~kanref.interop.networks.network_from_efficient_kan`.

    Returns
    -------
    KAN
        In float32 if all arrays of the state are.
    """
    return KAN.from_network(network_from_efficient_kan(state, base_fun=base_fun))
