"""Models in files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from .. import io
from ..functions import BaseFunction, Function
from .core import ModelCore


class FileMethods(ModelCore):
    """save and load."""

    def save(self, path: Any) -> None:
        """Write the model to one ``.npz`` file, atomically and without pickle.

        What is known of its training is there too, up to 1000 of its steps, evenly spread. Own
        functions (`base_fun` pairs, :meth:`add_function`) are named in the file, not stored.

        Parameters
        ----------
        path : str or path
            The file, by custom ``*.npz``; an old one is replaced only once the new one is whole.
        """
        io.save(path, self.network, self._header())

    def _header(self) -> io.Header:
        return io.Header(
            self.scaling,
            self.input_names,
            self.output_names,
            self.classes,
            self.grid_eps,
            self.rng,
            self.history,
        )

    @classmethod
    def load(
        cls,
        path: Any,
        *,
        functions: Mapping[str, Function] | None = None,
        base_fun: BaseFunction | tuple | None = None,
    ) -> Self:
        """Read a model that :meth:`save` wrote; the round trip is exact to the bit.

        Parameters
        ----------
        path : str or path
            The file.
        functions : mapping of str to Function, optional
            The user's own symbolic functions that the file names.
        base_fun : BaseFunction or (callable, callable), optional
            The user's own base function that the file names.
        """
        network, header = io.load(path, functions=functions, base_fun=base_fun)
        model = cls.from_network(network)
        model.functions = dict(functions or {})
        for name, value in vars(header).items():
            setattr(model, name, value)
        return model
