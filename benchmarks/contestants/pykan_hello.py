"""Hello-KAN by pykan: its tutorial's recipe, in double precision, on the same data."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


def hello(library: list[str] | None, seed: int) -> dict[str, Any]:
    """Fit, prune, refit, refine, snap, refit; return the seconds of each stage and the RMSE."""
    import torch
    from kan import KAN

    from .hello_data import rmse, sample

    Path("model").mkdir(exist_ok=True)  # it writes a history there even when it saves nothing
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    (X, y), (X_test, y_test) = sample(1000 + seed), sample(2000 + seed)
    tensors = [torch.from_numpy(a) for a in (X, y[:, None], X_test, y_test[:, None])]
    data = dict(
        zip(("train_input", "train_label", "test_input", "test_label"), tensors, strict=True)
    )
    clock, stages = time.perf_counter, {}

    def error(model):
        with torch.no_grad():
            return rmse(model(data["test_input"]).numpy()[:, 0], y_test)

    begun = start = clock()
    spent = time.process_time()
    model = KAN(width=[2, 5, 1], grid=3, k=3, seed=42 + seed, auto_save=False, device="cpu")
    model.fit(data, opt="LBFGS", steps=50, lamb=0.001)
    stages["fit"] = clock() - start

    start = clock()
    model = model.prune()
    stages["prune"] = clock() - start

    start = clock()
    model.fit(data, opt="LBFGS", steps=50)
    stages["refit"] = clock() - start

    start = clock()
    model = model.refine(10)
    model.fit(data, opt="LBFGS", steps=50)
    stages["refine"] = clock() - start
    splines = error(model)

    start = clock()
    model.auto_symbolic(lib=library, verbose=0)
    stages["snap"] = clock() - start

    start = clock()
    model.fit(data, opt="LBFGS", steps=50)
    stages["refit formula"] = clock() - start
    seconds, cpu = clock() - begun, time.process_time() - spent
    formula = model.symbolic_formula()[0][0]
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "stages": stages,
        "width": [n if isinstance(n, int) else n[0] for n in model.width],
        "spline_rmse": splines,
        "rmse": error(model),
        "formula": str(formula)[:300],
    }
