"""pykan, the library of the paper's authors, by default and after ``speed()``."""

from __future__ import annotations

import sys

from . import Case, Contestant
from ._torch import contestant, prepare


def build(case: Case, speed: bool = False) -> Contestant:
    """Build ``kan.KAN``; it writes no files. Random coefficients, as for efficient-kan."""
    torch = prepare(case)
    from kan import KAN

    library = sys.modules["kan.KANLayer"]  # the module: kan.KANLayer is the class

    def random_coefficients(x, y, grid, k):
        return 0.1 * torch.randn(y.shape[1], y.shape[2], grid.shape[1] - k - 1)

    fitted = library.curve2coef
    library.curve2coef = random_coefficients
    try:
        model = KAN(
            width=list(case.widths), grid=case.G, k=case.k, seed=0, auto_save=False, device="cpu"
        )
    finally:
        library.curve2coef = fitted
    if speed:
        model.speed()
    return contestant(torch, model, case)
