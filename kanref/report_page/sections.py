"""The cards of a report that speak of the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..attribution import attribute
from ..export.view import in_data_units, label
from ..export.web import formulas, placeholders, text
from ..network import layer_inputs, network_statistics
from ..plotting import network_svg
from ..plotting.batch import chunks, observe
from ..plotting.curves import LayerCurves, sample_layer
from ..plotting.text import formula as edge_formula
from ..plotting.text import number
from ..report import EdgeScore, edge_scores
from .charts import Chart, shares, span_of

if TYPE_CHECKING:
    from .page import PageData

MOST_CURVES = 36
"""No more edges than these have their curve shown."""

MOST_FEATURES = 40
DIGITS = 5


def card(title: str, body: str, *, half: bool = False) -> str:
    """Return a card; `body` is HTML."""
    kind = "card half" if half else "card"
    return f'<section class="{kind}"><h2>{text(title)}</h2>{body}</section>'


def breakable(name: str) -> str:
    """Return a name for HTML that may break after its underscores."""
    return text(name).replace("_", "_<wbr>")


def note(sentence: str) -> str:
    """Return a sentence in small letters."""
    return f'<p class="note">{text(sentence)}</p>'


def network(data: PageData) -> str:
    """Draw the network; edges are as dark as they matter on the rows."""
    picture = network_svg(
        data.network, x=data.x, input_names=data.shown_inputs, output_names=data.shown_outputs
    )
    about = "Data flows upwards. Edges are as dark as they matter, functions are orange."
    return card("Network", f'{note(about)}<div class="network">{picture}</div>')


def formula(data: PageData) -> str:
    """Typeset the formula of a symbolic model; nothing as long as an edge is a spline."""
    if any(bool(np.any(layer.numeric)) for layer in data.network.layers):
        return ""
    from ..symbolic import symbolic_formula

    expressions = symbolic_formula(
        data.network,
        input_names=placeholders(len(data.input_names)),
        scaling=data.scaling,
        round_to=DIGITS,
    )
    found = formulas(expressions, data.input_names, data.output_names)
    return card("Formula", found + note(f"Constants to {DIGITS} digits."))


def features(data: PageData) -> str:
    """Rank the inputs by their scores."""
    scores = attribute(data.network, network_statistics(data.network, chunks(data.network, data.x)))
    values = [float(v) for v in scores.feature_scores]
    ranked = sorted(zip(data.shown_inputs, values, shares(values), strict=True), key=_by_score)
    rows = "".join(
        f'<tr><td>{breakable(name)}</td><td class="number">{number(score, 3)}</td>'
        f'<td><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{100 * share:.1f}" height="10" rx="1"/></svg></td></tr>'
        for name, score, share in ranked[:MOST_FEATURES]
    )
    more = len(ranked) - MOST_FEATURES
    left = note(f"{more} more inputs score less.") if more > 0 else ""
    head = '<tr><th scope="col">input</th><th scope="col" class="number">score</th><th></th></tr>'
    table = f'<table class="bars-table"><thead>{head}</thead><tbody>{rows}</tbody></table>'
    return card(
        "What matters", note("How much each input moves the outputs.") + table + left, half=True
    )


def _by_score(entry: tuple[str, float, float]) -> float:
    return -entry[1] if math.isfinite(entry[1]) else math.inf


def history(data: PageData) -> str:
    """Draw the terms of the objective against the step."""
    title = "Training"
    found = data.history
    if found is None or not len(found):
        return card(title, note("The model file holds no history of its training."), half=True)
    lines = [("loss", "curve", found.loss)]
    if np.any(np.nan_to_num(found.reg)):
        lines.append(("penalty", "curve second", found.reg))
    if np.any(np.isfinite(found.validation)):
        lines.append(("validation", "curve third", found.validation))
    values = np.concatenate([column[np.isfinite(column)] for *_, column in lines])
    positive = bool(values.size and values.min() > 0)
    y = (0.8 * float(values.min()), 1.25 * float(values.max())) if positive else span_of(values)
    chart = Chart(span_of(found.step, room=0.02), y, 480, 280, logarithmic=positive)
    drawn = "".join(chart.line(found.step, column, kind) for _, kind, column in lines)
    keys = "".join(
        f'<i class="key {kind.removeprefix("curve").strip()}"></i>{name}' for name, kind, _ in lines
    )
    about = f"{found.step[-1]} steps. The last fit ended: {found.stop_reason or 'done'}."
    picture = chart.svg(f"Training history: {about}", chart.axes("step", ""), drawn)
    return card(title, f'{note(about)}<p class="note">{keys}</p>{picture}', half=True)


def curves(data: PageData) -> str:
    """Show the curves of the edges that matter most, over where the rows lie."""
    statistics = network_statistics(data.network, chunks(data.network, data.x))
    scores = attribute(data.network, statistics)
    edges = edge_scores(data.network, scores, data.shown_inputs, data.shown_outputs)
    ranked = sorted(edges, key=lambda edge: -np.nan_to_num(edge.score))[:MOST_CURVES]
    seen = observe(data.network, data.x)
    sampled = [
        sample_layer(layer, low, high)
        for layer, low, high in zip(data.network.layers, seen.low, seen.high, strict=True)
    ]
    with np.errstate(all="ignore"):
        inputs = layer_inputs(data.network, data.x)
    figures = "".join(
        _curve(data, edge, sampled[edge.place[0]], inputs[edge.place[0]][:, edge.place[1]])
        for edge in ranked
    )
    about = "φ of each edge over the values that it takes on the rows; blue is where they lie."
    left = len(edges) - len(ranked)
    more = f" {left} more edges score less." if left else ""
    return card("Curves, by score", f'{note(about + more)}<div class="curves">{figures}</div>')


def _curve(data: PageData, edge: EdgeScore, sampled: LayerCurves, values: np.ndarray) -> str:
    l, i, j = edge.place
    x, y = sampled.x[:, i], sampled.phi[:, i, j]
    if l == 0:
        shift, scale = float(data.scaling.x_shift[i]), float(data.scaling.x_scale[i])
        x, values = x * scale + shift, values * scale + shift
    chart = Chart((float(x[0]), float(x[-1])), span_of(y, room=0.08), 220, 150, (40, 24, 6, 8))
    values = values[np.isfinite(values)]
    counts, ends = np.histogram(values, bins=24, range=chart.x)
    low, high = chart.y
    heights = low + 0.22 * (high - low) * counts / max(counts.max(), 1)
    kind = "curve" if edge.function == "spline" else "curve symbolic"
    what = edge.function
    if edge.function != "spline":
        layer = data.network.layers[l]
        places = [(e.i, e.j) for e in layer.symbolic]
        a, b, c, d = (float(v) for v in layer.affine[places.index((i, j))])
        units = data.scaling if l == 0 else None
        what = edge_formula(label(edge.function), in_data_units((a, b, c, d), units, i))
    score = number(edge.score, 3)
    picture = chart.svg(
        f"{edge.label}: {what}, score {score}",
        chart.axes("", ""),
        chart.bars(ends, heights, "density"),
        chart.line(x, y, kind),
    )
    caption = f"<b>{breakable(edge.label)}</b>{text(what)} · score {score}"
    return f"<figure><figcaption>{caption}</figcaption>{picture}</figure>"


def origin(data: PageData) -> str:
    """Tell what made the report."""
    made = ", ".join(f"{name} {version}" for name, version in data.versions.items())
    command = f"<pre>{text(data.command)}</pre>" if data.command else ""
    return card("Once more", command + note(made)) if command or made else ""
