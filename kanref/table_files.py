"""Tables in files: a CSV or Parquet file becomes checked columns of numbers.

A file is data and nothing else: no address is fetched, nothing is unpacked or executed, and a cell
is a finite number, a missing value, or text. What a model cannot learn from is an error of one
sentence that names the column.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from .table_formats import NUMBER, TableError, read_format

if TYPE_CHECKING:
    import pandas as pd

MISSING = frozenset({"", "-", "?", "n/a", "na", "nan", "none", "null", "<na>", "#n/a", ".", "nat"})
"""Cells, in lower case, that stand for a missing value."""

DECIMAL_COMMA = r"[-+]?\d+,\d+"
"""What a number looks like in a spreadsheet of many languages; here it is text."""

TRUTH = r"(?i)true|false"
"""What a truth value looks like: a column of them, and of nothing else, is 1 and 0."""

LARGEST = 1e100
"""Numbers beyond this overflow when they are squared; nothing that is measured is so large."""

SMALLEST_SPREAD = 1e-12
"""A column whose values differ by less than this, relative to their size, is constant."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns to learn from: inputs X (N, n_in) and target y (N,), finite and not constant."""

    X: np.ndarray
    y: np.ndarray
    input_names: list[str]
    target: str


def read_table(source: str | os.PathLike | BinaryIO, name: str | None = None) -> pd.DataFrame:
    r"""Read a CSV file (comma, semicolon or tab) or a Parquet file.

    Which of them it is, the content says, not the name. A CSV is in UTF-8, or in UTF-16 or UTF-32
    with a byte order mark; its cells stay text.

    Parameters
    ----------
    source : path or binary file
        A file on disk, or one that is open and can be sought in.
    name : str, optional
        What errors call it; by default its path.

    Raises
    ------
    TableError
        If the file cannot be read, is neither of the two, has no rows or too many columns, or two
        columns share a name.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "data.csv")
    >>> _ = path.write_text("speed;drag\n1;2.5\n2;10\n")
    >>> read_table(path).columns.to_list()
    ['speed', 'drag']
    """
    if name is None:
        name = repr(str(source)) if isinstance(source, (str, os.PathLike)) else "the table"
    try:
        with _opened(source) as file:
            frame = read_format(file)
    except OSError as error:
        raise TableError(f"cannot read {name}: {error.strerror or error}") from None
    except TableError as error:
        raise TableError(f"cannot read {name}: {error}") from None
    frame.columns = [" ".join(str(name).split()) for name in frame.columns]
    counts = Counter(name for name in frame.columns if name)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        more = f" and {len(twice) - 3} more" if len(twice) > 3 else ""
        raise TableError(
            f"each column needs a name of its own, but {_quoted(twice[:3])}{more} occurs twice"
        )
    if not len(frame):
        raise TableError(f"{name} has no rows below the line of names")
    return frame


def _opened(source: str | os.PathLike | BinaryIO) -> AbstractContextManager[BinaryIO]:
    """Open a file on disk; leave one that is open as it is, also at the end."""
    return open(source, "rb") if isinstance(source, (str, os.PathLike)) else nullcontext(source)


def training_table(
    frame: pd.DataFrame, target: str, inputs: Sequence[str] | None = None, *, least: int = 1
) -> Table:
    """Choose and check the columns to learn from.

    Parameters
    ----------
    frame : DataFrame
        As :func:`read_table` returns it.
    target : str
        The column to predict.
    inputs : sequence of str, optional
        The columns to predict it from, in this order; by default all others.
    least : int
        How many rows there must be.

    Raises
    ------
    TableError
        If a column is unknown, has missing values, text or infinite numbers, or is constant; if
        the target is among the inputs; or if there are too few rows.
    """
    _require(frame, [target])
    chosen = inputs is not None
    if inputs is None:
        inputs = [name for name in frame.columns if name != target]
        if "" in inputs:
            number = list(frame.columns).index("") + 1
            raise TableError(
                f"column {number} has no name: give it one, or choose the inputs (--inputs a,b)"
            )
    inputs = list(inputs)
    if not inputs:
        raise TableError(f"there must be an input beside the target {target!r}")
    if target in inputs or len(set(inputs)) < len(inputs):
        raise TableError(f"the inputs must differ from each other and from the target {target!r}")
    if len(frame) < least:
        raise TableError(f"there must be at least {least} rows, got {len(frame)}")
    try:
        values = columns(frame, [*inputs, target])
    except TableError as error:
        if chosen or not _has_numbers(frame, target):
            raise
        raise TableError(f"{error}; --inputs a,b leaves other columns out") from None
    no_constants(values, [*inputs, target], f"in all {len(frame)} rows")
    return Table(values[:, :-1], values[:, -1], inputs, target)


def columns(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return the named columns as finite numbers (N, len(names)).

    Raises
    ------
    TableError
        If a column is unknown, or has missing values, text or infinite numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> columns(pd.DataFrame({"a": ["1", "2"], "b": ["x", "y"]}), ["a"])
    array([[1.],
           [2.]])
    >>> columns(pd.DataFrame({"a": ["1", ""]}), ["a"])
    Traceback (most recent call last):
        ...
    kanref.table_formats.TableError: there are missing values in 'a' (1 of 2 rows)
    """
    _require(frame, names)
    parsed = [_numbers(frame[name]) for name in names]
    _no_text(frame, names, parsed)
    n_samples = len(frame)
    missing = [(name, int(lost.sum())) for name, (_, lost) in zip(names, parsed, strict=True)]
    missing = [(name, count) for name, count in missing if count]
    if missing:
        counts = [f"{name!r} ({count} of {n_samples} rows)" for name, count in missing]
        raise TableError(f"there are missing values in {_and(counts)}")
    table = np.stack([values for values, _ in parsed], axis=1)  # (N, n)
    with np.errstate(invalid="ignore"):
        wild = ~(np.abs(table) <= LARGEST)
    if wild.any():
        row, column = (int(n) for n in np.argwhere(wild)[0])
        value = table[row, column]
        rule = "infinite" if np.isinf(value) else f"beyond {LARGEST:g}"
        raise TableError(
            f"numbers must be finite, but {names[column]!r} has {value:g} in row {row + 1} ({rule})"
        )
    return table


def _has_numbers(frame: pd.DataFrame, name: str) -> bool:
    """Tell whether :func:`columns` takes the column."""
    try:
        columns(frame, [name])
    except TableError:
        return False
    return True


def no_constants(values: np.ndarray, names: Sequence[str], where: str) -> None:
    """Raise a TableError that names the constant columns among `values` (N, len(names))."""
    spread, size = np.ptp(values, axis=0), np.abs(values).max(axis=0)
    constant = (spread <= SMALLEST_SPREAD * size) | (spread < 1 / LARGEST)
    if constant.any():
        which = [name for name, is_it in zip(names, constant, strict=True) if is_it]
        raise TableError(f"nothing can be learnt from a constant column: {_quoted(which)} {where}")


# --- cells ---------------------------------------------------------------------------------------


def _numbers(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as numbers, NaN for what is none, and which cells are missing."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "c":
        missing = column.isna().to_numpy()
        return column.to_numpy(dtype=float, na_value=np.nan), missing
    missing = (column.isna() | column.astype(str).str.strip().str.lower().isin(MISSING)).to_numpy()
    if column.dtype.kind in "mMc":
        return np.full(len(column), np.nan), missing
    text = column.astype(str).str.strip()
    if text[~missing].str.fullmatch(TRUTH).all():  # else True would be text here, 1 in Parquet
        values = text.str.lower().eq("true").to_numpy(dtype=float)
        return np.where(missing, np.nan, values), missing
    number = text.str.fullmatch(NUMBER).to_numpy(dtype=bool)
    # NumPy reads the nearest float; pandas' own parsers may be off in the last digit.
    return text.where(number, "nan").to_numpy(dtype=object).astype(float), missing


def _no_text(
    frame: pd.DataFrame,
    names: Sequence[str],
    parsed: Iterable[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Raise a TableError that names the columns with text and shows the first such cell."""
    texts, commas = [], False
    for name, (values, missing) in zip(names, parsed, strict=True):
        text = np.isnan(values) & ~missing
        if text.any():
            row = int(text.argmax())
            cell = str(frame[name].iloc[row])
            cell = cell if len(cell) <= 30 else cell[:29] + "…"
            texts.append(f"{name!r} has {cell!r} in row {row + 1}")
            commas = commas or bool(re.fullmatch(DECIMAL_COMMA, cell))
    if texts:
        hint = "; decimals need a point" if commas else ""
        raise TableError(f"columns must hold numbers, but {_and(texts)}{hint}")


def _require(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise a TableError that names the first unknown column and what comes close to it."""
    have = [name for name in frame.columns if name]
    unknown = [name for name in names if name not in have]
    if not unknown:
        return
    name = unknown[0]
    close = [h for h in have if h.lower() == name.lower()]
    close = close or difflib.get_close_matches(
        name[:200], [h for h in have if len(h) <= 200], n=1, cutoff=0.5
    )
    if close:
        raise TableError(f"there is no column {name!r}: did you mean {close[0]!r}?")
    more = f" and {len(have) - 8} more" if len(have) > 8 else ""
    raise TableError(f"there is no column {name!r}: the columns are {_quoted(have[:8])}{more}")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(repr(name if len(name) <= 60 else f"{name[:59]}…") for name in names)


def _and(parts: Sequence[str]) -> str:
    """Join at most three parts to a list, and count the others."""
    more = f" and {len(parts) - 3} more columns" if len(parts) > 3 else ""
    return ", ".join(parts[:3]) + more
