"""Write what was measured into the pages, so that no number there is copied by hand.

python docs/measured.py           write every marked block anew from benchmarks/results/*.json
python docs/measured.py --check   write nothing; fail if a block is not what the results say

A block is what stands between ``<!-- measured: NAME -->`` and ``<!-- end of measured -->``; the
names are those of `measured_blocks.BLOCKS`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from measured_blocks import BLOCKS, Results

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
MARKED = re.compile(r"(<!-- measured: (\S+) -->\n).*?(?=<!-- end of measured -->)", re.DOTALL)


def results(folder: Path = RESULTS) -> Results:
    """Return the contents of all results files, by their names."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")
    }


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages that may have blocks."""
    found = [*root.glob("README*.md"), *(root / "docs").rglob("*.md")]
    return sorted(path for path in found if "_build" not in path.parts)


def filled(text: str, found: Mapping[str, dict]) -> str:
    """Return a page with its blocks as the results say."""

    def fill(match: re.Match[str]) -> str:
        if match[2] not in BLOCKS:
            raise ValueError(f"a measured block must be one of {', '.join(BLOCKS)}, got {match[2]}")
        block = BLOCKS[match[2]](found).rstrip("\n")
        return f"{match[1]}\n{block}\n\n"

    if text.count("<!-- measured: ") != text.count("<!-- end of measured -->"):
        raise ValueError("every measured block must have its end, '<!-- end of measured -->'")
    return MARKED.sub(fill, text)


def main() -> int:
    """Write the pages, or tell which are stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    found, stale = results(), []
    for path in pages():
        text = path.read_text(encoding="utf-8")
        new = filled(text, found)
        if new != text:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(new, encoding="utf-8")
    if stale and check:
        print(f"not what was measured: {', '.join(stale)}; run python docs/measured.py")
    return int(bool(stale) and check)


if __name__ == "__main__":
    sys.exit(main())
