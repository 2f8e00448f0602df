"""Tables of measurements: KANRegressor as it comes, beside scikit-learn's MLP and boosting.

    python benchmarks/tabular.py [--folds 10] [--seeds 3] [--tables airfoil yacht …] [--out FILE]

Cross-validation with shuffled folds, the same for all. All estimators have their defaults; the MLPs
stand behind a StandardScaler. Printed is the test RMSE, the root of the mean over all rows of
all folds, as mean ± standard deviation over the seeds, and the median seconds of a fit. The bar:
on airfoil and yacht KANRegressor is better than both MLPs with each seed.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn
from _results import RESULTS, document
from sklearn.datasets import load_diabetes, make_friedman1, make_friedman2, make_friedman3
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kanref
from kanref.datasets import airfoil, yacht
from kanref.sklearn import KANRegressor

KAN, PLAIN, PATIENT = "KANRegressor", "MLPRegressor", "MLPRegressor, 5000 iterations"
CONTESTANTS: dict[str, Callable] = {
    KAN: lambda seed: KANRegressor(random_state=seed),
    PLAIN: lambda seed: make_pipeline(StandardScaler(), MLPRegressor(random_state=seed)),
    PATIENT: lambda seed: make_pipeline(
        StandardScaler(), MLPRegressor(max_iter=5000, random_state=seed)
    ),
    "HistGradientBoosting": lambda seed: HistGradientBoostingRegressor(random_state=seed),
    "linear (RidgeCV)": lambda _: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))),
}
BARS = ("airfoil", "yacht")


def shipped(dataset) -> tuple[np.ndarray, np.ndarray]:
    return dataset.X_train, dataset.y_train[:, 0]


TABLES: dict[str, Callable] = {
    "airfoil": lambda: shipped(airfoil(train_ratio=1.0)),
    "yacht": lambda: shipped(yacht(train_ratio=1.0)),
    "diabetes": lambda: load_diabetes(return_X_y=True),
    "friedman1": lambda: make_friedman1(300, 10, noise=1.0, random_state=0),
    "friedman2": lambda: make_friedman2(300, noise=50.0, random_state=0),
    "friedman3": lambda: make_friedman3(300, noise=0.1, random_state=0),
}


def cross_validate(make: Callable, X: np.ndarray, y: np.ndarray, folds: int, seed: int) -> dict:
    squares, seconds = [], []
    for train, test in KFold(folds, shuffle=True, random_state=seed).split(X):
        start = time.perf_counter()
        model = make(seed).fit(X[train], y[train])
        seconds.append(time.perf_counter() - start)
        squares.extend((model.predict(X[test]) - y[test]) ** 2)
    return {"rmse": float(np.sqrt(np.mean(squares))), "seconds": float(np.median(seconds))}


def measure(tables: list[str], folds: int, seeds: int) -> list[dict]:
    rows = []
    for name in tables:
        X, y = TABLES[name]()
        print(f"{name}: {len(X)} rows, {X.shape[1]} inputs, standard deviation {y.std():.4g}")
        for contestant, make in CONTESTANTS.items():
            runs = [cross_validate(make, X, y, folds, seed) for seed in range(seeds)]
            errors = [run["rmse"] for run in runs]
            row = {
                "table": name,
                "contestant": contestant,
                "rmse": errors,
                "r2": [1 - error**2 / float(y.var()) for error in errors],
                "seconds": float(np.median([run["seconds"] for run in runs])),
            }
            rows.append(row)
            spread = f"{np.mean(errors):8.4g} ± {np.std(errors):<8.2g}"
            r2, seconds = np.mean(row["r2"]), row["seconds"]
            print(f"  {contestant:31} RMSE {spread} R² {r2:7.4f} {seconds:8.2f} s", flush=True)
    return rows


def bars(rows: list[dict]) -> list[dict]:
    found = {(row["table"], row["contestant"]): row["rmse"] for row in rows}
    return [
        {
            "bar": f"{table}: {KAN} better than {other}, every seed",
            "ratio": max(
                a / b for a, b in zip(found[table, KAN], found[table, other], strict=True)
            ),
            "met": all(a < b for a, b in zip(found[table, KAN], found[table, other], strict=True)),
        }
        for table in BARS
        for other in (PLAIN, PATIENT)
        if (table, KAN) in found
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--out", type=Path, default=RESULTS / "tabular.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # the MLP's default ends too early
    KANRegressor(max_iter=4).fit(np.eye(9), np.arange(9.0))  # loads the compiled kernels
    rows = measure(options.tables, options.folds, options.seeds)
    checked = bars(rows)
    for bar in checked:
        print(f"{'met   ' if bar['met'] else 'MISSED'} {bar['bar']} (ratio {bar['ratio']:.2f})")
    contents = document(
        "tabular",
        rows,
        checked,
        settings={"folds": options.folds, "seeds": options.seeds},
        contestants={"kanref": {"version": kanref.__version__}}
        | {"scikit-learn": {"version": sklearn.__version__}},
    )
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
