"""`kanref report`: a model and rows of data as one page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..report import versions
from ..report_page import PageData, report_page
from ..scores import Scores
from ..table_files import columns
from .destinations import PAGES, check_destinations, write_all
from .errors import Refused
from .using import STANDARD_INPUT, files_read, load_model, open_table

if TYPE_CHECKING:
    import pandas as pd

    from ..model import KAN


def report_model(
    model_path: Path, data: Path, out: Path, target: str | None, arguments: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """Write the page, and return what to tell: where it is, and how well the model does.

    Parameters
    ----------
    model_path, data, out : Path
        The model, a table, and the page.
    target : str, optional
        The column with what was measured, for a model of one output, or with the labels of a
        classifier; by default the columns that are called as the outputs, if they are there.
    arguments : sequence of str
        Of the command line, to be told on the page.

    Raises
    ------
    Refused
        If there is no row, a column is missing, or a file cannot be read or written.
    """
    sources = files_read(the_model=model_path, the_data=data)
    check_destinations({"--out": out}, sources, {"--out": PAGES})
    model = load_model(model_path)
    frame = open_table(data)
    if not len(frame):
        raise Refused(f"{str(data)!r} has no rows")
    X = columns(frame, model.input_names)
    measured, labels = _measured(model, frame, target)
    source = "standard input" if data == STANDARD_INPUT else data.name
    page = PageData(
        title=f"{_names(model.output_names)} from {source}",
        source=source,
        about=repr(model),
        network=model.network,
        scaling=model.scaling,
        input_names=model.input_names,
        output_names=model.output_names,
        X=X,
        prediction=model.predict(X),
        target=measured,
        labels=labels,
        predicted_labels=None if labels is None else list(model.predict_class(X)),
        history=model.history,
        command=shlex.join(["kanref", *arguments]),
        versions=versions(),
    )
    text = report_page(page)
    write_all({out: lambda path: _write(path, text)})
    return _summary(page, out)


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} outputs"


def _measured(
    model: KAN, frame: pd.DataFrame, target: str | None
) -> tuple[np.ndarray | None, list | None]:
    """Return the measured outputs (N, n_out), or the labels of a classifier, if they are there."""
    if model.classes is not None:
        if target is None:
            return None, None
        if target not in frame.columns:
            raise Refused(f"--target: the data has no column {target!r}")
        return None, [_label(value, model.classes) for value in frame[target]]
    names = model.output_names if target is None else [target]
    if target is not None and model.n_out != 1:
        raise Refused(f"--target is for a model of one output, this one has {model.n_out}")
    if target is None and not set(names) <= set(frame.columns):
        return None, None
    return columns(frame, names), None


def _label(value: Any, classes: Sequence) -> Any:
    """Return the class that a cell means: tables hold 1 as "1" or 1.0."""
    for known in classes:
        if value == known or str(value) == str(known):
            return known
    try:
        return next(
            known
            for known in classes
            if not isinstance(known, (str, bool)) and float(value) == float(known)
        )
    except (StopIteration, TypeError, ValueError):
        return value


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _summary(page: PageData, out: Path) -> tuple[str, dict[str, Any]]:
    """Return the errors on the rows as text and as data."""
    found: dict[str, Any] = {"wrote": [str(out)], "rows": len(page.X)}
    lines = []
    if page.labels is not None and page.predicted_labels is not None:
        pairs = zip(page.labels, page.predicted_labels, strict=True)
        found["accuracy"] = float(np.mean([str(a) == str(b) for a, b in pairs]))
        lines.append(f"accuracy {100 * found['accuracy']:.1f} % on {len(page.X)} rows")
    elif page.target is not None and len(page.X) > 1:
        found["scores"] = {}
        for o, name in enumerate(page.output_names):
            scores = Scores.of(page.target[:, o], page.prediction[:, o])
            found["scores"][name] = vars(scores)
            lines.append(
                f"{name}: RMSE {scores.rmse:.4g}, MAE {scores.mae:.4g}, R² {scores.r2:.4f} "
                f"on {len(page.X)} rows"
            )
    return "\n".join([*lines, f"wrote {out}"]), found
