r"""Regularisation: a penalty on the activities of a network, with its cotangents and gradient.

.. math:: R = \sum_l \bigl[ \text{lamb\_l1} \sum V^{(l)} + \text{lamb\_entropy}\, S(V^{(l)}) \bigr]
    + \sum_l \sum_{im} \operatorname{mean}_j \bigl[ \text{lamb\_coef}\, |c_{ijm}|
    + \text{lamb\_coefdiff}\, |c_{ij,m+1} - c_{ijm}| \bigr]

and training minimises loss + lamb·R. What V is, is the metric; σ is the standard deviation over the
batch (divisor N - 1), φ the total of an edge, and V is (n_in, n_out) per layer:

===================== ============================================= ===========================
`reg_metric`          V_ij                                          entropy
===================== ============================================= ===========================
l1                    mean \|φ_ij\|, the KAN paper's eq. 2.17       :func:`~.entropy.entropy`
weight                mean over m of \|c_ijm\|, as efficient-kan    :func:`~.entropy.entropy`
edge_forward_spline_n σ(φ_ij) / (σ(x_i) + 0.1), numeric edges only  row_column_entropy
edge_forward_sum      σ(φ_ij) / (σ(x_i) + 0.1)                      row_column_entropy
edge_forward_spline_u σ(φ_ij)                                       row_column_entropy
edge_backward         the edge scores of :mod:`.attribution`        row_column_entropy
node_backward         scores (node of level l, input), l = 1, …, L  row_column_entropy
===================== ============================================= ===========================

A dead edge has V = 0 and adds nothing to the sums, nor to the entropies. The coefficients count
where they act, on the numeric edges (`weight`, `lamb_coef`, `lamb_coefdiff`); means over j still
divide by n_out. Derivatives of σ and of \|·\| at 0 are 0. All gradients are exact; ``detach=True``
instead leaves out what the paper's library takes for constant: all of V in `edge_forward_sum`, the
spread U of the sums in `edge_backward` and `node_backward`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from ._arrays import Array, absolute, accumulator_dtype, namespace, sign, where
from .activity import ACTIVITIES, Cotangent, layer_cotangent
from .entropy import entropy, row_column_entropy
from .layer import PARAMETERS as LAYER_PARAMETERS
from .layer import Layer
from .network import Network
from .nodes import NODE_PARAMETERS
from .statistics import LayerStatistics

REG_METRICS = ("l1", "weight", *(name for name in ACTIVITIES if name != "l1"))
"""The names of the metrics."""


@dataclass(frozen=True)
class Penalty:
    """R with what the backward pass needs of it.

    Attributes
    ----------
    value : 0-d array or float
        R.
    cotangents : list of (EdgeCotangent or None, NodeCotangent or None), or None
        Per layer: what R adds at the edges and nodes, for ``network_backward``.
    gradient : Network or None
        What R adds to the gradient directly, through any of the parameters.
    """

    value: Any
    cotangents: list[Cotangent] | None
    gradient: Network | None

    def scaled(self, factor: float) -> Penalty:
        """Return factor · R."""
        cotangents, gradient = self.cotangents, self.gradient
        if cotangents is not None:
            cotangents = [
                (_scaled(edge, factor), _scaled(node, factor)) for edge, node in cotangents
            ]
        if gradient is not None:
            layers = [_times(layer, LAYER_PARAMETERS, factor) for layer in gradient.layers]
            nodes = [_times(node, NODE_PARAMETERS, factor) for node in gradient.nodes]
            gradient = gradient.with_parts(layers, nodes)
        return Penalty(self.value * factor, cotangents, gradient)


@dataclass(frozen=True)
class Regularizer:
    """The penalty of this module, with its factors.

    Attributes
    ----------
    lamb : float
        Factor of the whole penalty. Calls return R itself; the objective multiplies it by `lamb`.
    lamb_l1, lamb_entropy : float
        Factors of the sum of the activities and of their entropy.
    lamb_coef, lamb_coefdiff : float
        Factors of the sizes of the coefficients and of their successive differences.
    reg_metric : str
        What is taken for the activity of an edge, see the table of this module.
    detach : bool
        Take for constant what the paper's library does: changes the gradient, not the value.

    Raises
    ------
    ValueError
        If `reg_metric` is unknown, or a factor is negative or not finite.

    Examples
    --------
    >>> Regularizer(lamb=1e-3, lamb_entropy=0.0, reg_metric="edge_backward").needs_statistics
    True
    >>> Regularizer(lamb=1e-3, reg_metric="L2")
    Traceback (most recent call last):
        ...
    ValueError: `reg_metric` must be one of l1, weight, edge_forward_spline_n, edge_forward_sum,
    edge_forward_spline_u, edge_backward, node_backward, got 'L2'
    """

    lamb: float = 0.0
    lamb_l1: float = 1.0
    lamb_entropy: float = 2.0
    lamb_coef: float = 0.0
    lamb_coefdiff: float = 0.0
    reg_metric: str = "l1"
    detach: bool = False

    def __post_init__(self) -> None:
        if self.reg_metric not in REG_METRICS:
            raise ValueError(
                f"`reg_metric` must be one of {', '.join(REG_METRICS)}, got {self.reg_metric!r}"
            )
        for name in ("lamb", "lamb_l1", "lamb_entropy", "lamb_coef", "lamb_coefdiff"):
            value = getattr(self, name)
            if not (isinstance(value, Real) and math.isfinite(value) and float(value) >= 0):
                raise ValueError(f"`{name}` must be finite and ≥ 0, got {value!r}")

    @property
    def needs_statistics(self) -> bool:
        """True where the penalty counts and depends on what the network does on the batch."""
        active = self.lamb > 0 and (self.lamb_l1 > 0 or self.lamb_entropy > 0)
        return active and self.reg_metric != "weight"

    def __call__(
        self, network: Network, statistics: Sequence[LayerStatistics] | None = None
    ) -> Penalty:
        """Return R at `network`, with its cotangents and gradient.

        Parameters
        ----------
        network : Network
            The network.
        statistics : sequence of LayerStatistics, optional
            Of every layer on the batch, where ``needs_statistics``. Without them, ``lamb=0`` means
            that R does not count, and is not evaluated: its value is 0.

        Returns
        -------
        Penalty
            R, not lamb·R.

        Raises
        ------
        ValueError
            If statistics are needed and missing, or not one entry per layer.
        """
        if statistics is None and self.lamb == 0:
            return Penalty(0.0, None, None)
        value, dcoef = self._smoothness(network)
        cotangents = None
        if self.lamb_l1 > 0 or self.lamb_entropy > 0:
            if self.reg_metric == "weight":
                sparsity, dsparsity = self._weight(network)
                dcoef = (
                    [a + b for a, b in zip(dcoef, dsparsity, strict=True)] if dcoef else dsparsity
                )
            else:
                sparsity, cotangents = self._activity(network, statistics)
            value = value + sparsity
        return Penalty(value, cotangents, _gradient(network, dcoef) if dcoef else None)

    def _activity(
        self, network: Network, statistics: Sequence[LayerStatistics] | None
    ) -> tuple[Any, list[Cotangent]]:
        """lamb_l1 ΣV + lamb_entropy S(V) of a metric made of statistics, and its cotangents."""
        got = 0 if statistics is None else len(statistics)
        if statistics is None or got != network.depth:
            raise ValueError(
                f"`reg_metric` {self.reg_metric!r} needs the statistics of every layer "
                f"({network.depth}), got {got}"
            )
        v, pullback = ACTIVITIES[self.reg_metric](network, statistics, self.detach)
        value, dv = self._sparsity(v)
        layers = zip(network.layers, statistics, pullback(dv), strict=True)
        return value, [layer_cotangent(layer, s, d) for layer, s, d in layers]

    def _weight(self, network: Network) -> tuple[Any, list[Array]]:
        """lamb_l1 ΣV + lamb_entropy S(V) of V = mean over m of |c_ijm|, and its gradient."""
        coefs = [_numeric_coef(layer) for layer in network.layers]
        v = [_sum_abs(c, axis=2) / c.shape[2] for c in coefs]
        value, dv = self._sparsity(v)
        dcoef = [
            namespace(c).astype(d[:, :, None], c.dtype) * sign(c) / c.shape[2]
            for d, c in zip(dv, coefs, strict=True)
        ]
        return value, dcoef

    def _sparsity(self, v: Sequence[Array]) -> tuple[Any, list[Array]]:
        """lamb_l1 ΣV + lamb_entropy S(V) over all layers, and its derivatives."""
        form = entropy if self.reg_metric in ("l1", "weight") else row_column_entropy
        value, dv = 0.0, []
        for activity in v:
            s, ds = form(activity)
            total = namespace(activity).sum(activity)
            value = value + self.lamb_l1 * total + self.lamb_entropy * s
            dv.append(self.lamb_l1 + self.lamb_entropy * ds)
        return value, dv

    def _smoothness(self, network: Network) -> tuple[Any, list[Array]]:
        """lamb_coef Σ mean_j |c| + lamb_coefdiff Σ mean_j |Δc|, and its gradient (or nothing)."""
        value: Any = 0.0
        dcoef: list[Array] = []
        if self.lamb_coef == 0 and self.lamb_coefdiff == 0:
            return value, dcoef
        for layer in network.layers:
            c, n_out = _numeric_coef(layer), layer.n_out  # (n_in, n_out, G+k)
            step = c[:, :, 1:] - c[:, :, :-1]  # (n_in, n_out, G+k-1)
            sizes = self.lamb_coef * _sum_abs(c) + self.lamb_coefdiff * _sum_abs(step)
            value = value + sizes / n_out
            xp = namespace(c)
            end = xp.zeros_like(c[:, :, :1])
            before = xp.concat([end, sign(step)], axis=2)  # sign of the step to c_m
            after = xp.concat([sign(step), end], axis=2)  # sign of the step from c_m
            dcoef.append((self.lamb_coef * sign(c) + self.lamb_coefdiff * (before - after)) / n_out)
        return value, dcoef


# --- coefficients --------------------------------------------------------------------------------


def _numeric_coef(layer: Layer) -> Array:
    """Return the coefficients of the numeric edges, 0 elsewhere: selected, never multiplied."""
    return where(layer.numeric[:, :, None], layer.coef, 0.0)


def _sum_abs(c: Array, axis: int | None = None) -> Array:
    return namespace(c).sum(absolute(c), axis=axis, dtype=accumulator_dtype(c))


def _gradient(network: Network, dcoef: Sequence[Array]) -> Network:
    """Return the network of gradients that holds `dcoef`, and 0 everywhere else."""
    layers = [
        replace(_zeros(layer, LAYER_PARAMETERS), coef=d)
        for layer, d in zip(network.layers, dcoef, strict=True)
    ]
    nodes = [_zeros(node, NODE_PARAMETERS) for node in network.nodes]
    return network.with_parts(layers, nodes)


def _zeros(part: Any, names: Sequence[str]) -> Any:
    """Return a layer or nodes with 0 for the parameters `names`."""
    arrays = {name: getattr(part, name) for name in names}
    zeros = {name: namespace(a).zeros_like(a) for name, a in arrays.items() if a is not None}
    return replace(part, **zeros)


def _times(part: Any, names: Sequence[str], factor: float) -> Any:
    """Return a layer or nodes with the parameters `names` multiplied by `factor`."""
    arrays = {name: getattr(part, name) for name in names}
    return replace(part, **{name: a * factor for name, a in arrays.items() if a is not None})


def _scaled(cotangent: Any, factor: float) -> Any:
    """Multiply every array of a cotangent."""
    if cotangent is None:
        return None
    return replace(cotangent, **{name: a * factor for name, a in vars(cotangent).items()})
