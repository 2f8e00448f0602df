"""Pieces of source code that several languages share: numbers, linear terms, tables, names."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence

from .._version import __version__
from .program import LayerProgram, Program

WIDTH = 96
"""Tables and comments are broken so that lines stay within so many characters."""

WRITTEN_BY = "written by kanref"
"""Stands in the first line of every file of code: a newer one may replace it."""

Number = Callable[[float], str]
"""How a number is written in a language."""


def number(value: float) -> str:
    """Return the shortest text that reads back as the same double.

    Examples
    --------
    >>> number(0.1), number(-2.0)
    ('0.1', '-2.0')
    """
    return repr(float(value))


def times(factor: float, text: str, write: Number = number) -> str:
    """Return factor · text, and the text alone for the factor 1.

    Examples
    --------
    >>> times(2.0, "x"), times(1.0, "x"), times(-1.0, "x")
    ('2.0 * x', 'x', '-1.0 * x')
    """
    return text if factor == 1 else f"{write(factor)} * {text}"


def plus(text: str, value: float, write: Number = number) -> str:
    """Return text + value, and the text alone for the value 0.

    Examples
    --------
    >>> plus("x", 0.5), plus("x", -0.5), plus("x", 0.0)
    ('x + 0.5', 'x - 0.5', 'x')
    """
    if value == 0:
        return text
    return f"{text} + {write(value)}" if value > 0 else f"{text} - {write(-value)}"


def affine(factor: float, text: str, value: float, write: Number = number) -> str:
    """Return factor · text + value, without what changes nothing.

    Examples
    --------
    >>> affine(1.0, "x", 0.0), affine(2.0, "x", -1.0)
    ('x', '2.0 * x - 1.0')
    """
    return plus(times(factor, text, write), value, write)


def factors_text(factors: Sequence[str], scale: float) -> str:
    """Return the product of a node's factors, to be multiplied by `scale` when it is whole.

    The order tells where a product overflows, and whether it is 0.

    Examples
    --------
    >>> factors_text(["v[0]", "v[1]"], 1.0), factors_text(["v[0]", "v[1]"], 0.5)
    ('v[0] * v[1]', '(v[0] * v[1])')
    """
    product = " * ".join(factors)
    return product if scale == 1 or len(factors) == 1 else f"({product})"


def rows(items: Iterable[str], indent: str, width: int = WIDTH) -> str:
    """Return items with commas between, broken into lines that begin with `indent`."""
    text = ", ".join(items)
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def shown(name: str) -> str:
    r"""Return a name in double quotes, with everything that is not plain to see escaped.

    Backslashes and double quotes are doubled or escaped, and what is not printable (line ends,
    marks that turn the direction of reading, half characters) stands as an escape. So it is one
    line, ends in a quote, and ends no line comment; block comments need more than that.

    Examples
    --------
    >>> print(shown('speed in m/s'), shown('a\n"b"\\'))
    "speed in m/s" "a\n\"b\"\\"
    """
    escaped = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escaped.get(c) or (c if c.isprintable() else _code(c)) for c in name) + '"'


def _code(c: str) -> str:
    point = ord(c)
    return f"\\x{point:02x}" if point < 256 else f"\\u{{{point:x}}}"


def node_name(program: Program, level: int, i: int) -> str:
    """Return what comments call node i of a level: inputs and outputs by their names."""
    if level == 0:
        return shown(program.input_names[i])
    if level == len(program.layers):
        return shown(program.output_names[i])
    return f"node {i} of level {level}"


def layer_about(layer: LayerProgram) -> str:
    """Return what comments say of the function of a layer."""
    return f"From {counted(layer.n_in, 'node')} to {counted(len(layer.nodes), 'node')}."


def title(program: Program) -> str:
    """Return the first line of an export, which also tells that it is one.

    It has no name of the user's in it.
    """
    shape = " → ".join(map(str, program.width))
    return f"A Kolmogorov–Arnold network, {shape}, {WRITTEN_BY} {__version__}."


def joined(names: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def counted(count: int, noun: str) -> str:
    """Return "1 sum", "2 sums".

    Examples
    --------
    >>> counted(1, "sum"), counted(2, "sum")
    ('1 sum', '2 sums')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
