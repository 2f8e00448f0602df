"""Names of variables and functions, as pictures show them."""

from __future__ import annotations

import math
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LETTER = 0.61
"""Mean width of a letter, as a share of the font size."""

LINE = 1.25
"""Distance of lines, as a share of the font size."""

_LONGEST = 26  # letters of a name, before it is cut
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPT = str.maketrans("0123456789.", "⁰¹²³⁴⁵⁶⁷⁸⁹·")
_FUNCTIONS = {"sqrt": "√x", "x^0.5": "√x", "1/sqrt(x)": "1/√x", "1/x^0.5": "1/√x", "abs": "|x|"}


def variable_names(names: Sequence[object] | None, n: int, letter: str, argument: str) -> list[str]:
    """Return `n` names as pictures show them: x_1 with a subscript; ``letter_1``, … by default.

    Raises
    ------
    ValueError
        If there are not `n` names; the message calls them by `argument`.
    """
    if names is None:
        names = [f"{letter}_{i + 1}" for i in range(n)] if n > 1 or letter == "x" else [letter]
    if isinstance(names, str) or len(names) != n:
        raise ValueError(f"`{argument}` must be a list of {n} names, got {names!r}")
    return [pretty(str(name)) for name in names]


def pretty(name: str) -> str:
    """Return x_1 as x₁, and any other name as it is.

    Examples
    --------
    >>> pretty("x_12"), pretty("flow_rate"), pretty("T_2m")
    ('x₁₂', 'flow_rate', 'T_2m')
    """
    found = re.fullmatch(r"([^\W\d_])_(\d+)", name)
    return found[1] + found[2].translate(_SUBSCRIPT) if found else name


def function_label(name: str) -> str:
    """Return a short form of the name of a symbolic function.

    Examples
    --------
    >>> [function_label(name) for name in ("x^2", "1/x^3", "sqrt", "sin")]
    ['x²', '1/x³', '√x', 'sin']
    """
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    return _raised(name)


def formula(name: str, affine: Sequence[float], variable: str = "x") -> str:
    """Return c·f(a·x + b) + d as text, with three digits.

    Examples
    --------
    >>> formula("sin", (3.14159, 0.0, 1.0, -0.5)), formula("x^2", (1.0, 0.0, -2.0, 0.0))
    ('sin(3.14·x) − 0.5', '−2·x²')
    >>> formula("1/sqrt(x)", (2.0, 1.0, 3.0, 0.0)), formula("x", (2.0, 1.0, 3.0, 0.0))
    ('3/sqrt(2·x + 1)', '3·(2·x + 1)')
    """
    a, b, c, d = affine
    inner = _plus(_times(a, variable), b)
    if name == "abs":
        outer = f"|{inner}|"
    elif re.search(r"\bx\b", name):
        bare = inner == variable or "(x)" in name
        outer = _raised(re.sub(r"\bx\b", inner if bare else f"({inner})", name))
    else:
        outer = f"{name}({inner})"
    return _plus(_times(c, outer), d)


def _times(factor: float, term: str) -> str:
    written = number(factor, 3)
    if written in ("0", "1", "−1"):
        return {"0": "0", "1": term, "−1": f"−{term}"}[written]
    return f"{written}{term[1:]}" if term.startswith("1/") else f"{written}·{term}"


def _plus(term: str, constant: float) -> str:
    written = number(constant, 3)
    if written == "0":
        return term
    return f"{term} − {written[1:]}" if written[0] == "−" else f"{term} + {written}"


def _raised(name: str) -> str:
    return re.sub(r"\^([\d.]+)", lambda m: m[1].translate(_SUPERSCRIPT), name)


def is_math(text: str) -> bool:
    r"""Tell whether Matplotlib can typeset `text` as mathematics: r"$\alpha$", but not "US$ / $".

    Examples
    --------
    >>> is_math(r"$\alpha$"), is_math("cost ($)"), is_math(r"$\nonsense{$")
    (True, False, False)
    """
    if len(re.findall(r"(?<!\\)\$", text)) < 2:
        return False
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return False
    return True


def letters(line: str) -> float:
    r"""Return how wide a line is, in letters of mean width; commands of mathematics count as one.

    Examples
    --------
    >>> letters("abc"), letters("MW"), letters("ill"), letters(r"$\alpha_{12}$")
    (3.0, 3.02, 1.5, 3.0)
    """
    if "$" in line:
        line = re.sub(r"\\[A-Za-z]+", "a", re.sub(r"[${}_^]", "", line))
    return sum(map(_letter, line), 0.0)


def _letter(c: str) -> float:
    """Width of a letter, as in DejaVu Sans."""
    if c in "iljI.,:;'|! ":
        return 0.5
    if c in "tfr()[]/-":
        return 0.65
    if c in "Wm%@":
        return 1.62
    if c in "Mw":
        return 1.4
    if unicodedata.combining(c):
        return 0.0
    if unicodedata.east_asian_width(c) in "WF":
        return 1.65
    return 1.1 if c.isupper() else 1.0


def shorten(line: str, limit: float) -> str:
    """Return `line` cut to the width of `limit` letters, amid: names often differ at their ends.

    Examples
    --------
    >>> shorten("probability_of_class_a", 11), shorten("chord", 11)
    ('proba…ass_a', 'chord')
    """
    if letters(line) <= limit or is_math(line):
        return line
    for kept in reversed(range(len(line))):
        head, tail = line[: kept - kept // 2], line[len(line) - kept // 2 :]
        if letters(head + tail) + 1 <= limit:
            break
    return f"{head.rstrip()}…{tail.lstrip()}"


def bounds(span: Sequence[float]) -> tuple[str, str]:
    """Return the ends of a range to two digits; what is nothing beside its length is 0.

    Examples
    --------
    >>> bounds((2e-5, 1.0)), bounds((1200.0, 20000.0))
    (('0', '1'), ('1200', '20000'))
    """
    low, high = (0.0 if abs(v) < 1e-3 * (span[1] - span[0]) else v for v in span)
    return number(low), number(high)


def number(value: float, digits: int = 2) -> str:
    """Return a number to some digits, without a power of ten where it is not needed.

    Examples
    --------
    >>> number(0.034512), number(-12345.0), number(2.0e9), number(-0.0)
    ('0.035', '−12345', '2e9', '0')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    if 1e-3 <= abs(value) < 1e6:
        text = f"{value:.{max(digits - 1 - math.floor(math.log10(abs(value))), 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


@dataclass(frozen=True)
class Labels:
    """Names fitted to a row of nodes.

    Attributes
    ----------
    texts : list of str
        The names, wrapped or shortened.
    rotation : float
        In degrees.
    width, height : float
        What the largest takes, in inches.
    """

    texts: list[str]
    rotation: float
    width: float
    height: float


def fit_labels(names: Sequence[str], pitch: float, size: float) -> Labels:
    """Fit names to nodes that stand `pitch` inches apart, in letters of `size` points.

    Names that are too long are wrapped at blanks, to three lines; if that does not do either, all
    are slanted, and cut where they are very long.
    """
    letter, line = LETTER * size / 72, LINE * size / 72
    room = max(int((pitch - letter) / letter), 1)
    wrapped = [_wrap(name, room) for name in names]
    if all(len(lines) <= 3 and _longest(lines) <= room for lines in wrapped):
        rows, columns = max(map(len, wrapped)), max(map(_longest, wrapped))
        return Labels(["\n".join(w) for w in wrapped], 0.0, columns * letter, rows * line)
    cut = [[shorten(part, _LONGEST) for part in name.split("\n")] for name in names]
    rotation = 40.0 if pitch > 2.2 * line else 90.0
    length, thickness = max(map(_longest, cut)) * letter, max(map(len, cut)) * line
    sine, cosine = math.sin(math.radians(rotation)), math.cos(math.radians(rotation))
    width, height = length * cosine + thickness * sine, length * sine + thickness * cosine
    return Labels(["\n".join(lines) for lines in cut], rotation, width, height)


def _wrap(name: str, room: int) -> list[str]:
    lines = []
    for part in name.split("\n"):
        if "$" in part:
            lines.append(part)
            continue
        lines += textwrap.wrap(part, room, break_long_words=False, break_on_hyphens=False) or [""]
    return lines


def _longest(lines: Sequence[str]) -> float:
    return max(map(letters, lines))
