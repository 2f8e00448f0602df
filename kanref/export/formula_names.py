"""Names of the user's in the text of a formula: any text becomes a name of each language."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

from .program import ExportError
from .text import shown

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")

_WORDS = """
auto bool case catch char class const debugger default delete do double else enum export extends
extern false float function goto if inline int interface let long new null package private protected
public register restrict return short signed sizeof static struct super switch this throw true try
typedef typeof undefined union unsigned var void volatile with yield arguments await async eval nan
infinity nullptr abs acos asin atan atan2 atanh acosh asinh ceil cbrt copysign cos cosh erf erfc exp
exp2 expm1 fabs floor fma fmax fmin fmod hypot j0 j1 jn log log10 log1p log2 pow round sign sin sinh
sqrt tan tanh tgamma trunc y0 y1 yn gamma lgamma math formula x y i row main linux unix errno
"""

_RESERVED = frozenset([*map(str.lower, keyword.kwlist), *_WORDS.split()])


def code_names(names: Sequence[str]) -> list[str]:
    """Return different identifiers, in Python, C and JavaScript alike: the names where they are.

    Examples
    --------
    >>> code_names(["speed", "for", 'a"b', "sin"])
    ['speed', 'x_2', 'x_3', 'x_4']
    """
    taken: set[str] = set()
    found = []
    for number, name in enumerate(names):
        plain = _PLAIN.fullmatch(name) and name.lower() not in _RESERVED
        plain = plain and not name.endswith("_") and not re.fullmatch(r"[xy]_\d+|[A-Z_0-9]+", name)
        chosen = name if plain and name not in taken else f"x_{number + 1}"
        taken.add(chosen)
        found.append(chosen)
    return found


def column_name(number: int) -> str:
    """Return the letters of a spreadsheet column, 0 for A.

    Examples
    --------
    >>> column_name(0), column_name(25), column_name(26), column_name(701), column_name(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    letters, number = "", number + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def sql_name(name: str) -> str:
    r"""Return a quoted identifier of standard SQL.

    Raises
    ------
    ExportError
        If it is empty, or has a null or half a character in it, which no SQL text can have.

    Examples
    --------
    >>> print(sql_name('my "top" speed'))
    "my ""top"" speed"
    """
    if not name or "\0" in name or any("\ud800" <= c <= "\udfff" for c in name):
        raise ExportError(f"a name must be a text that SQL can hold, got {shown(name)}")
    return '"' + name.replace('"', '""') + '"'


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}


def latex_name(name: str) -> str:
    r"""Return a name for mathematics in LaTeX: x_1 with its index, all else as text.

    Examples
    --------
    >>> print(latex_name("x_12"), latex_name("T"), latex_name("50% \\input"))
    x_{12} T \text{50\% \textbackslash{}input}
    """
    indexed = re.fullmatch(r"([A-Za-z])_?([0-9]+)", name)
    if indexed:
        return f"{indexed[1]}_{{{indexed[2]}}}"
    if re.fullmatch(r"[A-Za-z]", name):
        return name
    plain = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in name)
    return r"\text{" + "".join(_LATEX.get(c, c) for c in plain) + "}"


def comment_name(name: str) -> str:
    r"""Return a name for a comment of any language: one line, no end or begin of a block comment.

    Examples
    --------
    >>> print(comment_name("a*/b\n"))
    "a* /b\n"
    """
    text = shown(name)  # and C compilers of old take ??/ for a backslash
    for found, harmless in (("*/", "* /"), ("/*", "/ *"), ("??", "? ?")):
        while found in text:
            text = text.replace(found, harmless)
    return text
