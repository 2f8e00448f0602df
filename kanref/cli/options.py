"""Options that Typer cannot check: lists of names, layers of nodes, numbers that are none."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence

from .errors import Refused


def one_name(text: str) -> str:
    """Return a name as a table has it: no spaces around it, and single ones within."""
    return " ".join(text.split())


def names_list(text: str | None) -> list[str] | None:
    """Return the names in "a,b"; one with a comma stands in double quotes, as in a CSV.

    Raises
    ------
    Refused
        If a name is empty, or a quote is left open.

    Examples
    --------
    >>> names_list('speed, "drag, measured"')
    ['speed', 'drag, measured']
    """
    if text is None:
        return None
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        rule = "names with commas between, one with a comma in double quotes"
        raise Refused(f"--inputs must be {rule}, got {text!r}") from None
    names = [one_name(name) for row in rows for name in row]
    if not names or not all(names):
        raise Refused(f"--inputs must be names with commas between, got {text!r}")
    return names


def shown_names(names: Sequence[str]) -> str:
    """Return names as :func:`names_list` takes them.

    Examples
    --------
    >>> shown_names(["wing area", "drag, measured"])
    'wing area, "drag, measured"'
    """
    quoted = (f'"{n.replace(chr(34), 2 * chr(34))}"' if set(n) & set(',"') else n for n in names)
    return ", ".join(quoted)


def hidden_layers(text: str | None) -> list | None:
    """Return the hidden layers in "5", "5,3" or "3x2,4": 3x2 are 3 sum and 2 product nodes.

    Raises
    ------
    Refused
        If it is anything else, or a layer has no node.

    Examples
    --------
    >>> hidden_layers("3x2,4"), hidden_layers("0")
    ([[3, 2], 4], [])
    """
    if text is None:
        return None
    if text.strip() == "0":
        return []
    layers: list = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d{1,18})(?:x(\d{1,18}))?", part.strip(), re.ASCII)
        if not found or not any(int(n) for n in found.groups() if n):
            raise Refused(
                "--width must give the nodes of each hidden layer, as in 5 or 5,3 or 3x2 "
                f"(3 sums and 2 products), or 0 for none, got {text!r}"
            )
        n_sum, n_product = found.groups()
        layers.append([int(n_sum), int(n_product)] if n_product else int(n_sum))
    return layers


def finite(option: str, value: float) -> float:
    """Return the number; NaN, which passes every comparison with a bound, is refused."""
    if not math.isfinite(value):
        raise Refused(f"{option} must be a finite number, got {value}")
    return value
