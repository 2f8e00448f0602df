"""`kanref info` and `kanref warmup`: what there is to compute with, and getting it ready."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from ..kernels import numba_kernels
from ..kernels.cache import cache_directory, warmup
from ..kernels.device import devices, missing
from ..report import versions
from .errors import Refused

EXTRAS = ("typer", "pandas", "pyarrow", "polars", "scikit-learn")


def info() -> tuple[str, Mapping[str, Any]]:
    """Return the versions, the backends and where kernels are kept, as text and as data."""
    found: dict[str, Any] = dict(versions())
    found["extras"] = {name: _version(name) for name in EXTRAS}
    numba = numba_kernels() is not None
    found["numba"] = _version("numba") if numba else None
    found["cupy"] = _version_of_cupy()
    found["devices"] = devices()
    found["kernels"] = str(cache_directory()) if numba and cache_directory() else None
    found["threads"] = _threads(numba)
    found["processors"] = len(_processors())
    lines = [f"{name:9} {found[name]}" for name in versions()]
    extras = (f"{name} {version or 'not installed'}" for name, version in found["extras"].items())
    lines.insert(-1, f"{'extras':9} {', '.join(extras)}")
    lines += [
        "backends  numpy: always there; the definition",
        f"          numba: {_about_numba(found)}",
        f"          cupy: {_about_cupy(found)}",
        f"threads   {found['threads']} of {found['processors']} processors",
    ]
    lines += [f"device {number}  {about}" for number, about in enumerate(found["devices"])]
    if numba:
        place = found["kernels"] or "nowhere to write to: compiled in memory, in each process anew"
        lines.append(f"kernels   {place}")
    return "\n".join(lines), found


def _about_numba(found: Mapping[str, Any]) -> str:
    if found["numba"]:
        return f"there ({found['numba']}), and the default"
    return "not there; NumPy computes instead, and everything works (pip install numba: faster)"


def _about_cupy(found: Mapping[str, Any]) -> str:
    reason = missing()
    if reason is not None:
        return f"not there: it {reason}"
    return f"there ({found['cupy']}), for models with backend 'cupy'"


def _version_of_cupy() -> str | None:
    """Return the version of CuPy, which is installed under a name for each version of CUDA."""
    try:
        import cupy
    except ImportError:
        return None
    return str(cupy.__version__)


def _threads(numba: bool) -> int:
    """Return how many threads compute a large layer."""
    if not numba:
        return 1
    from numba import config  # asking the threads themselves would start them

    return int(vars(config)["NUMBA_NUM_THREADS"])


def _processors() -> Sequence[int]:
    """Return the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def warm_up(dtypes: Sequence[str], degrees: Sequence[int]) -> tuple[str, Mapping[str, Any]]:
    """Compile the kernels; return what was done, as text and as data."""
    if numba_kernels() is None:
        text = "there is nothing to compile: Numba is not installed, and NumPy computes instead"
        return text, {"compiled": 0, "loaded": 0, "seconds": 0.0, "directory": None}
    try:
        done = warmup(dtypes, degrees)
    except ValueError as error:
        raise Refused(
            str(error).replace("`dtypes`", "--dtype").replace("`degrees`", "--k")
        ) from None
    names = ", ".join(done.dtypes), ", ".join(map(str, done.degrees))
    lines = [
        f"compiled {done.compiled} kernels in {done.seconds:.1f} s, "
        f"{done.loaded} were there already",
        f"ready for {names[0]}, splines of degree {names[1]}",
        f"kept in {done.directory}"
        if done.directory
        else "kept nowhere: there is no folder to write to (NUMBA_CACHE_DIR names one)",
    ]
    data = {**vars(done), "directory": str(done.directory) if done.directory else None}
    return "\n".join(lines), data
