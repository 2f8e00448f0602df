"""What a command shows: text for people, JSON for scripts, or nothing."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

_CONTROLS = {
    n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160)) if chr(n) not in "\n\t"
} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

BOLD, RED = "1", "1;31"


@dataclass(frozen=True)
class Output:
    """How a command tells its results.

    Attributes
    ----------
    json : bool
        As one JSON object on standard output.
    quiet : bool
        Not at all, unless they are what was asked for; and no progress.
    """

    json: bool = False
    quiet: bool = False

    def tell(self, text: str, data: Mapping[str, Any]) -> None:
        """Show what a command has done: nothing with --quiet, JSON with --json."""
        if self.json:
            print(as_json(data))
        elif not self.quiet:
            print(printable(text))

    def answer(self, text: str, data: Mapping[str, Any]) -> None:
        """Show what was asked for, with --quiet too."""
        print(as_json(data) if self.json else printable(text))


def as_json(data: Mapping[str, Any]) -> str:
    """Return JSON that every parser takes: what is not finite is null.

    Examples
    --------
    >>> as_json({"rmse": float("nan"), "name": "ü", "n": np.int64(3)})
    '{"rmse": null, "name": "ü", "n": 3}'
    """
    return json.dumps(_plain(data), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Return a value in the types that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def printable(text: str) -> str:
    r"""Return text in which no name can move the cursor or change the colours of a terminal.

    Examples
    --------
    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    return text.translate(_CONTROLS)


def styled(text: str, style: str, stream: TextIO) -> str:
    """Return text in a colour, where the stream is a terminal that has them and NO_COLOR is unset.

    See https://no-color.org.
    """
    dumb = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if dumb or not stream.isatty():
        return text
    return f"\x1b[{style}m{text}\x1b[0m"


def show_every_character() -> None:
    r"""Let the streams write what their encoding lacks as \N{...}, in place of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
