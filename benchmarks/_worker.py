"""One contestant in a process of its own: reads commands, one JSON object a line, and answers.

    python benchmarks/_worker.py CONTESTANT

The commands are the methods of `Worker`, {"do": "build", "case": {…}} for one. It runs with the
contestant's own interpreter, so that it imports nothing but the standard library itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import resource
import sys
import time

import _memory
import contestants

DISTRIBUTIONS = (
    *("kanref", "numpy", "scipy", "numba", "llvmlite", "scikit-learn"),
    *("torch", "pykan", "jaxkan", "jax", "jaxlib", "flax"),
)


class Worker:
    """Carries out the commands on the contestant it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.contestant: contestants.Contestant | None = None

    def versions(self) -> dict:
        """Return the versions installed, and the BLAS libraries that are loaded now."""
        found = {"python": platform.python_version()}
        for name in DISTRIBUTIONS:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                found[name] = importlib.metadata.version(name)
        return {"versions": found, "blas": blas()}

    def build(self, case: dict) -> dict:
        """Build the contestant for a case and run it twice, so that all is compiled and warm."""
        self.contestant = None
        gc.collect()
        start = time.perf_counter()
        self.contestant = contestants.build(self.name, contestants.Case.from_json(case))
        for _ in range(2):
            self.contestant.forward()
            self.contestant.step()
        built = time.perf_counter() - start
        loss, parameters = self.contestant.loss(), self.contestant.parameters
        return {"loss": loss, "parameters": parameters, "built_in": built}

    def drop(self) -> dict:
        """Let go of the contestant's arrays."""
        self.contestant = None
        gc.collect()
        return {}

    def time(self, what: str, seconds: float, clock: str) -> dict:
        """Time calls one by one, after one that is not counted, until `seconds` have passed.

        Calls in which the system gave the core to another program do not count, unless there are
        hardly any others: on a busy machine they would say more about the neighbours.
        """
        run = getattr(self.contestant, what)
        now = time.process_time if clock == "cpu" else time.perf_counter
        times: list[float] = []
        quiet: list[float] = []
        run()
        end = time.perf_counter() + seconds
        while not times or (time.perf_counter() < end and len(times) < 10_000):
            before = interruptions()
            start = now()
            run()
            times.append(now() - start)
            if interruptions() == before:
                quiet.append(times[-1])
        return {"times": quiet if len(quiet) >= 3 else times}

    def limit(self, case: dict, rounds: int, clock: str) -> dict:
        """Measure the passes of a layer against the rates of the machine; for kanref."""
        import _rates

        return _rates.measure(contestants.Case.from_json(case), rounds, clock)

    def peak(self, case: dict) -> dict:
        """Return the bytes of resident memory that a step adds at its peak; for a fresh process."""
        wanted = contestants.Case.from_json(case)
        self.contestant = contestants.build(self.name, wanted)
        self.contestant.step()  # compiles and loads what there is
        self.drop()
        self.contestant = contestants.build(self.name, wanted)
        return {"bytes": _memory.added_by(self.contestant.step)}

    def hello(self, settings: dict) -> dict:
        """Run hello-KAN end to end; the library is imported before the clock starts."""
        module = importlib.import_module(f"contestants.{contestants.MODULES[self.name]}_hello")
        return module.hello(**settings)


def interruptions() -> int:
    """Return how often this process had to leave its core."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def blas() -> list[dict]:
    """Return the BLAS libraries that this process has loaded, with the kernels that they chose."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    keys = ("user_api", "internal_api", "version", "architecture", "num_threads")
    return [{k: pool[k] for k in keys if k in pool} for pool in threadpool_info()]


def main() -> None:
    """Answer on what was standard output; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:
            worker.contestant = None
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
