"""How many threads, blocks and bytes of shared memory the CUDA kernels get: plain arithmetic.

Everything here runs without a device. The constants that the source shares are checked by the
tests; the others were chosen by counting, not by measuring (``docs/gpu.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

THREADS = 128
"""Threads of a block."""

SAMPLES = 8
"""Samples of one thread in `forward`; SAMPLES in the source."""

GROUP = 4
"""Samples of one group of threads in `input_cotangents`; GROUP in the source."""

WARP = 32

SHARED_BYTES = 48 * 1024
"""What a block may have without asking for more."""

LEAST_LANES = 4
"""So that the samples of a block, 8 times 128 / lanes, fit into shared memory."""

STAGED = 256
"""Features that a block of `forward` holds at a time."""

ENOUGH_BLOCKS = 1024
"""So many blocks keep a large device busy: 8 for each of some 130 processors."""

LEAST_SAMPLES = 64
"""A walker with fewer samples than this is not worth a slab of its own."""

SLAB_BYTES = 2**27
"""What the slabs of one layer may take, unless a single slab takes more."""

FAN = 32
"""Slabs that one thread adds up."""


class Launch(NamedTuple):
    """A grid of `blocks`, each of `threads` and with `shared` bytes."""

    blocks: int
    threads: int
    shared: int


@dataclass(frozen=True)
class LayerSize:
    """The sizes of a layer on a batch, and what follows from them."""

    N: int
    n_in: int
    n_out: int
    G: int
    k: int
    linear: bool
    itemsize: int

    @property
    def rows(self) -> int:
        """Splines of an input, G + k."""
        return self.G + self.k

    @property
    def cells(self) -> int:
        """Cells that samples are sorted into; in "zero" mode k more on each side."""
        return self.G if self.linear else self.G + 2 * self.k

    @property
    def feature(self) -> int:
        """Bytes of a Feature in the source: 2 (k + 1) + 2 numbers and three integers."""
        return _up((2 * self.k + 4) * self.itemsize + 12, self.itemsize) * self.itemsize

    @property
    def lanes(self) -> int:
        """Threads side by side along the outputs: a power of two."""
        return min(THREADS, 1 << max(0, self.n_out - 1).bit_length())


@dataclass(frozen=True)
class ForwardPlan:
    """Launch of `forward`: `slabs` of `inputs` inputs, `chunk` of them staged at a time."""

    launch: Launch
    lanes: int
    chunk: int
    inputs: int
    slabs: int

    @classmethod
    def of(cls, size: LayerSize) -> ForwardPlan:
        """Plan it; where outputs and samples make few blocks, the inputs are shared out too."""
        lanes = max(LEAST_LANES, size.lanes)
        tile = THREADS // lanes * SAMPLES
        chunk = min(size.n_in, max(1, STAGED // tile))
        blocks = _up(size.n_out, lanes) * _up(size.N, tile)
        wanted = min(_up(ENOUGH_BLOCKS // 4, blocks), _up(size.n_in, chunk))
        inputs = _up(_up(size.n_in, wanted), chunk) * chunk
        slabs = _up(size.n_in, inputs)
        launch = Launch(blocks * slabs, THREADS, chunk * tile * size.feature)
        return cls(launch, lanes, chunk, inputs, slabs)


@dataclass(frozen=True)
class WalkPlan:
    """Launches of the kernels whose threads walk along samples.

    The samples are cut into `splits` of `length`, and each split into `slices`; a walker has one
    slice, and leaves one slab.
    """

    size: LayerSize
    lanes: int
    slices: int
    splits: int
    length: int

    @classmethod
    def of(cls, size: LayerSize) -> WalkPlan:
        """Plan it: as many walkers as keep the device busy, as few slabs as do not flood it."""
        lanes = size.lanes
        one = size.n_in * size.rows * size.n_out * size.itemsize  # bytes of a slab
        affordable = max(1, SLAB_BYTES // one)
        slices = max(1, min(THREADS // lanes, affordable, _up(size.N, LEAST_SAMPLES)))
        blocks = _up(size.n_out, lanes) * size.n_in
        wanted = min(_up(ENOUGH_BLOCKS, blocks), affordable // slices)
        wanted = max(1, min(wanted, _up(size.N, slices * LEAST_SAMPLES)))
        length = _up(size.N, wanted)
        return cls(size, lanes, slices, _up(size.N, length), length)

    @property
    def slabs(self) -> int:
        """Partial sums of each edge."""
        return self.splits * self.slices

    @property
    def sort(self) -> Launch:
        """Launch of `sort_by_cell`: a block for each input and split."""
        shared = 8 * THREADS + (4 * self.size.cells if self.sort_in_shared else 0)
        return Launch(self.size.n_in * self.splits, THREADS, shared)

    @property
    def sort_in_shared(self) -> bool:
        """Whether the counts of all cells fit into shared memory."""
        return 8 * THREADS + 4 * self.size.cells <= SHARED_BYTES

    @property
    def walk(self) -> Launch:
        """Launch of `edge_gradients` and `edge_statistics`."""
        threads = self.lanes * self.slices
        blocks = _up(self.size.n_out, self.lanes) * self.size.n_in * self.splits
        return Launch(blocks, threads, threads * self.size.feature)


def plan_inputs(size: LayerSize) -> tuple[Launch, int]:
    """Return the launch of `input_cotangents` and its lanes."""
    lanes = min(WARP, max(LEAST_LANES, size.lanes))
    tile = THREADS // lanes * GROUP
    return Launch(size.n_in * _up(size.N, tile), THREADS, tile * size.feature), lanes


def per_element(count: int) -> Launch:
    """Return a launch with a thread for each of `count` elements."""
    return Launch(_up(count, THREADS), THREADS, 0)


def _up(a: int, b: int) -> int:
    """Return a / b, rounded up."""
    return -(-a // b)
