"""Fixtures that several files share."""

from __future__ import annotations

import sys

import pytest


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
