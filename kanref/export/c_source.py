"""The target ``c``: a C99 source with its header; no heap, no state, nothing but constant tables.

``model.export("drag.c")`` writes ``drag.c`` and ``drag.h``, with ``drag_predict(row, y)``,
``drag_predict_many(rows, y, n)`` and, of a classifier, ``drag_predict_class(row)``, which returns
the place of the label in ``drag_classes``. All functions are reentrant. Compiled with
``-DDRAG_MAIN`` the source is a program that reads rows and prints outputs, or, with the argument
``--time``, prints the size of the tables and the latency of a prediction.

Options
-------
dtype : {"double", "float"}, optional
    The type of all numbers; by default that of the model. An input of a float build is scaled with
    a shift in two parts, so that a large one costs no digits.
lookup : float, optional
    Replace the base functions by tables that err by no more than this, so that ``math.h`` is not
    needed; the proven error of the functions, and of the outputs where there is a bound, stands in
    the header. With ``lookup``, or with base functions "identity", "relu" and "zero", the source
    compiles with ``-ffreestanding``.

``-ffast-math`` is refused, since it forgets what NaN is.
"""

from __future__ import annotations

import numpy as np

from . import c_functions as cf
from .c_entrances import header, main_program, names_source, network_source
from .c_layers import Dialect, layer_source, lookup_tables, tables
from .c_lookup import make_lookup, output_errors
from .c_parts import functions
from .c_text import double_number, float_number, identifier
from .library import own_names
from .program import ExportError, Program

_TYPES = {"double": double_number, "float": float_number}


def write(
    program: Program, *, stem: str, dtype: str | None = None, lookup: float | None = None
) -> dict[str, str]:
    """Return source and header; see the text of this module."""
    dialect = _dialect(program, stem, dtype, lookup)
    constants = tables(program, dialect) + lookup_tables(dialect)
    count = sum(table.size for table in constants)
    errors = {name: table.error for name, table in dialect.lookups.items()}
    proven = output_errors(program, errors) if lookup is not None else []
    parts = [
        _top(program, dialect, stem),
        names_source(program, dialect.prefix),
        *(table.text for table in constants),
        *functions(program, dialect),
        *(layer_source(program, l, dialect) for l in range(len(program.layers))),
        network_source(program, dialect.prefix, dialect.ctype, dialect.number),
        main_program(program, dialect.prefix, dialect.ctype, count),
    ]
    return {
        ".c": "".join(parts),
        ".h": header(program, dialect.prefix, dialect.ctype, (errors, proven)),
    }


def _dialect(program: Program, stem: str, dtype: str | None, lookup: float | None) -> Dialect:
    """Check the options."""
    ctype = {"float64": "double", "float32": "float"}[program.dtype] if dtype is None else dtype
    if ctype not in _TYPES:
        raise ValueError(f"`dtype` must be 'double' or 'float', got {dtype!r}")
    lookups = {}
    if lookup is not None:
        if not isinstance(lookup, (int, float)) or not 1e-14 <= lookup <= 1:
            raise ValueError(f"`lookup` must be an error within [1e-14, 1], got {lookup!r}")
        cf.check_plain(program.library_functions)
        if program.own_functions:
            raise ExportError("with `lookup` no edge may follow a function of the user's own")
        lookups = {
            name: make_lookup(name, lookup) for name in program.bases if name not in cf.PLAIN_BASES
        }
    if ctype == "float":
        _check_floats(program)
    return Dialect(identifier(stem), ctype, _TYPES[ctype], lookups, own_names(program))


def _check_floats(program: Program) -> None:
    """Raise if scaling or grids vanish in single precision."""
    if not np.all(np.array(program.x_scale, dtype=np.float32) > 0):
        raise ExportError(f"every `x_scale` must be more than 0 as a float, got {program.x_scale}")
    for l, layer in enumerate(program.layers):
        for i, knots in enumerate(layer.knots):
            if knots is not None:
                ends = np.array([knots[layer.k], knots[-1 - layer.k]], dtype=np.float32)
                if not ends[0] < ends[1]:
                    raise ExportError(f"the grid of input {i} of layer {l} has no extent in floats")


def _top(program: Program, dialect: Dialect, stem: str) -> str:
    """Return the top of the source, down to the includes."""
    text = f'/* See {stem}.h. */\n\n#include "{stem}.h"\n'
    plain = not dialect.own and not any(map(cf.needs_math, program.library_functions))
    if not plain or set(program.bases) - set(cf.PLAIN_BASES) - set(dialect.lookups):
        text += "\n#include <math.h>\n"
    text += """
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "this code relies on NaN: compile it without -ffast-math"
#endif
"""
    degrees = [layer.k for layer in program.layers if layer.splines]
    if degrees:
        text += (
            f"\nenum {{ MOST = {max(degrees) + 1} }}; /* so many splines are not zero at once */\n"
        )
    return text
