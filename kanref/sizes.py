"""How large a network may be: one rule, for constructors, the command line and model files.

What is asked for is counted before memory is taken: a slip of the finger, or a file that means ill,
ends in a sentence and not in a machine that swaps.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_NUMBERS = 2**28
"""Knots, parameters and masks of a network, at most: 2 GiB in float64."""

MOST_TRAINED = 2**24
"""The same where a command or an estimator trains by itself: L-BFGS keeps some thirty copies."""

HIGHEST_DEGREE = 100
"""Of a spline: its recursion takes k rounds, and nothing is gained long before."""

Sizes = Iterable[tuple[int, int, int, int]]
"""(n_in, n_out, G, k) of each layer."""


def count_numbers(layers: Sizes) -> int:
    """Return how many numbers a network holds.

    Parameters
    ----------
    layers : iterable of (n_in, n_out, G, k)
        Inputs, sums, grid intervals and spline degree of each layer.

    Examples
    --------
    >>> count_numbers([(2, 5, 3, 3)])  # 2·10 knots; 10 edges with 6 coef, 2 scales, a mask; 5 nodes
    130
    """
    return sum(
        n_in * (G + 2 * k + 1) + n_in * n_out * (G + k + 3) + 4 * n_out
        for n_in, n_out, G, k in layers
    )


def size_problem(layers: Sizes, most: int = MOST_NUMBERS) -> str | None:
    """Return what is wrong with a network of this size, to stand behind "must"; None if it fits.

    Parameters
    ----------
    layers : iterable of (n_in, n_out, G, k)
        As :func:`count_numbers` has them.
    most : int
        Numbers that it may hold.

    Examples
    --------
    >>> size_problem([(2, 10**6, 3, 3), (10**6, 10**6, 3, 3)])
    'make a network of at most 268,435,456 numbers (2.1 GB), got 9.0e+12 (72,000 GB)'
    >>> size_problem([(2, 5, 3, 3), (5, 1, 3, 3)]) is None
    True
    """
    layers = list(layers)
    n = count_numbers(layers)
    if n <= most:
        highest = max(k for *_, k in layers)
        rule = f"make splines of a degree of at most {HIGHEST_DEGREE}, got {highest}"
        return rule if highest > HIGHEST_DEGREE else None
    got = f"{n:,}" if n < 10**10 else f"{float(min(n, 10**300)):.1e}"
    return f"make a network of at most {most:,} numbers ({_bytes(most)}), got {got} ({_bytes(n)})"


def _bytes(n_numbers: int) -> str:
    """Return the size of numbers in float64."""
    n = 8 * n_numbers / 1e9 if n_numbers < 10**300 else float("inf")
    return f"{n:,.0f} GB" if n >= 10 else f"{n:.1f} GB" if n >= 1 else f"{1000 * n:.0f} MB"
