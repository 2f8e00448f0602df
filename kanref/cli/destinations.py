"""Where results go: checked before the work begins, and written whole when it is done."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import Refused

Writer = Callable[[Path], None]
PICTURES = (".png", ".svg", ".pdf")
TABLES = (".csv", ".parquet")
PAGES = (".html", ".htm")


def check_destinations(
    paths: Mapping[str, Path | None],
    sources: Mapping[str, Path],
    suffixes: Mapping[str, tuple[str, ...]],
) -> None:
    """Make sure that files can be written at the end of a long computation.

    Parameters
    ----------
    paths : mapping of str to path
        Where results shall go, by option; those that are None are not asked for.
    sources : mapping of str to path
        Files that are read, and so must not be overwritten.
    suffixes : mapping of str to tuple of str
        By option, how a name may end; any way for an option that is not there.

    Raises
    ------
    Refused
        If a folder is missing or cannot be written, two files are the same, or what is there is
        no regular file.
    """
    taken = {_behind_links(option, path): option for option, path in sources.items()}
    for option, path in paths.items():
        if path is None:
            continue
        allowed = suffixes.get(option, ())
        if allowed and path.suffix.lower() not in allowed:
            raise Refused(f"{option} must end in {' or '.join(allowed)}, got {str(path)!r}")
        target = _behind_links(option, path)
        if target in taken:
            raise Refused(f"{option} and {taken[target]} are the same file {str(path)!r}")
        taken[target] = option
        try:
            _check_writable(option, path, target)
        except OSError as error:
            raise Refused(f"{option}: cannot write {str(path)!r}: {error.strerror}") from None


def _behind_links(option: str, path: Path) -> Path:
    """Return where the symbolic links of a path lead."""
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        target = path
    if target.is_symlink():  # in a circle; from Python 3.13 on, one of them is returned
        raise Refused(f"{option}: the links of {str(path)!r} cannot be followed")
    return target


def _check_writable(option: str, path: Path, target: Path) -> None:
    """Raise unless `target`, to which the links of `path` lead, can be replaced by a new file."""
    if path.is_dir() or not path.name:
        raise Refused(f"{option} must be a file, but {str(path)!r} is a folder")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise Refused(f"{option} must be a regular file, but {str(path)!r} is a device or a pipe")
    if not target.parent.is_dir():
        folder = target.parent if path.is_symlink() else path.parent
        raise Refused(f"{option}: there is no folder {str(folder)!r}")
    with tempfile.TemporaryFile(dir=target.parent):
        pass
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "it is protected from writing")


def write_all(writers: Mapping[Path, Writer]) -> None:
    """Write files beside their places first, and move them there when all are whole.

    A symbolic link stays, and the file that it leads to is replaced.

    Raises
    ------
    Refused
        If one cannot be written; then none is.
    """
    drafts: dict[Path, Path] = {}
    try:
        for path, write in writers.items():
            drafts[path] = _draft(path)
            write(drafts[path])
        for path, draft in drafts.items():
            os.replace(draft, path.resolve())
    except OSError as error:
        raise Refused(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    """Return a new, empty file where `path` leads to, with its suffix and usual permissions."""
    folder = path.resolve().parent
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    return Path(name)
