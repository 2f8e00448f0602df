"""The model itself: construction, evaluation, parameters and representation."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from .._arrays import Array, namespace, to_numpy
from ..functions import BaseFunction, Function, base_function
from ..initialization import (
    INITS,
    InitialState,
    LayerShape,
    identity_nodes,
    initial_layer,
    initial_network,
)
from ..kernels.device import require
from ..layer import Layer, layer_edges
from ..network import (
    Network,
    NetworkCache,
    jacobian,
    layer_inputs,
    network_backward,
    network_forward,
)
from ..nodes import Nodes
from ..objective import MAX_MEMORY, split
from ..scaling import Scaling
from ..tables import input_table
from ..training import History
from . import checks

Width = Sequence[int | Sequence[int]]


class ModelCore:
    """Construction, evaluation, parameters and representation of a KAN."""

    network: Network
    functions: dict[str, Function]
    rng: np.random.Generator
    grid_eps: float
    history: History

    def __init__(
        self,
        width: Width,
        grid: int | Sequence[int] = 5,
        k: int | Sequence[int] = 3,
        *,
        grid_range: tuple[float, float] = (-1, 1),
        base_fun: str | BaseFunction | tuple = "silu",
        extrapolate: str = "linear",
        init: str = "paper",
        noise_scale: float = 0.3,
        scale_base_mu: float = 0.0,
        scale_base_sigma: float = 1.0,
        grid_eps: float = 0.02,
        sparse_init: bool = False,
        mult_arity: int | Sequence = 2,
        spline_scale: bool = True,
        dtype: str = "float64",
        seed: int | np.random.Generator = 0,
        backend: str = "auto",
    ) -> None:
        sums, arities = checks.width(width, mult_arity)
        depth = len(sums) - 1
        grids = checks.per_layer("grid", grid, depth, least=1)
        degrees = checks.per_layer("k", k, depth, least=0)
        checks.size("`width`, `grid` and `k`", checks.shapes(sums, arities, grids, degrees))
        checks.choice("init", init, INITS)
        checks.choice("extrapolate", extrapolate, ("linear", "zero"))
        dtype = checks.dtype(dtype)
        checks.backend(backend)
        low, high = checks.interval("grid_range", grid_range)
        state = InitialState(
            init,
            (low, high),
            checks.number("noise_scale", noise_scale),
            checks.number("scale_base_mu", scale_base_mu),
            checks.number("scale_base_sigma", scale_base_sigma),
            sparse_init,
            spline_scale,
        )
        self.rng = checks.generator(seed)
        nodes = [identity_nodes(s, a) for s, a in zip(sums, arities, strict=True)]
        layers = [
            initial_layer(
                LayerShape(nodes[l].n_nodes, nodes[l + 1].n_subnodes, grids[l], degrees[l]),
                state,
                base_function(base_fun),
                extrapolate,
                self.rng,
            )
            for l in range(depth)
        ]
        network = initial_network(layers, nodes[1:], dtype)
        if backend == "cupy":
            network = network.map(require().asarray)
        self.network = replace(network, backend=backend)
        self.grid_eps = checks.number("grid_eps", grid_eps, low=0, high=1)
        self._begin()

    def _begin(self) -> None:
        """Give a model the names and the scaling that it has unless they are set."""
        self.functions = {}
        self.classes = None
        self.history = History()
        self.scaling = Scaling.identity(self.network.n_in, self.network.n_out)
        self.input_names = [f"x_{i + 1}" for i in range(self.network.n_in)]
        self.output_names = default_output_names(self.network.n_out)

    # --- what it is ---------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of edges."""
        return self.network.layers

    @property
    def nodes(self) -> tuple[Nodes, ...]:
        """The nodes above each layer of edges, with their affines."""
        return self.network.nodes

    @property
    def width(self) -> list:
        """Nodes of each layer, as the constructor takes them."""
        above = [[n.n_sum, len(n.arity)] if n.arity else n.n_sum for n in self.network.nodes]
        return [self.network.n_in, *above]

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.network.n_in

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.network.n_out

    @property
    def dtype(self) -> np.dtype:
        """Dtype of the parameters and results."""
        return self.network.theta.dtype

    @property
    def scaling(self) -> Scaling:
        """Between data units and network units; may be assigned."""
        return self._scaling

    @scaling.setter
    def scaling(self, scaling: Scaling) -> None:
        if not isinstance(scaling, Scaling):
            raise TypeError(f"`scaling` must be a Scaling, got {type(scaling).__name__}")
        sizes = (scaling.x_shift.size, scaling.y_shift.size)
        if sizes != (self.n_in, self.n_out):
            raise ValueError(
                f"`scaling` must be of {self.n_in} inputs and {self.n_out} outputs, "
                f"got {sizes[0]} and {sizes[1]}"
            )
        self._scaling = scaling

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs; may be assigned."""
        return self._input_names

    @input_names.setter
    def input_names(self, names: Sequence[str]) -> None:
        self._input_names = checks.names("input_names", names, self.n_in)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs; may be assigned."""
        return self._output_names

    @output_names.setter
    def output_names(self, names: Sequence[str]) -> None:
        self._output_names = checks.names("output_names", names, self.n_out)

    @property
    def classes(self) -> list | None:
        """Labels that the outputs stand for, two of a single output; may be assigned."""
        return self._classes

    @classes.setter
    def classes(self, labels: Sequence | None) -> None:
        self._classes = checks.labels("classes", labels, max(self.n_out, 2))

    @property
    def backend(self) -> str:
        """Who computes."""
        return self.network.backend

    @property
    def theta(self) -> np.ndarray:
        """All trainable parameters, one flat vector (P,) of which the layers hold views.

        It is the live vector: copy it to keep a state.
        """
        return self.network.theta

    @property
    def n_params(self) -> int:
        """Length of theta."""
        return int(self.network.theta.size)

    def with_theta(self, theta: Array) -> Self:
        """Return a model with the parameters in `theta` (P,); this one stays as it is."""
        theta = namespace(self.theta).array(theta, dtype=self.dtype)
        if theta.shape != self.theta.shape:
            raise ValueError(f"`theta` must have shape {self.theta.shape}, got {theta.shape}")
        return self._with(self.network.copy().with_theta(theta))

    def copy(self) -> Self:
        """Return a model that shares nothing with this one, its generator included."""
        return self._with(self.network.copy())

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of a copy or pickle, and make the parameters views of theta again."""
        self.__dict__.update(state)
        self.network = self.network.regroup(self.network.groups)

    def _with(self, network: Network, **changes: Any) -> Self:
        """Return a model like this one with another network."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.network = replace(network, backend=self.backend)
        new.rng = copy.deepcopy(self.rng)
        new._input_names, new._output_names = list(self.input_names), list(self.output_names)
        new._classes = None if self.classes is None else list(self.classes)
        new.functions = dict(self.functions)
        new.history = self.history.copy()
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    # --- evaluation, network units ------------------------------------------------------------

    def _points(self, x: Array) -> np.ndarray:
        """Check network-unit inputs (..., n_in) and give them the model's dtype."""
        x = namespace(self.theta).asarray(x)
        if x.ndim < 1 or x.shape[-1] != self.n_in:
            raise ValueError(f"`x` must have shape (..., {self.n_in}), got {x.shape}")
        if x.dtype.kind not in "fiub":
            raise TypeError(f"`x` must hold real numbers, got {x.dtype}")
        return x.astype(self.dtype, copy=False)

    def __call__(self, x: Array) -> np.ndarray:
        """Evaluate at x (..., n_in), network units: (..., n_out)."""
        x = self._points(x)
        chunks = split(self.network, x.reshape(-1, self.n_in), MAX_MEMORY)
        y = np.concatenate(
            [network_forward(self.network, chunk, slopes="none")[0] for chunk in chunks]
        )
        return y.reshape(*x.shape[:-1], self.n_out)

    def forward(self, x: Array) -> tuple[np.ndarray, NetworkCache]:
        """Evaluate at x (N, n_in), network units: y (N, n_out) and the cache for `backward`."""
        return network_forward(self.network, self._batch(x))

    def backward(self, cache: NetworkCache, dy: Array) -> tuple[np.ndarray, Network]:
        """Propagate the cotangent dy (N, n_out) through the forward pass that left `cache`.

        Returns
        -------
        dx : (N, n_in)
            Cotangent of the inputs.
        grads : Network
            ``grads.layers[l].coef`` etc. mirror the parameters, ``grads.theta`` is flat.
        """
        n_samples = cache.u[-1].shape[0]
        dy = namespace(self.theta).asarray(dy, dtype=self.dtype)
        if dy.shape != (n_samples, self.n_out):
            raise ValueError(f"`dy` must have shape ({n_samples}, {self.n_out}), got {dy.shape}")
        return network_backward(self.network, cache, dy)

    def jacobian(self, x: Array) -> np.ndarray:
        """Return ∂y_o/∂x_i at x (..., n_in), network units: (..., n_out, n_in)."""
        x = self._points(x)
        chunks = split(self.network, x.reshape(-1, self.n_in), MAX_MEMORY)
        dy = np.concatenate([jacobian(self.network, chunk) for chunk in chunks])
        return dy.reshape(*x.shape[:-1], self.n_out, self.n_in)

    def activations(self, x: Array) -> list[np.ndarray]:
        """Return the inputs of every layer and the outputs, at x (N, n_in), network units."""
        x = self._batch(x)
        return [*layer_inputs(self.network, x), self(x)]

    def edges(self, x: Array) -> list[np.ndarray]:
        """Return φ of every edge of every layer, (N, n_in, n_out) each, at x in network units."""
        inputs = layer_inputs(self.network, self._batch(x))
        return [layer_edges(layer, z) for layer, z in zip(self.layers, inputs, strict=True)]

    def _batch(self, x: Array) -> np.ndarray:
        x = self._points(x)
        if x.ndim != 2:
            raise ValueError(f"`x` must have shape (N, {self.n_in}), got {x.shape}")
        return x

    # --- evaluation, data units ---------------------------------------------------------------

    def _inputs(self, X: Any, what: str = "X", names: list[str] | None = None) -> np.ndarray:
        """Check a table of inputs and convert it to network units and the model's dtype."""
        table = input_table(X, self.input_names if names is None else names, what)
        return self.scaling.x_to_network(table).astype(self.dtype, copy=False)

    def predict(self, X: Any) -> np.ndarray:
        """Predict, in data units, from a table X (N, n_in) or a data frame: always (N, n_out).

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.

        Returns
        -------
        (N, n_out)
            Outputs in data units; NaN where a NaN or infinite input reaches them.
        """
        y = to_numpy(self(self._inputs(X)))
        return self.scaling.y_to_data(y).astype(self.dtype, copy=False)

    def predict_class(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row of X (N, n_in), from `classes` if set.

        With several outputs the largest wins; a single output is a logit, and its sign decides.
        """
        y = to_numpy(self(self._inputs(X)))  # logits are in network units
        index = y.argmax(axis=1) if self.n_out > 1 else (y[:, 0] > 0).astype(int)
        return index if self.classes is None else np.asarray(self.classes)[index]

    @classmethod
    def from_network(cls, network: Network) -> Self:
        """Wrap a network, with names, scaling and generator as a new model has them."""
        model = cls([1, 1], grid=1, k=0)  # any: n_in · n_out edges may be too many to hold
        model.network = network
        model._begin()
        return model

    # --- representation -----------------------------------------------------------------------

    def __repr__(self) -> str:
        live = sum(int(layer.mask.sum()) for layer in self.layers)
        total = sum(layer.mask.size for layer in self.layers)
        symbolic = sum(bool(layer.mask[e.i, e.j]) for layer in self.layers for e in layer.symbolic)
        return (
            f"{type(self).__name__}(width={self.width}, grid={_same([x.G for x in self.layers])}, "
            f"k={_same([x.k for x in self.layers])}): {live} of {total} edges live, "
            f"{symbolic} symbolic, {self.n_params} parameters, {self.dtype}"
        )


def default_output_names(n_out: int) -> list[str]:
    """Return y, or y_1, y_2, … for several outputs."""
    return ["y"] if n_out == 1 else [f"y_{o + 1}" for o in range(n_out)]


def _same(values: list[int]) -> int | list[int]:
    return values[0] if len(set(values)) == 1 else values
