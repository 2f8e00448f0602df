"""The main job, twice: real measurements become a sparse network and a report; samples, a formula.

python demo/run.py --out figures/demo
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from kanref import KAN, Dataset, Scaling, create_dataset_from_data, datasets
from kanref.report import Report, edge_scores, markdown, versions
from kanref.scores import Scores, baselines

PLAIN = ("x", "x^2", "x^3", "exp", "log", "sqrt", "1/x", "sin", "tanh", "gaussian")
COMMAND = "python demo/run.py --out figures/demo"


def tell(name: str, scores: Scores, what: str = "") -> None:
    print(f"{name:28}  RMSE {scores.rmse:8.3g}   R² {scores.r2:7.4f}   {what}", flush=True)


def airfoil_noise(out: Path) -> None:
    """NASA's measurements of the noise of airfoils: from 1202 rows to a small network."""
    data = datasets.airfoil()
    print(data)
    scores = baselines(data.X_train, data.y_train, data.X_test, data.y_test)
    tell("linear least squares", scores["linear least squares"])

    def test(name: str, model: KAN) -> None:
        scores[name] = Scores.of(data.y_test, model.predict(data.X_test))
        tell(name, scores[name], repr(model).partition(": ")[2])

    # A coarse grid and a strong penalty find the structure …
    model = KAN([5, 8, 1], grid=3, seed=0)
    model.scaling = Scaling.standard(data.X_train, data.y_train)
    model.fit(data, lamb=5e-3, steps=150, grid_update_num=5, stop_grid_update_step=30)
    test("network, coarse", model)

    # … the rest is removed, and a finer grid with a weak penalty finds the shapes.
    model = model.prune(data.X_train).refine(6, data.X_train)
    model.fit(data, lamb=1e-3, steps=150, update_grid=False)
    test("network, pruned and refined", model)

    # Functions take the place of the splines that look like one; the others stay.
    snapped = snap(model, data.X_train, least=0.99)
    snapped.fit(data, lamb=1e-3, steps=100, update_grid=False)
    test("network, snapped", snapped)

    write_report(out, data, model, snapped, scores)


def snap(model: KAN, X: np.ndarray, least: float) -> KAN:
    """Return the model with a function for each spline that one fits with an r² of `least`."""
    snapped = model
    for l, layer in enumerate(model.layers):
        for i, j in np.argwhere(layer.mask).tolist():
            best = model.suggest_symbolic(l, i, j, X, lib=PLAIN, a_range=(-2, 2)).best
            if best.r2 >= least:
                snapped = snapped.fix_symbolic(l, i, j, best.function, affine=best.affine)
    return snapped


def write_report(
    out: Path, data: Dataset, model: KAN, snapped: KAN, scores: dict[str, Scores]
) -> None:
    """Leave the report and the pictures of both networks in the folder `out`."""
    for name, network in (("airfoil.png", model), ("airfoil_snapped.png", snapped)):
        network.plot(X=data.X_train).figure.savefig(out / name, dpi=150)
    found = snapped.attribute(data.X_train)
    report = Report(
        title="Noise of airfoils",
        source="airfoil.csv (Brooks, Pope & Marcolini 1989)",
        inputs=data.input_names,
        target=data.output_names[0],
        n_train=len(data.X_train),
        n_test=len(data.X_test),
        scores=scores,
        model={"network": repr(model), "snapped": repr(snapped), "seed": "0"},
        features=dict(zip(data.input_names, found.feature_scores, strict=True)),
        edges=edge_scores(snapped.network, found, data.input_names, data.output_names),
        picture="airfoil_snapped.png",
        command=COMMAND,
        versions=versions(),
    )
    (out / "report.md").write_text(markdown(report), encoding="utf-8")


def hidden_formula(out: Path) -> None:
    """A table of numbers that hides exp(sin(πx) + y²): fitted, pruned, and read off."""
    x, y = np.random.default_rng(0).uniform(-1, 1, (2, 1000))
    table = np.column_stack([x, y, np.exp(np.sin(np.pi * x) + y**2)])
    np.savetxt(out / "samples.csv", table, delimiter=",", header="x,y,z", comments="")

    table = np.loadtxt(out / "samples.csv", delimiter=",", skiprows=1)
    data = create_dataset_from_data(
        table[:, :2], table[:, 2], input_names=["x", "y"], output_names=["z"]
    )
    model = KAN([2, 5, 1], grid=5, seed=0)
    model.fit(data, lamb=1e-2, steps=50, update_grid=False)
    model = model.prune(data.X_train)
    model = model.auto_symbolic(data.X_train, data.y_train)
    tell("formula", Scores.of(data.y_test, model.predict(data.X_test)), "on rows held out")
    print("z =", model.symbolic_formula(round_to=4)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("figures/demo"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    print("1. Noise of airfoils, measured in a wind tunnel")
    airfoil_noise(out)
    print("\n2. A formula hidden in samples")
    hidden_formula(out)
    print(f"\n{time.perf_counter() - started:.0f} s; report and pictures are in {out}")


if __name__ == "__main__":
    main()
