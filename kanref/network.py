"""A stack of layers with sum and product nodes between them: forward, backward and theta."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import layer as _layer
from ._arrays import Array, namespace
from .kernels import layer_backward, layer_forward
from .layer import EdgeCotangent, Layer, LayerCache
from .nodes import NODE_PARAMETERS, Nodes, nodes_backward, nodes_forward, selected_by
from .parameters import assign, changed
from .statistics import LayerStatistics, merge_statistics

PARAMETERS = (*_layer.PARAMETERS, *NODE_PARAMETERS)
"""All parameter groups, in the order in which they stand in theta within a layer."""

DEFAULT_GROUPS = _layer.PARAMETERS
"""The groups that theta holds unless the node affines are asked for too."""


Part = TypeVar("Part", Layer, Nodes)


@dataclass(frozen=True)
class NodeCotangent:
    """Affine cotangents of a layer's inputs and sums: dx += s0 + s1·x, du += t0 + t1·u."""

    s0: Array  # (n_in,)
    s1: Array  # (n_in,)
    t0: Array  # (n_out,)
    t1: Array  # (n_out,)


Cotangents = Sequence[tuple[EdgeCotangent | None, NodeCotangent | None]]
"""What a regulariser adds in each layer."""


@dataclass(frozen=True, eq=False)
class Network:
    """Layers and nodes whose parameters are views of one flat vector, `theta`.

    Build one with :meth:`assemble`. A network of gradients is the same type.

    Attributes
    ----------
    layers : tuple of Layer
    nodes : tuple of Nodes
        ``nodes[l]`` combine the sums of ``layers[l]``.
    groups : tuple of str
        The parameter groups that `theta` holds, of `PARAMETERS`.
    theta : (P,)
        The parameters of these groups, layer by layer.
    backend : str
        Who computes, of :data:`kanref.kernels.BACKENDS`.
    """

    layers: tuple[Layer, ...]
    nodes: tuple[Nodes, ...]
    groups: tuple[str, ...]
    theta: Array
    backend: str = "auto"

    @classmethod
    def assemble(
        cls,
        layers: Sequence[Layer],
        nodes: Sequence[Nodes],
        groups: Sequence[str] = DEFAULT_GROUPS,
        backend: str = "auto",
    ) -> Network:
        """Copy the parameters of `layers` and `nodes` into one vector and make them views of it.

        `groups` says which of them theta holds, `backend` who computes.
        """
        groups = tuple(g for g in PARAMETERS if g in groups)
        loose = cls(tuple(layers), tuple(nodes), groups, None, backend)
        xp = namespace(layers[0].coef)
        parts = [xp.reshape(_stored(name, a), (-1,)) for _, name, a in loose.parameters()]
        parts = parts or [xp.zeros(0, dtype=layers[0].coef.dtype)]
        return loose.with_theta(xp.concat(parts))

    def parameters(self) -> Iterator[tuple[int, str, Array]]:
        """Yield (layer number, group name, array) for each array in theta, in its order."""
        for number, (layer, nodes) in enumerate(zip(self.layers, self.nodes, strict=True)):
            for name in self.groups:
                a = getattr(nodes if name in NODE_PARAMETERS else layer, name)
                if a is not None:
                    yield number, name, a

    def with_theta(self, theta: Array) -> Network:
        """Return this network with the parameters in `theta`, as views of it."""
        xp = namespace(theta)
        found: list[dict[str, Array]] = [{} for _ in self.layers]
        start = 0
        for number, name, a in self.parameters():
            shape = _stored(name, a).shape
            size = math.prod(shape)
            view = xp.reshape(theta[start : start + size], shape)
            found[number][name] = _stored(name, view)  # transposing twice is the identity
            start += size
        layers, nodes = [], []
        for layer, node, arrays in zip(self.layers, self.nodes, found, strict=True):
            of_nodes = {n: arrays.pop(n) for n in NODE_PARAMETERS if n in arrays}
            layers.append(changed(layer, **arrays))
            nodes.append(changed(node, **of_nodes))
        return changed(self, layers=tuple(layers), nodes=tuple(nodes), theta=theta)

    def regroup(self, groups: Sequence[str]) -> Network:
        """Return a copy whose theta holds exactly `groups`."""
        return Network.assemble(self.layers, self.nodes, groups, self.backend)

    def with_parts(self, layers: Sequence[Layer], nodes: Sequence[Nodes] | None = None) -> Network:
        """Return a network of other layers and nodes, as copies, with these groups and backend."""
        nodes = self.nodes if nodes is None else nodes
        return Network.assemble(layers, nodes, self.groups, self.backend)

    def map(self, convert: Callable[[Array], Array]) -> Network:
        """Return a network with `convert` applied to every array (a copy, another dtype, …)."""
        layers = [_map_fields(layer, convert) for layer in self.layers]
        nodes = [_map_fields(node, convert) for node in self.nodes]
        return self.with_parts(layers, nodes)

    def copy(self) -> Network:
        """Return a network that shares no array with this one."""
        return self.map(lambda a: namespace(a).asarray(a, copy=True))

    @property
    def depth(self) -> int:
        """Number of layers of edges."""
        return len(self.layers)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.nodes[-1].n_nodes


@dataclass(frozen=True)
class NetworkCache:
    """The caches of the `layers`, the sums `u` of each, and the inputs `x` of each."""

    layers: tuple[LayerCache | Any, ...]  # of the backend that computed
    u: tuple[Array, ...]  # (N, n_subnodes) of each layer, before the subnode affine
    x: tuple[Array, ...]  # (N, n_in) of each layer

    @property
    def statistics(self) -> list[LayerStatistics]:
        """The statistics of every layer, of a forward with ``sums=True``."""
        return [cache.statistics for cache in self.layers]  # type: ignore[misc]


Slopes = Literal["all", "hidden", "none"]


def network_forward(
    network: Network,
    x: Array,
    *,
    sums: bool = False,
    continued: bool = False,
    slopes: Slopes = "all",
    reuse: NetworkCache | None = None,
) -> tuple[Array, NetworkCache]:
    """Evaluate the network at x (N, n_in): y (N, n_out) and a cache for the backward pass.

    `sums` and `continued` are those of :func:`kanref.layer.layer_forward`. `slopes` says for which
    layers the cache holds what their dx needs: "all" for :func:`network_backward`, "hidden" for
    :func:`theta_gradient`, "none" if there will be no backward pass. The arrays of `reuse`, the
    cache of an earlier pass that nobody needs any more, may be overwritten.
    """
    caches, sums_u = [], []
    inputs: list[Array] = []
    old: Sequence[Any] = (None,) * network.depth if reuse is None else reuse.layers
    for layer, nodes, used in zip(network.layers, network.nodes, old, strict=True):
        u, cache = layer_forward(
            network.backend,
            layer,
            x,
            sums=sums,
            continued=continued,
            slopes=slopes == "all" or (slopes == "hidden" and bool(inputs)),
            reuse=used,
        )
        inputs.append(x)
        x = nodes_forward(nodes, u)
        caches.append(cache)
        sums_u.append(u)
    return x, NetworkCache(tuple(caches), tuple(sums_u), tuple(inputs))


def network_backward(
    network: Network,
    cache: NetworkCache,
    dy: Array,
    cotangents: Cotangents | None = None,
) -> tuple[Array, Network]:
    """Propagate dy (N, n_out) to dx (N, n_in) and to every parameter; return both.

    `network` is the one whose :func:`network_forward` left `cache`. `cotangents` holds, per layer,
    what a regulariser adds at the edges and at the nodes. The gradients come as a Network; its
    `theta` is the gradient of theta.
    """
    layers, nodes = list(network.layers), list(network.nodes)
    for number in reversed(range(network.depth)):
        edge, node = cotangents[number] if cotangents is not None else (None, None)
        u = cache.u[number]
        du, nodes[number] = nodes_backward(network.nodes[number], u, dy)
        if node is not None:
            du = du + node.t0 + node.t1 * selected_by(node.t1, u)
        dy, layers[number] = layer_backward(network.layers[number], cache.layers[number], du, edge)
        if node is not None:
            dy = dy + node.s0 + node.s1 * selected_by(node.s1, cache.x[number])
    return dy, network.with_parts(layers, nodes)


def theta_gradient(
    network: Network,
    cache: NetworkCache,
    dy: Array,
    cotangents: Cotangents | None = None,
    out: Network | None = None,
) -> Network:
    """Return the gradient of theta only, as training needs it; see :func:`network_backward`.

    `network`, `cache`, `dy` and `cotangents` are the same as there.
    What theta does not hold may be left out: node affines, and the cotangent of the inputs.

    Parameters
    ----------
    network : Network
        The network.
    cache : NetworkCache
        From :func:`network_forward` with it, on N samples.
    dy : (N, n_out)
        Cotangent of the outputs.
    cotangents : sequence, optional
        What a regulariser adds in each layer.
    out : Network, optional
        An earlier gradient of the same shapes and groups, which is overwritten.

    Returns
    -------
    Network
        Its `theta` (P,) is the gradient: `out`, where it was given.
    """
    affines = not set(network.groups).isdisjoint(NODE_PARAMETERS)
    layers, nodes = list(network.layers), list(network.nodes)
    for number in reversed(range(network.depth)):
        edge, node = cotangents[number] if cotangents is not None else (None, None)
        u = cache.u[number]
        du, nodes[number] = nodes_backward(network.nodes[number], u, dy, affines)
        if node is not None:
            du = du + node.t0 + node.t1 * selected_by(node.t1, u)
        dy, layers[number] = layer_backward(
            network.layers[number],
            cache.layers[number],
            du,
            edge,
            out=None if out is None else out.layers[number],
            inputs=number > 0,
        )
        if out is not None and affines:
            assign(out.nodes[number], nodes[number], NODE_PARAMETERS)
        if node is not None and number > 0:
            dy = dy + node.s0 + node.s1 * selected_by(node.s1, cache.x[number])
    return network.with_parts(layers, nodes) if out is None else out


def layer_inputs(network: Network, x: Array) -> list[Array]:
    """Return the inputs of every layer of `network` at `x`, (N, n_in of that layer) each."""
    return list(network_forward(network, x, slopes="none")[1].x)


def network_statistics(network: Network, chunks: Sequence[Array]) -> list[LayerStatistics]:
    """Return the statistics of every layer of `network` over a batch that comes in `chunks`."""
    caches = (network_forward(network, x, sums=True, continued=True, slopes="none") for x in chunks)
    return merge_statistics([cache.statistics for _, cache in caches])


def jacobian(network: Network, x: Array) -> Array:
    """Return ∂y_o/∂x_i of `network` at `x` (N, n_in): (N, n_out, n_in).

    One backward pass per output.
    """
    xp = namespace(x)
    y, cache = network_forward(network, x)
    rows = []
    for o in range(network.n_out):
        chosen = xp.astype(xp.arange(network.n_out) == o, y.dtype)
        dy = xp.broadcast_to(chosen, y.shape)
        rows.append(network_backward(network, cache, dy)[0])
    return xp.stack(rows, axis=1)


def _stored(name: str, a: Array) -> Array:
    """Return the array as theta stores it: coefficients with n_out innermost."""
    return namespace(a).permute_dims(a, (0, 2, 1)) if name == "coef" else a


def _map_fields(part: Part, convert: Callable[[Array], Array]) -> Part:
    """Apply `convert` to the array fields of a layer or of nodes."""
    arrays = {k: v for k, v in vars(part).items() if hasattr(v, "shape")}
    return changed(part, **{k: convert(v) for k, v in arrays.items()})
