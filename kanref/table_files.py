"""Tables in files: a CSV or Parquet file becomes checked columns of numbers.

A file is data and nothing else: no address is fetched, nothing is unpacked or executed, and a cell
is a finite number, a missing value, or text. What a model cannot learn from is an error of one
sentence that names the column.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MISSING = frozenset({"", "-", "?", "n/a", "na", "nan", "none", "null", "<na>", "#n/a", ".", "nat"})
"""Cells, in lower case, that stand for a missing value."""

NUMBER = r"(?i)[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,9})?|inf|infinity)"
"""What a number looks like; Python's own ``float`` would take 1_000 and digits of any script."""

LARGEST = 1e100
"""Numbers beyond this overflow when they are squared; nothing that is measured is so large."""

SMALLEST_SPREAD = 1e-12
"""A column whose values differ by less than this, relative to their size, is constant."""


class TableError(ValueError):
    """A file or a table from which nothing can be learnt; the message is one sentence."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns to learn from: inputs X (N, n_in) and target y (N,), finite and not constant."""

    X: np.ndarray
    y: np.ndarray
    input_names: list[str]
    target: str


def read_table(path: str | os.PathLike) -> pd.DataFrame:
    r"""Read a CSV file (comma, semicolon or tab; UTF-8) or a Parquet file.

    Which of them it is, the content says, not the name. The cells of a CSV stay text.

    Raises
    ------
    TableError
        If the file cannot be read, is neither of the two, has no rows, or two columns share a name.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "data.csv")
    >>> _ = path.write_text("speed;drag\n1;2.5\n2;10\n")
    >>> read_table(path).columns.to_list()
    ['speed', 'drag']
    """
    try:
        with open(path, "rb") as file:
            start = file.read(4096)
            file.seek(0)
            frame = _read_parquet(file) if start[:4] == b"PAR1" else _read_csv(file, start)
    except OSError as error:
        raise TableError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    except TableError as error:
        raise TableError(f"cannot read {str(path)!r}: {error}") from None
    frame.columns = [" ".join(str(name).split()) for name in frame.columns]
    named = [name for name in frame.columns if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise TableError(f"each column needs a name of its own, but {_quoted(twice)} occurs twice")
    if not len(frame):
        raise TableError(f"{str(path)!r} has no rows below the line of names")
    return frame


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
    values = columns(frame, [*inputs, target])
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
    kanref.table_files.TableError: there are missing values in 'a' (1 of 2 rows)
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


def no_constants(values: np.ndarray, names: Sequence[str], where: str) -> None:
    """Raise a TableError that names the constant columns among `values` (N, len(names))."""
    spread, size = np.ptp(values, axis=0), np.abs(values).max(axis=0)
    constant = (spread <= SMALLEST_SPREAD * size) | (spread < 1 / LARGEST)
    if constant.any():
        which = [name for name, is_it in zip(names, constant, strict=True) if is_it]
        raise TableError(f"nothing can be learnt from a constant column: {_quoted(which)} {where}")


# --- the two formats -----------------------------------------------------------------------------


def _read_csv(file: BinaryIO, start: bytes) -> pd.DataFrame:
    """Read delimited text; every cell stays text, so that a bad one can be shown."""
    import pandas as pd

    if b"\0" in start:
        raise TableError("it is neither CSV nor Parquet")
    try:
        frame = pd.read_csv(
            file,
            header=None,  # the first line is read as cells: pandas would rename what is there twice
            dtype=str,
            na_filter=False,
            sep=_separator(start),
            skipinitialspace=True,
            encoding="utf-8",
        )
    except UnicodeDecodeError:
        raise TableError("it is not text in UTF-8") from None
    except pd.errors.EmptyDataError:
        raise TableError("it is empty") from None
    except pd.errors.ParserError as error:
        raise TableError(f"it is not a CSV ({str(error).strip().split('error: ')[-1]})") from None
    names = [name.strip() for name in frame.iloc[0]]
    frame = frame.iloc[1:].reset_index(drop=True)
    frame.columns = names
    if pd.Series(names, dtype=object).str.fullmatch(NUMBER).all():
        raise TableError("its first line must name the columns, got numbers")
    padding = [not name and not frame.iloc[:, n].str.strip().any() for n, name in enumerate(names)]
    return frame.loc[:, ~np.array(padding)]  # a comma at the end of every line is not a column


def _separator(start: bytes) -> str:
    """Return what separates the names in the first line that is not blank."""
    line = next((line for line in start.splitlines() if line.strip()), b"")
    unquoted = b"".join(line.split(b'"')[::2]).decode("latin-1")
    return max(",;\t", key=unquoted.count)


def _read_parquet(file: BinaryIO) -> pd.DataFrame:
    """Read the columns of a Parquet file."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise TableError('Parquet needs pyarrow: pip install "kanref[cli]"') from None
    try:
        table = ParquetFile(file).read()
        names = table.column_names
        frame = table.rename_columns([str(n) for n in range(len(names))]).to_pandas(
            ignore_metadata=True  # columns are columns, whatever index pandas once made of them
        )
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise TableError(f"it is damaged ({str(error).splitlines()[0]})") from None
    frame.columns = names
    return frame.drop(columns=[name for name in names if name.startswith("__index_level_")])


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
    number = text.str.fullmatch(NUMBER).to_numpy(dtype=bool)
    # NumPy reads the nearest float; pandas' own parsers may be off in the last digit.
    return text.where(number, "nan").to_numpy(dtype=object).astype(float), missing


def _no_text(
    frame: pd.DataFrame,
    names: Sequence[str],
    parsed: Iterable[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Raise a TableError that names the columns with text and shows the first such cell."""
    texts = []
    for name, (values, missing) in zip(names, parsed, strict=True):
        text = np.isnan(values) & ~missing
        if text.any():
            row = int(text.argmax())
            cell = str(frame[name].iloc[row])
            cell = cell if len(cell) <= 30 else cell[:29] + "…"
            texts.append(f"{name!r} has {cell!r} in row {row + 1}")
    if texts:
        raise TableError(f"columns must hold numbers, but {_and(texts)}")


def _require(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise a TableError that names the first unknown column and what comes close to it."""
    have = [name for name in frame.columns if name]
    unknown = [name for name in names if name not in have]
    if not unknown:
        return
    name = unknown[0]
    close = [h for h in have if h.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, have, n=1, cutoff=0.5)
    if close:
        raise TableError(f"there is no column {name!r}: did you mean {close[0]!r}?")
    more = f" and {len(have) - 8} more" if len(have) > 8 else ""
    raise TableError(f"there is no column {name!r}: the columns are {_quoted(have[:8])}{more}")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _and(parts: Sequence[str]) -> str:
    """Join at most three parts to a list, and count the others."""
    more = f" and {len(parts) - 3} more columns" if len(parts) > 3 else ""
    return ", ".join(parts[:3]) + more
