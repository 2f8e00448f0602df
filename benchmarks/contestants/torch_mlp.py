"""A multi-layer perceptron in PyTorch with as many parameters as the network of the case."""

from __future__ import annotations

from itertools import pairwise

from . import Case, Contestant, mlp_widths
from ._torch import contestant, prepare


def build(case: Case) -> Contestant:
    """Build Linear, SiLU, …, Linear."""
    torch = prepare(case)
    widths = mlp_widths(case)
    parts = []
    for n_in, n_out in pairwise(widths):
        parts += [torch.nn.Linear(n_in, n_out), torch.nn.SiLU()]
    return contestant(torch, torch.nn.Sequential(*parts[:-1]), case)
