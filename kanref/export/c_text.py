r"""Numbers, names and comments as C99 has them.

A name may hold whatever a table had: in a comment nothing may end or open one, continue a line or
be a trigraph; in a string everything but plain characters stands as three octal digits, which,
other than hexadecimal ones, cannot run into what follows.
"""

from __future__ import annotations

import re
import string

import numpy as np

from .program import ExportError
from .text import number, shown

_PLAIN = set(string.ascii_letters + string.digits + " _-+.,:;()[]{}<>=!#$%&*/^|~'@")
_LONGEST = 4095  # bytes of a string that a C99 compiler must take


def comment(text: str) -> str:
    """Return a text that may stand between the marks of a block comment.

    Examples
    --------
    >>> print(comment('"a*/ ??/ b"'))
    "a* / ? ?/ b"
    """
    text = re.sub(r"\?(?=\?)", "? ", text)
    return re.sub(r"\*(?=/)", "* ", re.sub(r"/(?=\*)", "/ ", text))


def name_comment(name: str) -> str:
    """Return what a block comment calls a name of the user's."""
    return comment(shown(name))


def c_string(text: str) -> str:
    r"""Return a string literal of the UTF-8 form of a text.

    Examples
    --------
    >>> print(c_string('5"\\ ??/'))
    "5\042\134 \077\077/"
    """
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > _LONGEST:
        raise ExportError(
            f"a name must have at most {_LONGEST} bytes to be written as C, got {len(data)}"
        )
    body = "".join(chr(b) if chr(b) in _PLAIN else f"\\{b:03o}" for b in data)
    return f'"{body}"'


def identifier(stem: str) -> str:
    """Return the prefix of all public names, made of the name of the file.

    Examples
    --------
    >>> identifier("drag-model.v2"), identifier("2nd")
    ('drag_model_v2', 'kan_2nd')
    """
    if not re.fullmatch(r"[A-Za-z0-9_.+-]+", stem, re.ASCII):
        raise ExportError(
            "the name of a C file must be made of the letters A to Z, digits and _ . + -, "
            f"got {stem!r}"
        )
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return name if name[0].isalpha() else "kan_" + name.lstrip("_")


def double_number(value: float) -> str:
    """Return a double constant."""
    return number(value)


def float_number(value: float) -> str:
    """Return a float constant, the nearest to the value.

    Examples
    --------
    >>> float_number(0.1), float_number(-2.0)
    ('0.1f', '-2.0f')
    """
    with np.errstate(over="ignore"):
        nearest = np.float32(value)
    if not np.isfinite(nearest):
        raise ExportError(f"every parameter must fit a float (`dtype`), got {value!r}")
    return f"{nearest!s}f"
