"""scikit-learn's MLPRegressor with as many parameters: its own loss and gradient.

``_loss_grad_lbfgs`` is what scikit-learn's L-BFGS calls once per evaluation. It is private, but the
only door to a gradient without a step of an optimiser.
"""

from __future__ import annotations

import warnings

from . import Case, Contestant, batch, mlp_widths


def build(case: Case) -> Contestant:
    """Let `fit` initialise the network with a single iteration, then call what it calls."""
    import numpy as np
    from sklearn.neural_network import MLPRegressor

    x, target = batch(case)
    widths = mlp_widths(case)
    model = MLPRegressor(
        hidden_layer_sizes=widths[1:-1], solver="lbfgs", max_iter=1, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration does not converge
        model.fit(x, target if target.shape[1] > 1 else target[:, 0])
    theta = np.concatenate([a.ravel() for a in (*model.coefs_, *model.intercepts_)])
    shapes = [c.shape for c in model.coefs_]
    work = (
        [x] + [None] * len(shapes),
        [None] * len(shapes),
        [np.empty(shape, x.dtype) for shape in shapes],
        [np.empty(shape[1], x.dtype) for shape in shapes],
    )
    weight = [None] if "sample_weight" in _arguments(model._loss_grad_lbfgs) else []

    def step():
        return model._loss_grad_lbfgs(theta, x, target, *weight, *work)

    return Contestant(
        forward=lambda: model.predict(x),
        step=step,
        loss=lambda: float(step()[0]),
        parameters=theta.size,
    )


def _arguments(function) -> list[str]:
    import inspect

    return list(inspect.signature(function).parameters)
