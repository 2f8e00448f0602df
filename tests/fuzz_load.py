"""Load mutated model files with little memory and time: `python tests/fuzz_load.py COUNT SEED`.

Each file is refused with a ValueError of one sentence, or is a model that predicts and that a
round trip keeps. Anything else, a file from a pickle included, ends the process with a traceback.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from builders import random_network, samples
from hostile_models import DAMAGE, MUTATIONS, Canary

from kanref import KAN
from kanref.training import Event, History
from kanref.training.history import Record

MEMORY = 2**27
"""Bytes that loading may ask for beyond what the process has."""

SECONDS = 20
"""For one file."""


def models(folder: Path) -> list[bytes]:
    """Save a few models, the largest a tenth of a megabyte."""
    networks = [
        random_network(),
        random_network((3, 4, (1, (2,)), 2), G=2, k=1, dtype="float32", seed=1),
        random_network((2, 1), G=1, k=0, symbolic=False, spline_scale=False, seed=2),
    ]
    contents = []
    for network in networks:
        model = KAN.from_network(replace(network, backend="numpy"))
        model.history = course(model.n_in)
        model.input_names = [f"ü {i}" for i in range(model.n_in)]
        if model.n_out == 3:
            model.classes = ["a", 2, True]
        model.save(folder / "model.npz")
        contents.append((folder / "model.npz").read_bytes())
    return contents


def course(n: int) -> History:
    """Return a history for mutations to work on."""
    records = [Record(step, 0.5, 0.4, 0.1, float("nan"), 2.0, 0.1) for step in range(1, n)]
    return History(records, [Event(1, "grid", "the grids moved")], "all steps taken", n)


def check(path: Path) -> KAN | None:
    """Load one file; return the model, if it is one."""
    try:
        model = KAN.load(path)
    except ValueError as error:
        text = str(error)
        assert text.startswith("`path` must be a kanref model, got ") or "must give the" in text
        assert len(text) < 1000, text
        return None
    model.network = replace(model.network, backend="numpy")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # numbers may overflow
        y = model.predict(samples(5, model.n_in))
        assert y.shape == (5, model.n_out)
        if model.classes is not None:
            assert model.predict_class(samples(5, model.n_in)).shape == (5,)
    again = path.with_name("again.npz")
    model.save(again)
    assert KAN.load(again).theta.tobytes() == model.theta.tobytes()
    repr(model)
    return model


def main(count: int, seed: int) -> None:
    """Mutate and load `count` times."""
    import resource  # of POSIX

    rng = np.random.default_rng(seed)
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Canary.path = str(folder / "canary")
        contents = models(folder)
        path = folder / "hostile.npz"
        whole = []
        for content in contents:  # and whatever is imported is imported now
            path.write_bytes(content)
            model = check(path)
            assert model is not None
            whole.append(model.theta.tobytes())
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
        for number in range(count):
            mutate = MUTATIONS[number % len(MUTATIONS)]
            one, other = rng.permutation(len(contents))[:2]
            path.write_bytes(mutate(contents[one], contents[other], rng))
            signal.alarm(SECONDS)
            try:
                model = check(path)
                assert model is None or mutate not in DAMAGE or model.theta.tobytes() in whole
            except BaseException:
                print(f"file {number} of seed {seed}, {mutate.__name__}", file=sys.stderr)
                raise
            signal.alarm(0)
            found[f"{mutate.__name__} {'refused' if model is None else 'loaded'}"] += 1
        assert not Path(Canary.path).exists(), "something was unpickled"
    print(*(f"{what}: {n}" for what, n in sorted(found.items())), sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
