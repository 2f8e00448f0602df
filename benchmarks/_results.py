"""Results as JSON: what was measured, on what machine, with which versions, when."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"

KEYS = ("benchmark", "date", "machine", "settings", "contestants", "rows", "bars")
"""What every file holds, in this order."""


def document(
    benchmark: str,
    rows: Sequence[dict],
    bars: Sequence[dict],
    *,
    settings: dict[str, Any],
    contestants: dict[str, dict],
) -> dict[str, Any]:
    """Return the contents of a results file."""
    return {
        "benchmark": benchmark,
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "settings": settings,
        "contestants": contestants,
        "rows": [_rounded(row) for row in rows],
        "bars": [_rounded(bar) for bar in bars],
    }


def machine() -> dict[str, Any]:
    """Return the processor, its cores, the memory and the system; nothing that names the host."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found: dict[str, Any] = {
        "cpu": _processor(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found["memory_gib"] = round(memory / 2**30, 1)
    if hasattr(os, "getloadavg"):
        found["load_average"] = round(os.getloadavg()[1], 1)
    return found


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        fields = dict(
            (part.strip() for part in line.split(":", 1))
            for line in path.read_text().split("\n\n")[0].splitlines()
            if ":" in line
        )
        name = fields.get("model name", platform.processor())
        family, model = fields.get("cpu family"), fields.get("model")
        return f"{name} (family {family}, model {model})" if family else name
    return platform.processor() or platform.machine()


def write(contents: dict[str, Any], out: Path | None) -> Path:
    """Write the results, whole or not at all; by default under the benchmark's name."""
    path = RESULTS / f"{contents['benchmark']}.json" if out is None else out
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(contents, indent=1) + "\n")
    os.replace(temporary, path)
    return path


def read(path: Path) -> dict[str, Any]:
    """Read a results file, and check that it is one."""
    contents = json.loads(path.read_text())
    missing = [key for key in KEYS if key not in contents]
    if missing:
        raise ValueError(f"`{path.name}` must hold {', '.join(KEYS)}; it lacks {missing}")
    return contents


def _rounded(value: Any) -> Any:
    """Round numbers to four digits: more would be noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(entry) for entry in value]
    return value
