"""The cards of a report that compare predictions with what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..export.view import label
from ..export.web import text
from ..plotting.text import number
from ..scores import Scores
from .charts import Chart, span_of
from .sections import card, note

if TYPE_CHECKING:
    from .page import PageData

MOST_DOTS = 2000
"""A scatter plot has no more dots than these; rows are left out at random."""

MOST_OUTPUTS = 8
MOST_CLASSES = 20


def scores(data: PageData) -> str:
    """Tell how well the model does on the rows."""
    if data.labels is not None:
        return _accuracy(data)
    if data.target is None:
        wanted = " and ".join(data.shown_outputs[:4])
        return card(
            "How well",
            note(f"The data has no column {wanted}: there is nothing to compare predictions with."),
        )
    if len(data.target) < 2:
        return card("How well", note("One row is too few to measure errors on."))
    tiles = ""
    for o, name in enumerate(data.shown_outputs[:MOST_OUTPUTS]):
        found = Scores.of(data.target[:, o], data.prediction[:, o])
        tiles += f'<p class="output-name">{text(name)}</p>' if len(data.output_names) > 1 else ""
        unit = f"root mean square error of {name}"
        tiles += _tiles(
            [
                ("RMSE", number(found.rmse, 4), unit),
                ("MAE", number(found.mae, 4), "mean absolute error"),
                ("R²", f"{found.r2:.4f}", "share of the variance that is explained"),
            ]
        )
    about = f"On {len(data.X)} rows of {data.source}, in the units of the data."
    return card("How well", note(about) + tiles)


def _tiles(entries: list[tuple[str, str, str]]) -> str:
    found = "".join(
        f'<div><dt title="{text(about)}">{text(name)}</dt><dd>{text(value)}</dd></div>'
        for name, value, about in entries
    )
    return f'<dl class="tiles">{found}</dl>'


def _accuracy(data: PageData) -> str:
    """Tell how many labels are right, and which are taken for which."""
    true = [str(v) for v in data.labels or ()]
    said = [str(v) for v in data.predicted_labels or ()]
    right = np.mean([a == b for a, b in zip(true, said, strict=True)])
    names = list(dict.fromkeys(sorted({*true, *said})))
    tiles = _tiles([("accuracy", f"{100 * right:.1f} %", "share of the labels that are right")])
    about = note(f"On {len(true)} rows of {data.source}.")
    if len(names) > MOST_CLASSES:
        return card("How well", about + tiles)
    counts = {(a, b): 0 for a in names for b in names}
    for pair in zip(true, said, strict=True):
        counts[pair] += 1
    head = "".join(f'<th scope="col" class="number">{text(label(name))}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{text(label(a))}</th>'
        + "".join(
            f'<td class="number{" hit" if a == b else ""}">{counts[a, b]}</td>' for b in names
        )
        + "</tr>"
        for a in names
    )
    table = (
        f'<div class="scroll"><table><thead><tr><th>true, by predicted</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    return card("How well", about + tiles + table)


def plots(data: PageData) -> str:
    """Draw predictions against what was measured, and the residuals."""
    if data.target is None or len(data.target) < 2:
        return ""
    rows = np.arange(len(data.X))
    if len(rows) > MOST_DOTS:
        rows = np.sort(np.random.default_rng(0).choice(len(rows), MOST_DOTS, replace=False))
    parts = []
    for o, name in enumerate(data.shown_outputs[:MOST_OUTPUTS]):
        if len(data.output_names) > 1:
            parts.append(f'<p class="output-name">{text(name)}</p>')
        true, said = data.target[:, o], data.prediction[:, o]
        charts = [
            _scatter(true[rows], said[rows], name),
            _residuals(true[rows], said[rows], name),
            _histogram(true, said, name),
        ]
        parts.append(f'<div class="charts">{"".join(charts)}</div>')
    about = "A residual is what was measured less what was predicted."
    if len(rows) < len(data.X):
        about += f" The scatter plots show {len(rows)} of {len(data.X)} rows, drawn at random."
    more = len(data.output_names) - MOST_OUTPUTS
    if more > 0:
        about += f" {more} more outputs are not shown."
    return card("Errors", note(about) + "".join(parts))


def _figure(caption: str, picture: str) -> str:
    return f"<figure><figcaption><b>{text(caption)}</b></figcaption>{picture}</figure>"


def _scatter(true: np.ndarray, said: np.ndarray, name: str) -> str:
    span = span_of(true, said)
    chart = Chart(span, span, height=300)
    ends = np.array(span)
    picture = chart.svg(
        f"{name}: predicted against true; the broken line is where they are equal",
        chart.axes("true", "predicted"),
        chart.line(ends, ends, "ideal"),
        chart.dots(true, said),
    )
    return _figure("Predicted against true", picture)


def _residuals(true: np.ndarray, said: np.ndarray, name: str) -> str:
    residual = true - said
    chart = Chart(span_of(said), span_of(residual, np.zeros(1)), height=300)
    picture = chart.svg(
        f"{name}: residuals against predictions",
        chart.axes("predicted", "residual"),
        chart.line(np.array(chart.x), np.zeros(2), "ideal"),
        chart.dots(said, residual),
    )
    return _figure("Residuals", picture)


def _histogram(true: np.ndarray, said: np.ndarray, name: str) -> str:
    residual = true - said
    residual = residual[np.isfinite(residual)]
    x = span_of(residual, np.zeros(1))
    bins = int(np.clip(np.sqrt(max(len(residual), 1)) * 1.5, 8, 40))
    counts, ends = np.histogram(residual, bins=bins, range=x)
    chart = Chart(x, (0.0, 1.08 * max(int(counts.max()), 1)), height=300)
    picture = chart.svg(
        f"{name}: how often residuals of each size occur",
        chart.axes("residual", "rows"),
        chart.bars(ends, counts.astype(float)),
        chart.line(np.zeros(2), np.array(chart.y), "ideal"),
    )
    return _figure("Distribution of residuals", picture)
