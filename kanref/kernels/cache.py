"""The compiled kernels on disk: where they are, whether they can be there, compiling them ahead.

Numba keeps what it compiled beside the source, in ``__pycache__``; where that cannot be written, as
in an installation that belongs to the system, in a folder of the user; or in ``NUMBA_CACHE_DIR``,
where that is set. Where nothing can be written, Numba would refuse to cache, and with that to
compile: :func:`cache_directory` finds out first, and the kernels are then compiled in memory, anew
in each process.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..functions import base_function
from ..layer import EdgeCotangent, Layer

DTYPES = ("float64", "float32")
DEGREES = (0, 1, 2, 3, 4, 5)
"""What the kernels can be compiled for."""

SIZES = ((7, 2, 3, 4), (1100, 40, 25, 5))
"""(N, n_in, n_out, G) that take different ways through the kernels: on one thread, on several."""

STAMP = "kanref-kernels.sha256"
"""Beside the kernels: what they were compiled from."""

PROBE = bytes(2**16)
"""A folder in which not even so much can be written is full."""


@functools.cache
def cache_directory() -> Path | None:
    """Return the folder of the compiled kernels, or None where there is none to write to.

    None also where Numba is not installed or does not compile (``NUMBA_DISABLE_JIT``).
    """
    try:
        from numba import njit

        probe = njit(cache=True)(_probe)
        folder = Path(str(probe.stats.cache_path))
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(PROBE)
        _discard_stale(folder)
    except (ImportError, AttributeError, RuntimeError, OSError):
        return None
    return folder


COMPILED = ("basis", "edges", "loops", "moments", "vector")
"""The modules whose text goes into the compiled kernels."""


def _discard_stale(folder: Path) -> None:
    """Remove what was compiled from other sources than those that are here.

    Numba compares each file with what was compiled from it, but kernels of one file hold those of
    another, which they call: after an upgrade they would go on as they were.
    """
    sources = [Path(__file__).with_name(f"{name}.py") for name in COMPILED]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text() == digest:
        return
    for suffix in ("nbi", "nbc"):
        for path in folder.glob(f"*.{suffix}"):
            path.unlink(missing_ok=True)
    stamp.write_text(digest)


def _probe() -> None:
    """Stand for the kernels: Numba looks at the file that a function is in."""


@dataclass(frozen=True)
class Warmup:
    """What :func:`warmup` has done.

    Attributes
    ----------
    dtypes, degrees : tuple
        What the kernels are ready for.
    compiled, loaded : int
        Functions that were compiled, and that were on disk already.
    seconds : float
        Wall time.
    directory : Path or None
        Where they are; None where there is no place for them.
    """

    dtypes: tuple[str, ...]
    degrees: tuple[int, ...]
    compiled: int
    loaded: int
    seconds: float
    directory: Path | None


def warmup(dtypes: Sequence[str] = ("float64",), degrees: Sequence[int] = (3,)) -> Warmup:
    """Compile the kernels ahead of their first use.

    Parameters
    ----------
    dtypes : sequence of {"float64", "float32"}
        Of the models to come.
    degrees : sequence of int
        Of their splines, 0 to 5.

    Raises
    ------
    ValueError
        If a dtype or a degree is none that the kernels have.
    ModuleNotFoundError
        If Numba is not installed; there is then nothing to compile, and nothing that is needed.

    Examples
    --------
    >>> warmup(degrees=[9])
    Traceback (most recent call last):
        ...
    ValueError: `degrees` must be of 0, 1, 2, 3, 4, 5, got [9]
    """
    for name, values, known in (("dtypes", dtypes, DTYPES), ("degrees", degrees, DEGREES)):
        if not values or not set(values) <= set(known):
            raise ValueError(
                f"`{name}` must be of {', '.join(map(str, known))}, got {list(values)!r}"
            )
    from . import cpu

    start, before = time.perf_counter(), _counts()
    for dtype in dict.fromkeys(dtypes):
        for k in dict.fromkeys(degrees):
            for size in SIZES:
                _run(cpu, dtype, k, size)
    compiled, loaded = (now - then for now, then in zip(_counts(), before, strict=True))
    seconds = time.perf_counter() - start
    return Warmup(tuple(dtypes), tuple(degrees), compiled, loaded, seconds, cache_directory())


def _run(cpu: Any, dtype: str, k: int, size: tuple[int, int, int, int]) -> None:
    """Take a layer forward and backward, as a fit does: with statistics and without."""
    n_samples, n_in, n_out, G = size
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (n_samples, n_in)).astype(dtype)
    layer = _layer(rng, n_in, n_out, G, k, dtype)
    r = np.zeros((n_in, n_out), dtype)
    for columns in (x, np.asfortranarray(x)):  # a data frame has its columns one after the other
        for sums, cotangent in ((False, None), (True, EdgeCotangent(r, r, r))):
            y, cache = cpu.layer_forward(layer, columns, sums=sums)
            cpu.layer_backward(layer, cache, y, cotangent)


def _layer(rng: np.random.Generator, n_in: int, n_out: int, G: int, k: int, dtype: str) -> Layer:
    """Return a layer of splines on uniform grids over [-1, 1]."""
    knots = np.linspace(-1 - 2 * k / G, 1 + 2 * k / G, G + 2 * k + 1)
    scale = np.ones((n_in, n_out), dtype)
    coef = rng.normal(size=(n_in, G + k, n_out)).astype(dtype)
    return Layer(
        knots=np.tile(knots, (n_in, 1)).astype(dtype),
        coef=coef.transpose(0, 2, 1),
        scale_base=scale,
        scale_spline=scale,
        mask=np.ones((n_in, n_out), dtype=bool),
        affine=np.zeros((0, 4), dtype),
        symbolic=(),
        k=k,
        extrapolate="linear",
        base_fun=base_function("silu"),
    )


def _counts() -> tuple[int, int]:
    """Return how many functions this process has compiled, and how many it has loaded."""
    stats = [dispatcher.stats for dispatcher in dispatchers()]
    return (
        sum(sum(s.cache_misses.values()) for s in stats),
        sum(sum(s.cache_hits.values()) for s in stats),
    )


def dispatchers() -> Iterator[Any]:
    """Yield the functions of the kernels that Numba compiles."""
    from numba.core.dispatcher import Dispatcher

    package = __package__ + "."
    modules = [module for name, module in sys.modules.items() if name.startswith(package)]
    found = {id(value): value for module in modules for value in vars(module).values()}
    yield from (value for value in found.values() if isinstance(value, Dispatcher))
