"""Draw what the introduction of the KAN paper draws, in our own way, from kanref itself.

    python figures/introduction.py    # writes figures/intro_{network,spline,symbolic}.png

The network with its arrays; one edge, and its grid made finer; from a trained network to a formula.
Deterministic: one seed, no clock.
"""

from __future__ import annotations

import numpy as np
from hello import samples, stages
from style import BLACK, BLUE, GREEN, GREY, ORANGE, panels, save

from kanref import KAN, bspline

LINES = ("-", "--", "-.", ":")


def network() -> None:
    """A [2, 5, 1] network, with the names that the code has for its parts."""
    X, y = samples()
    model = KAN([2, 5, 1], grid=5, seed=0)
    model.fit(X, y, steps=40)
    figure, (left, right) = panels(2, 9.0, 3.5, width_ratios=(3, 2))
    model.plot(left, X, title="a KAN of width [2, 5, 1]: a function on every edge")
    right.axis("off")
    lines = (
        (r"input $x$", "(N, 2)", BLACK),
        (r"edges $\phi^{(0)}_{ij}(x_i)$", "(N, 2, 5): 10 curves", BLUE),
        (r"sums $z_j=\sum_i\phi^{(0)}_{ij}(x_i)$", "(N, 5)", BLACK),
        (r"edges $\phi^{(1)}_{j1}(z_j)$", "(N, 5, 1): 5 curves", BLUE),
        (r"output $y=\sum_j\phi^{(1)}_{j1}(z_j)$", "(N, 1)", BLACK),
    )
    for row, (what, shape, colour) in enumerate(lines):
        height = 0.1 + 0.2 * row
        right.text(0.0, height, what, color=colour, fontsize=11, va="center")
        right.text(0.66, height, shape, color=GREY, fontsize=9, va="center")
        if row:
            right.annotate(
                "",
                (0.05, height - 0.05),
                (0.05, height - 0.14),
                arrowprops={"arrowstyle": "->", "color": GREY},
            )
    save(figure, "intro_network")


def spline() -> None:
    """One edge: its parts; and the same spline on twice as many cells."""
    G, k = 5, 3
    grid = bspline.uniform_grid(-1.0, 1.0, G, n_in=1)
    knots = bspline.extend_grid(grid, k)
    coef = np.random.default_rng(1).normal(0, 0.9, (1, 1, G + k))
    x = np.linspace(-1, 1, 401)[:, None]
    silu = x[:, 0] / (1 + np.exp(-x[:, 0]))
    curve = bspline.curve(x, knots, coef, k)[:, 0, 0]

    figure, axes = panels(3, 9.6, 3.1, sharey=True)
    axes[0].plot(x[:, 0], 0.6 * silu, "--", color=BLUE, label="scale_base · b(x)")
    axes[0].plot(x[:, 0], curve, "-.", color=ORANGE, label="scale_spline · spline(x)")
    axes[0].plot(x[:, 0], 0.6 * silu + curve, "-", color=BLACK, lw=2, label="the edge φ(x)")
    axes[0].set(title="an edge: base function + spline", xlabel="x", ylabel="value")
    axes[0].legend(frameon=False, fontsize=8, loc="upper left")
    axes[0].set_ylim(-0.85, 1.15)  # room for the legend
    _pieces(axes[1], x, knots, coef, k, f"G = {G}: {G + k} coefficients")
    finer = bspline.uniform_grid(-1.0, 1.0, 2 * G, n_in=1)
    new_knots, new_coef = bspline.insert_knots(knots, coef, k, finer)
    same = bspline.curve(x, new_knots, new_coef, k)[:, 0, 0]
    assert np.allclose(same, curve, rtol=0, atol=1e-14)
    title = f"G = {2 * G}: {2 * G + k}, the same curve"
    _pieces(axes[2], x, new_knots, new_coef, k, title)
    save(figure, "intro_spline")


def _pieces(ax, x, knots, coef, k: int, title: str) -> None:
    """A spline, and the weighted B-splines that add up to it."""
    basis = bspline.basis(x, knots, k)[:, 0]  # (N, G+k)
    for m in range(basis.shape[1]):
        seen = basis[:, m] > 0
        part = coef[0, 0, m] * basis[seen, m]
        colour = (BLUE, ORANGE, GREEN, GREY)[m % 4]
        ax.plot(x[seen, 0], part, LINES[m % 4], color=colour, lw=1)
    ax.plot(x[:, 0], bspline.curve(x, knots, coef, k)[:, 0, 0], color=BLACK, lw=2)
    grid = bspline.knots_grid(knots, k)[0]
    ax.vlines(grid, 0, 0.05, color=BLACK, lw=1, transform=ax.get_xaxis_transform())
    ax.set(title=title, xlabel="x (ticks at the bottom: the grid)")


def symbolic() -> None:
    """Train, prune, refit, snap: the network of the paper's first example at each step."""
    found = stages()
    figure, axes = panels(4, 11.0, 3.1, width_ratios=(3.6, 1.1, 1.1, 1.4))
    found.trained.plot(axes[0], found.X, title="1  train")
    found.pruned.plot(axes[1], found.X, title="2  sparsify, prune")
    found.snapped.plot(axes[2], found.X, title="3  snap")
    axes[3].axis("off")
    axes[3].set_title("4  read")
    axes[3].text(0.5, 0.58, r"$z = e^{\,\sin(\pi x) + y^2}$", fontsize=15, ha="center")
    note = "all constants fitted together,\nto rounding"
    axes[3].text(0.5, 0.34, note, fontsize=9, ha="center", color=GREY)
    save(figure, "intro_symbolic")


def main() -> None:
    """Draw all three."""
    network()
    spline()
    symbolic()


if __name__ == "__main__":
    main()
