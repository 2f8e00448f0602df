"""Deployments of a trained network that need no kanref: one module for each target.

``program``   what an export computes, as plain numbers; every writer starts from it
``build``     makes it from a model, and refuses what cannot be exported
``files``     all files of an export are made in memory, checked, and then written together
``TARGETS``   the table of targets

A writer is the function ``write(program, *, stem, **options)`` of its module. It returns the files
as a dict from suffix to content, ``{".c": "…", ".h": "…"}``, text or bytes; the file with the
target's first suffix is the one that the path names. `stem` is the name of the path without its
suffix. The writer's keyword-only arguments besides `stem` are the options of the target, all with
defaults; a value that will not do is a ValueError that names the option. What the target cannot
express is an :class:`ExportError`. Nothing is printed, and nothing is written to disk by a writer.
Modules are imported when their target is asked for.

A new target is a module and a row of the table.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .build import build_program, program_of
from .files import file_path, write_files
from .program import ExportError, Program

__all__ = [
    "TARGETS",
    "ExportError",
    "Program",
    "Target",
    "build_program",
    "export",
    "file_path",
    "program_of",
    "render",
    "target_of",
    "write_files",
]

Content = str | bytes


@dataclass(frozen=True)
class Target:
    """A row of the table.

    Attributes
    ----------
    module : str
        The module of this package that has the writer.
    suffixes : tuple of str
        How the path of the main file may end; the first is its key in what the writer returns.
        The first target whose first suffix is that of a path is meant where none is named.
    about : str
        What comes out, in a few words.
    implied : mapping of str to dict
        Options that a suffix stands for, where they are not given.
    """

    module: str
    suffixes: tuple[str, ...]
    about: str
    implied: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def writer(self) -> Callable[..., Mapping[str, Content]]:
        """The function that makes the files."""
        found: Callable[..., Mapping[str, Content]] = import_module(
            f".{self.module}", __name__
        ).write
        return found

    @property
    def options(self) -> dict[str, Any]:
        """The options with their defaults."""
        parameters = inspect.signature(self.writer).parameters.values()
        return {
            p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "stem"
        }


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "python": Target("python_module", (".py",), "one file of plain Python, no NumPy"),
        "numpy": Target("numpy_module", (".py",), "one file of Python with NumPy, vectorised"),
        "c": Target("c_source", (".c",), "C99 source and header, no heap, no state"),
        "javascript": Target("javascript", (".mjs", ".js"), "an ES module with its types"),
        "html": Target("html", (".html", ".htm"), "one interactive page"),
        "onnx": Target("onnx_graph", (".onnx",), "an ONNX graph of standard operators"),
        "formula": Target(
            "formula",
            (".txt", ".tex", ".sql", ".md"),
            "the formula of a symbolic model, as text in several languages",
            {".tex": {"language": "latex"}, ".sql": {"language": "sql"}},
        ),
        "table": Target("table", (".json",), "every edge as a lookup table of integers"),
    }
)
"""The targets by name (read-only)."""


def target_of(path: str | os.PathLike, to: str | None = None) -> str:
    """Return the target that is meant: `to`, or the one to which the suffix of `path` belongs.

    Raises
    ------
    ValueError
        If there is no such target, or the path does not end as its main file must.

    Examples
    --------
    >>> target_of("drag.c"), target_of("drag.py", "numpy")
    ('c', 'numpy')
    """
    suffix = Path(path).suffix.lower()
    if to is None:
        by_suffix = [name for name, target in TARGETS.items() if suffix in target.suffixes]
        if not by_suffix:
            known = ", ".join(dict.fromkeys(s for t in TARGETS.values() for s in t.suffixes))
            raise ValueError(
                f"`path` must end in one of {known}, or `to` name a target, got {str(path)!r}"
            )
        return by_suffix[0]
    if to not in TARGETS:
        raise ValueError(f"`to` must be one of {', '.join(TARGETS)}, got {to!r}")
    if suffix not in TARGETS[to].suffixes:
        endings = " or ".join(TARGETS[to].suffixes)
        raise ValueError(f"`path` must end in {endings} for the target {to}, got {str(path)!r}")
    return to


def render(
    program: Program, path: str | os.PathLike, to: str | None = None, **options: Any
) -> dict[Path, Content]:
    """Make the files of an export in memory.

    Parameters
    ----------
    program : Program
        What they shall compute.
    path : str or path
        Where the main file is to stand; others stand beside it, with other suffixes.
    to : str, optional
        The target; by default the one to which the suffix of `path` belongs.
    **options
        Of the target.

    Raises
    ------
    ValueError
        If the target, the path or an option will not do.
    ExportError
        If the target cannot express the model.
    TypeError
        If the target has no such option.
    """
    name = target_of(path, to)
    path, target = file_path(path), TARGETS[name]
    known = target.options
    unknown = sorted(set(options) - set(known))
    if unknown:
        has = f"has the options {', '.join(known)}" if known else "has no options"
        raise TypeError(f"the target {name} {has}, got {', '.join(unknown)}")
    options = {**target.implied.get(path.suffix.lower(), {}), **options}
    files = target.writer(program, stem=path.stem, **options)
    main = target.suffixes[0]
    return {
        path if suffix == main else path.with_suffix(suffix): content
        for suffix, content in files.items()
    }


def export(
    program: Program, path: str | os.PathLike, to: str | None = None, **options: Any
) -> list[Path]:
    """Write an export and return the paths of its files, the main file first.

    Parameters and errors are those of :func:`render`; nothing is written where one is raised.

    Returns
    -------
    list of Path
        The files, the main one first.

    Raises
    ------
    OSError
        If one cannot be written. FileNotFoundError names a folder that is missing; FileExistsError
        a file beside the main one, such as the header of a C source, whose place is taken by
        something that kanref did not write. The main file replaces whatever is there.

    Examples
    --------
    >>> import os, tempfile
    >>> from kanref import KAN
    >>> from kanref.export import export, program_of
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = export(program_of(KAN([2, 1])), os.path.join(folder, "net.c"))
    >>> [file.name for file in files]
    ['net.c', 'net.h']
    """
    files = render(program, path, to, **options)
    write_files(files)
    return list(files)
