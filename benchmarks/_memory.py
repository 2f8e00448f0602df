"""The resident memory of this process: how much a call adds at its peak."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def added_by(call: Callable[[], Any]) -> int:
    """Run `call` and return by how many bytes the resident memory rose at its peak.

    On Linux the peak is reset before the call, after the C library has given back what it held in
    reserve. Elsewhere the peak of the whole life of the process has to do.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = _reset()
    kept = call()  # the result is alive when the peak is read
    after = _peak()
    del kept
    return max(after - before, 0)


def _reset() -> int:
    """Set the peak to the present and return it."""
    try:
        RESET.write_text("5")
        return _status("VmRSS")
    except OSError:
        return _peak()


def _peak() -> int:
    if STATUS.exists():
        return _status("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(name: str) -> int:
    for line in STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {name} in {STATUS}")
