"""`kanref predict`, `formula` and `plot`: what one does with a model that is there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..report import formula_name, latex_name
from ..table_files import columns, read_table
from .destinations import PICTURES, TABLES, check_destinations, write_all
from .errors import Refused
from .output import Output, as_json
from .rendering import draw, formula_text

if TYPE_CHECKING:
    import pandas as pd

    from ..model import KAN


def load_model(path: Path) -> KAN:
    """Read a model file, or refuse with the reason."""
    from ..model import KAN

    try:
        return KAN.load(path)
    except OSError as error:
        raise Refused(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    except ValueError as error:
        raise Refused(str(error).replace("`path`", "the model")) from None


STANDARD_INPUT = Path("-")


def open_table(path: Path) -> pd.DataFrame:
    """Read a table from a file, or from standard input, which is called -."""
    if path != STANDARD_INPUT:
        return read_table(path)
    if sys.stdin is None:
        raise Refused("there is no standard input")
    return read_table(BytesIO(sys.stdin.buffer.read()), "standard input")


def files_read(**paths: Path | None) -> Mapping[str, Path]:
    """Return those that are files, by what they are: they must not be overwritten."""
    return {
        name.replace("_", " "): path
        for name, path in paths.items()
        if path is not None and path != STANDARD_INPUT
    }


def predict_table(model_path: Path, data: Path, out: Path | None, output: Output) -> None:
    """Write the predictions for the rows of a table to a file, or as CSV to standard output."""
    sources = files_read(the_model=model_path, the_data=data)
    check_destinations({"--out": out}, sources, {"--out": TABLES})
    if out is None and sys.stdout is None:
        raise Refused("there is no standard output; give --out")
    model = load_model(model_path)
    frame = _predictions(model, columns(open_table(data), model.input_names))
    if out is None and output.json:
        print(as_json({"predictions": frame.to_dict(orient="records")}))
    elif out is None:
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
    else:
        write_all({out: lambda path: _write_frame(frame, path)})
        if output.json:
            print(as_json({"rows": len(frame), "wrote": [str(out)]}))


def _write_frame(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix.lower() == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, lineterminator="\n")


def _predictions(model: KAN, X: object) -> pd.DataFrame:
    """Return a column for each output, or the column of labels of a classifier."""
    import pandas as pd

    if model.classes is not None:
        return pd.DataFrame({"class": model.predict_class(X)})
    return pd.DataFrame(model.predict(X), columns=model.output_names)


def formulas(model_path: Path, digits: int | None, latex: bool) -> tuple[str, Mapping[str, Any]]:
    """Return the formula of each output, a line each, and the same as data."""
    model = load_model(model_path)
    try:
        texts = formula_text(model, digits)
    except ValueError as error:
        raise Refused(
            f"there is no formula as long as edges are splines; fit with --symbolic ({error})"
        ) from None
    pairs = list(zip(model.output_names, texts, strict=True))
    if latex:
        lines = [f"{latex_name(name)} = {tex}" for name, (_, tex) in pairs]
    else:
        lines = [f"{formula_name(name)} = {text}" for name, (text, _) in pairs]
    found = [{"output": name, "formula": text, "latex": tex} for name, (text, tex) in pairs]
    return "\n".join(lines), {"inputs": model.input_names, "formulas": found}


def plot_model(model_path: Path, out: Path, data: Path | None, output: Output) -> None:
    """Draw the network to a file; with data, edges are as dark as they matter there."""
    sources = dict(files_read(the_model=model_path))
    if data is not None and data != STANDARD_INPUT:
        sources["--data"] = data
    check_destinations({"--out": out}, sources, {"--out": PICTURES})
    model = load_model(model_path)
    X = None if data is None else columns(open_table(data), model.input_names)
    write_all({out: lambda path: draw(model, path, X)})
    if output.json:
        print(as_json({"wrote": [str(out)]}))
