"""efficient-kan: the dense basis of all inputs, then one matrix product."""

from __future__ import annotations

from . import Case, Contestant
from ._torch import contestant, prepare


def build(case: Case) -> Contestant:
    """Build ``efficient_kan.KAN`` on its default range, with random coefficients.

    Its own initial coefficients come from a least-squares fit that takes minutes at large G; what
    the coefficients are makes no difference to the time of a step.
    """
    torch = prepare(case)
    import efficient_kan.kan as library

    def random_coefficients(self, x, y):
        shape = (self.out_features, self.in_features, self.grid_size + self.spline_order)
        return 0.1 * torch.randn(shape)

    fitted = library.KANLinear.curve2coeff
    library.KANLinear.curve2coeff = random_coefficients
    try:
        model = library.KAN(list(case.widths), grid_size=case.G, spline_order=case.k)
    finally:
        library.KANLinear.curve2coeff = fitted
    return contestant(torch, model.to(getattr(torch, case.dtype)), case)
