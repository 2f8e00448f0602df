"""Contestants in processes of their own, all under the same rules, measured in alternation.

Each contestant runs in its own interpreter and environment, with the same number of threads, on the
same cores; while one is timed, the others wait for their next command. kanref is one of them.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contestants import PEERS, Case, too_large

HERE = Path(__file__).resolve().parent

THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB", "BLIS")
CHOICES_OF_BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_DEBUG_CPU_TYPE")
"""Unset together: OpenBLAS chooses its kernels, and their blocks, by the processor."""


def environment(threads: int, paths: str = "") -> dict[str, str]:
    """Return the environment of a process that is to be measured."""
    env = {name: value for name, value in os.environ.items() if name not in CHOICES_OF_BLAS}
    env |= {f"{name}_NUM_THREADS": str(threads) for name in THREADS}
    env |= {"PYTHONPATH": paths, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "ignore"}
    return env


def cores(threads: int) -> list[int] | None:
    """Return the cores to run on: as many as threads, where the system lets us choose."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[:threads]


@dataclass(frozen=True)
class Peers:
    """Where the peers are: an interpreter, and folders of code that is not installed there."""

    python: str | None
    paths: str = ""

    @classmethod
    def of(cls, arguments: Any) -> Peers:
        """Return the peers that the command line or the environment names."""
        return cls(arguments.peers, arguments.peer_paths)

    @staticmethod
    def add_arguments(parser: Any) -> None:
        """Add the options that say where the peers are."""
        parser.add_argument(
            "--peers",
            metavar="PYTHON",
            default=os.environ.get("KANREF_PEERS"),
            help="interpreter that has the peers (default: $KANREF_PEERS); none: kanref alone",
        )
        parser.add_argument(
            "--peer-paths",
            metavar="FOLDERS",
            default=os.environ.get("KANREF_PEER_PATHS", ""),
            help="folders of peers' code that is not installed (default: $KANREF_PEER_PATHS)",
        )

    def names(self) -> tuple[str, ...]:
        """Return the contestants to ask for, kanref first."""
        return ("kanref", *PEERS) if self.python else ("kanref",)


@dataclass(frozen=True)
class Effort:
    """How long to measure, and by which clock."""

    rounds: int = 7
    seconds: float = 0.05  # of calls in a round; one call at least
    patience: float = 6.0  # seconds, after which a slow contestant gets no further rounds
    memory: float = 3 * 2**30  # bytes; contestants that need more are left out
    clock: str = "wall"

    @classmethod
    def of(cls, arguments: Any) -> Effort:
        """Return what the command line asks for."""
        return cls(
            rounds=3 if arguments.quick else arguments.rounds,
            patience=1.0 if arguments.quick else cls.patience,
            clock=arguments.clock,
        )

    @staticmethod
    def add_arguments(parser: Any) -> None:
        """Add the options that say how long to measure."""
        parser.add_argument("--rounds", type=int, default=Effort.rounds)
        parser.add_argument(
            "--clock",
            choices=("wall", "cpu"),
            default="wall",
            help="cpu: seconds that the process spent on cores, for a machine that others use too",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return asdict(self)


class WorkerError(RuntimeError):
    """A contestant could not do what it was told; the message says why."""


class Process:
    """A contestant's process."""

    def __init__(self, name: str, peers: Peers, threads: int, folder: str) -> None:
        own = name == "kanref"
        python = sys.executable if own else str(peers.python)
        chosen = cores(threads)
        self.name = name
        self._process = subprocess.Popen(
            [python, str(HERE / "_worker.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=environment(threads, os.environ.get("PYTHONPATH", "") if own else peers.paths),
            preexec_fn=None if chosen is None else lambda: os.sched_setaffinity(0, chosen),
        )

    def ask(self, do: str, **fields: Any) -> dict:
        """Send a command and wait for the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(f"the process ended ({self._process.wait()})")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


class Field:
    """All contestants, at one number of threads."""

    def __init__(self, peers: Peers, threads: int, names: Sequence[str] | None = None) -> None:
        self.threads = threads
        self._folder = tempfile.TemporaryDirectory()  # pykan writes where it runs
        wanted = peers.names() if names is None else [n for n in peers.names() if n in names]
        self.processes = {n: Process(n, peers, threads, self._folder.name) for n in wanted}

    def __enter__(self) -> Field:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes.values():
            process.close()
        self._folder.cleanup()

    def versions(self) -> dict[str, dict]:
        """Return what each contestant runs on; asked after a measurement, when all is loaded."""
        found = {}
        for name, process in self.processes.items():
            try:
                found[name] = process.ask("versions")
            except WorkerError as error:
                found[name] = {"error": str(error)}
        return found

    def measure(self, case: Case, effort: Effort, whats: Sequence[str]) -> list[dict]:
        """Return one row per `what`: seconds of every contestant, and who is left out and why."""
        left_out: dict[str, str] = {}
        built: dict[str, dict] = {}
        for name, process in self.processes.items():
            reason = too_large(name, case, effort.memory)
            try:
                if reason is None:
                    built[name] = process.ask("build", case=case.to_json())
            except WorkerError as error:
                reason = str(error)
            if reason is not None:
                left_out[name] = reason
        rows = []
        for what in whats:
            rounds = self._rounds(built, effort, what)
            row = case.to_json() | {"what": what, "threads": self.threads}
            rows.append(row | summary(rounds) | {"left_out": left_out})
        for name in built:
            self.processes[name].ask("drop")
        return rows

    def _rounds(self, built: dict, effort: Effort, what: str) -> dict[str, list[float]]:
        """Return the median time of a call in every round, contestant by contestant."""
        rounds: dict[str, list[float]] = {name: [] for name in built}
        for number in range(effort.rounds):
            for name in built:
                if number >= 3 and sum(rounds[name]) > effort.patience:
                    continue  # a slow contestant has said what it has to say
                times = self.processes[name].ask(
                    "time", what=what, seconds=effort.seconds, clock=effort.clock
                )
                rounds[name].append(statistics.median(times["times"]))
        return rounds


def summary(rounds: dict[str, list[float]]) -> dict[str, Any]:
    """Return the median seconds of each contestant, and its ratio to kanref, round by round.

    The ratio is the median of the ratios within a round, so that a machine that slows down for a
    while slows both.
    """
    seconds = {name: statistics.median(times) for name, times in rounds.items() if times}
    own = rounds.get("kanref", [])
    ratio = {
        name: statistics.median(t / o for t, o in zip(times, own, strict=False))
        for name, times in rounds.items()
        if name != "kanref" and times and own
    }
    spread = {name: [min(times), max(times)] for name, times in rounds.items() if times}
    return {"seconds": seconds, "ratio": ratio, "spread": spread}
