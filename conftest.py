"""Settings of the test run, here at the root so that they hold for doctests and tests alike."""

from __future__ import annotations

import functools
import os

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"  # before anything imports pyplot: draw without a screen

# Derandomised: the same examples in every run, on every machine, and no database of old ones.
settings.register_profile(
    "kanref", derandomize=True, database=None, deadline=None, max_examples=40, print_blob=False
)
settings.load_profile("kanref")


@functools.cache
def missing_gpu() -> str | None:
    """Return why GPU tests cannot run here, None when they can."""
    try:
        import cupy
    except ImportError:
        return "needs CuPy: pip install 'kanref[gpu]'"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"needs a CUDA device: {error}"
    return None if count else "needs a CUDA device: none found"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") is not None:
        reason = missing_gpu()
        if reason is not None:
            pytest.skip(reason)
