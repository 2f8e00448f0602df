"""Running the command line in a test: in this process, with what went to the two streams."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from kanref.cli import main


@dataclass
class Run:
    exit_code: int
    stdout: str
    stderr: str


def run(*arguments, stdin: bytes | None = None) -> Run:
    """Run a command in this process: exit code and what went to the two streams."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        if stdin is not None:
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with redirect_stdout(stdout), redirect_stderr(stderr), pytest.raises(SystemExit) as stopped:
            main([str(a) for a in arguments])
    return Run(stopped.value.code, stdout.getvalue(), stderr.getvalue())
