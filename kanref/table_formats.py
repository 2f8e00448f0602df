"""The formats of tables: CSV and Parquet, read as data and nothing else.

Neither the size of a cell nor the number of columns is trusted before it has been looked at.
"""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

NUMBER = r"(?i)[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,9})?|inf|infinity)"
"""What a number looks like; Python's own ``float`` would take 1_000 and digits of any script."""

MAX_COLUMNS = 10_000
"""A table has no more columns: a file with more of them was not meant as a table."""

MAX_LINE = 2**20
"""The line of names has no more bytes."""


MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # begins as that of UTF-16 does
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks, with which spreadsheets begin what they call Unicode text."""


class TableError(ValueError):
    """A file or a table from which nothing can be learnt; the message is one sentence."""


def read_format(file: BinaryIO) -> pd.DataFrame:
    """Read a table in the format that its first bytes tell; the cells of a CSV stay text.

    Raises
    ------
    TableError
        If it is neither CSV nor Parquet, or is damaged, or has too many columns.
    """
    start = file.read(MAX_LINE)
    file.seek(0)
    if start[:4] == b"PAR1":
        return _read_parquet(file)
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            file = _recoded(file, encoding)
            start = file.read(MAX_LINE)
            file.seek(0)
            break
    return _read_csv(file, start)


def _read_csv(file: BinaryIO, start: bytes) -> pd.DataFrame:
    """Read delimited text; every cell stays text, so that a bad one can be shown."""
    import pandas as pd

    separator = _check_start(start)
    _check_no_zeros(file)
    try:
        frame = pd.read_csv(
            file,
            header=None,  # the first line is read as cells: pandas would rename what is there twice
            dtype=str,
            na_filter=False,
            sep=separator,
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


def _recoded(file: BinaryIO, encoding: str) -> BinaryIO:
    """Return text in UTF-8 that is there in another encoding, with a byte order mark."""
    found = io.BytesIO()
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(MAX_LINE):
            found.write(decoder.decode(chunk).encode())
        found.write(decoder.decode(b"", final=True).encode())
    except UnicodeError:
        raise TableError(f"it begins as text in {encoding} does, and then is not") from None
    found.seek(0)
    return found


def _check_start(start: bytes) -> str:
    """Return what separates the names in the first line that is not blank.

    Raises
    ------
    TableError
        If this is no line of names: what follows would then take any amount of memory.
    """
    if b"\0" in start:
        few, many = sorted((start[::2].count(0), start[1::2].count(0)))
        if 8 * few < many > len(start) / 4:  # every other byte
            raise TableError("it looks like UTF-16 without a byte order mark: save it as UTF-8")
        raise TableError("it is neither CSV nor Parquet")
    lines = start.splitlines()
    line = next((line for line in lines if line.strip()), b"")
    if len(start) == MAX_LINE and len(line) > MAX_LINE - 2 - start.find(line):
        raise TableError(f"its first line is longer than {MAX_LINE} bytes: it names no columns")
    unquoted = b"".join(line.split(b'"')[::2]).decode("latin-1")
    separator = max(",;\t", key=unquoted.count)
    _check_count(unquoted.count(separator) + 1)
    return separator


def _check_count(n_columns: int) -> None:
    if n_columns > MAX_COLUMNS:
        raise TableError(f"it has {n_columns} columns, and at most {MAX_COLUMNS} are read")


def _check_no_zeros(file: BinaryIO) -> None:
    """Raise if there is a zero byte: the parser would take it for the end of a cell."""
    while chunk := file.read(MAX_LINE):
        if b"\0" in chunk:
            raise TableError("it holds zero bytes, which are not text")
    file.seek(0)


def _read_parquet(file: BinaryIO) -> pd.DataFrame:
    """Read the columns of a Parquet file."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise TableError('Parquet needs pyarrow: pip install "kanref[cli]"') from None
    try:
        opened = ParquetFile(file)
        _check_count(opened.metadata.num_columns)
        table = opened.read()
        names = table.column_names
        frame = table.rename_columns([str(n) for n in range(len(names))]).to_pandas(
            ignore_metadata=True  # columns are columns, whatever index pandas once made of them
        )
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise TableError(f"it is damaged ({str(error).splitlines()[0]})") from None
    frame.columns = names
    return frame.drop(columns=[name for name in names if name.startswith("__index_level_")])
