"""The network of `exports.py` in torch: run by an interpreter that has it, prints JSON.

python benchmarks/_export_torch.py torch.npz
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time

import numpy as np
import torch


class Layer(torch.nn.Module):
    """Splines by the recursion of Cox and de Boor on all knots, and silu."""

    def __init__(self, knots, coef, base, scale, bias):
        super().__init__()
        for name, value in vars().copy().items():
            if name not in ("self", "__class__"):
                self.register_buffer(name, torch.as_tensor(value))
        self.k = 3

    def forward(self, x):
        t = self.knots
        last = t[:, -1 - self.k]
        x = x.clamp(t[:, self.k], torch.nextafter(last, -last.abs() - 1))[:, :, None]
        values = ((x >= t[:, :-1]) & (x < t[:, 1:])).to(x.dtype)
        for p in range(1, self.k + 1):
            left = (x - t[:, : -p - 1]) / (t[:, p:-1] - t[:, : -p - 1])
            right = (t[:, p + 1 :] - x) / (t[:, p + 1 :] - t[:, 1:-p])
            values = left * values[..., :-1] + right * values[..., 1:]
        u = torch.einsum("nim,iom->no", values, self.coef)
        u = u + torch.nn.functional.silu(x[:, :, 0]) @ self.base
        return u * self.scale + self.bias


def seconds(call) -> float:
    rounds = []
    for _ in range(9):
        start = time.process_time()
        for _ in range(50):
            call()
        rounds.append((time.process_time() - start) / 50)
    return statistics.median(rounds)


def main() -> None:
    torch.set_num_threads(1)
    with np.load(sys.argv[1]) as file:
        data = dict(file)
    names = ("knots", "coef", "base", "scale", "bias")
    net = torch.nn.Sequential(*(Layer(*(data[f"{n}{l}"] for n in names)) for l in range(2)))
    X, one = torch.as_tensor(data["X"]), torch.as_tensor(data["X"][:1])
    with torch.inference_mode():
        inside = np.abs(net(X).numpy() - data["y"]) < 1e-9 * np.abs(data["y"]).max()
        if inside.mean() < 0.9:  # beyond the grid of the second layer the two differ
            raise SystemExit("torch and kanref disagree")
        stored = io.BytesIO()
        torch.save(net.state_dict(), stored)
        found = {
            "bytes": len(stored.getvalue()),
            "one": seconds(lambda: net(one)),
            "batch": seconds(lambda: net(X)),
            "version": torch.__version__,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
