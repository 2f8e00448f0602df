"""Where a function is defined: an interval of the real numbers, less its poles."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .._arrays import Array, namespace, real

INSET = 1e-3
"""How far inside an open edge (where f has no value) its continuation is anchored."""


@dataclass(frozen=True)
class Domain:
    """The real numbers x with low ≤ x ≤ high (< where open), less the poles.

    Attributes
    ----------
    low, high : float
        The edges; infinite where there is none.
    closed : bool
        Whether finite edges belong to the domain.
    poles : tuple of float
        Points inside that do not belong to it.
    period : float, optional
        The poles repeat with this period (tan). Such poles are irrational, so no floating-point
        number lies on one: `contains` ignores them, `covers` does not.

    Raises
    ------
    ValueError
        If low < high does not hold.

    Examples
    --------
    >>> import numpy as np
    >>> print(Domain(0.0, closed=False))
    x > 0
    >>> Domain(0.0, closed=False).contains(np.array([-1.0, 0.0, 1.0]))
    array([False, False,  True])
    >>> Domain(poles=(0.0,)).covers(-1.0, 1.0)
    False
    """

    low: float = -math.inf
    high: float = math.inf
    closed: bool = True
    poles: tuple[float, ...] = ()
    period: float | None = None

    def __post_init__(self) -> None:
        """Check the edges."""
        if not self.low < self.high:
            raise ValueError(f"`domain` must have low < high, got low={self.low}, high={self.high}")

    def contains(self, x: Array) -> Array:
        """Tell, element by element, whether `x` is finite and in the domain (by its real part)."""
        r = real(x)
        inside = namespace(x).isfinite(x) & ~self.below(r) & ~self.above(r)
        return inside if self.period is not None else inside & ~self.on_pole(r)

    def below(self, r: Array) -> Array:
        """Tell which real `r` lie beyond the lower edge."""
        return r < self.low if self.closed else r <= self.low

    def above(self, r: Array) -> Array:
        """Tell which real `r` lie beyond the upper edge."""
        return r > self.high if self.closed else r >= self.high

    def on_pole(self, r: Array) -> Array:
        """Tell which real `r` are one of `poles` exactly."""
        found = namespace(r).zeros(r.shape, dtype=namespace(r).bool)
        for pole in self.poles:
            found = found | (r == pole)
        return found

    def covers(self, low: float, high: float) -> bool:
        """Tell whether all of [low, high] is in the domain: no edge and no pole within."""
        if not -math.inf < low <= high < math.inf:
            raise ValueError(f"an interval must be finite with low <= high, got [{low}, {high}]")
        if bool(self.below(low)) or bool(self.above(high)):
            return False
        for pole in self.poles:
            if self.period is not None:  # the first copy of the pole that is not below `low`
                pole += math.ceil((low - pole) / self.period) * self.period
            if low <= pole <= high:
                return False
        return True

    @property
    def bounded(self) -> bool:
        """Whether there is an edge at all."""
        return self.low > -math.inf or self.high < math.inf

    @property
    def middle(self) -> float:
        """The middle, infinite where only one edge is finite, 0 where none is."""
        return 0.5 * (self.low + self.high) if self.bounded else 0.0

    @property
    def anchors(self) -> tuple[float, float]:
        """The two points at which a function is continued: a closed edge, or just inside."""
        inset = 0.0 if self.closed else INSET * min(1.0, self.high - self.low)
        return self.low + inset, self.high - inset

    def __str__(self) -> str:
        """Write the domain as an inequality."""
        sign = "<=" if self.closed else "<"
        words = []
        if self.low > -math.inf and self.high < math.inf:
            words = [f"{self.low:g} {sign} x {sign} {self.high:g}"]
        elif self.bounded:
            sign, edge = (">", self.low) if self.low > -math.inf else ("<", self.high)
            words = [f"x {sign}{'=' if self.closed else ''} {edge:g}"]
        step = "" if self.period is None else f" + {self.period:g} n"
        words += [f"x != {pole:g}{step}" for pole in self.poles]
        return " and ".join(words) or "every x"


REALS = Domain()
"""The whole real line."""
