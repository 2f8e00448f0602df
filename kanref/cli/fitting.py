"""`kanref fit`: from a table to a model, its picture and a report."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..datasets import Dataset, create_dataset_from_data
from ..report import Report, edge_scores, formula_name, markdown, versions
from ..scores import Scores, baselines
from ..table_files import no_constants, training_table
from ..training.callbacks import someone_watches
from .destinations import PAGES, PICTURES, Writer, check_destinations, write_all
from .errors import Refused
from .options import shown_names
from .recipe import Recipe, learn, without_idle_edges
from .rendering import draw, formula_text
from .using import STANDARD_INPUT, files_read, open_table

if TYPE_CHECKING:
    from ..model import KAN

MIN_ROWS = 20
"""A table must have so many rows, and half of them to train on."""


@dataclass(frozen=True)
class FitRequest:
    """What the command was asked for."""

    data: Path
    target: str
    inputs: list[str] | None
    recipe: Recipe
    test_size: float
    symbolic: bool
    out: Path | None
    plot: Path | None
    report: Path | None
    arguments: list[str]

    @property
    def source(self) -> str:
        """What to call the table."""
        return "standard input" if self.data == STANDARD_INPUT else self.data.name

    @property
    def written(self) -> list[str]:
        """The files that were asked for."""
        return [str(path) for path in (self.out, self.plot, self.report) if path]


@dataclass
class Findings:
    """What was learnt, with the test scores by name."""

    model: KAN
    scores: dict[str, Scores]
    notes: list[str] = field(default_factory=list)
    formula: str = ""
    latex: str = ""


def fit_table(request: FitRequest) -> tuple[str, Mapping[str, Any]]:
    """Learn from a table, write what was asked for; return a summary as text and as data."""
    check_destinations(
        {"--out": request.out, "--plot": request.plot, "--report": request.report},
        files_read(the_data=request.data),
        {"--plot": PICTURES, "--out": (".npz",)},
    )
    if request.report is not None and request.report.suffix.lower() in PAGES:
        raise Refused(
            f"--report writes Markdown, got {str(request.report)!r}: "
            "for a page, `kanref report` takes the model and the data"
        )
    data = _split(request)
    findings = _learn(data, request)
    report = _report(data, findings, request)
    write_all(_writers(data, findings.model, report, request))
    return _summary(report, findings, request), _data(report, findings, request)


def _split(request: FitRequest) -> Dataset:
    """Return the rows to learn from and the rows that are held out for the test."""
    frame = open_table(request.data)
    table = training_table(frame, request.target, request.inputs, least=MIN_ROWS)
    data = create_dataset_from_data(
        table.X,
        table.y,
        1 - request.test_size,
        request.recipe.seed,
        input_names=table.input_names,
        output_names=[table.target],
        name=request.source,
    )
    n_train, n_test = len(data.X_train), len(data.X_test)
    if n_train < MIN_ROWS // 2 or n_test < 2:
        raise Refused(
            f"--test-size must leave at least {MIN_ROWS // 2} rows to learn from and 2 to test, "
            f"got {n_train} and {n_test}"
        )
    train = np.column_stack([data.X_train, data.y_train])
    no_constants(train, [*table.input_names, table.target], f"in the {n_train} training rows")
    return data


def _learn(data: Dataset, request: FitRequest) -> Findings:
    """Fit, and compare on the rows held out."""
    scores = baselines(data.X_train, data.y_train, data.X_test, data.y_test)
    linear = scores["linear least squares"]
    model, notes = learn(data, request.recipe)
    network = scores["network"] = Scores.of(data.y_test, model.predict(data.X_test))
    if not network.rmse < linear.rmse:
        notes.append("the network is no better than linear least squares on the test rows")
    low, high = data.X_train.min(axis=0), data.X_train.max(axis=0)
    outside = int(np.any((data.X_test < low) | (data.X_test > high), axis=1).sum())
    if outside:
        rows = "1 test row lies" if outside == 1 else f"{outside} test rows lie"
        notes.append(f"{rows} outside the range of the training rows")
    findings = Findings(model, scores, notes)
    return _snapped(findings, data, request) if request.symbolic else findings


def _snapped(findings: Findings, data: Dataset, request: FitRequest) -> Findings:
    """Put a function on every edge, and write the formula."""
    if someone_watches() and not request.recipe.quiet:
        print("looking for functions …", file=sys.stderr, flush=True)
    model = findings.model.auto_symbolic(data.X_train, data.y_train, r2_threshold=0.0)
    model = without_idle_edges(model, data.X_train, data.y_train)
    findings.scores["formula"] = Scores.of(data.y_test, model.predict(data.X_test))
    findings.model = model
    findings.formula, findings.latex = formula_text(model, X=data.X_test)[0]
    return findings


def _report(data: Dataset, findings: Findings, request: FitRequest) -> Report:
    """Collect what the report says."""
    model, recipe = findings.model, request.recipe
    attribution = model.attribute(data.X_train)
    picture = ""
    if request.plot and request.report:
        picture = _relative(request.plot, request.report)
    return Report(
        title=f"{request.target} from {request.source}",
        source=request.source,
        inputs=list(data.input_names),
        target=request.target,
        n_train=len(data.X_train),
        n_test=len(data.X_test),
        scores=findings.scores,
        model={
            "network": repr(model),
            "penalty": f"lamb = {recipe.lamb:g}, a tenth of it in the last fit",
            "seed": str(recipe.seed),
        },
        features=dict(zip(model.input_names, map(float, attribution.feature_scores), strict=True)),
        edges=edge_scores(model.network, attribution, model.input_names, model.output_names),
        formula=findings.formula,
        latex=findings.latex,
        picture=picture,
        notes=findings.notes,
        command=shlex.join(["kanref", *request.arguments]),
        versions=versions(),
    )


def _relative(path: Path, report: Path) -> str:
    """Return the way from the report to a file, as an address."""
    try:
        return Path(os.path.relpath(path, report.parent)).as_posix()
    except ValueError:  # on another drive of a Windows machine
        return path.resolve().as_uri()


def _writers(
    data: Dataset, model: KAN, report: Report, request: FitRequest
) -> Mapping[Path, Writer]:
    """Return who writes each file that was asked for."""
    writers: dict[Path, Writer] = {}
    if request.out:
        writers[request.out] = model.save
    if request.plot:
        writers[request.plot] = lambda path: draw(model, path, data.X_train)
    if request.report:
        writers[request.report] = lambda path: _write_text(path, markdown(report))
    return writers


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _summary(report: Report, findings: Findings, request: FitRequest) -> str:
    """Return what the terminal shows."""
    lines = [
        f"{report.target} from {shown_names(report.inputs)}: {report.n_train} rows to learn from, "
        f"{report.n_test} held out",
        repr(findings.model),
        *findings.notes,
        "",
        f"{'on the rows held out':26}  {'RMSE':>10}  {'MAE':>10}  {'R²':>8}",
        *(
            f"{name:26}  {s.rmse:10.4g}  {s.mae:10.4g}  {s.r2:8.4f}"
            for name, s in report.scores.items()
        ),
    ]
    if findings.formula:
        lines += ["", f"{formula_name(report.target)} = {findings.formula}"]
    if request.written:
        lines += ["", f"wrote {', '.join(request.written)}"]
    return "\n".join(lines)


def _data(report: Report, findings: Findings, request: FitRequest) -> Mapping[str, Any]:
    """Return what a script wants to know."""
    model = findings.model
    return {
        "target": report.target,
        "inputs": report.inputs,
        "n_train": report.n_train,
        "n_test": report.n_test,
        "model": {
            "text": repr(model),
            "width": model.width,
            "grid": [layer.G for layer in model.layers],
            "k": [layer.k for layer in model.layers],
            "n_edges": len(report.edges),
            "n_parameters": model.n_params,
        },
        "scores": {name: asdict(scores) for name, scores in report.scores.items()},
        "features": report.features,
        "notes": findings.notes,
        "formula": findings.formula or None,
        "latex": findings.latex or None,
        "seed": request.recipe.seed,
        "wrote": request.written,
    }
