"""Vectors over the outputs of a layer, for loops whose sums must stay in registers.

LLVM vectorises a loop only after it has compared the addresses of all rows that the loop touches,
and keeps no sums in registers across two loops. So the kernels say themselves what a vector is:
:func:`load` takes some outputs of a row, ``+ - *`` work on them, :func:`store` puts them back. What
is taken is decided by the type of the argument `left`, so that one text serves three widths:

=========  =====================================================================================
`left`     taken from ``row[j:]``
=========  =====================================================================================
None       a full block, ``2 * lanes(dtype)`` numbers
an int     ``lanes(dtype)`` numbers, those from `left` on are 0 and are not stored
True       one number, ``row[j]``
=========  =====================================================================================

The functions below are plain Python, and run as such under ``NUMBA_DISABLE_JIT=1``; Numba
translates them by the second half of this file.
"""

from __future__ import annotations

import operator
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

REGISTER = 64 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 32
"""Bytes of a vector: of the processor's registers, or of two where they have 16 bytes."""


def lanes(dtype: Any) -> int:
    """Return how many numbers of this type a vector holds."""
    return REGISTER // np.dtype(str(dtype)).itemsize


def load(row, j, left):
    """Return a vector of row[j:]."""
    if left is True:
        return row[j]
    count = 2 * lanes(row.dtype) if left is None else lanes(row.dtype)
    vector = np.zeros(count, row.dtype)
    valid = count if left is None else min(left, count)
    vector[:valid] = row[j : j + valid]
    return vector


def store(row, j, left, vector):
    """Put a vector to row[j:]."""
    if left is True:
        row[j] = vector
    else:
        valid = vector.size if left is None else min(left, vector.size)
        row[j : j + valid] = vector[:valid]


def zeros(row, left):
    """Return a vector of zeros of the type of the row."""
    if left is True:
        return row.dtype.type(0)
    return np.zeros(2 * lanes(row.dtype) if left is None else lanes(row.dtype), row.dtype)


def total(vector):
    """Return the sum of a vector."""
    return np.sum(vector)


def sign(vector):
    """Return -1, 0 or 1 for each number of a vector."""
    return np.sign(vector)


def prefetch(row, j):
    """Ask the memory for row[j], without waiting for it."""


# --- the same for Numba --------------------------------------------------------------------------

FLAGS = ("contract", "reassoc", "nsz", "arcp")
INT32 = ir.IntType(32)


class Vector(types.Type):
    """Numba's type of a vector."""

    def __init__(self, dtype: Any, left: Any) -> None:
        self.dtype = dtype
        self.count = lanes(dtype) * (2 if isinstance(left, types.NoneType) else 1)
        super().__init__(name=f"Vector({dtype}, {self.count})")

    @property
    def llvm(self) -> ir.VectorType:
        """The type as LLVM knows it."""
        scalar = ir.DoubleType() if self.dtype == types.float64 else ir.FloatType()
        return ir.VectorType(scalar, self.count)

    @property
    def suffix(self) -> str:
        """What LLVM calls the type in the names of its functions."""
        return f"v{self.count}f{self.dtype.bitwidth}"


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """A vector is one value of LLVM."""

    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.llvm)


def _place(context, builder, signature, args, vector):
    """Return the address of row[j] and its alignment."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    j = context.cast(builder, args[1], signature.args[1], types.intp)
    return builder.bitcast(builder.gep(array.data, [j]), vector.llvm.as_pointer())


def _splat(builder, value, vector_type):
    """Return a vector with one value in all lanes."""
    nothing = ir.Constant(vector_type, ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(INT32, 0))
    first = ir.Constant(ir.VectorType(INT32, vector_type.count), [0] * vector_type.count)
    return builder.shuffle_vector(one, nothing, first)


def _valid(context, builder, left, left_type, count):
    """Return a mask of the lanes below `left`."""
    limit = context.cast(builder, left, left_type, types.int64)
    lane = ir.VectorType(ir.IntType(64), count)
    return builder.icmp_signed(
        "<", ir.Constant(lane, list(range(count))), _splat(builder, limit, lane)
    )


def _llvm_function(builder, name, result, arguments):
    """Return LLVM's own function of this name."""
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


@intrinsic
def _load(typing, row, j, left):
    vector = Vector(row.dtype, left)
    size = row.dtype.bitwidth // 8

    def generate(context, builder, signature, args):
        pointer = _place(context, builder, signature, args, vector)
        if isinstance(left, types.NoneType):
            return builder.load(pointer, align=size)
        valid = _valid(context, builder, args[2], left, vector.count)
        name = f"llvm.masked.load.{vector.suffix}.p0"
        shapes = [pointer.type, INT32, valid.type, vector.llvm]
        function = _llvm_function(builder, name, vector.llvm, shapes)
        rest = ir.Constant(vector.llvm, None)
        return builder.call(function, [pointer, ir.Constant(INT32, size), valid, rest])

    return vector(row, j, left), generate


@intrinsic
def _store(typing, row, j, left, vector):
    size = row.dtype.bitwidth // 8

    def generate(context, builder, signature, args):
        pointer = _place(context, builder, signature, args, vector)
        if isinstance(left, types.NoneType):
            builder.store(args[3], pointer, align=size)
        else:
            valid = _valid(context, builder, args[2], left, vector.count)
            name = f"llvm.masked.store.{vector.suffix}.p0"
            shapes = [vector.llvm, pointer.type, INT32, valid.type]
            function = _llvm_function(builder, name, ir.VoidType(), shapes)
            builder.call(function, [args[3], pointer, ir.Constant(INT32, size), valid])
        return context.get_dummy_value()

    return types.none(row, j, left, vector), generate


@intrinsic
def _zeros(typing, row, left):
    vector = Vector(row.dtype, left)

    def generate(context, builder, signature, args):
        return ir.Constant(vector.llvm, None)

    return vector(row, left), generate


@intrinsic
def _total(typing, vector):
    def generate(context, builder, signature, args):
        scalar = vector.llvm.element
        name = f"llvm.vector.reduce.fadd.{vector.suffix}"
        function = _llvm_function(builder, name, scalar, [scalar, vector.llvm])
        return builder.call(function, [ir.Constant(scalar, -0.0), args[0]], fastmath=FLAGS)

    return vector.dtype(vector), generate


@intrinsic
def _sign(typing, vector):
    def generate(context, builder, signature, args):
        zero, one, minus = (ir.Constant(vector.llvm, [s] * vector.count) for s in (0.0, 1.0, -1.0))
        positive = builder.fcmp_ordered(">", args[0], zero)
        negative = builder.fcmp_ordered("<", args[0], zero)
        signs = builder.select(positive, one, builder.select(negative, minus, zero))
        nan = builder.fcmp_unordered("uno", args[0], args[0])
        return builder.select(nan, args[0], signs)

    return vector(vector), generate


@intrinsic
def _prefetch(typing, row, j):
    byte = ir.IntType(8).as_pointer()

    def generate(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [context.cast(builder, args[1], j, types.intp)])
        shapes = [byte, INT32, INT32, INT32]
        function = _llvm_function(builder, "llvm.prefetch.p0", ir.VoidType(), shapes)
        to_read, keep, data = (ir.Constant(INT32, n) for n in (0, 3, 1))
        builder.call(function, [builder.bitcast(place, byte), to_read, keep, data])
        return context.get_dummy_value()

    return types.none(row, j), generate


def _operation(name):
    """Return the operation on two vectors, or on a vector and a number."""

    @intrinsic
    def operate(typing, a, b):
        vector = a if isinstance(a, Vector) else b

        def generate(context, builder, signature, args):
            operands = []
            for value, kind in zip(args, signature.args, strict=True):
                if not isinstance(kind, Vector):
                    number = context.cast(builder, value, kind, vector.dtype)
                    value = _splat(builder, number, vector.llvm)
                operands.append(value)
            return getattr(builder, name)(*operands, flags=FLAGS)

        return vector(a, b), generate

    def typed(a, b):
        if isinstance(a, Vector) or isinstance(b, Vector):
            return lambda a, b: operate(a, b)
        return None

    return typed


overload(operator.add)(_operation("fadd"))
overload(operator.sub)(_operation("fsub"))
overload(operator.mul)(_operation("fmul"))


@overload(load)
def _typed_load(row, j, left):
    if isinstance(left, types.Boolean):
        return lambda row, j, left: row[j]
    return lambda row, j, left: _load(row, j, left)


@overload(store)
def _typed_store(row, j, left, vector):
    if isinstance(left, types.Boolean):

        def put(row, j, left, vector):
            row[j] = vector

        return put
    return lambda row, j, left, vector: _store(row, j, left, vector)


@overload(zeros)
def _typed_zeros(row, left):
    if isinstance(left, types.Boolean):
        scalar = row.dtype
        return lambda row, left: scalar(0)
    return lambda row, left: _zeros(row, left)


@overload(total)
def _typed_total(vector):
    if isinstance(vector, Vector):
        return lambda vector: _total(vector)
    return lambda vector: vector


@overload(prefetch)
def _typed_prefetch(row, j):
    return lambda row, j: _prefetch(row, j)


@overload(sign)
def _typed_sign(vector):
    if isinstance(vector, Vector):
        return lambda vector: _sign(vector)
    return lambda vector: np.sign(vector)
