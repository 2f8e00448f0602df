r"""The penalty of the estimators: smooth splines of no more than the needed size.

.. math:: P = \sum_{lij} \Bigl( \sum_m (c_{m+1} - 2 c_m + c_{m-1})^2
          + 10^{-1} \sum_m c_m^2 + 10^{-3}\, \text{scale\_base}^2 \Bigr)

The first term is that of P-splines (Eilers & Marx 1996, *Flexible smoothing with B-splines and
penalties*, Statistical Science 11:89). With a large factor the splines vanish, and on the base
function "identity", which costs next to nothing, a linear model is left. Unlike the penalties of
:mod:`kanref.regularization` P is smooth, which suits L-BFGS, and knows nothing of the batch, so
that it stays the same if rows occur twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..network import Network
from ..parameters import changed
from ..regularization import Penalty, Regularizer

SIZE = 0.1
"""Share of the sizes of the coefficients, beside that of the roughness."""

BASE = 0.001
"""Share of the sizes of the linear parts, the base functions."""


@dataclass(frozen=True)
class Roughness(Regularizer):
    """The penalty P with its factor `lamb`; the other fields of a Regularizer mean nothing here.

    Examples
    --------
    >>> from kanref import KAN
    >>> penalty = Roughness(lamb=0.5)(KAN([2, 1], seed=0, spline_scale=False).network)
    >>> penalty.gradient.layers[0].coef.shape
    (2, 1, 8)
    """

    @property
    def needs_statistics(self) -> bool:
        """False: P depends on the parameters alone."""
        return False

    def __call__(self, network: Network, statistics: Sequence[Any] | None = None) -> Penalty:
        """Return P with its gradient."""
        value, layers = 0.0, []
        for layer in network.layers:
            numeric = layer.numeric
            c = np.where(numeric[:, :, None], layer.coef, 0.0)  # (n_in, n_out, G+k)
            base = np.where(numeric, layer.scale_base, 0.0)
            bend = np.diff(c, n=2, axis=2)  # (n_in, n_out, G+k-2)
            value += np.sum(bend**2) + SIZE * np.sum(c**2) + BASE * np.sum(base**2)
            dcoef = 2 * SIZE * c
            if bend.shape[2]:
                dcoef[:, :, 2:] += 2 * bend
                dcoef[:, :, 1:-1] -= 4 * bend
                dcoef[:, :, :-2] += 2 * bend
            zeros = {
                name: None if getattr(layer, name) is None else np.zeros_like(getattr(layer, name))
                for name in ("scale_spline", "affine")
            }
            layers.append(changed(layer, coef=dcoef, scale_base=2 * BASE * base, **zeros))
        return Penalty(float(value), None, network.with_parts(layers))
