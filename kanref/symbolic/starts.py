"""Where the local search for a and b begins: the grid search over (a, b), function by function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..functions import Domain, Function
from .families import Family, branch, covers, family
from .polish import Samples, unexplained

MOST_RADIANS = 250.0
"""Larger a of an oscillating function are not searched for, whatever `a_range`."""

_STEP = (
    0.75  # radians at the end of the data; the half-width of a peak of the periodogram is 2 or so
)
_BLOCK = 2**20  # elements of an array of candidates

Points = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Ranges:
    """The ranges of a and b, on standardised inputs, within which the search starts."""

    a: tuple[float, float]
    b: tuple[float, float]

    @property
    def a_most(self) -> float:
        """The largest absolute a."""
        return max(abs(self.a[0]), abs(self.a[1]))

    def allow(self, a: np.ndarray, mirrored: bool) -> np.ndarray:
        """Return those a that are in the range, or, if the sign of a does not matter, -a."""
        inside = (self.a[0] <= a) & (a <= self.a[1])
        return a[inside | ((self.a[0] <= -a) & (-a <= self.a[1]))] if mirrored else a[inside]


def best_starts(
    function: Function, ranges: Ranges, samples: Samples, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the most promising a, b and their unexplained shares; no two curves nearly alike."""
    kind = family(function)
    a, b = candidates(function, kind, ranges, samples)
    u_low, u_high = b - np.abs(a), b + np.abs(a)
    good = covers(function.domain, u_low, u_high)
    a, b = a[good], b[good]
    if not a.size:
        return a, b, a
    cost = np.concatenate(
        [
            unexplained(_curves(function.formula, a[block], b[block], samples), samples)
            for block in _slices(a.size, samples.t.size)
        ]
    )
    order = np.argsort(cost, kind="stable")[: 32 * most]
    picked = distinct(_curves(function.formula, a[order], b[order], samples), samples, most)
    return a[order][picked], b[order][picked], cost[order][picked]


def candidates(
    function: Function, kind: Family, ranges: Ranges, samples: Samples, *, every: bool = False
) -> Points:
    """Return the grid over (a, b); with `every`, one that does not look at the values of y."""
    if kind.constant:
        return np.zeros(0), np.zeros(0)
    if kind.linear:
        return np.ones(1), np.zeros(1)
    if kind.flat:
        return _steps(kind, samples)
    if kind.shifting:
        a = ranges.allow(_both(_sizes(kind, ranges)), kind.mirrored)
        return a, np.zeros_like(a)
    if kind.scaling:
        return _roots(kind)
    if kind.spanning:
        return _spanned(function, kind, ranges, None if every else samples)
    low, high = branch(function.domain)
    if math.isfinite(low) and math.isfinite(high):
        return _images(function.domain, kind, ranges, (low, high))
    return _grid(kind, ranges)


def _sizes(kind: Family, ranges: Ranges) -> np.ndarray:
    """Return the sizes of a: evenly spaced where f oscillates, else by constant ratios."""
    most = ranges.a_most
    if kind.oscillating:
        step = _STEP if kind.spanning else 1.5 * _STEP
        return np.arange(step / 2, min(most, MOST_RADIANS) + step, step)
    number = 2 + round(4 * math.log2(max(most, 1.0) / 0.1) / 2)
    return np.geomspace(0.1, max(most, 1.0), number)


def _both(a: np.ndarray) -> np.ndarray:
    return np.concatenate([-a[::-1], a])


def _signs(kind: Family) -> tuple[float, ...]:
    return (1.0,) if kind.mirrored else (1.0, -1.0)


def _roots(kind: Family) -> Points:
    """±(t - r): roots r inside the data, on its ends, and farther and farther away."""
    away = 1 + np.geomspace(1e-4, 30.0, 24)
    r = np.concatenate([-away[::-1], np.linspace(-1, 1, 33), away])
    a = np.concatenate([np.full_like(r, sign) for sign in _signs(kind)])
    return a, -a * np.tile(r, len(_signs(kind)))


def _steps(kind: Family, samples: Samples) -> Points:
    """Put steps between neighbouring samples: where f' = 0, only trying helps."""
    t = np.unique(samples.t)
    r = (t[1:] + t[:-1]) / 2
    a = np.concatenate([np.full_like(r, sign) for sign in _signs(kind)])
    return a, -a * np.tile(r, len(_signs(kind)))


def refined_step(
    function: Function, a: float, b: float, samples: Samples, coarse: Samples
) -> tuple[float, float]:
    """Move a step found between two coarse samples to its best place among the finer ones."""
    rough = np.unique(coarse.t)
    gap = int(np.searchsorted(rough, -b / a))
    low, high = rough[max(gap - 2, 0)], rough[min(gap + 1, rough.size - 1)]
    t = np.unique(samples.t)
    t = t[(low <= t) & (t <= high)]
    between = (t[1:] + t[:-1]) / 2
    while between.size:
        stride = -(-between.size // 64)
        r = between[::stride]
        curves = _curves(function.formula, np.full_like(r, a), -a * r, samples)
        best = int(unexplained(curves, samples).argmin())
        if stride == 1:
            return a, float(-a * r[best])
        between = between[max(best - 1, 0) * stride : (best + 1) * stride + 1]
    return a, b


def _spanned(function: Function, kind: Family, ranges: Ranges, samples: Samples | None) -> Points:
    """For each a the best combination of f(a·t), f'(a·t) and 1; b only for the best a."""
    a = ranges.allow(_sizes(kind, ranges), kind.mirrored)
    low, high = (0.0, math.pi) if kind.turning else ranges.b
    shifts = np.linspace(low, high, 16 if kind.turning else 41)
    if samples is None:
        return np.repeat(a, shifts.size), np.tile(shifts, a.size)
    zero = np.zeros_like(a)
    f = _curves(function.formula, a, zero, samples)
    df = _curves(function.dformula, a, zero, samples)
    explained = _explained(f, df, samples)
    padded = np.concatenate([[-1.0], explained, [-1.0]])
    peaks = np.nonzero((explained >= padded[:-2]) & (explained >= padded[2:]))[0]
    best = peaks[np.argsort(-explained[peaks], kind="stable")[:3]]
    near = np.unique(np.clip(np.concatenate([best, best + 1]), 0, a.size - 1))
    return np.repeat(a[near], shifts.size), np.tile(shifts, near.size)


def _images(domain: Domain, kind: Family, ranges: Ranges, ends: tuple[float, float]) -> Points:
    """All maps of the data onto [p, q] for a few p < q in a bounded domain, near its ends too."""
    low, high = ends
    inset = np.array([1e-3, 1e-2, 0.05, 0.15, 0.3])
    p = np.concatenate([[0.0] if domain.closed and domain.period is None else [], inset])
    nodes = low + (high - low) * np.concatenate([p, [0.5], 1 - p[::-1]])
    i, j = np.triu_indices(nodes.size, 1)
    a = np.concatenate([sign * (nodes[j] - nodes[i]) / 2 for sign in _signs(kind)])
    b = np.tile((nodes[j] + nodes[i]) / 2, len(_signs(kind)))
    inside = np.isin(a, ranges.allow(a, kind.mirrored))
    return a[inside], b[inside]


def _grid(kind: Family, ranges: Ranges) -> Points:
    """All pairs of a and b, where f(a·t + b) has its features within or near the data."""
    sizes = _sizes(kind, ranges)
    a = ranges.allow(sizes if kind.mirrored else _both(sizes), kind.mirrored)
    reach = max(abs(ranges.b[0]), abs(ranges.b[1]), ranges.a_most)
    low, high = min(ranges.b[0], -ranges.a_most), max(ranges.b[1], ranges.a_most)
    b = np.linspace(low, high, 2 * round(reach / 0.6) + 1)
    A, B = np.meshgrid(a, b, indexing="ij")
    near = np.abs(B) <= np.abs(A) + 6.0
    return A[near], B[near]


def _curves(
    formula: Callable[[np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray, samples: Samples
) -> np.ndarray:
    """f(a·t + b) of every candidate, (C, M)."""
    return formula(a[:, None] * samples.t + b[:, None])


def _slices(candidates: int, width: int) -> list[slice]:
    size = max(1, _BLOCK // width)
    return [slice(start, start + size) for start in range(0, candidates, size)]


def _explained(f: np.ndarray, g: np.ndarray, samples: Samples) -> np.ndarray:
    """Return r² of the best combination of f, g and 1, each (C, M): (C,)."""
    root = samples.root
    f, g = ((v - (v * root**2).sum(axis=1, keepdims=True)) * root for v in (f, g))
    f = f / np.maximum(np.linalg.norm(f, axis=1, keepdims=True), 1e-300)
    g = g - np.sum(f * g, axis=1, keepdims=True) * f
    g = g / np.maximum(np.linalg.norm(g, axis=1, keepdims=True), 1e-300)
    target = root * samples.y
    return np.nan_to_num((f @ target) ** 2 + (g @ target) ** 2)


def distinct(curves: np.ndarray, samples: Samples, most: int) -> list[int]:
    """Return the first curves (C, M) of which no two are nearly the same up to c and d."""
    centred = (curves - (curves * samples.root**2).sum(axis=1, keepdims=True)) * samples.root
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.nan_to_num(centred / np.where(length > 0, length, 1.0))
    alike = np.abs(unit @ unit.T)
    picked: list[int] = []
    for row in range(len(unit)):
        if all(alike[row, other] < 0.99 for other in picked):
            picked.append(row)
        if len(picked) == most:
            break
    return picked
