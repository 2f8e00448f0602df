"""Writing several files together: beside their places first, moved there when all are whole."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_files(files: Mapping[Path, str | bytes]) -> None:
    """Write files, text as UTF-8 with the line ends that it has.

    A symbolic link stays, and the file that it leads to is replaced.

    Raises
    ------
    OSError
        If one cannot be written; then none is.
    UnicodeEncodeError
        If a text has no UTF-8 form (a lone surrogate); then none is written.
    """
    contents = {
        path.resolve(): content if isinstance(content, bytes) else content.encode()
        for path, content in files.items()
    }
    for path in contents:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder", str(path))
    drafts: dict[Path, str] = {}
    try:
        for path, content in contents.items():
            drafts[path] = _draft(path)
            with open(drafts[path], "wb") as file:
                file.write(content)
        for path, draft in drafts.items():
            os.replace(draft, path)
    finally:
        for draft in drafts.values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)


def _draft(path: Path) -> str:
    """Return a new, empty file beside `path`, with the permissions that new files have."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".kanref-", suffix=path.suffix)
    os.close(handle)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    return name
