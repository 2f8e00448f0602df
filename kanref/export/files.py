"""Writing the files of an export together: beside their places first, moved there when whole.

The first file is the one that was asked for, and replaces whatever stands in its place. The others
are its companions (a header, types, a reader), and nobody has named them: a companion replaces only
a file that kanref wrote as the same companion, which the first line of either tells.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .text import WRITTEN_BY

_LONGEST_LINE = 1000  # bytes of the first line that are looked at


def file_path(path: str | os.PathLike) -> Path:
    """Return the path of a file.

    Raises
    ------
    ValueError, TypeError
        If it is written as that of a folder, or is neither text nor a path.

    Examples
    --------
    >>> file_path("net.py/")
    Traceback (most recent call last):
        ...
    ValueError: `path` must name a file, got 'net.py/', which names a folder
    """
    name = os.fspath(path)
    if isinstance(name, bytes):
        raise TypeError(f"`path` must be text or a path, got {name!r}")
    if os.path.basename(name) in ("", ".", ".."):
        raise ValueError(f"`path` must name a file, got {name!r}, which names a folder")
    return Path(name)


def write_files(files: Mapping[Path, str | bytes]) -> None:
    """Write files, text as UTF-8 with the line ends that it has; the first is the main one.

    A symbolic link stays, and the file that it leads to is replaced.

    Raises
    ------
    OSError
        If one cannot be written; then none is. FileNotFoundError names a folder that is missing,
        FileExistsError a companion whose place is taken by a file of somebody else's.
    UnicodeEncodeError
        If a text has no UTF-8 form (a lone surrogate); then none is written.
    """
    contents = {
        path: content if isinstance(content, bytes) else content.encode()
        for path, content in files.items()
    }
    check_places(contents)
    drafts: dict[Path, str] = {}
    try:
        for path, content in contents.items():
            target = path.resolve()
            drafts[target] = _draft(target)
            with open(drafts[target], "wb") as file:
                file.write(content)
        for target, draft in drafts.items():
            os.replace(draft, target)
    finally:
        for draft in drafts.values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)


def check_places(contents: Mapping[Path, bytes]) -> None:
    """Raise unless all files can be where they belong and replace nothing of somebody else's.

    Parameters
    ----------
    contents : mapping of Path to bytes
        The main file first.

    Raises
    ------
    OSError
        As :func:`write_files`.
    """
    taken: dict[Path, Path] = {}
    for number, (path, content) in enumerate(contents.items()):
        _check_place(path)
        target = path.resolve()
        if target in taken:
            raise _error(errno.EEXIST, f"it and {str(taken[target])!r} are the same file", path)
        taken[target] = path
        if number and target.exists() and not _is_ours(target, content):
            main = next(iter(contents)).name
            raise _error(
                errno.EEXIST,
                f"it belongs to {main!r}, but another file stands there; move that away",
                path,
            )


def _check_place(path: Path) -> None:
    """Raise unless a file can stand there, as far as can be seen."""
    target = path.resolve()
    # the folder as the user wrote it; behind a link, where that leads
    folder = target.parent if path.is_symlink() else path.parent
    if not folder.exists():
        raise _error(errno.ENOENT, "there is no such folder", folder)
    if not folder.is_dir():
        raise _error(errno.ENOTDIR, "it is no folder", folder)
    if target.is_dir():
        raise _error(errno.EISDIR, "it is a folder", path)
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        raise _error(errno.EINVAL, "it is no regular file", path)


def _is_ours(target: Path, content: bytes) -> bool:
    """Tell whether kanref wrote the file that is there as what is now to be written."""
    with open(target, "rb") as file:
        old = _kind(file.read(_LONGEST_LINE))
    return old is not None and old == _kind(content[:_LONGEST_LINE])


def _kind(content: bytes) -> str | None:
    """Return what the first line says, up to its first number; None if kanref did not write it."""
    line = content.decode(errors="replace").partition("\n")[0]
    return re.split(r"\d", line)[0] if WRITTEN_BY in line else None


def _error(number: int, message: str, path: Path) -> OSError:
    """Return the error of this number: FileNotFoundError and so on."""
    return OSError(number, message, str(path))


def _draft(path: Path) -> str:
    """Return a new, empty file beside `path`, with the permissions that new files have."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".kanref-", suffix=path.suffix)
    os.close(handle)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    return name
