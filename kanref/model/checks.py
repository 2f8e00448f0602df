"""Checks of the constructor's arguments: each error states the rule, then what came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..kernels import BACKENDS, numba_kernels
from ..kernels.device import require
from ..sizes import MOST_NUMBERS, Sizes, size_problem


def names(name: str, value: Any, n: int) -> list[str]:
    """Return `n` different names."""
    found = [value] if isinstance(value, str) else list(value)
    if len(found) != n or not all(isinstance(text, str) for text in found):
        raise ValueError(f"`{name}` must be a list of {n} texts, got {value!r}")
    if len(set(found)) != n:
        raise ValueError(f"`{name}` must differ from each other, got {found}")
    return found


def labels(name: str, value: Any, n: int) -> list | None:
    """Return `n` labels of classes, or None for none."""
    if value is None:
        return None
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != n:
        raise ValueError(f"`{name}` must be a list of {n} labels, one for a class, got {value!r}")
    return list(value)


def dtype(value: Any) -> str:
    """Return "float64" or "float32"."""
    try:
        name = str(np.dtype(value))
    except TypeError:
        name = str(value)
    choice("dtype", name, ("float64", "float32"))
    return name


def backend(value: Any) -> None:
    """Raise unless `value` names a backend that there is here."""
    choice("backend", value, BACKENDS)
    if value == "numba" and numba_kernels() is None:
        raise ImportError("`backend` 'numba' needs Numba: pip install numba")
    if value == "cupy":
        require()


def generator(seed: Any) -> np.random.Generator:
    """Return the generator of a seed, or the given one."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(integer("seed", seed))


def integer(name: str, value: Any, least: int = 0) -> int:
    """Return an integer that is at least `least`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"`{name}` must be an integer of at least {least}, got {value!r}")
    return int(value)


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number in [low, high]."""
    ok = isinstance(value, Real) and math.isfinite(value) and low <= float(value) <= high
    if not ok:
        bounds = "" if (low, high) == (-math.inf, math.inf) else f" in [{low}, {high}]"
        raise ValueError(f"`{name}` must be a finite number{bounds}, got {value!r}")
    return float(value)


def choice(name: str, value: Any, known: Sequence[str]) -> None:
    """Raise unless `value` is one of the known names."""
    if value not in known:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, known))}, got {value!r}")


def interval(name: str, value: Any) -> tuple[float, float]:
    """Return a pair low < high of finite numbers."""
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        raise ValueError(f"`{name}` must be a pair (low, high), got {value!r}")
    low, high = number(name, value[0]), number(name, value[1])
    if not low < high:
        raise ValueError(f"`{name}` must have low < high, got {value!r}")
    return low, high


def per_layer(name: str, value: Any, depth: int, least: int) -> list[int]:
    """Return one integer for each layer, from one number or a list."""
    if isinstance(value, Integral):
        return [integer(name, value, least)] * depth
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != depth:
        raise ValueError(
            f"`{name}` must be an integer or a list of {depth}, one for each layer, got {value!r}"
        )
    return [integer(f"{name}[{number}]", v, least) for number, v in enumerate(value)]


def width(value: Any, mult_arity: Any) -> tuple[list[int], list[tuple[int, ...]]]:
    """Return the number of sum nodes and the arities of the product nodes of each layer."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < 2:
        raise ValueError(f"`width` must list the nodes of two or more layers, got {value!r}")
    sums, products = [], []
    for number, entry in enumerate(value):
        pair = [entry, 0] if isinstance(entry, Integral) else entry
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise ValueError(
                f"`width[{number}]` must be an integer or [n_sum, n_product], got {entry!r}"
            )
        sums.append(integer(f"width[{number}]", pair[0]))
        products.append(integer(f"width[{number}]", pair[1]))
        if sums[-1] + products[-1] == 0:
            raise ValueError(f"`width[{number}]` must have a node, got {entry!r}")
    if products[0]:
        raise ValueError(f"`width[0]` must be the number of inputs, got {value[0]!r}")
    nodes = [s + p for s, p in zip(sums, products, strict=True)]
    size("`width`", zip(nodes, nodes[1:], [1] * len(nodes), [0] * len(nodes), strict=False))
    return sums, [_arity(mult_arity, number, n) for number, n in enumerate(products)]


def size(what: str, layers: Sizes, most: int = MOST_NUMBERS) -> None:
    """Raise if layers of (n_in, n_out, G, k) make too large a network; `what` asks for them."""
    problem = size_problem(layers, most)
    if problem:
        raise ValueError(f"{what} must {problem}")


def shapes(
    sums: Sequence[int],
    arities: Sequence[tuple[int, ...]],
    grids: Sequence[int],
    degrees: Sequence[int],
) -> list[tuple[int, int, int, int]]:
    """Return (n_in, n_out, G, k) of each layer, from what `width` and `per_layer` return."""
    n_nodes = [s + len(a) for s, a in zip(sums, arities, strict=True)]
    n_sums = [s + sum(a) for s, a in zip(sums, arities, strict=True)]
    return list(zip(n_nodes[:-1], n_sums[1:], grids, degrees, strict=True))


def _arity(mult_arity: Any, number: int, n_products: int) -> tuple[int, ...]:
    """Return the arities of the product nodes of layer `number`."""
    if isinstance(mult_arity, Integral):
        return (integer("mult_arity", mult_arity, 2),) * n_products
    if not isinstance(mult_arity, Sequence) or len(mult_arity) <= number:
        raise ValueError(
            "`mult_arity` must be an integer or a list with, for each layer of `width`, the "
            f"arities of its product nodes, got {mult_arity!r}"
        )
    row = mult_arity[number]
    row = [row] * n_products if isinstance(row, Integral) else row
    if len(row) != n_products:
        raise ValueError(
            f"`mult_arity[{number}]` must give the arity of each of {n_products} product nodes, "
            f"got {row!r}"
        )
    return tuple(integer(f"mult_arity[{number}]", a, 2) for a in row)
