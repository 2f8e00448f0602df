"""Fixtures that several files share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BESIDE = {
    "benchmarks": ["test_benchmarks.py", "test_hello_kan.py"],
    "docs": ["test_docs.py", "test_docs_measured.py"],
    "notebooks": ["test_notebooks.py", "test_notebooks_client.py"],
}
"""Folders beside the package that an sdist does not hold, and the tests of what is in them."""

LACKING = [name for name in BESIDE if not (Path(__file__).parents[1] / name).is_dir()]
collect_ignore = [test for name in LACKING for test in BESIDE[name]]


def pytest_report_header():
    """Say what is not tested, and why."""
    return [f"no {name}/ beside tests/: {', '.join(BESIDE[name])} left out" for name in LACKING]


@pytest.fixture(params=["host", pytest.param("device", marks=pytest.mark.gpu)])
def xp(request, monkeypatch):
    """CuPy: a stand-in whose kernels run on the host, and, where there is a device, itself."""
    if request.param == "device":
        import cupy

        yield cupy
        return
    import cuda_host
    import fake_cupy

    from kanref.kernels import device

    if cuda_host.COMPILER is None:
        pytest.skip("needs a C++ compiler: g++ or clang++")
    fake = fake_cupy.module()
    monkeypatch.setitem(sys.modules, "cupy", fake)
    device._module.cache_clear()
    fake_cupy.crossings.clear()
    fake_cupy.kernels.clear()
    yield fake
    device._module.cache_clear()
