"""What a trained model is for elsewhere: exports that need no kanref."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from .. import bounds as guaranteed
from .. import export
from .pictures import PictureMethods


class DeploymentMethods(PictureMethods):
    """export, bounds, lipschitz."""

    def export(self, path: str | os.PathLike, to: str | None = None, **options: Any) -> list[Path]:
        """Write the model as a program, page or graph that needs no kanref.

        Parameters
        ----------
        path : str or path
            The file; some targets write others beside it.
        to : str, optional
            "python", "numpy", "c", "javascript", "html", "onnx", "formula" or "table"; by default
            the target to which the suffix of `path` belongs.
        **options
            Of the target; see the module of :mod:`kanref.export` that writes it.

        Returns
        -------
        list of Path
            The files, the main one first.

        Raises
        ------
        ValueError
            If the target cannot express the model (:class:`~kanref.export.ExportError`), or an
            argument will not do; then nothing is written.
        TypeError
            If the target has no such option.
        OSError
            If a file cannot be written; then none is. FileExistsError if a file that kanref did not
            write stands where one belongs beside `path`, such as the header of a C source.

        Examples
        --------
        >>> import os, tempfile
        >>> from kanref import KAN
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = KAN([2, 5, 1], seed=0).export(os.path.join(folder, "net.py"))
        >>> [file.name for file in files]
        ['net.py']
        """
        return export.export(export.program_of(self), path, to, **options)

    def bounds(self, box: Any, *, budget: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return guaranteed bounds of every output for all inputs in a box.

        No point of the box has a :meth:`predict` outside them, rounding included. They are wider
        than the range that is really reached, and close in on it as the box shrinks.

        Parameters
        ----------
        box : sequence of (low, high)
            One pair for each input, in data units.
        budget : int, optional
            How many parts of the box to look at, at most; more is tighter and takes longer.

        Returns
        -------
        lower, upper : (n_out,)
            In data units. (-inf, inf) where an output may overflow or be undefined (NaN).

        Raises
        ------
        ValueError, TypeError
            If the box is reversed, not finite, not numbers or of a wrong shape, or a live edge
            follows a function of your own, which nothing bounds.

        Examples
        --------
        >>> from kanref import KAN
        >>> model = KAN([2, 5, 1], seed=0)
        >>> lower, upper = model.bounds([(-1, 1), (-1, 0)])
        >>> bool(lower[0] <= model.predict([[0.3, -0.2]])[0, 0] <= upper[0])
        True
        """
        checked = guaranteed.check_box(box, self.input_names)
        return guaranteed.output_bounds(self.network, self.scaling, checked, budget=budget)

    def lipschitz(self, box: Any, *, budget: int | None = None) -> guaranteed.Lipschitz:
        """Return how fast every output can change within a box, guaranteed.

        Parameters
        ----------
        box, budget
            As for :meth:`bounds`.

        Returns
        -------
        Lipschitz
            ``constant`` (n_out,): no output changes by more than ``constant`` times the largest
            change of an input. ``partial`` (n_out, n_in) bounds the derivatives one by one. In data
            units; infinite where the function jumps.
        """
        checked = guaranteed.check_box(box, self.input_names)
        return guaranteed.lipschitz(self.network, self.scaling, checked, budget=budget)
