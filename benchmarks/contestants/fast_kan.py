"""fast-kan: Gaussian radial basis functions in place of B-splines, G + k of them."""

from __future__ import annotations

from . import Case, Contestant
from ._torch import contestant, prepare


def build(case: Case) -> Contestant:
    """Build ``fastkan.FastKAN`` with as many centres as a spline has coefficients."""
    torch = prepare(case)
    from fastkan.fastkan import FastKAN

    model = FastKAN(list(case.widths), num_grids=case.G + case.k)
    return contestant(torch, model.to(getattr(torch, case.dtype)), case)
