"""What writing and reading a model file agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..scaling import Scaling
from ..training import History

FORMAT = "kanref model"
VERSION = 1

MAX_HEADER = 2**24
"""No header has more bytes than this: as objects they may take twenty times as much memory."""

GENERATORS = {"PCG64": np.random.PCG64, "PCG64DXSM": np.random.PCG64DXSM}
"""The random generators whose state is plain numbers."""


@dataclass
class Header:
    """What a model has beside its network.

    Attributes
    ----------
    scaling : Scaling
        Between data units and network units.
    input_names, output_names : list of str
        Of the variables.
    classes : list or None
        Labels that the outputs stand for.
    grid_eps : float
        Of grid updates.
    rng : numpy.random.Generator
        The model's own.
    history : History
        Of its training.
    """

    scaling: Scaling
    input_names: list[str]
    output_names: list[str]
    classes: list | None
    grid_eps: float
    rng: np.random.Generator
    history: History


def is_text(value: str) -> bool:
    """Tell whether a text is whole: half a surrogate pair can neither be written nor shown."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
