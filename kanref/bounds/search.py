"""Branch and bound: halve the boxes that decide the answer until it is good enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .interval import Interval

PER_ROUND = 256
"""At most so many boxes are halved before the bounds are looked at again."""


@dataclass(frozen=True, eq=False)
class Found:
    """What an evaluation says of B boxes.

    Attributes
    ----------
    bounds : Interval, (B, Q)
        Encloses each quantity on the box.
    reached : Interval, (B, Q)
        Encloses a value that each quantity certainly has on the box.
    influence : (B, n_in)
        How much each input contributes to the width: the largest is halved.
    """

    bounds: Interval
    reached: Interval
    influence: np.ndarray

    def take(self, index: np.ndarray) -> Found:
        """Return some of the boxes."""
        return Found(self.bounds[index], self.reached[index], self.influence[index])


Evaluate = Callable[[np.ndarray, np.ndarray], Found]


def enclose(evaluate: Evaluate, box: np.ndarray, budget: int, rtol: float) -> Interval:
    """Return bounds (Q,) of the quantities over a box (n_in, 2).

    Halves those boxes first whose bounds are the outermost, until `budget` boxes were evaluated or
    the bounds exceed what is certainly reached by at most a share `rtol` of its range.
    """
    lo, hi = box[None, :, 0], box[None, :, 1]
    found = evaluate(lo, hi)
    settled = Interval(
        np.full(found.bounds.lo.shape[1], np.inf), np.full_like(found.bounds.lo[0], -np.inf)
    )
    inner = Interval(found.reached.hi.min(axis=0), found.reached.lo.max(axis=0))
    hopeless = ~found.reached.known.all(axis=0)
    spent = 1
    while True:
        inner = Interval(
            np.minimum(inner.lo, found.reached.hi.min(axis=0)),
            np.maximum(inner.hi, found.reached.lo.max(axis=0)),
        )
        hopeless |= ~found.reached.known.all(axis=0)
        excess = _excess(found.bounds, inner, np.asarray(hopeless), rtol)  # (B,)
        room = min(PER_ROUND, (budget - spent) // 2)
        wide = _divisible(lo, hi).any(axis=1)
        rank = np.where(wide, excess, 0.0)
        order = np.argsort(-rank, kind="stable")[: max(room, 0)]
        chosen = order[rank[order] > 0]
        if chosen.size == 0:
            total = settled.hull(Interval(found.bounds.lo.min(axis=0), found.bounds.hi.max(axis=0)))
            return total.honest()
        done = excess <= 0
        if done.any():  # these decide nothing any more
            bounds = found.bounds[done]
            settled = settled.hull(Interval(bounds.lo.min(axis=0), bounds.hi.max(axis=0)))
        keep = ~done
        keep[chosen] = False
        parents = found.bounds[np.concatenate([chosen, chosen])]
        new_lo, new_hi = _halves(lo[chosen], hi[chosen], found.influence[chosen])
        new = evaluate(new_lo, new_hi)
        new = Found(new.bounds.meet(parents), new.reached, new.influence)
        spent += len(new_lo)
        found = _joined(found.take(keep), new)
        lo, hi = np.concatenate([lo[keep], new_lo]), np.concatenate([hi[keep], new_hi])


def _excess(bounds: Interval, inner: Interval, hopeless: np.ndarray, rtol: float) -> np.ndarray:
    """Return by how much each box exceeds what is reached, relative to its range: (B,)."""
    span = np.maximum(inner.hi - inner.lo, 0.0)
    scale = span + 1e-12 * np.maximum(np.abs(inner.lo), np.abs(inner.hi)) + np.finfo(float).tiny
    with np.errstate(all="ignore"):
        out = np.maximum(inner.lo - bounds.lo, bounds.hi - inner.hi) / scale  # (B, Q)
    out = np.where(np.isnan(out), np.inf, out)
    return np.where(hopeless | (out <= rtol), 0.0, out).max(axis=1)


def _divisible(lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """Tell along which inputs there is a number in between, (B, n_in)."""
    middle = lo + (hi - lo) / 2
    return (lo < middle) & (middle < hi)


def _halves(lo: np.ndarray, hi: np.ndarray, influence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both halves of each box, cut across the input of most influence."""
    rows = np.arange(len(lo))
    middle = lo + (hi - lo) / 2
    at = np.argmax(np.where(_divisible(lo, hi), influence, -1.0), axis=1)
    left, right = hi.copy(), lo.copy()
    left[rows, at] = right[rows, at] = middle[rows, at]
    return np.concatenate([lo, right]), np.concatenate([left, hi])


def _joined(a: Found, b: Found) -> Found:
    def both(p: Interval, q: Interval) -> Interval:
        return Interval(np.concatenate([p.lo, q.lo]), np.concatenate([p.hi, q.hi]))

    return Found(
        both(a.bounds, b.bounds),
        both(a.reached, b.reached),
        np.concatenate([a.influence, b.influence]),
    )
