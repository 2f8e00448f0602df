"""What the two Python targets have in common: head, names and labels of the file."""

from __future__ import annotations

from collections.abc import Iterable

from .program import Program
from .text import title


def head(program: Program, needs: str) -> str:
    """Return the docstring of the module; it has no name of the user's in it."""
    return f'"""{title(program)}\n\n{needs}\n"""\n\n'


def names_tables(program: Program) -> str:
    """Return INPUTS, OUTPUTS and, of a classifier, CLASSES."""
    text = _table("INPUTS", program.input_names) + _table("OUTPUTS", program.output_names)
    return text if program.classes is None else text + _table("CLASSES", program.classes)


def _table(name: str, values: Iterable[object]) -> str:
    # repr escapes what is not printable, half characters included, and labels are plain values
    return "\n".join([f"{name} = (", *(f"    {value!r}," for value in values), ")"]) + "\n"
