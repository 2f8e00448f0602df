"""How `kanref fit` learns from a table it knows nothing about.

Training rows are split once more, into rows to fit and rows to validate. A network on a coarse grid
is trained with a penalty that makes it sparse, pruned, refined and fitted again with a tenth of the
penalty; the validation rows decide on the grid, on when to stop, and on whether the pruned network
is good enough. What they chose is then fitted on all training rows, for as many steps. The test
rows take no part in any of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..datasets import Dataset, create_dataset_from_data
from ..scaling import Scaling
from ..sizes import MOST_TRAINED
from ..training import History
from ..training.callbacks import ProgressBar, someone_watches
from .errors import Refused

if TYPE_CHECKING:
    from ..model import KAN

COARSE, FINE = 3, 6
"""Grid intervals of the first stage and of the last."""

MAX_HIDDEN = 10
"""Nodes of the hidden layer, at most."""

VALIDATION = 0.2
"""Share of the training rows by which decisions are made."""

TOLERANCE = 1.1
"""A pruned network may have this many times the validation error of the best one."""

THRESHOLDS = ((1e-2, 3e-2), (3e-3, 1e-2))
"""(node_th, edge_th) of pruning, the first one that is good enough."""

SAME = 1e-6
"""Predictions that differ by less than this share of the target's spread are the same."""

PATIENCE = 30
"""Steps without a better validation error after which a refit stops."""


@dataclass(frozen=True)
class Recipe:
    """What the user may choose; None means by the size of the table."""

    hidden: Sequence[Any] | None = None
    grid: int | None = None
    k: int = 3
    lamb: float = 0.01
    seed: int = 0
    steps: int = 150
    prune: bool = True
    quiet: bool = False

    @property
    def watched(self) -> bool:
        """Whether to tell how far it is: somebody looks on, and wants to know."""
        return not self.quiet and someone_watches()


@dataclass
class Candidate:
    """A network with its validation error and the number of steps that led to it."""

    model: KAN
    error: float
    steps: int

    @property
    def n_edges(self) -> int:
        """Number of live edges."""
        return count_edges(self.model)


def count_edges(model: KAN) -> int:
    """Return the number of live edges."""
    return sum(int(layer.mask.sum()) for layer in model.layers)


def choose_hidden(n_in: int, n_samples: int, k: int) -> list[int]:
    """Return the hidden layer for a table: Kolmogorov's 2 n_in + 1 nodes, where the rows allow it.

    There are no more parameters than rows; where not even one node is affordable, no hidden layer:
    the model is a sum of functions of one input each.

    Examples
    --------
    >>> choose_hidden(2, 800, 3), choose_hidden(6, 200, 3), choose_hidden(3, 20, 3)
    ([5], [3], [])
    """
    per_edge = COARSE + k + 2  # coef, scale_base, scale_spline
    affordable = n_samples // ((n_in + 1) * per_edge)
    hidden = min(2 * n_in + 1, MAX_HIDDEN, affordable)
    return [hidden] if hidden else []


def learn(data: Dataset, recipe: Recipe) -> tuple[KAN, list[str]]:
    """Return a model of the training rows of `data`, and what was decided, in sentences."""
    rows = create_dataset_from_data(
        data.X_train, data.y_train, 1 - VALIDATION, recipe.seed, input_names=data.input_names
    )
    sparse = _start(data, rows, recipe)
    _fit(
        sparse,
        "finding the structure",
        rows,
        watched=recipe.watched,
        lamb=recipe.lamb,
        steps=recipe.steps,
        grid_update_num=5,
        stop_grid_update_step=30,
    )
    chosen = _best(_refits(sparse, rows, recipe))
    notes = []
    if recipe.prune:
        chosen, note = _pruned(sparse, chosen, rows, recipe)
        notes.append(note)
    model = chosen.model.copy()
    G = model.layers[0].G
    if recipe.grid and G < recipe.grid:
        notes.append(
            f"the grid has {G} intervals and not {recipe.grid}: "
            "the finer one did not lower the validation error"
        )
    options = {"lamb": recipe.lamb / 10, "steps": chosen.steps, "update_grid": False}
    _fit(model, "learning from all rows", data, watched=recipe.watched, **options)
    return model, notes


def _fit(model: KAN, stage: str, rows: Dataset, *, watched: bool, **options: Any) -> History:
    """Fit a model to the training rows; on a terminal, a bar tells the stage while it lasts."""
    bars = [ProgressBar(options["steps"], desc=stage, leave=False)] if watched else []
    try:
        return model.fit(rows.X_train, rows.y_train, callbacks=bars, progress=False, **options)
    finally:
        for bar in bars:
            bar.close()


def _start(data: Dataset, rows: Dataset, recipe: Recipe) -> KAN:
    """Return the untrained model, with the scaling and the names of the table."""
    from ..model import KAN

    n_in = data.X_train.shape[1]
    hidden = recipe.hidden
    if hidden is None:
        hidden = choose_hidden(n_in, len(rows.X_train), recipe.k)
    _check_size([n_in, *hidden, 1], recipe)
    model = KAN([n_in, *hidden, 1], grid=_coarse(recipe), k=recipe.k, seed=recipe.seed)
    model.scaling = Scaling.standard(data.X_train, data.y_train)
    model.input_names, model.output_names = list(data.input_names), list(data.output_names)
    return model


def _check_size(width: Sequence[Any], recipe: Recipe) -> None:
    """Refuse a network that is too large to be trained, on the finest grid that it may get."""
    from ..model import checks

    depth = len(width) - 1
    grids, degrees = [recipe.grid or FINE] * depth, [recipe.k] * depth
    try:
        shapes = checks.shapes(*checks.width(width, 2), grids, degrees)
        checks.size("`width`", shapes, MOST_TRAINED)
    except ValueError as error:
        raise Refused(str(error).replace("`width`", "--width, --grid and --k")) from None


def _coarse(recipe: Recipe) -> int:
    return min(COARSE, recipe.grid or COARSE)


def _refits(model: KAN, rows: Dataset, recipe: Recipe) -> Iterator[Candidate]:
    """Fit a model on its own grid, and on the finer one if there are rows enough for it.

    Each is fitted until the validation error no longer falls.
    """
    grids = {model.layers[0].G, recipe.grid or FINE}
    if recipe.grid is None and count_edges(model) * (FINE + recipe.k + 2) > len(rows.X_train):
        grids.discard(FINE)
    for G in sorted(grids):
        refit = model.copy() if model.layers[0].G == G else model.refine(G, rows.X_train)
        history = _fit(
            refit,
            f"refining {count_edges(model)} edges, grid {G}",
            rows,
            watched=recipe.watched,
            validation=(rows.X_test, rows.y_test),
            lamb=recipe.lamb / 10,
            steps=recipe.steps,
            update_grid=False,
            restore_best=True,
            patience=PATIENCE,
        )
        error = float(np.sqrt(np.mean((refit.predict(rows.X_test) - rows.y_test) ** 2)))
        yield Candidate(refit, error, 1 + int(np.argmin(history.validation)))


def _best(candidates: Iterator[Candidate]) -> Candidate:
    return min(candidates, key=lambda candidate: candidate.error)


def _pruned(sparse: KAN, full: Candidate, rows: Dataset, recipe: Recipe) -> tuple[Candidate, str]:
    """Return the pruned network if it is good enough, and what was decided."""
    for node_th, edge_th in THRESHOLDS:
        smaller = sparse.prune(rows.X_train, node_th=node_th, edge_th=edge_th)
        if count_edges(smaller) == full.n_edges:
            continue
        pruned = _best(_refits(smaller, rows, recipe))
        if pruned.error <= TOLERANCE * full.error:
            return pruned, (
                f"pruned from {full.n_edges} to {pruned.n_edges} edges "
                f"(validation RMSE {full.error:.4g} before, {pruned.error:.4g} after)"
            )
    return full, f"nothing was pruned: none of the {full.n_edges} edges could be spared"


def without_idle_edges(model: KAN, X: np.ndarray, y: np.ndarray) -> KAN:
    """Return a symbolic model without the edges that give nothing, and the nodes they leave idle.

    They follow the function 0, or score 0 on X (N, n_in); an edge stays where the predictions
    would change by more than :data:`SAME` of the spread of y.
    """
    known = model.predict(X)

    def same(other: KAN) -> bool:
        change = np.abs(other.predict(X) - known).max()
        return bool(change <= SAME * np.std(y))  # not for NaN

    scores = model.attribute(X).edge_scores
    for l, layer in enumerate(model.layers):
        for edge in layer.symbolic:
            i, j = edge.i, edge.j
            if layer.mask[i, j] and (edge.function.name == "0" or scores[l][i, j] == 0):
                with suppress(ValueError):  # an output would depend on no input
                    smaller = model.remove_edge(l, i, j)
                    model = smaller if same(smaller) else model
    with suppress(ValueError):  # the model is not finite on X
        smaller = model.prune(X, node_th=0.0, edge_th=0.0)
        model = smaller if same(smaller) else model
    return model
