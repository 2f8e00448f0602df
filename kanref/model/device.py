"""A model on a CUDA device: `to`, and the methods that work on a copy on the host.

What computes, the evaluation and :meth:`~kanref.KAN.fit`, computes where the parameters are. What
draws, writes or changes structure is done on the host, and a new model goes back to the device.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from .._arrays import Array, to_numpy
from ..kernels.cuda import is_device_array
from ..kernels.device import require
from . import checks
from .deployment import DeploymentMethods

HOST_METHODS = (
    "save",
    "reg",
    "update_grid",
    "refine",
    "attribute",
    "feature_interaction",
    "prune_plan",
    "prune",
    "prune_node",
    "prune_edge",
    "prune_input",
    "remove_edge",
    "remove_node",
    "suggest_symbolic",
    "fix_symbolic",
    "unfix_symbolic",
    "auto_symbolic",
    "symbolic_plan",
    "symbolic_formula",
    "plot",
    "plot_edge",
    "_repr_html_",
    "export",
    "bounds",
    "lipschitz",
)
"""Methods that, for a model on a device, run on its copy on the host."""

DATA_METHODS = ("fit", "predict", "predict_class")
"""Methods that check tables, in data units, on the host, and compute where the model is."""


class DeviceMethods(DeploymentMethods):
    """to; and the methods above, wherever the model is."""

    def to(self, backend: str) -> Self:
        """Return the model for another backend, its parameters where that computes.

        Parameters
        ----------
        backend : {"cupy", "numpy", "numba", "auto"}
            "cupy" copies the parameters to the CUDA device, the others to the host; "auto" is
            the host with the fastest kernels there.

        Returns
        -------
        KAN
            A copy; this model stays as and where it is.

        Raises
        ------
        ImportError
            If the backend is not installed, or there is no device.

        Examples
        --------
        >>> from kanref import KAN
        >>> KAN([2, 1]).to("numpy").backend
        'numpy'
        """
        checks.backend(backend)
        if backend == "cupy":
            xp = require()
            network = self.network.map(lambda a: xp.asarray(to_numpy(a)))
        else:
            network = self.network.map(to_numpy)
        model = self._with(network)
        model.network = replace(network, backend=backend)
        return model

    def _points(self, x: Array) -> Array:
        if is_device_array(x) and not is_device_array(self.network.theta):
            raise TypeError("`x` is on a device and the model is not: model.to('cupy') moves it")
        return super()._points(x)


def _through_host(method: Callable) -> Callable:
    """Return the method; of a model on a device, on its copy on the host."""

    @functools.wraps(method)
    def run(self: DeviceMethods, *args: Any, **options: Any) -> Any:
        if not is_device_array(self.network.theta):
            return method(self, *args, **options)
        result = method(self.to("numpy"), *args, **options)
        return result.to(self.backend) if isinstance(result, DeviceMethods) else result

    return run


def _with_tables(method: Callable) -> Callable:
    """Return the method; it takes arrays of the device as the tables on the host that they are."""

    @functools.wraps(method)
    def run(self: DeviceMethods, *args: Any, **options: Any) -> Any:
        return method(self, *map(_table, args), **{k: _table(v) for k, v in options.items()})

    return run


def _table(value: Any) -> Any:
    if isinstance(value, (tuple, list)) and any(map(is_device_array, value)):
        return tuple(map(_table, value))
    return to_numpy(value) if is_device_array(value) else value


for _name in HOST_METHODS:
    setattr(DeviceMethods, _name, _with_tables(_through_host(getattr(DeviceMethods, _name))))
for _name in DATA_METHODS:
    setattr(DeviceMethods, _name, _with_tables(getattr(DeviceMethods, _name)))
