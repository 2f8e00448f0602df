"""Pages that stand alone: one HTML file which loads nothing, and runs nothing but its own script.

The Content-Security-Policy forbids every connection, image and style from outside, and names the
page's style and script by their SHA-256 hashes: even a name that slipped through as an element
could not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of reading: one in a name would turn what stands behind it."""

LONGEST_FORMULA = 60_000
"""A formula with more characters of MathML is shown as text only."""


def text(value: object) -> str:
    """Return any text for HTML: escaped, and without characters that no page may hold.

    Examples
    --------
    >>> text("a < b & 'c'")
    'a &lt; b &amp; &#x27;c&#x27;'
    """
    return escape(DIRECTION.sub("", CONTROL.sub("\ufffd", str(value))))


def asset(name: str) -> str:
    """Return the text of one of the files in ``page/``."""
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def data(value: Any) -> str:
    r"""Return plain values as a literal of JavaScript that can stand in an HTML page.

    Examples
    --------
    >>> print(data({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    found = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        found = found.replace(character, f"\\u{ord(character):04x}")
    return found


def document(title: str, style: str, body: str, script: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Any text.
    style, body, script : str
        CSS; HTML in which every name is escaped; JavaScript, that of the page alone.

    Raises
    ------
    ValueError
        If style or script would end its element early.
    """
    for part in (style, script):
        if re.search(r"</(script|style)|<!--", part, re.IGNORECASE):
            raise ValueError("style and script must not hold the end of their elements")
    policy = [
        "default-src 'none'",
        f"style-src {_hash(style)}",
        f"script-src {_hash(script)}" if script else "script-src 'none'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    module = f'<script type="module">{script}</script>\n' if script else ""
    return (
        "<!doctype html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n"
        '<link rel="icon" href="data:,">\n'
        f"<style>{style}</style>\n</head>\n<body>\n{body}\n{module}</body>\n</html>\n"
    )


def _hash(part: str) -> str:
    digest = hashlib.sha256(part.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


# --- formulas ------------------------------------------------------------------------------------


def formulas(expressions: Sequence[Any], inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """Return formulas as MathML, each with its text in a fold below.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        One for each output, in the symbols of :func:`placeholders`.
    inputs, outputs : sequence of str
        The names, any texts.
    """
    parts = []
    for expression, output in zip(expressions, outputs, strict=True):
        presented = _presented(expression, inputs)
        typeset = len(presented) <= LONGEST_FORMULA
        plain = f"{_plain_name(output)} = {_plain(expression, inputs)}"
        if typeset:
            label = text(f"formula of {output}")
            parts.append(
                f'<div class="formula" tabindex="0" role="region" aria-label="{label}">'
                f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mrow>'
                f"{_name(output)}<mo>=</mo>{presented}</mrow></math></div>"
            )
        fold = "<details>" if typeset else "<details open>"
        parts.append(f"{fold}<summary>As text</summary><pre>{text(plain)}</pre></details>")
    return "".join(parts)


def placeholders(n_in: int) -> list[str]:
    """Return names for the symbols of a formula, which no function or constant has."""
    return [f"kanref{i}input" for i in range(n_in)]


_REPLACED = {
    "&ExponentialE;": "e",
    "&InvisibleTimes;": "\u2062",
    "<mo>\u2062</mo>": '<mo lspace="0" rspace="0.17em">\u2062</mo>',
    "<mo>-</mo>": "<mo>\N{MINUS SIGN}</mo>",
}


def _presented(expression: Any, inputs: Sequence[str]) -> str:
    """Write MathML with SymPy's printer, which escapes no names: it sees placeholders only."""
    from sympy import Function
    from sympy.core.function import AppliedUndef
    from sympy.printing.mathml import MathMLPresentationPrinter

    unknown = sorted({f.func.__name__ for f in expression.atoms(AppliedUndef)})
    known = {name: f"kanref{n}function" for n, name in enumerate(unknown)}
    expression = expression.replace(
        lambda e: isinstance(e, AppliedUndef), lambda e: Function(known[e.func.__name__])(*e.args)
    )
    found = str(MathMLPresentationPrinter().doprint(expression))
    for old, new in _REPLACED.items():
        found = found.replace(old, new)
    found = re.sub(r"<mn>-([^<]*)</mn>", "<mrow><mo>\N{MINUS SIGN}</mo><mn>\\1</mn></mrow>", found)
    found = re.sub(r"<mn>(\d+)\.0</mn>", r"<mn>\1</mn>", found)
    names = dict(zip(placeholders(len(inputs)), map(_name, inputs), strict=True))
    names |= {known[name]: f"<mi>{text(name)}</mi>" for name in unknown}
    return re.sub(r"<mi>(kanref\d+(?:input|function))</mi>", lambda m: names[m[1]], found)


def _plain(expression: Any, inputs: Sequence[str]) -> str:
    names = dict(zip(placeholders(len(inputs)), map(_plain_name, inputs), strict=True))
    return re.sub(r"kanref\d+input", lambda m: names[m[0]], str(expression))


def _plain_name(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name, ensure_ascii=False)


def _name(name: str) -> str:
    """Return a name as MathML: a letter with a number below it, or upright text."""
    letter = re.fullmatch(r"([^\W\d_])(?:_(\d+))?", name)
    if letter and letter[2]:
        return f"<msub><mi>{text(letter[1])}</mi><mn>{letter[2]}</mn></msub>"
    if letter:
        return f"<mi>{text(letter[1])}</mi>"
    return f'<mi class="name" mathvariant="normal">{text(" ".join(name.split()) or "?")}</mi>'
