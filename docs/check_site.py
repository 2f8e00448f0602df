"""Check a built site: every link inside leads somewhere, and nothing is loaded from elsewhere.

python docs/check_site.py docs/_build/html
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """The anchors of a page, where it links to, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {v for k in ("id", "name") if (v := values.get(k))}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")
        name = LOADED.get(tag)
        if name and values.get(name) and values.get("rel") not in ("canonical", "index", "search"):
            self.loads.append(values[name] or "")


def problems(site: Path) -> list[str]:
    """Return what is wrong, one line each."""
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    pages = {path: Page(path) for path in paths}
    found = []
    for path, page in pages.items():
        where = path.relative_to(site)
        for load in page.loads:
            parts = urlsplit(load)
            if parts.netloc:
                found.append(f"{where} loads {load}")
            elif not parts.scheme and not (path.parent / unquote(parts.path)).exists():
                found.append(f"{where} loads {load}, which is not there")
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if not target.exists():
                found.append(f"{where} links to {link}, which is not there")
            elif parts.fragment and target in pages and not _has(pages[target], parts.fragment):
                found.append(f"{where} links to {link}, an anchor that is not there")
    return sorted(set(found))


def _has(page: Page, fragment: str) -> bool:
    return unquote(fragment) in page.anchors


def main() -> None:
    """Print the problems, and fail if there are any."""
    site = Path(sys.argv[1]).resolve()
    found = problems(site)
    print("\n".join(found) or f"{len(list(site.rglob('*.html')))} pages, every link inside is good")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
