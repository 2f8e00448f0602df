"""`kanref export`: a model as a program, page or graph that needs no kanref."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import export
from ..table_files import columns
from .destinations import check_destinations
from .errors import Refused
from .using import files_read, load_model, open_table


def option_values(texts: Sequence[str]) -> dict[str, Any]:
    """Return the options in "name=value": numbers as numbers, yes and no as truth values.

    Raises
    ------
    Refused
        If a text is no such pair, or a name comes twice.

    Examples
    --------
    >>> option_values(["dtype=float", "lookup=1e-6"])
    {'dtype': 'float', 'lookup': 1e-06}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name.isidentifier():
            raise Refused(f"--option must be name=value, got {text!r}")
        if name in found:
            raise Refused(f"--option must give {name} once, got it twice")
        found[name] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    """Return a number, a truth value, or the text itself."""
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def export_model(
    model_path: Path, place: str, to: str | None, options: Sequence[str], data: Path | None = None
) -> tuple[str, dict[str, Any]]:
    """Write a model for a target, and return what to tell: the files with their sizes.

    The place is text: a path would forget that one was written like a folder's.
    """
    values = option_values(options)
    try:
        out, target = export.file_path(place), export.target_of(place, to)
    except ValueError as error:
        raise Refused(_as_options(str(error))) from None
    takes_data = "X" in export.TARGETS[target].options
    if data is not None and not takes_data:
        raise Refused(f"the target {target} has no use for --data")
    sources = files_read(the_model=model_path, the_data=data)
    check_destinations({"--out": out}, sources, {})
    model = load_model(model_path)
    if data is not None:
        values["X"] = columns(open_table(data), model.input_names)
    try:
        files = export.render(export.program_of(model), out, target, **values)
    except (ValueError, TypeError) as error:
        raise Refused(_as_options(str(error))) from None
    except ModuleNotFoundError as error:
        raise Refused(f"the target {target} needs {error.name}") from None
    places = {f"--out ({path.name})": path for path in files if path != out}
    check_destinations({"--out": out, **places}, sources, {})
    try:
        export.write_files(files)
    except OSError as error:
        what = error.filename or str(out)
        raise Refused(f"cannot write {what!r}: {error.strerror or error}") from None
    sizes = {path: path.stat().st_size for path in files}
    text = "\n".join(f"{path}: {size} bytes" for path, size in sizes.items())
    listed = [{"path": str(path), "bytes": size} for path, size in sizes.items()]
    return text, {"target": target, "files": listed}


def _as_options(message: str) -> str:
    """Return a message about arguments as one about options."""
    return message.replace("`path`", "--out").replace("`to`", "--to").replace("`X`", "--data")
