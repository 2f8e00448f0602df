"""What every contestant in PyTorch shares."""

from __future__ import annotations

import os
from typing import Any

from . import Case, Contestant, batch


def prepare(case: Case) -> Any:
    """Import torch, with the threads and the number type that are asked for."""
    import torch

    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    torch.set_num_threads(threads)
    torch.set_default_dtype(getattr(torch, case.dtype))
    torch.manual_seed(0)
    return torch


def contestant(torch: Any, model: Any, case: Case) -> Contestant:
    """Wrap a module: a step leaves the gradients in the parameters, as training does."""
    x, target = (torch.from_numpy(a) for a in batch(case))
    trained = [p for p in model.parameters() if p.requires_grad]

    def forward():
        with torch.no_grad():
            return model(x)

    def step():
        for p in trained:
            p.grad = None
        loss = torch.nn.functional.mse_loss(model(x), target)
        loss.backward()
        return loss

    return Contestant(
        forward=forward,
        step=step,
        loss=lambda: float(step().detach()),
        parameters=sum(p.numel() for p in trained),
    )
