"""Model files that are damaged or meant ill: archives, headers and arrays that lie."""

from __future__ import annotations

import copy
import io
import json
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable

import numpy as np

Members = list[tuple[str, bytes]]
Random = np.random.Generator

VALUES = (
    None, True, False, 0, -1, 1, 2, 7, 10**6, 2**31, 2**63, 2**64, 10**400, -(10**30), 0.5, 1e308,
    float("nan"), float("inf"), "", "1", "float64", "complex128", "O", "f8,f8", "(999999999,)f8",
    "zero", "linear", "numba", "numpy", "../../etc/passwd", "__import__('os').abort()", "\ud800",
    "\0", "a" * 5000, "sin", "coef", [], [[]], {}, [1, 2, 3], [0, 0, "sin"], [[0, 0, "sin"]] * 3,
    ["a", "a", "a"], [True, False], {"n_in": 3}, {"format": "kanref model"}, list(range(3000)),
)  # fmt: skip
"""What a header may say anywhere."""

NAMES = (
    "../../etc/passwd.npy", "/tmp/x.npy", "header.npy", "header", "layer0.coef", "a\0b.npy",
    "layer0.coef.npy/../header.npy", "layer99.coef.npy", "C:\\x.npy", "", "ü" * 300 + ".npy",
)  # fmt: skip


class Canary:
    """An object that leaves a file behind when it is unpickled."""

    path = ""

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


def members_of(content: bytes) -> Members:
    """Take a model file apart."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def archive_of(members: Members, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Put it together again, with sums that are right."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that occur twice
        for name, data in members:
            info = zipfile.ZipInfo(name or "x", (1980, 1, 1, 0, 0, 0))
            info.filename = name  # ZipInfo itself would mend it
            info.compress_type = compression
            archive.writestr(info, data)
    return stream.getvalue()


def array_of(header: str | bytes, data: bytes, version: bytes = b"\x01\x00") -> bytes:
    """Write an array by hand."""
    text = header if isinstance(header, bytes) else header.encode("latin-1", "replace")
    size = struct.pack("<H" if version[0] == 1 else "<I", len(text) % 2**16)
    return b"\x93NUMPY" + version + size + text + data


def saved_array(value: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, value, allow_pickle=True)
    return stream.getvalue()


# --- bytes ---------------------------------------------------------------------------------------


def flipped(content: bytes, other: bytes, rng: Random) -> bytes:
    data = bytearray(content)
    for at in rng.integers(0, len(data), rng.integers(1, 9)):
        data[at] ^= 1 << rng.integers(8)
    return bytes(data)


def flipped_directory(content: bytes, other: bytes, rng: Random) -> bytes:
    """Near the end, where the archive says what it holds and where."""
    data = bytearray(content)
    start = content.index(b"PK\x01\x02")
    for at in rng.integers(start, len(data), rng.integers(1, 5)):
        data[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
    return bytes(data)


def truncated(content: bytes, other: bytes, rng: Random) -> bytes:
    cut = content[: rng.integers(len(content))]
    return cut + rng.bytes(rng.integers(0, 60)) if rng.random() < 0.5 else cut


def spliced(content: bytes, other: bytes, rng: Random) -> bytes:
    """A stretch of another model, or of itself, over this one."""
    source = other if rng.random() < 0.5 else content
    size = int(rng.integers(1, 2000))
    a, b = rng.integers(0, len(source)), rng.integers(0, len(content))
    return content[:b] + source[a : a + size] + content[b + size * rng.integers(2) :]


# --- members -------------------------------------------------------------------------------------


def wrong_sizes(content: bytes, other: bytes, rng: Random) -> bytes:
    """Sizes and places in the directory of the archive that are not true."""
    data = bytearray(content)
    entries = [n for n in range(len(data)) if data[n : n + 4] == b"PK\x01\x02"]
    at = int(rng.choice(entries))
    field = int(rng.choice([8, 10, 16, 20, 24, 28, 30, 42]))
    data[at + field : at + field + 4] = struct.pack("<I", int(rng.choice([
        0, 1, 8, 9, 100, 2**16, 2**31 - 1, 2**31, 2**32 - 1, rng.integers(2**32),
    ])))  # fmt: skip
    return bytes(data)


def renamed(content: bytes, other: bytes, rng: Random) -> bytes:
    members = members_of(content)
    at = int(rng.integers(len(members)))
    name = str(rng.choice(NAMES)) if rng.random() < 0.6 else members[rng.integers(len(members))][0]
    changed = (name, members[at][1])
    return archive_of([*members, changed] if rng.random() < 0.5 else _with(members, at, changed))


def exchanged(content: bytes, other: bytes, rng: Random) -> bytes:
    """A member of another model, or none, in place of one of this."""
    members, others = members_of(content), members_of(other)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(members)))
        if rng.random() < 0.3 and len(members) > 1:
            del members[at]
        else:
            members[at] = (members[at][0], others[rng.integers(len(others))][1])
    return archive_of(members)


def bomb(content: bytes, other: bytes, rng: Random) -> bytes:
    """Compressed zeros: much longer than they look."""
    members = [*members_of(content), ("layer0.coef2.npy", bytes(2**20))]
    packed = archive_of(members, int(rng.choice([8, 12, 14])))
    if rng.random() < 0.5:  # and the directory says that they are stored
        data = bytearray(packed)
        for n in range(len(data) - 4):
            if data[n : n + 4] == b"PK\x01\x02":
                data[n + 10 : n + 12] = b"\0\0"
        packed = bytes(data)
    return packed


# --- arrays --------------------------------------------------------------------------------------


def hostile_array(content: bytes, other: bytes, rng: Random) -> bytes:
    members = members_of(content)
    at = int(rng.integers(len(members)))
    name, data = members[at]
    body = data[10 + struct.unpack("<H", data[8:10])[0] :]
    huge = "(" + ", ".join(str(rng.choice([10**9, 2**40, 3, 0])) for _ in range(4)) + ")"
    ones = "(" + "1, " * 90 + ")"
    choices: list[Callable[[], bytes]] = [
        lambda: array_of(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {huge}, }}\n", body),
        lambda: array_of("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n",
                         pickle.dumps([Canary()])),
        lambda: array_of("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }\n", body),
        lambda: array_of("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n", body),
        lambda: array_of("{'descr': '<f99', 'fortran_order': False, 'shape': (1,), }\n", body),
        lambda: array_of(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {ones}}}", body),
        lambda: array_of("(" * 9000, body),
        lambda: array_of("-" * 9000 + "1", body),
        lambda: array_of("__import__('os').abort()\n", body),
        lambda: array_of("{}", body, bytes([int(rng.integers(256)), 0])),
        lambda: saved_array(np.array([Canary(), 1], dtype=object)),
        lambda: saved_array(np.zeros(3, dtype="f8,i4")),
        lambda: saved_array(np.zeros((0, 2**40))),
        lambda: saved_array(np.array("text")),
        *[lambda: saved_array(_values(data, rng))] * 8,
        lambda: data[: rng.integers(len(data))],
        lambda: data + rng.bytes(rng.integers(1, 50)),
    ]  # fmt: skip
    return archive_of(_with(members, at, (name, choices[rng.integers(len(choices))]())))


def _values(data: bytes, rng: Random) -> np.ndarray:
    """The same array with hostile numbers, or another dtype or shape."""
    array = np.lib.format.read_array(io.BytesIO(data)).copy()
    if array.dtype.kind == "f" and array.size:
        at = rng.integers(array.size, size=rng.integers(1, 4))
        hostile = [np.nan, np.inf, -np.inf, 1e38, -0.0, 1e-300, 0]
        array.reshape(-1)[at] = rng.choice(hostile, len(at))
    changes: list[Callable[[], np.ndarray]] = [
        lambda: array,
        lambda: array,
        lambda: array.astype("float32"),
        lambda: array.astype(array.dtype.newbyteorder()),
        lambda: array.reshape(-1),
        lambda: array[None],
        lambda: array.T,
    ]
    with np.errstate(all="ignore"):
        return changes[rng.integers(len(changes))]()


# --- the header ----------------------------------------------------------------------------------


def hostile_header(content: bytes, other: bytes, rng: Random) -> bytes:
    """One to three places in the header say something else."""
    members = members_of(content)
    at = [name for name, _ in members].index("header.npy")
    data = members[at][1]
    header = json.loads(data[10 + struct.unpack("<H", data[8:10])[0] :])
    for _ in range(rng.integers(1, 4)):
        _change(header, rng)
    text = json.dumps(header)
    if rng.random() < 0.1:
        text = str(
            rng.choice(["[" * 100_000, '{"a":' * 50_000, text[:-1], "", "null", text + text])
        )
    array = np.frombuffer(text.encode(), dtype=np.uint8)
    return archive_of(_with(members, at, ("header.npy", saved_array(array))))


def _change(node: dict | list, rng: Random) -> None:
    """Walk down to a random place and change it."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = keys[rng.integers(len(keys))]
        if isinstance(node[key], (dict, list)) and node[key] and rng.random() < 0.8:
            node = node[key]
            continue
        if rng.random() < 0.15:
            del node[key]
        else:
            node[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
        return


def _with(members: Members, at: int, member: tuple[str, bytes]) -> Members:
    return [*members[:at], member, *members[at + 1 :]]


DAMAGE = (flipped, flipped_directory, truncated, spliced, wrong_sizes)
"""What leaves the checksums as they were: if such a file can be read, it is the model it was."""

MUTATIONS = (
    *DAMAGE, renamed, exchanged, bomb,
    hostile_array, hostile_array, hostile_header, hostile_header, hostile_header,
)  # fmt: skip
