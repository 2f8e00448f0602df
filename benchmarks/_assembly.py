"""Loops in assembly (AT&T syntax, as LLVM prints it for x86-64), and what they compute with.

An innermost loop is the code between a label and a jump back to it with no other such pair inside.
An instruction on packed numbers ends in ps or pd, one on a single number in ss or sd.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

LABEL = re.compile(r"^(\.?[\w$]+):")
JUMP = re.compile(r"^\s+j\w+\s+(\.?[\w$]+)\s*$")
ARITHMETIC = re.compile(r"^\s+v?(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)\d*)([ps][sd])\s")
FUSED = re.compile(r"^\s+vfn?m(?:add|sub)\d*[ps][sd]\s")
REGISTER = re.compile(r"%(xmm|ymm|zmm)\d+")
FUNCTION = re.compile(r"^\s+\.type\s+(\S+),@function")


@dataclass(frozen=True)
class Loop:
    """An innermost loop with floating-point arithmetic."""

    function: str
    packed: int  # instructions on several numbers
    scalar: int  # instructions on one number
    fused: int  # multiply-adds among them
    register: str  # the widest register of the packed instructions

    @property
    def vectorised(self) -> bool:
        """Whether the loop works on several numbers at a time."""
        return self.packed > 0 and self.packed >= self.scalar


def innermost_loops(assembly: str) -> list[Loop]:
    """Return the innermost loops that compute with floating-point numbers."""
    lines = assembly.splitlines()
    labels, spans, functions = {}, [], []
    function = ""
    for number, line in enumerate(lines):
        start = FUNCTION.match(line)
        function = start.group(1) if start else function
        functions.append(function)
        label, jump = LABEL.match(line), JUMP.match(line)
        if label:
            labels[label.group(1)] = number
        elif jump and jump.group(1) in labels:
            spans.append((labels[jump.group(1)], number))
    # The last jump back closes a loop; those before it are `continue`.
    last = {start: end for start, end in sorted(spans)}
    inner = [
        (start, end)
        for start, end in last.items()
        if not any(start < other <= end for other in last)
    ]
    loops = [_loop(functions[start], lines[start : end + 1]) for start, end in inner]
    return [loop for loop in loops if loop.packed + loop.scalar]


def _loop(function: str, lines: list[str]) -> Loop:
    kinds: Counter[str] = Counter()
    registers, fused = set(), 0
    for line in lines:
        found = ARITHMETIC.match(line)
        if not found:
            continue
        kind = "packed" if found.group(1).startswith("p") else "scalar"
        kinds[kind] += 1
        fused += bool(FUSED.match(line))
        if kind == "packed":
            registers |= set(REGISTER.findall(line))
    return Loop(function, kinds["packed"], kinds["scalar"], fused, max(registers, default=""))
