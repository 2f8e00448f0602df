"""Hello-KAN by kanref: the same stages as the peer on the same data, or its own shorter recipe."""

from __future__ import annotations

import time
from typing import Any


def hello(library: list[str] | None, seed: int, short: bool = False) -> dict[str, Any]:
    """Fit, prune, refit, refine, snap, refit; return the seconds of each stage and the RMSE.

    The short recipe is that of hello_kan.py: fit, prune, snap with all functions.
    """
    return _short(seed) if short else _all_stages(library, seed)


def _all_stages(library: list[str] | None, seed: int) -> dict[str, Any]:
    from kanref import KAN

    from .hello_data import rmse, sample

    (X, y), (X_test, y_test) = sample(1000 + seed), sample(2000 + seed)
    clock, stages = time.perf_counter, {}

    def error(model):
        return rmse(model.predict(X_test)[:, 0], y_test)

    begun = start = clock()
    spent = time.process_time()
    model = KAN([2, 5, 1], grid=5, k=3, seed=seed)
    model.fit(X, y, steps=50, lamb=1e-2, update_grid=False, progress=False)
    stages["fit"] = clock() - start

    start = clock()
    model = model.prune(X)
    stages["prune"] = clock() - start

    start = clock()
    model.fit(X, y, steps=50, progress=False)
    stages["refit"] = clock() - start

    start = clock()
    model = model.refine(10, X)
    model.fit(X, y, steps=50, progress=False)
    stages["refine"] = clock() - start
    splines = error(model)

    start = clock()
    model = model.auto_symbolic(X, y, lib=library)
    stages["snap"] = clock() - start

    start = clock()
    model.fit(X, y, steps=50, progress=False)
    stages["refit formula"] = clock() - start
    seconds, cpu = clock() - begun, time.process_time() - spent
    symbolic = all(not layer.numeric.any() for layer in model.layers)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "stages": stages,
        "width": list(model.width),
        "spline_rmse": splines,
        "rmse": error(model),
        "formula": str(model.symbolic_formula()[0])[:300] if symbolic else "not symbolic",
    }


def _short(seed: int) -> dict[str, Any]:
    import hello_kan

    found = hello_kan.hello(seed)
    return {
        "seconds": found["wall"],
        "cpu_seconds": found["cpu"],
        "stages": {stage: found[f"{stage}_wall"] for stage in ("fit", "prune", "snap")},
        "width": list(found["width"]),
        "rmse": found["rmse"],
        "formula": found["formula"],
    }
