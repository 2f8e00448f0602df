"""Taking the archive of a model file apart, without trusting what it says about itself."""

from __future__ import annotations

import json
import math
import os
import re
import struct
import zipfile
from typing import Any, BinaryIO

import numpy as np

from .format import FORMAT, MAX_HEADER, VERSION

_MAGIC = b"\x93NUMPY\x01\x00"
_ARRAY = re.compile(
    rb"\{'descr': '([<>|][biuf][0-9]{1,2})', 'fortran_order': False, "
    rb"'shape': \(((?:[0-9]{1,18}, ?)*(?:[0-9]{1,18})?)\), \} *\n"
)
"""What `numpy.save` writes before an array of numbers; nothing else is taken."""


class Unreadable(Exception):
    """The file is not what `save` writes."""


def read_archive(file: BinaryIO) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return all arrays of the archive and its header; nothing is larger than the file."""
    try:
        length = file.seek(0, os.SEEK_END)
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members, length)
            arrays = {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}
    except _DAMAGE as error:
        raise Unreadable(f"it is damaged ({error})") from None
    return arrays, _description(arrays.pop("header"))


_DAMAGE = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,  # a version of the format that zipfile does not know
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


def _check_members(members: list[zipfile.ZipInfo], length: int) -> None:
    """Raise unless the members are different arrays, stored as they are, that fit the file."""
    if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
        raise Unreadable("its members are compressed or encrypted")
    if any(m.compress_size != m.file_size for m in members):
        raise Unreadable("it contradicts itself about the length of a member")
    if sum(m.file_size for m in members) > length:
        raise Unreadable("it claims to be longer than it is")
    names = [m.filename for m in members]
    if "header.npy" not in names:
        raise Unreadable("it has no header")
    if len(set(names)) != len(names):
        raise Unreadable("two of its members have the same name")
    if not all(name.endswith(".npy") for name in names):
        raise Unreadable("it holds something that is no array")


def _array(data: bytes) -> np.ndarray:
    """Read one array in NumPy's format, without trusting its header about its length."""
    start = len(_MAGIC) + 2
    end = start + int.from_bytes(data[start - 2 : start], "little")
    found = _ARRAY.fullmatch(data, start, min(end, len(data)))
    if not data.startswith(_MAGIC) or end > len(data) or not found:
        raise Unreadable("a member is no array of numbers")
    try:
        dtype = np.dtype(found[1].decode())
    except TypeError:
        raise Unreadable(f"an array has the dtype {found[1].decode()}") from None
    shape = tuple(int(n) for n in found[2].split(b",") if n.strip())
    if len(shape) > 8 or math.prod(shape) * dtype.itemsize != len(data) - end:
        raise Unreadable("an array is not as long as it says")
    return np.frombuffer(data, dtype=dtype, offset=end).reshape(shape).copy()


def _description(text: np.ndarray) -> dict[str, Any]:
    """Return what the header says, as JSON, after a look at format and version."""
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
    return description
