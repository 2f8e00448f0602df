"""The compiled kernels on disk: beside the source, with the user, in memory; and ahead of time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kanref

pytest.importorskip("numba")

from kanref.kernels import cache

FIRST_USE = """
import json, sys
import numpy as np
from kanref.kernels import basis, cache, numba_kernels
assert numba_kernels() is not None
assert bool(basis.is_uniform(np.linspace(0, 1, 8), 1, 5))
folder = cache.cache_directory()
print(json.dumps([str(folder) if folder else None, basis.is_uniform.stats.cache_misses != {}]))
"""

WHOLE_FIT = """
import json
import numpy as np
from kanref import KAN
from kanref.kernels import cache
x = np.random.default_rng(0).uniform(-1, 1, (60, 2))
model = KAN([2, 3, 1], seed=0)
loss = model.fit(x, x[:, 0] ** 2, steps=5).loss[-1]
compiled, loaded = cache._counts()
print(json.dumps([cache.cache_directory() is not None, loss, compiled, loaded]))
"""


def without_privileges() -> list[str]:
    """Return what starts a process that permissions hold for, even if root starts it."""
    if os.name != "posix":
        pytest.skip("needs permissions as POSIX has them")
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and there is no setpriv to give that up")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture
def installation(tmp_path):
    """A copy of the package that cannot be written to, and an empty home beside it."""
    source = Path(kanref.__file__).parent
    target = tmp_path / "site" / "kanref"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "home").mkdir()
    folders = [target, *(p for p in target.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield tmp_path
    (tmp_path / "home").chmod(0o755)
    for folder in folders:
        folder.chmod(0o755)


def run(installation: Path, code: str, **environment: str) -> list:
    prefix = without_privileges()
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_", "COV_"))
    }
    result = subprocess.run(
        [*prefix, sys.executable, "-B", "-c", code],
        env=inherited
        | {"PYTHONPATH": str(installation / "site"), "HOME": str(installation / "home")}
        | environment,
        cwd=installation,
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_a_read_only_installation_caches_with_the_user(installation):
    folder, compiled = run(installation, FIRST_USE)
    assert Path(folder).is_relative_to(installation / "home" / ".cache" / "numba")
    assert compiled
    assert any(Path(folder).iterdir())
    assert run(installation, FIRST_USE) == [folder, False]  # the next process loads it


def test_kernels_of_other_sources_are_compiled_anew(installation):
    """What a kernel calls may stand in another file, which Numba does not look at."""
    folder, _ = run(installation, FIRST_USE)
    assert run(installation, FIRST_USE) == [folder, False]
    kernels = installation / "site" / "kanref" / "kernels"
    (kernels / "loops.py").write_text((kernels / "loops.py").read_text() + "# upgraded\n")
    assert run(installation, FIRST_USE) == [folder, True]
    assert run(installation, FIRST_USE) == [folder, False]


def test_a_folder_may_be_named(installation):
    named = installation / "kernels"
    folder, _ = run(installation, FIRST_USE, NUMBA_CACHE_DIR=str(named))
    assert Path(folder).is_relative_to(named)
    assert not list((installation / "home").iterdir())


def test_where_nothing_can_be_written_kernels_are_compiled_in_memory(installation):
    (installation / "home").chmod(0o555)
    assert run(installation, FIRST_USE) == [None, True]  # and so once more in the next process


@pytest.mark.slow
def test_fits_are_the_same_wherever_the_kernels_are_kept(installation):
    """In memory, cold and warm; a warm process compiles nothing."""
    (installation / "home").chmod(0o555)
    kept, in_memory, _, loaded = run(installation, WHOLE_FIT)
    assert not kept and loaded == 0
    (installation / "home").chmod(0o755)
    kept, cold, compiled, _ = run(installation, WHOLE_FIT)
    assert kept and compiled > 0
    kept, warm, compiled, loaded = run(installation, WHOLE_FIT)
    assert kept and compiled == 0 and loaded > 0
    assert [cold, warm] == pytest.approx([in_memory] * 2, rel=1e-12)


@pytest.mark.slow
def test_after_the_warmup_nothing_is_left_to_compile(installation):
    """Fits, pictures' gradients and wide layers included."""
    code = WHOLE_FIT.replace("x[:, 0] ** 2, steps=5", "x[:, 0] ** 2, steps=5, lamb=0.01")
    wide = (
        "x = np.random.default_rng(0).uniform(-1, 1, (1000, 30))\n"
        "KAN([30, 100, 10]).fit(x, x[:, :10], steps=2, opt='adam', batch_size=64)\n"
        "KAN([30, 40, 1], grid=50).fit(np.asfortranarray(x), x[:, :1], steps=2, lamb=0.1)\n"
    )
    warm = "from kanref.kernels.cache import warmup; print(warmup().compiled)"
    assert run(installation, warm) > 20
    more = code.replace("compiled, loaded =", wide + "compiled, loaded =")
    kept, _, compiled, loaded = run(installation, more)
    assert (kept, compiled) == (True, 0) and loaded > 0


def test_a_full_disk_is_no_place_for_kernels(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert cache.cache_directory.__wrapped__() is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degrees": []}, r"`degrees` must be of 0, 1, 2, 3, 4, 5, got \[\]"),
        ({"degrees": [3, 6]}, r"`degrees` must be of .*, got \[3, 6\]"),
        ({"dtypes": ["float16"]}, r"`dtypes` must be of float64, float32, got \['float16'\]"),
    ],
)
def test_what_cannot_be_compiled_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cache.warmup(**options)
