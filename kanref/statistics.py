r"""Statistics over the batch: what the regularisers and the attribution scores are made of.

A forward pass of a layer can accumulate, per edge, the mean of \|φ\| and the first two moments of
φ, without ever holding the (N, n_in, n_out) array of all φ. The moments are kept as
(count, mean, M2), with M2 = Σ (φ - mean)², because Σ φ² cancels; two batches are merged by the
pairwise rule of Chan, Golub & LeVeque (1979), in double precision whatever the model's dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from ._arrays import Array, absolute, accumulator_dtype, namespace, real, where


@dataclass(frozen=True)
class Moments:
    """Count, mean and M2 = Σ (v - mean)² of a quantity over the batch, element by element.

    Attributes
    ----------
    count : int
        How many values there were.
    mean : array
        Their mean.
    m2 : array
        The sum of squared distances from it.
    """

    count: int
    mean: Array
    m2: Array

    @classmethod
    def of(cls, values: Array, axis: int = 0) -> Moments:
        """Take the moments of `values` along `axis`, the samples."""
        xp = namespace(values)
        values = xp.astype(values, accumulator_dtype(values), copy=False)
        count = values.shape[axis]
        mean = xp.sum(values, axis=axis, keepdims=True) / count
        m2 = xp.sum((values - mean) ** 2, axis=axis)
        return cls(count, xp.squeeze(mean, axis=axis), m2)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both batches together.

        Parameters
        ----------
        other : Moments
            Of more samples.
        """
        count = self.count + other.count
        delta = other.mean - self.mean
        mean = self.mean + delta * (other.count / count)
        m2 = self.m2 + other.m2 + delta**2 * (self.count * other.count / count)
        return Moments(count, mean, m2)

    def std(self) -> Array:
        """Return the standard deviation with divisor N - 1; 0 for fewer than two samples."""
        xp = namespace(self.m2)
        if self.count < 2:
            return xp.zeros_like(self.m2)
        positive = ~(real(self.m2) <= 0)  # NaN stays NaN
        root = xp.sqrt(where(positive, self.m2, 1.0) / (self.count - 1))
        return where(positive, root, 0.0)

    def std_cotangent(self, dstd: Array) -> tuple[Array, Array]:
        """Turn a cotangent of the standard deviation into an affine cotangent of the values.

        With σ² = M2 / (N - 1), ∂σ/∂v_n = (v_n - mean) / ((N - 1) σ), and 0 where σ = 0.

        Parameters
        ----------
        dstd : array
            Cotangent of the standard deviation.

        Returns
        -------
        constant, slope : arrays
            dv_n = constant + slope · v_n.
        """
        sigma = self.std()
        positive = real(sigma) > 0
        slope = where(positive, dstd / (max(self.count - 1, 1) * where(positive, sigma, 1.0)), 0.0)
        return -slope * self.mean, slope


@dataclass(frozen=True)
class LayerStatistics:
    r"""What one layer did on a batch.

    Attributes
    ----------
    x : Moments, (n_in,)
        The inputs of the layer.
    mean_abs : (n_in, n_out)
        The batch mean of \|φ_ij\|: the L1 norm of an edge in the KAN paper (its eq. 2.17).
    edges : Moments, (n_in, n_out)
        The edge values φ_ij; 0 on dead edges.
    u : Moments, (n_out,)
        The sums of the edges, before the subnode affine.
    """

    x: Moments
    mean_abs: Array
    edges: Moments
    u: Moments

    def merge(self, other: LayerStatistics) -> LayerStatistics:
        """Return the statistics of both batches together.

        Parameters
        ----------
        other : LayerStatistics
            Of more samples.
        """
        n, m = self.edges.count, other.edges.count
        mean_abs = self.mean_abs + (other.mean_abs - self.mean_abs) * (m / (n + m))
        return LayerStatistics(
            self.x.merge(other.x), mean_abs, self.edges.merge(other.edges), self.u.merge(other.u)
        )


def mean_absolute(values: Array, axis: int = 0) -> Array:
    r"""Return the mean of \|v\| along `axis`, the samples, in double precision.

    Parameters
    ----------
    values : array
        Of any shape.
    axis : int
        The axis that vanishes.
    """
    xp = namespace(values)
    dtype = accumulator_dtype(values)
    return xp.sum(absolute(values), axis=axis, dtype=dtype) / values.shape[axis]


def merge_statistics(parts: Sequence[Sequence[LayerStatistics]]) -> list[LayerStatistics]:
    """Merge the statistics of several batches, layer by layer, in order.

    Parameters
    ----------
    parts : sequence of sequence of LayerStatistics
        For each batch those of all layers.

    Returns
    -------
    list of LayerStatistics
        One for each layer.
    """
    return [reduce(LayerStatistics.merge, layer) for layer in zip(*parts, strict=True)]
