"""The extra cli: the command that it installs, from a table to a formula."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

KANREF = str(Path(sys.executable).with_name("kanref"))


def kanref(*arguments, **options):
    result = subprocess.run([KANREF, *arguments], capture_output=True, text=True, **options)
    assert result.returncode == 0, result
    return result.stdout


with tempfile.TemporaryDirectory() as folder:
    x = np.random.default_rng(0).uniform(-1, 1, 60)
    rows = "\n".join(f"{a},{3 * a + 1}" for a in x)
    Path(folder, "data.csv").write_text("x,y\n" + rows + "\n")
    fit = ("fit", "data.csv", "--target", "y", "--width", "0", "--symbolic", "--out", "m.npz")
    found = json.loads(kanref(*fit, "--json", cwd=folder))
    assert found["scores"]["formula"]["rmse"] < 1e-6, found
    assert kanref("formula", "m.npz", cwd=folder) == "y = 3*x + 1\n"
    shown = kanref("predict", "m.npz", "-", cwd=folder, input="x\n2\n")
    assert abs(float(shown.split()[1]) - 7) < 1e-6, shown
    kanref("plot", "m.npz", "-o", "m.svg", cwd=folder)
    kanref("predict", "m.npz", "data.csv", "--out", "p.parquet", cwd=folder)
    refused = subprocess.run([KANREF, "fit", "none.csv", "--target", "y"], capture_output=True)
    assert refused.returncode == 2 and refused.stderr.count(b"\n") == 1
assert "kernels" in kanref("info")
