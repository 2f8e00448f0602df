"""The bare package: a stranger's first hour, without any extra. The argument is who computes."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import kanref
from kanref.kernels import numba_kernels

OPTIONAL = ("pandas", "polars", "pyarrow", "typer", "sklearn", "cupy", "onnx", "torch")

assert "site-packages" in kanref.__file__, kanref.__file__
assert (numba_kernels() is None) == (sys.argv[1] == "numpy")
assert not [name for name in OPTIONAL if find_spec(name)]

X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
y = np.exp(X[:, 0]) + X[:, 1] ** 2
model = kanref.KAN([2, 1], grid=4, seed=0)
history = model.fit(X, y, steps=20)
assert history.loss[-1] < 0.01 * np.var(y), history
model = model.auto_symbolic(X, y, lib=["exp", "x^2", "x"])
assert "exp" in str(model.symbolic_formula(round_to=3)[0])
with tempfile.TemporaryDirectory() as folder:
    model.save(Path(folder, "m.npz"))
    again = kanref.KAN.load(Path(folder, "m.npz"))
    assert np.array_equal(again.predict(X), model.predict(X))
assert "<svg" in model._repr_html_()
assert kanref.datasets.yacht().X_train.shape == (246, 6)

for command in (["-m", "kanref", "info"], ["-c", "import kanref.cli; kanref.cli.main(['info'])"]):
    result = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert result.returncode == 2, result
    assert 'pip install "kanref[cli]"' in result.stderr, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
