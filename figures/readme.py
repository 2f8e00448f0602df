"""Draw the picture of the README: a network before and after it is pruned and snapped.

    python figures/readme.py            # writes figures/readme.png

Deterministic: one seed, no clock.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kanref import KAN

FORMULA = r"$e^{\,\sin(\pi x)\,+\,y^2}$"


def stages() -> tuple[np.ndarray, list[tuple[str, KAN]]]:
    X = np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    z = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)
    model = KAN([2, 5, 1], grid=5, seed=0)
    model.input_names, model.output_names = ["x", "y"], ["z"]
    trained = model.copy()
    trained.fit(X, z, steps=30)
    model.fit(X, z, steps=300, lamb=5e-3, reg_metric="edge_backward")
    pruned = model.prune(X)
    pruned.fit(X, z, steps=100)
    snapped = pruned.auto_symbolic(X, z)
    formula = snapped.symbolic_formula(round_to=4)[0]
    print("z =", formula)
    return X, [
        ("train", trained),
        ("make sparse, prune", pruned),
        ("snap: " + FORMULA, snapped),
    ]


def main() -> None:
    X, models = stages()
    figure = Figure(figsize=(10, 3.3), facecolor="white", layout="constrained")
    for ax, (title, model) in zip(
        figure.subplots(1, 3, width_ratios=(2.4, 1, 1)), models, strict=True
    ):
        model.plot(ax, X, title=title)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    main()
