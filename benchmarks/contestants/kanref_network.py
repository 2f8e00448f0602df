"""kanref, as a training step calls it: parameters from a flat vector, objective, flat gradient."""

from __future__ import annotations

from . import Case, Contestant, batch


def build(case: Case) -> Contestant:
    """Build the network with the constructor's settings."""
    from kanref import KAN
    from kanref.losses import mse
    from kanref.network import network_forward
    from kanref.objective import Objective
    from kanref.regularization import Regularizer

    x, target = batch(case)
    model = KAN(list(case.widths), grid=case.G, k=case.k, dtype=case.dtype, seed=0)
    network, theta = model.network, model.network.theta.copy()
    objective = Objective(mse, Regularizer())

    last = None

    def step():
        # As `fit` does: a new theta becomes views of a network, and the arrays of the last step are
        # used again.
        nonlocal last
        last = objective.evaluate(network.with_theta(theta), x, target, reuse=last)
        return last.gradient.theta

    return Contestant(
        forward=lambda: network_forward(network.with_theta(theta), x)[0],
        step=step,
        loss=lambda: objective.evaluate(network, x, target).loss,
        parameters=theta.size,
    )
