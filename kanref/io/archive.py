"""Taking the archive of a model file apart, without trusting what it says about itself."""

from __future__ import annotations

import io
import json
import os
import zipfile
from typing import Any, BinaryIO

import numpy as np

from .format import FORMAT, VERSION

MAX_HEADER = 2**26
"""No header is longer than this many bytes."""


class Unreadable(Exception):
    """The file is not what `save` writes."""


def read_archive(file: BinaryIO) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return all arrays of the archive and its header; nothing is larger than the file."""
    length = file.seek(0, os.SEEK_END)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
                raise Unreadable("its members are compressed or encrypted")
            if sum(m.file_size for m in members) > length:
                raise Unreadable("it claims to be longer than it is")
            names = [m.filename for m in members]
            if len(set(names)) != len(names) or "header.npy" not in names:
                raise Unreadable("it has no header")
            arrays = {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Unreadable(f"it is damaged ({error})") from None
    text = arrays.pop("header")
    if text.dtype != np.uint8 or text.ndim != 1 or text.size > MAX_HEADER:
        raise Unreadable("its header is not text")
    try:
        description = json.loads(text.tobytes().decode())
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"its header is damaged ({error})") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise Unreadable("it is an archive of something else")
    version = description.get("version")
    if type(version) is not int or version != VERSION:
        raise Unreadable(
            f"it has format version {version!r}, and this kanref reads version {VERSION}"
        )
    return arrays, description


def _array(data: bytes) -> np.ndarray:
    """Read one array in NumPy's format, without trusting its header about its length."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = reader(stream)
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError) as error:
        raise Unreadable(f"an array is damaged ({error})") from None
    size = int(np.prod([int(n) for n in shape], dtype=object)) if shape else 1
    if fortran or dtype.hasobject or dtype.kind not in "biuf":
        raise Unreadable(f"an array has the dtype {dtype}")
    if any(n < 0 for n in shape) or size * dtype.itemsize != len(data) - stream.tell():
        raise Unreadable("an array is not as long as it says")
    return np.frombuffer(data, dtype=dtype, offset=stream.tell()).reshape(shape).copy()
