"""Checks of the built site: every public name is described, and no page loads anything from elsewhere.

python -m docs.tools.check build/site
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from docs.tools.links import public_names

_LOADING = {"src", "srcset", "data", "poster"}
_ADDRESS = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)
_LOADED_BY_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?((?:[a-z]+:)?//[^\"')\s]+)", re.IGNORECASE)
_LOADED_BY_SCRIPT = re.compile(r"https://(?:unpkg\.com|cdn\.|fonts\.)[^\"'`\s]*")


class _Page(HTMLParser):
    """Collector of what a page loads, and of the anchors that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of one tag; a link that a reader follows is none that the page loads."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if value and (name in _LOADING or (tag == "link" and name == "href")) and _ADDRESS.match(value):
                self.loaded.append(value)


def complaints(site: Path) -> Iterator[str]:
    """Yield one line for each thing that is wrong with the built site."""
    anchors: set[str] = set()
    for path in sorted(site.rglob("*.html")):
        page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
        anchors |= page.anchors
        yield from (f"{path.relative_to(site)} loads {address}" for address in page.loaded)
    for pattern, suffix in ((_LOADED_BY_STYLE, "css"), (_LOADED_BY_SCRIPT, "js")):
        for path in sorted(site.rglob(f"*.{suffix}")):
            found = pattern.findall(path.read_text(encoding="utf-8"))
            yield from (f"{path.relative_to(site)} loads {address}" for address in found)
    yield from (
        f"the reference does not describe tracker.{name}"
        for name in sorted(public_names())
        if f"tracker.{name}" not in anchors
    )


def main(site: Path) -> int:
    """Print what is wrong with the site to stderr. Returns the exit code."""
    lines = list(complaints(site))
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
