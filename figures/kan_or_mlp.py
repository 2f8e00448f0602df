"""KAN or MLP? Three measured examples: a formula, a table, pictures.

    python figures/kan_or_mlp.py [--measure]     # writes figures/kan_or_mlp.png

The errors are kept in benchmarks/results/kan_or_mlp.json, from which the picture is drawn until
`--measure` is given (some minutes); `python docs/measured.py` puts them into the page. They are on
data that no model saw, as medians over seeds. The MLPs are scikit-learn's, with inputs and outputs
standardised and the solver that suits the size (L-BFGS for small data, Adam for the digits).
"""

from __future__ import annotations

import argparse
import sys
import warnings
from itertools import pairwise

import numpy as np
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from style import BLACK, BLUE, FIGURES, GREY, ORANGE, panels, save
from threadpoolctl import threadpool_limits

from kanref import KAN, __version__, datasets
from kanref.sklearn import KANRegressor

sys.path.append(str(FIGURES.parent / "benchmarks"))
from _results import RESULTS, document, read, write

KEPT = RESULTS / "kan_or_mlp.json"
SEEDS = range(5)
FUNCTIONS = ("exp(sin πx + y²)", "max(0, x + 2y - 0.3)")


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.ravel(a) - np.ravel(b)) ** 2)))


def n_mlp(sizes: tuple[int, ...]) -> int:
    """Count the parameters of an MLP, inputs and outputs included in `sizes`."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def sampled(f, n_in: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(seed).uniform(-1, 1, (n, n_in))
    return X, f(X)


def formula(X: np.ndarray) -> np.ndarray:
    return np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)


def crease(X: np.ndarray) -> np.ndarray:
    """A fold along an oblique line: no sum of functions of single inputs has it."""
    return np.maximum(0, X @ np.array([1.0, 2.0]) - 0.3)


def kans(f, width: list[int]) -> list[tuple[int, float]]:
    """Train on finer and finer grids: (parameters, median test RMSE) for each."""
    errors: dict[int, list[float]] = {}
    for seed in SEEDS:
        X, y = sampled(f, 2, 1000, seed)
        X_test, y_test = sampled(f, 2, 1000, 100 + seed)
        model = KAN(width, grid=3, seed=seed)
        for G in (3, 6, 12, 24):
            model = model.refine(G, X)
            model.fit(X, y, steps=200, update_grid=G == 3)
            errors.setdefault(model.n_params, []).append(rmse(model.predict(X_test), y_test))
    return [(n, float(np.median(e))) for n, e in errors.items()]


def mlps(f, activation: str) -> list[tuple[int, float]]:
    """Train wider and wider MLPs of two hidden layers: (parameters, median test RMSE)."""
    found = []
    for h in (4, 8, 16, 32):
        errors = []
        for seed in SEEDS:
            X, y = sampled(f, 2, 1000, seed)
            X_test, y_test = sampled(f, 2, 1000, 100 + seed)
            options = {"activation": activation, "solver": "lbfgs", "random_state": seed}
            model = MLPRegressor(hidden_layer_sizes=(h, h), alpha=0, tol=0, **options)
            model.set_params(max_iter=800, max_fun=10**6).fit(X, y)
            errors.append(rmse(model.predict(X_test), y_test))
        found.append((n_mlp((2, h, h, 1)), float(np.median(errors))))
    return found


def airfoil() -> dict[str, list[float]]:
    """Test RMSE in decibels on the wind-tunnel table, for splits of their own."""
    found: dict[str, list[float]] = {}
    for seed in range(3):
        data = datasets.airfoil(seed=seed)
        y, y_test = np.ravel(data.y_train), np.ravel(data.y_test)
        tuned = MLPRegressor(hidden_layer_sizes=(32, 32), solver="lbfgs", alpha=0.1)
        tuned.set_params(max_iter=1000, max_fun=10**6, random_state=seed)
        plain = MLPRegressor(random_state=seed)
        models = {
            "KANRegressor()": KANRegressor(random_state=seed),
            "MLPRegressor()": _standardised(plain),
            "MLP 32-32, tuned": _standardised(tuned),
            "gradient boosting": HistGradientBoostingRegressor(random_state=seed),
        }
        for name, model in models.items():
            model.fit(data.X_train, y)
            found.setdefault(name, []).append(rmse(model.predict(data.X_test), y_test))
    return found


def _standardised(model: MLPRegressor) -> TransformedTargetRegressor:
    """Standardise inputs and outputs around a model."""
    pipe = make_pipeline(StandardScaler(), model)
    return TransformedTargetRegressor(pipe, transformer=StandardScaler())


def digits() -> dict[str, list[tuple[float, int]]]:
    """Share of test digits recognised, and parameters."""
    found: dict[str, list[tuple[float, int]]] = {}
    for seed in range(3):
        data = datasets.digits(seed=seed)
        label, label_test = np.ravel(data.y_train), np.ravel(data.y_test)
        X, X_test = data.X_train, data.X_test  # pixels from -1 to 1
        kan = KAN([64, 16, 10], grid=3, init="glorot", seed=seed)
        settings = {"opt": "adam", "lr": 5e-3, "batch_size": 64, "update_grid": False}
        kan.fit(X, label, loss="cross_entropy", steps=800, **settings)
        right = float(np.mean(kan.predict_class(X_test) == label_test))
        found.setdefault("KAN [64, 16, 10]", []).append((right, kan.n_params))
        for h in (16, 128):
            net = MLPClassifier((h,), max_iter=400, random_state=seed).fit(X, label)
            name = f"MLP [64, {h}, 10]"
            found.setdefault(name, []).append((net.score(X_test, label_test), n_mlp((64, h, 10))))
    return found


def measure() -> dict:
    """Return the rows of all three examples."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows: list[dict] = []
    for title, f in zip(FUNCTIONS, (formula, crease), strict=True):
        lines = {
            "KAN [2, 5, 1], G = 3, 6, 12, 24": kans(f, [2, 5, 1]),
            "KAN [2, 1, 1], same G": kans(f, [2, 1, 1]),
            "MLP tanh, two hidden layers": mlps(f, "tanh"),
            "MLP relu, two hidden layers": mlps(f, "relu"),
        }
        for name, points in lines.items():
            sizes, errors = zip(*points, strict=True)
            row = {"data": title, "contestant": name, "parameters": sizes, "rmse": errors}
            rows.append(row)
    for name, errors in airfoil().items():
        rows.append({"data": "airfoil", "contestant": name, "rmse": float(np.median(errors))})
    for name, found in digits().items():
        right = float(np.median([share for share, _ in found]))
        row = {"data": "digits", "contestant": name, "parameters": found[0][1], "right": right}
        rows.append(row)
    settings = {"seeds": {"functions": len(SEEDS), "airfoil": 3, "digits": 3}}
    versions = {"kanref": {"version": __version__}, "sklearn": {"version": sklearn.__version__}}
    return document("kan_or_mlp", rows, [], settings=settings, contestants=versions)


def draw(rows: list[dict]) -> None:
    """Error against parameters, a panel per function."""
    styles = ((BLACK, "o", "-"), (GREY, "s", "-"), (BLUE, "^", "--"), (ORANGE, "D", ":"))
    figure, axes = panels(2, 8.6, 3.3)
    for ax, title in zip(axes, FUNCTIONS, strict=True):
        lines = [row for row in rows if row["data"] == title]
        for row, (colour, marker, dash) in zip(lines, styles, strict=True):
            label = row["contestant"]
            ax.plot(row["parameters"], row["rmse"], dash, color=colour, marker=marker, label=label)
        ax.set(xscale="log", yscale="log", title=title, xlabel="parameters")
        ax.grid(which="major", color="#dddddd", lw=0.5)
        ax.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("test RMSE (median of 5 seeds)")
    save(figure, "kan_or_mlp")


def main() -> None:
    """Draw the picture; measure first where nothing is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="measure again")
    if parser.parse_args().measure or not KEPT.exists():
        with threadpool_limits(1):  # two threads of BLAS on small matrices wait for each other
            write(measure(), None)
    rows = read(KEPT)["rows"]
    for row in rows:
        print(*(value for value in row.values()), sep="  ")
    draw(rows)


if __name__ == "__main__":
    main()
