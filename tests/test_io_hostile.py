"""Damaged and hostile model files: refused in one sentence, or read right; never more than that.

`fuzz_load.py` runs in a process of its own, where memory and time are bounded.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hostile_models import archive_of, members_of, saved_array

from kanref import KAN, io

SCRIPT = Path(__file__).with_name("fuzz_load.py")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc")


def fuzz(count: int, seed: int) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, str(count), str(seed)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_three_hundred_hostile_files() -> None:
    assert "hostile_header refused" in fuzz(300, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_ten_thousand_hostile_files(seed: int) -> None:
    shown = fuzz(2500, seed)
    assert "loaded" in shown


def test_a_wide_model_is_not_held_as_a_dense_one(tmp_path: Path) -> None:
    """A small file may have many inputs and outputs: they are never multiplied."""
    import tracemalloc

    n = 4000
    model = KAN([n, 1, n], grid=1, k=0)
    model.save(tmp_path / "wide.npz")
    tracemalloc.start()
    KAN.load(tmp_path / "wide.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * (tmp_path / "wide.npz").stat().st_size < 0.5 * 8 * n * n


def test_folders_and_pipes_are_no_models(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path, "a folder"), (tmp_path / "pipe", "a device or a pipe")):
        with pytest.raises(ValueError, match=f"must be a kanref model, .* it is {what}"):
            KAN.load(path)


def changed(tmp_path: Path, **members: np.ndarray) -> Path:
    path = tmp_path / "m.npz"
    KAN([2, 3]).save(path)
    found = dict(members_of(path.read_bytes()))
    found |= {f"{name.replace('_0', '0.')}.npy": saved_array(a) for name, a in members.items()}
    path.write_bytes(archive_of(list(found.items())))
    return path


def test_what_is_beside_the_model_is_not_looked_at(tmp_path: Path) -> None:
    path = changed(tmp_path, other=np.zeros(5))
    np.testing.assert_array_equal(KAN.load(path).theta, KAN([2, 3]).theta)


@pytest.mark.parametrize("names", [["a", "\ud800"], ["a", "a"]])
def test_names_that_cannot_be_told(tmp_path: Path, names: list[str]) -> None:
    model = KAN([2, 1])
    with pytest.raises(ValueError, match="`input_names` must"):
        model.input_names = names
        model.save(tmp_path / "m.npz")
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.parametrize("labels", ["ab", "abcd"])
def test_too_few_or_too_many_classes(tmp_path: Path, labels: str) -> None:
    model = KAN([2, 3])
    model.classes = list("abc")
    model.classes[:] = labels  # in place: what is assigned is checked at once
    with pytest.raises(ValueError, match="`classes` must have 3 labels, got"):
        model.save(tmp_path / "m.npz")
    assert os.listdir(tmp_path) == []


def test_a_header_that_load_would_not_take_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(io.write, "MAX_HEADER", 100)
    with pytest.raises(ValueError, match="header of a model must fit 100 bytes, got"):
        KAN([2, 3]).save(tmp_path / "m.npz")
    assert os.listdir(tmp_path) == []
