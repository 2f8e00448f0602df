"""Means and squared deviations of the edges, compiled by Numba; shapes as in ``loops.py``.

The values of all edges never exist at once: those of a small block of samples do, and the moments
of the blocks are merged (T. Chan, G. Golub & R. LeVeque, 1979).
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from .basis import OPTIONS
from .loops import add_input

STATISTICS_BLOCK = 64
"""Samples whose edge values are held at a time; their moments are merged in double precision.

Blocks of sorted samples are whole multiples of it.
"""


@njit(**OPTIONS)
def statistics_input(splines, i, work, weights, mean_abs, mean, m2):
    """Write the mean of |φ|, and the mean and M2 of φ, of the edges of input i."""
    n_samples, n_out = work[0].shape[2], mean.shape[1]
    phi = np.zeros((STATISTICS_BLOCK, n_out), weights[0].dtype)
    rows = np.empty(n_samples, np.int32)
    for p in range(n_samples):
        rows[p] = p % STATISTICS_BLOCK
    block_mean, block_m2 = np.zeros(n_out), np.zeros(n_out)
    mean_abs[i] = 0
    mean[i] = 0
    m2[i] = 0
    for first in range(0, n_samples, STATISTICS_BLOCK):
        last = min(first + STATISTICS_BLOCK, n_samples)
        phi[:] = 0
        add_input(splines, i, first, last, work, weights, rows, phi)
        merge_moments(phi, last - first, first, mean_abs[i], mean[i], m2[i], block_mean, block_m2)
    for j in range(n_out):
        mean_abs[i, j] /= n_samples


@njit(**OPTIONS)
def merge_moments(phi, size, before, total_abs, mean, m2, block_mean, block_m2):
    """Merge `size` rows of phi into Σ |φ|, mean and M2 of the `before` rows seen so far."""
    block_mean[:] = 0
    block_m2[:] = 0
    for n in range(size):
        for j in range(mean.size):
            block_mean[j] += phi[n, j]
            total_abs[j] += abs(phi[n, j])
    for j in range(mean.size):
        block_mean[j] /= size
    for n in range(size):
        for j in range(mean.size):
            delta = phi[n, j] - block_mean[j]
            block_m2[j] += delta * delta
    total = before + size
    for j in range(mean.size):
        delta = block_mean[j] - mean[j]
        mean[j] += delta * (size / total)
        m2[j] += block_m2[j] + delta * delta * (before * size / total)


@njit(**OPTIONS)
def column_moments(values):
    """Return mean and M2 of the columns of values (N, n), in double precision."""
    mean, m2 = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for n in range(values.shape[0]):
        for i in range(mean.size):
            mean[i] += values[n, i]
    for i in range(mean.size):
        mean[i] /= values.shape[0]
    for n in range(values.shape[0]):
        for i in range(mean.size):
            m2[i] += (values[n, i] - mean[i]) ** 2
    return mean, m2


@njit(**OPTIONS)
def statistics_one_thread(splines, work, weights, mean_abs, mean, m2):
    """Compute the statistics of all edges of a layer."""
    for i in range(mean.shape[0]):
        statistics_input(splines, i, work, weights, mean_abs, mean, m2)


@njit(parallel=True, **OPTIONS)
def statistics_threads(splines, work, weights, mean_abs, mean, m2):
    """Do the same, inputs spread over the threads: the same bits."""
    for i in prange(mean.shape[0]):
        statistics_input(splines, i, work, weights, mean_abs, mean, m2)
