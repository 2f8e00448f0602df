"""Build kanref, install it into empty environments, and use it there: `make test-packaging`.

    python tests/packaging/check_packages.py [--keep] [--extras cli sklearn]

The bare package is tried on every supported interpreter that is installed, each extra in an
environment of its own, and once the bare package without Numba.
"""

from __future__ import annotations

import argparse
import tarfile
import zipfile
from pathlib import Path

from environments import Environment, build, interpreters, project, say

USES = Path(__file__).with_name("uses")

LEFT_OUT = {
    "dev": "it is what `make setup` installs",
    "gpu": "it needs a CUDA device; the tests marked gpu run there",
}


def check_contents(sdist: Path, wheel: Path) -> None:
    """The wheel holds the package and no more; the sdist what its tests need too."""
    names = zipfile.ZipFile(wheel).namelist()
    strange = [n for n in names if not n.startswith(("kanref/", "kanref-"))]
    strange += [n for n in names if n.endswith((".pyc", ".nbi", ".nbc", ".ipynb"))]
    assert not strange, strange
    for needed in ("kanref/py.typed", "kanref/data/yacht.csv", "kanref/__main__.py"):
        assert needed in names, needed
    assert any(n.endswith("licenses/LICENSE") for n in names)
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("pyproject.toml", "README.md", "LICENSE", "conftest.py", "tests/builders.py"):
        assert needed in members, needed
    assert not [n for n in members if n.endswith((".pyc", ".nbi", ".nbc")) or ".venv" in n]
    say(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e3:.0f} kB")


def check_bare(wheel: Path, keep: bool) -> None:
    """Nothing but the core comes with the package, on every interpreter."""
    for version, python in interpreters().items():
        environment = Environment(f"bare-{version}", python)
        environment.install(wheel)
        environment.python("-W", "error", USES / "use_bare.py", "numba")
        if version == max(interpreters()):
            environment.uninstall("numba", "llvmlite")
            environment.python("-W", "error", USES / "use_bare.py", "numpy")
            say("bare, without Numba: works on NumPy")
        if not keep:
            environment.remove()
        say(f"bare, Python {version}: installs, brings only the core, works")


def check_extras(wheel: Path, wanted: list[str] | None, keep: bool) -> None:
    """Each extra brings what it is for."""
    for extra in project()["optional-dependencies"]:
        if extra in LEFT_OUT or (wanted is not None and extra not in wanted):
            say(f"extra {extra}: left out ({LEFT_OUT.get(extra, 'not asked for')})")
            continue
        environment = Environment(f"extra-{extra}")
        environment.install(f"{wheel}[{extra}]")
        use = USES / f"use_{extra}.py"
        environment.python(use if use.exists() else USES / "use_imports.py")
        if not keep:
            environment.remove()
        say(f"extra {extra}: installs, works" + ("" if use.exists() else " (imported only)"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the environments")
    parser.add_argument("--extras", nargs="*", help="these only; none: the bare package alone")
    options = parser.parse_args()
    missing = sorted({"3.11", "3.12", "3.13"} - set(interpreters()))
    if missing:
        say(f"not installed, and so not tried: Python {', '.join(missing)}")
    sdist, wheel = build()
    check_contents(sdist, wheel)
    check_bare(wheel, options.keep)
    check_extras(wheel, options.extras, options.keep)


if __name__ == "__main__":
    main()
