"""jaxKAN's spline layers, compiled whole by ``jax.jit``, as a pure function of their parameters."""

from __future__ import annotations

from . import Case, Contestant, batch


def build(case: Case) -> Contestant:
    """Build ``jaxkan.models.KAN`` of spline layers; loss and gradient are one compiled function."""
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", case.dtype == "float64")
    from flax import nnx
    from jaxkan.models.KAN import KAN

    settings = {"k": case.k, "G": case.G}
    model = KAN(list(case.widths), layer_type="spline", required_parameters=settings)
    split = nnx.split(model, nnx.Param, ...)
    graph = split[0]
    params, rest = jax.tree.map(lambda a: _as(a, case.dtype), split[1:])
    x, target = (jax.numpy.asarray(a) for a in batch(case))

    @jax.jit
    def predict(params, x):
        return nnx.merge(graph, params, rest)(x)

    @jax.jit
    def loss_and_gradient(params, x, target):
        def loss(params):
            return ((nnx.merge(graph, params, rest)(x) - target) ** 2).mean()

        return jax.value_and_grad(loss)(params)

    return Contestant(
        forward=lambda: jax.block_until_ready(predict(params, x)),
        step=lambda: jax.block_until_ready(loss_and_gradient(params, x, target)),
        loss=lambda: float(loss_and_gradient(params, x, target)[0]),
        parameters=sum(a.size for a in jax.tree.leaves(params)),
    )


def _as(a, dtype: str):
    """Convert the floating-point arrays of a model; keys and counters stay."""
    import jax.numpy as jnp

    return a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a
