"""Where results go: checked before the work begins, and written whole when it is done."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import Refused

Writer = Callable[[Path], None]
PICTURES = (".png", ".svg", ".pdf")
TABLES = (".csv", ".parquet")


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
        If a folder is missing or cannot be written, or two files are the same.
    """
    taken = {path.resolve(): option for option, path in sources.items()}
    for option, path in paths.items():
        if path is None:
            continue
        allowed = suffixes.get(option, ())
        if allowed and path.suffix.lower() not in allowed:
            raise Refused(f"{option} must end in {' or '.join(allowed)}, got {str(path)!r}")
        if path.resolve() in taken:
            raise Refused(f"{option} and {taken[path.resolve()]} are the same file {str(path)!r}")
        taken[path.resolve()] = option
        _check_writable(option, path)


def _check_writable(option: str, path: Path) -> None:
    if path.is_dir() or not path.name:
        raise Refused(f"{option} must be a file, but {str(path)!r} is a folder")
    if not path.parent.is_dir():
        raise Refused(f"{option}: there is no folder {str(path.parent)!r}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "it is protected from writing")
    except OSError as error:
        raise Refused(f"{option}: cannot write {str(path)!r}: {error.strerror}") from None


def write_all(writers: Mapping[Path, Writer]) -> None:
    """Write files beside their places first, and move them there when all are whole.

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
            os.replace(draft, path)
    except OSError as error:
        raise Refused(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    """Return a new, empty file in the folder of `path`, with its suffix and usual permissions."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    return Path(name)
