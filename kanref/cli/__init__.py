"""The command line: ``kanref fit``, ``predict``, ``formula``, ``plot``, ``info`` and ``warmup``.

Whatever stops a command is one sentence on standard error and exit code 2, and then nothing has
been written; the code is 130 after Ctrl-C, and 1 where standard output fails or memory is short.
Importing this module costs nothing: Typer and pandas are imported when they are used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

NEEDED = ("typer", "pandas")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind ``kanref``; by default what the process was given.
    """
    try:
        if "_KANREF_COMPLETE" not in os.environ:  # a shell that completes a word cannot wait
            import pandas  # noqa: F401

        from .app import app
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        print(
            f'Error: the command line needs {error.name}: pip install "kanref[cli]"',
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:
        print("Error: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
    app(args=None if arguments is None else list(arguments), prog_name="kanref")
