"""`kanref predict`, `formula`, `plot` and `info`: what one does with a model that is there."""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..kernels import numba_kernels
from ..report import formula_name, latex_name, versions
from ..table_files import columns, read_table
from .destinations import PICTURES, TABLES, check_destinations, write_all
from .errors import Refused
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


def predict_table(model_path: Path, data: Path, out: Path | None) -> None:
    """Write the predictions for the rows of a table to a file, or as CSV to standard output."""
    check_destinations(
        {"--out": out}, {"the model": model_path, "the data": data}, {"--out": TABLES}
    )
    model = load_model(model_path)
    frame = _predictions(model, columns(read_table(data), model.input_names))
    if out is None:
        if sys.stdout is None:
            raise Refused("there is no standard output; give --out")
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
    elif out.suffix.lower() == ".parquet":
        write_all({out: lambda path: frame.to_parquet(path, index=False)})
    else:
        write_all({out: lambda path: frame.to_csv(path, index=False, lineterminator="\n")})


def _predictions(model: KAN, X: object) -> pd.DataFrame:
    """Return a column for each output, or the column of labels of a classifier."""
    import pandas as pd

    if model.classes is not None:
        return pd.DataFrame({"class": model.predict_class(X)})
    return pd.DataFrame(model.predict(X), columns=model.output_names)


def formulas(model_path: Path, digits: int | None, latex: bool) -> str:
    """Return the formula of each output, a line each."""
    model = load_model(model_path)
    try:
        texts = formula_text(model, digits)
    except ValueError as error:
        raise Refused(
            f"there is no formula as long as edges are splines; fit with --symbolic ({error})"
        ) from None
    pairs = zip(model.output_names, texts, strict=True)
    if latex:
        return "\n".join(f"{latex_name(name)} = {tex}" for name, (_, tex) in pairs)
    return "\n".join(f"{formula_name(name)} = {text}" for name, (text, _) in pairs)


def plot_model(model_path: Path, out: Path, data: Path | None) -> None:
    """Draw the network to a file; with data, edges are as dark as they matter there."""
    sources = {"the model": model_path} | ({"--data": data} if data else {})
    check_destinations({"--out": out}, sources, {"--out": PICTURES})
    model = load_model(model_path)
    X = None if data is None else columns(read_table(data), model.input_names)
    write_all({out: lambda path: draw(model, path, X)})


def info() -> str:
    """Return the versions and which backends there are, a line each."""
    lines = [f"{name:9} {version}" for name, version in versions().items()]
    lines.insert(-1, f"{'extras':9} " + ", ".join(map(_version, ("pandas", "pyarrow", "typer"))))
    numba = "there, and the default" if numba_kernels() else "not there; NumPy computes instead"
    cupy = "installed" if find_spec("cupy") else "not installed"
    lines += [
        "backends  numpy: always there; the definition",
        f"          numba: {numba}",
        f"          cupy: {cupy}, and not used by this version yet",
    ]
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} not installed"
