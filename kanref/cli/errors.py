"""What stops a command: one sentence on standard error, and exit code 2."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from ..table_files import TableError
from .output import RED, printable, show_every_character, styled

LONGEST = 1000
"""Characters of an error: a name in a table may have a million."""


class Refused(Exception):
    """A command cannot do what it was asked to; the message is one sentence."""


class OneSentence(TyperGroup):
    """A group of commands whose errors, Typer's own included, are one line each."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command; exit with 0, or with 2 after an error that the user can mend.

        The code is 1 where the output cannot be written, and 130 after Ctrl-C.

        The arguments stay in ``context.obj``.
        """
        args = list(sys.argv[1:] if args is None else args)
        show_every_character()
        try:
            code = super().main(args, *rest, **{**extra, "standalone_mode": False, "obj": args})
            if code == 130:  # Typer makes this code of Ctrl-C
                raise KeyboardInterrupt
            if sys.stdout is not None:
                sys.stdout.flush()
        except (Refused, TableError) as error:
            code = _say(str(error))
        except (typer.Abort, KeyboardInterrupt):
            _say("interrupted; nothing was written")
            code = 130
        except BrokenPipeError:  # nobody reads on, as behind `| head`
            _drop_the_rest()
            code = 1
        except OSError as error:
            what = "standard output" if error.filename is None else repr(str(error.filename))
            _say(f"cannot go on with {what}: {error.strerror or error}")
            _drop_the_rest()
            code = 1
        except MemoryError:
            _say("there is not enough memory")
            code = 1
        except Exception as error:
            # Typer brings its own copy of Click, or uses Click's: their usage errors have in
            # common that they can tell their message.
            if not hasattr(error, "format_message"):
                raise
            code = _say(error.format_message())
        sys.exit(code if isinstance(code, int) else 0)


def _drop_the_rest() -> None:
    """Let what still waits to be written to standard output go nowhere."""
    with contextlib.suppress(OSError, AttributeError):  # no file stands behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str) -> int:
    """Write one line to standard error and return the exit code."""
    line = printable(" ".join(message.split()))
    line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    if sys.stderr is not None:
        print(f"{styled('Error:', RED, sys.stderr)} {line}", file=sys.stderr)
    return 2
