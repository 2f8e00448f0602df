"""The package as a whole: its version, its names, and how little importing it costs."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata, resources

import pytest

import kanref

HEAVY = ("cupy", "matplotlib", "numba", "pandas", "scipy", "sklearn", "sympy", "tqdm", "typer")


def test_version_is_that_of_the_installed_distribution():
    assert kanref.__version__ == metadata.version("kanref")


@pytest.mark.parametrize("name", kanref.__all__)
def test_public_names_exist(name):
    assert getattr(kanref, name) is not None


def test_import_is_light():
    """What costs more than NumPy is imported where it is used, so that `import kanref` is quick."""
    code = f"import sys, kanref; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_type_information_is_shipped():
    assert (resources.files("kanref") / "py.typed").is_file()
