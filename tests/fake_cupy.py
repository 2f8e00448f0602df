"""CuPy for machines without a device: its arrays are NumPy's, behind glass.

What CuPy refuses is refused here too: NumPy does not read an array implicitly, and arrays of both
kinds do not mix. Kernels run on the host (``cuda_host.py``). `crossings` counts what goes over the
bus: arrays and numbers that are read back, arrays that are copied to the device.
"""

from __future__ import annotations

import re
import types
from collections import Counter

import cuda_host
import numpy as np

from kanref.kernels import device

crossings: Counter[str] = Counter()
kernels: list[tuple[str, int, int, int]] = []


class ndarray:
    """An array of the device."""

    __module__ = "cupy"

    def __init__(self, a: np.ndarray) -> None:
        self.a = a

    def get(self) -> np.ndarray:
        crossings["array to host"] += 1
        return self.a.copy()

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def _number(self, kind: type):
        assert self.a.size == 1
        crossings["number to host"] += 1
        return kind(self.a.item())

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __bool__(self) -> bool:
        return self._number(bool)

    def tolist(self):
        return self.get().tolist()

    def __len__(self) -> int:
        return len(self.a)

    def __iter__(self):
        return (wrap(row) for row in self.a)

    def __getitem__(self, key):
        return wrap(self.a[unwrap(key)])

    def __setitem__(self, key, value) -> None:
        self.a[unwrap(key)] = unwrap(value)

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(self.a, name)
        if callable(value):
            return lambda *args, **options: wrap(value(*unwrap(args), **unwrap(options)))
        return wrap(value)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__":
            return NotImplemented
        return wrap(ufunc(*unwrap(inputs), **unwrap(options)))

    def __array_function__(self, function, kinds, args, options):
        return wrap(function(*unwrap(args), **unwrap(options)))


def _operator(name: str):
    return lambda self, *others: wrap(getattr(self.a, name)(*unwrap(others)))


for _text in [
    "add",
    "sub",
    "mul",
    "truediv",
    "pow",
    "matmul",
    "mod",
    "floordiv",
    "and",
    "or",
    "xor",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
]:
    setattr(ndarray, f"__{_text}__", _operator(f"__{_text}__"))
    if _text not in "lt le gt ge eq ne":
        setattr(ndarray, f"__r{_text}__", _operator(f"__r{_text}__"))
for _text in ["neg", "invert", "abs"]:
    setattr(ndarray, f"__{_text}__", _operator(f"__{_text}__"))


def _in_place(name: str):
    def run(self, other):
        getattr(self.a, name)(unwrap(other))
        return self

    return run


for _text in ["iadd", "isub", "imul", "itruediv"]:
    setattr(ndarray, f"__{_text}__", _in_place(f"__{_text}__"))


def wrap(value):
    """Put what NumPy returned behind glass; CuPy has no scalars, only arrays of no dimension."""
    if isinstance(value, (np.ndarray, np.generic)):
        return ndarray(np.asarray(value))
    if isinstance(value, (tuple, list)) and any(isinstance(v, np.ndarray) for v in value):
        return type(value)(wrap(v) for v in value)
    return value


def unwrap(value):
    """Return NumPy arrays for ours; an array of the host among the arguments is a mistake."""
    if isinstance(value, ndarray):
        return value.a
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, (tuple, list)):
        return type(value)(unwrap(v) for v in value)
    return {k: unwrap(v) for k, v in value.items()} if isinstance(value, dict) else value


def asarray(a, dtype=None, order=None, *, copy=None):
    if isinstance(a, ndarray):
        return ndarray(np.array(a.a, dtype, copy=copy))
    if isinstance(a, list) or (isinstance(a, np.ndarray) and a.ndim):
        crossings["array to device"] += 1
    return ndarray(np.array(unwrap(a) if isinstance(a, list) else a, dtype))


class RawModule:
    """Kernels by the names of their source, on the host."""

    def __init__(self, code: str, options: tuple[str, ...]) -> None:
        defined = dict(re.findall(r"-D(\w+)=(\w+)", " ".join(options)))
        dtypes = {real: dtype for dtype, real in device.REALS.items()}
        self.dtype, self.k = dtypes[defined["REAL"]], int(defined["DEGREE"])
        self.declared = cuda_host.signatures(code)

    def get_function(self, name: str):
        def kernel(grid, block, args, *, shared_mem=0):
            how = (*grid, *block, shared_mem)
            kernels.append((name, *how))
            given = [_kernel_argument(a) for a in args]
            for parameter, value in zip(self.declared[name], given, strict=True):
                cuda_host.check(parameter, value, np.dtype(self.dtype))
            function = getattr(cuda_host.library(self.dtype, self.k), f"launch_{name}")
            assert function(*how, *(cuda_host.argument(a) for a in given)) == 0

        return kernel


def _kernel_argument(value):
    """Return an array, a null pointer, or an integer of 32 or 64 bits."""
    if isinstance(value, ndarray):
        return value.a
    if isinstance(value, np.uint64):
        assert value == 0
        return None
    assert isinstance(value, (np.int32, np.int64)), type(value)
    return int(value) if isinstance(value, np.int32) else value


class OutOfMemoryError(MemoryError):
    """As CuPy's, which is a MemoryError."""


def module(count: int = 1) -> types.ModuleType:
    """Return a module that can stand as `cupy` in `sys.modules`, with so many devices."""

    class Fake(types.ModuleType):
        def __getattr__(self, name: str):
            value = getattr(np, name)
            if not callable(value) or isinstance(value, type):
                return value
            return lambda *args, **options: wrap(value(*unwrap(args), **unwrap(options)))

    fake = Fake("cupy")
    fake.ndarray, fake.asarray, fake.array, fake.RawModule = ndarray, asarray, _array, RawModule
    properties = {"name": b"Imaginary", "totalGlobalMem": 8 * 2**30, "major": 9, "minor": 0}
    runtime = types.SimpleNamespace(
        getDeviceCount=lambda: count, getDeviceProperties=lambda number: properties
    )
    fake.cuda = types.SimpleNamespace(runtime=runtime)
    return fake


def _array(a, dtype=None):
    return asarray(a, dtype, copy=True)
