"""The commands and their options; Typer is imported here and nowhere above."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._version import __version__
from . import manual
from .errors import OneSentence
from .options import finite, hidden_layers, names_list, one_name
from .output import Output

app = typer.Typer(
    cls=OneSentence,
    help="Kolmogorov–Arnold networks: from a table of data to a formula.",
    epilog=manual.MANUAL,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    Path, typer.Argument(help="A CSV or Parquet file with named columns; - is standard input.")
]
Model = Annotated[Path, typer.Argument(help="A model that `kanref fit --out` wrote.")]
Json = Annotated[bool, typer.Option("--json", help="Tell the results as one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell nothing but errors.")]


@app.callback(invoke_without_command=True, epilog=manual.MANUAL)
def kanref(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Tell the version.")] = False,
) -> None:
    """Kolmogorov–Arnold networks: from a table of data to a formula."""
    if version:
        print(f"kanref {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(epilog=manual.FIT)
def fit(
    context: typer.Context,
    data: Data,
    target: Annotated[str, typer.Option(help="The column to predict.")],
    inputs: Annotated[
        str | None,
        typer.Option(
            help="Columns to predict it from, as a,b; all others if left out. A name with a comma "
            "stands in double quotes, and the shell wants quotes around it all if there is a "
            "space: 'a,wing area,\"lift, in N\"'."
        ),
    ] = None,
    width: Annotated[
        str | None,
        typer.Option(
            help="Nodes of each hidden layer: 5 or 5,3, or 0 for none; 3x2 are 3 sums, 2 products."
        ),
    ] = None,
    grid: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Grid intervals of the splines, at most.")
    ] = None,
    k: Annotated[int, typer.Option(min=0, max=10, help="Degree of the splines.")] = 3,
    lamb: Annotated[
        float, typer.Option(min=0, max=1e6, help="Penalty that makes the network sparse.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(min=0, help="Of the split and of the network.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each stage of the fit.")] = 150,
    test_size: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the rows held out for the test.")
    ] = 0.2,
    prune: Annotated[bool, typer.Option(help="Remove what does not matter.")] = True,
    symbolic: Annotated[
        bool, typer.Option(help="Replace the splines by functions: the model is a formula.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the model, as .npz.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it: .png, .svg or .pdf.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report in Markdown.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn to predict a column of a table from others."""
    from .fitting import FitRequest, fit_table
    from .recipe import Recipe

    request = FitRequest(
        data,
        one_name(target),
        names_list(inputs),
        Recipe(hidden_layers(width), grid, k, finite("--lamb", lamb), seed, steps, prune, quiet),
        finite("--test-size", test_size),
        symbolic,
        out,
        plot,
        report,
        list(context.obj),
    )
    Output(json, quiet).tell(*fit_table(request))


@app.command(epilog=manual.PREDICT)
def predict(
    model: Model,
    data: Data,
    out: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file; standard output if left out.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Predict for the rows of a table."""
    from .using import predict_table

    predict_table(model, data, out, Output(json, quiet))


@app.command(epilog=manual.FORMULA)
def formula(
    model: Model,
    digits: Annotated[
        int | None,
        typer.Option(min=1, max=17, help="Significant digits; as many as needed if left out."),
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="As LaTeX.")] = False,
    json: Json = False,
) -> None:
    """Print the formula of a model fitted with --symbolic."""
    from .using import formulas

    Output(json).answer(*formulas(model, digits, latex))


@app.command(epilog=manual.PLOT)
def plot(
    model: Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="A .png, .svg or .pdf file.")],
    data: Annotated[
        Path | None, typer.Option(help="Rows on which to see how much each edge matters.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a model."""
    from .using import plot_model

    plot_model(model, out, data, Output(json, quiet))


@app.command(epilog=manual.REPORT)
def report(
    context: typer.Context,
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="The page, an .html file.")],
    target: Annotated[
        str | None, typer.Option(help="The measured column; that of the output if left out.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a page about a model: picture, curves, errors, formula."""
    from .reporting import report_model

    target = None if target is None else one_name(target)
    Output(json, quiet).tell(*report_model(model, data, out, target, list(context.obj)))


@app.command(epilog=manual.EXPORT)
def export(
    model: Model,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="<path>",
            help="The file; some targets write others beside it.",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            help="python, numpy, c, javascript, html, onnx, formula or table; "
            "if left out, the one to which the suffix of the file belongs."
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="Of the target, as name=value; repeatable."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Rows that an html page shows, or whose ranges a table covers."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a model as a program, page or graph that needs no kanref."""
    from .exporting import export_model

    Output(json, quiet).tell(*export_model(model, out, to, option or [], data))


@app.command()
def info(json: Json = False) -> None:
    """Tell versions and backends, and where kernels are kept."""
    from .machine import info as tell

    Output(json).answer(*tell())


@app.command(epilog=manual.WARMUP)
def warmup(
    dtype: Annotated[
        list[str] | None,
        typer.Option(help="float64 (which is the default) or float32; repeatable."),
    ] = None,
    k: Annotated[
        list[int] | None,
        typer.Option(help="Degree of the splines, 0 to 5; 3 if left out; repeatable."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compile the kernels ahead of their first use."""
    from .machine import warm_up

    Output(json, quiet).tell(*warm_up(dtype or ["float64"], k or [3]))
