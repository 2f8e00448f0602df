"""The ranges of functions and slopes on intervals, against dense samples of them."""

import numpy as np
import pytest

from kanref.bounds import Interval
from kanref.bounds.ranges import slope_range, value_range
from kanref.functions import BASE_FUNCTIONS, FUNCTIONS

ALL = [*BASE_FUNCTIONS.values(), *FUNCTIONS.values()]


def intervals(rng, n=160):
    """Return ends of intervals of all widths, around the places where functions turn."""
    middle = rng.choice([0.0, 0.7, -0.75, 1.28, -1.28, 2.4, -2.4, 9.0], n) + rng.normal(size=n) / 4
    half = 10.0 ** rng.uniform(-5, 0.7, n)
    return middle - half, middle + half


@pytest.mark.parametrize("function", ALL, ids=lambda f: f"{type(f).__name__}-{f.name}")
@pytest.mark.parametrize("which", ["value", "slope"])
def test_sound_and_tight(function, which):
    lo, hi = intervals(np.random.default_rng(7))
    x = Interval(lo, hi)
    with np.errstate(all="ignore"):
        found = value_range(function, x) if which == "value" else slope_range(function, x)
        samples = lo + np.linspace(0, 1, 4001)[:, None] * (hi - lo)  # (4001, n)
        y = (function.f if which == "value" else function.df)(samples)
        least, most = y.min(axis=0), y.max(axis=0)
        known = found.known
        slack = 1e-12 * (1 + np.abs(y).max(axis=0))
        assert np.all((found.lo <= least + slack)[known])
        assert np.all((found.hi >= most - slack)[known])
        assert np.all(np.isfinite(y[:, known]))
        room = 0.1 * (most - least) + 2e-3 * np.abs(y).max(axis=0) + 1e-9 + 0.08 * (hi - lo)
        assert np.all((found.hi - found.lo <= most - least + 2 * room)[known])
    # ends of a domain and poles are the only reason not to know
    if which == "value" and getattr(function, "domain", None) is not None:
        covered = [function.domain.covers(a, b) for a, b in zip(lo, hi, strict=True)]
        assert np.array_equal(known, covered)
    elif which == "value":
        assert known.all()
