"""Draw the picture of the README: a network before and after it is pruned and snapped.

    python figures/readme.py            # writes figures/readme.png

Deterministic: one seed, no clock.
"""

from __future__ import annotations

from pathlib import Path

from hello import stages
from matplotlib.figure import Figure

FORMULA = r"$e^{\,\sin(\pi x)\,+\,y^2}$"


def main() -> None:
    found = stages()
    models = [
        ("train", found.trained),
        ("make sparse, prune", found.pruned),
        ("snap: " + FORMULA, found.snapped),
    ]
    figure = Figure(figsize=(10, 3.3), facecolor="white", layout="constrained")
    for ax, (title, model) in zip(
        figure.subplots(1, 3, width_ratios=(2.4, 1, 1)), models, strict=True
    ):
        model.plot(ax, found.X, title=title)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    main()
