"""Interpreters, packages and throw-away environments for the checks of the packaging.

The scripts here build and install, which takes minutes and a package index; `make test-packaging`
and `make test-oldest` run them, `make test` does not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "packaging"
SUPPORTED = ((3, 11), (3, 12), (3, 13))


def project() -> dict:
    """Return the table [project] of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def interpreters() -> dict[str, str]:
    """Return the interpreters that are installed and supported, by version."""
    found = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for major, minor in SUPPORTED:
        version = f"{major}.{minor}"
        candidates = [sys.executable] if sys.version_info[:2] == (major, minor) else []
        candidates += filter(None, [shutil.which(f"python{version}")])
        candidates += [str(p) for p in sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)]
        for candidate in candidates:
            if _version_of(candidate) == version:
                found[version] = candidate
                break
    return found


def _version_of(python: str) -> str:
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def build() -> tuple[Path, Path]:
    """Build the package from a clean copy; return the sdist and the wheel made from it."""
    out = BUILD / "dist"
    shutil.rmtree(out, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


class Environment:
    """A virtual environment with nothing in it."""

    def __init__(self, name: str, python: str = sys.executable) -> None:
        self.folder = BUILD / name
        shutil.rmtree(self.folder, ignore_errors=True)
        run(python, "-m", "venv", self.folder)
        self.bin = self.folder / ("Scripts" if os.name == "nt" else "bin")

    def install(self, *requirements: object) -> None:
        """Install, and make sure that what is installed fits together."""
        self.python("-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements)
        self.python("-m", "pip", "check")

    def uninstall(self, *names: str) -> None:
        self.python("-m", "pip", "uninstall", "-q", "-y", *names)

    def python(self, *arguments: object, cwd: Path = BUILD) -> None:
        """Run Python away from the sources: what is imported is what was installed."""
        run(self.bin / "python", *arguments, cwd=cwd)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def run(*command: object, cwd: Path = ROOT) -> None:
    """Run a command; what it says is shown when it fails."""
    names = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NUMBA_CACHE_DIR")
    environment = {k: v for k, v in os.environ.items() if k not in names}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        print(result.stdout[-8000:], file=sys.stderr)
        raise SystemExit(f"failed: {' '.join(map(str, command))}")


def say(text: str) -> None:
    print(text, flush=True)
