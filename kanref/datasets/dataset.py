"""The table that a model is trained and tested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import Array

if TYPE_CHECKING:
    import pandas as pd

# The keys of the dictionaries that the paper's library trains on, in the order of our fields.
_DICT_KEYS = ("train_input", "train_label", "test_input", "test_label")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Training and test rows of a table, inputs apart from outputs.

    One-dimensional arrays become one column. Iterating yields the four arrays, so that
    ``X_train, y_train, X_test, y_test = dataset`` works.

    Parameters
    ----------
    X_train, X_test : array_like
        Inputs, shapes (N, n_in) and (N_test, n_in), stored as float64. No test rows is allowed.
    y_train, y_test : array_like
        Outputs, shapes (N, n_out) and (N_test, n_out), stored as float64. With `classes`: integer
        labels, the index of each row's class, shapes (N, 1) and (N_test, 1).
    input_names, output_names : sequence of str, optional
        Names of the columns; x_1, x_2, … and y (or y_1, y_2, …) when none are given.
    classes : sequence, optional
        The classes that integer labels stand for; None when the outputs are numbers.
    name : str
        What to call the data when it is shown.

    Raises
    ------
    ValueError
        If shapes, names or labels do not belong together, or a number is not finite.
    TypeError
        If a table holds something other than numbers.

    Examples
    --------
    >>> Dataset([[0.0, 1.0], [2.0, 3.0]], [1.0, 5.0], [[4.0, 5.0]], [9.0])
    Dataset(2 training and 1 test rows; inputs x_1, x_2; output y)
    """

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array
    input_names: Sequence[str] = ()
    output_names: Sequence[str] = ()
    classes: Sequence[Any] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        classes = None if self.classes is None else tuple(self.classes)
        n_classes = None if classes is None else len(classes)
        values = {
            "X_train": _table(self.X_train, "X_train"),
            "y_train": _outputs(self.y_train, "y_train", n_classes),
            "X_test": _table(self.X_test, "X_test"),
            "y_test": _outputs(self.y_test, "y_test", n_classes),
        }
        for part in ("train", "test"):
            _same(values, f"X_{part}", f"y_{part}", axis=0)
        for letter in "Xy":
            _same(values, f"{letter}_train", f"{letter}_test", axis=1)
        n_in, n_out = values["X_train"].shape[1], values["y_train"].shape[1]
        names = {
            "input_names": _names(self.input_names, "input_names", "x", n_in),
            "output_names": _names(self.output_names, "output_names", "y", n_out),
        }
        for field, value in {**values, **names, "classes": classes}.items():
            object.__setattr__(self, field, value)  # frozen for users, normalised once here

    def __iter__(self) -> Iterator[Array]:
        return iter((self.X_train, self.y_train, self.X_test, self.y_test))

    def __repr__(self) -> str:
        parts = [
            f"{len(self.X_train)} training and {len(self.X_test)} test rows",
            _listing("input", self.input_names),
            _listing("output", self.output_names),
        ]
        if self.classes is not None:
            parts.append(f"{len(self.classes)} classes")
        title = f"{self.name}: " if self.name else ""
        return f"Dataset({title}{'; '.join(parts)})"

    def to_pandas(self, part: str = "train") -> pd.DataFrame:
        """Return the rows of one part as a pandas table: input columns, then output columns.

        Parameters
        ----------
        part : {"train", "test"}
            Which rows.

        Returns
        -------
        pandas.DataFrame
            Columns `input_names` then `output_names`; a label appears as its class.

        Raises
        ------
        ValueError
            If `part` is neither "train" nor "test".
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> Dataset([[0.0], [1.0]], [3.0, 4.0], [[2.0]], [5.0]).to_pandas("test")
           x_1    y
        0  2.0  5.0
        """
        if part not in ("train", "test"):
            raise ValueError(f'`part` must be "train" or "test", got {part!r}')
        pd = _import_pandas()
        X, y = (self.X_train, self.y_train) if part == "train" else (self.X_test, self.y_test)
        inputs = pd.DataFrame(X, columns=list(self.input_names))
        outputs = pd.DataFrame(y, columns=list(self.output_names))
        if self.classes is not None:
            outputs = outputs.map(self.classes.__getitem__)
        return pd.concat([inputs, outputs], axis=1)

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Array], **fields: Any) -> Dataset:
        """Take the dictionary that the paper's library trains on.

        Parameters
        ----------
        mapping : mapping
            Arrays under ``train_input``, ``train_label``, ``test_input``, ``test_label``.
        **fields
            `input_names`, `output_names`, `classes` or `name` of the data set.

        Returns
        -------
        Dataset

        Raises
        ------
        ValueError
            If a key is missing.

        Examples
        --------
        >>> X, y = [[0.0], [1.0]], [[0.0], [2.0]]
        >>> keys = ["train_input", "train_label", "test_input", "test_label"]
        >>> Dataset.from_dict(dict(zip(keys, [X, y, X, y], strict=True)))
        Dataset(2 training and 2 test rows; input x_1; output y)
        """
        missing = [key for key in _DICT_KEYS if key not in mapping]
        if missing:
            raise ValueError(
                f"`mapping` must have the keys {', '.join(_DICT_KEYS)}, lacks {', '.join(missing)}"
            )
        return cls(*(mapping[key] for key in _DICT_KEYS), **fields)


def _table(values: Array, name: str) -> Array:
    """Return `values` as a new float64 array of rows and columns."""
    try:
        table = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`{name}` must be a table of numbers: {error}") from error
    if table.ndim == 1:
        table = table[:, np.newaxis]
    if table.ndim != 2:
        raise ValueError(f"`{name}` must have shape (N, columns) or (N,), got {table.shape}")
    if not np.all(np.isfinite(table)):
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise ValueError(
            f"`{name}` must be finite, got {table[row, column]} in row {row}, column {column}"
        )
    return table


def _outputs(values: Array, name: str, n_classes: int | None) -> Array:
    """Return outputs as a table of numbers, or as one column of labels 0 … n_classes - 1."""
    table = _table(values, name)
    if n_classes is None:
        return table
    if table.shape[1] != 1:
        raise ValueError(f"`{name}` must have one column of labels, got shape {table.shape}")
    labels = table.astype(np.int64)
    wrong = (labels != table) | (labels < 0) | (labels >= n_classes)
    if np.any(wrong):
        raise ValueError(
            f"`{name}` must hold integer labels 0 to {n_classes - 1}, got {table[wrong][0]:g}"
        )
    return labels


def _same(values: Mapping[str, Array], first: str, second: str, axis: int) -> None:
    """Require that two tables have as many rows (axis 0) or columns (axis 1)."""
    a, b = values[first].shape, values[second].shape
    if a[axis] != b[axis]:
        what = ("rows", "columns")[axis]
        raise ValueError(f"`{first}` and `{second}` must have as many {what}, got {a} and {b}")


def _names(names: Sequence[str], argument: str, letter: str, n: int) -> tuple[str, ...]:
    """Return the given names, checked, or letter_1, letter_2, …; a lone output is just y."""
    if len(names) == 0:
        return ("y",) if (letter, n) == ("y", 1) else tuple(f"{letter}_{i + 1}" for i in range(n))
    result = (names,) if isinstance(names, str) else tuple(names)
    if len(result) != n or not all(isinstance(name, str) for name in result):
        raise ValueError(f"`{argument}` must be {n} strings, got {result}")
    if len(set(result)) != n:
        raise ValueError(f"`{argument}` must differ from one another, got {result}")
    return result


def _listing(noun: str, names: Sequence[str]) -> str:
    """Return "input a", "inputs a, b" or "9 inputs a, b, …, i"."""
    if len(names) == 1:
        return f"{noun} {names[0]}"
    if len(names) <= 6:
        return f"{noun}s {', '.join(names)}"
    return f"{len(names)} {noun}s {names[0]}, {names[1]}, …, {names[-1]}"


def _import_pandas() -> Any:
    """Import pandas, or say how to get it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("`to_pandas` needs pandas: pip install 'kanref[cli]'") from error
    return pandas
