"""The mark by which a plot is known again, so that no other file is replaced by one."""

from __future__ import annotations

from pathlib import Path

MADE_BY = "tracker plot"
"""Software of a PNG, generator of a page."""

PAGE_MARK = f'<meta name="generator" content="{MADE_BY}">'
"""Element in the head of a page."""

_MARKS = (f"Software\0{MADE_BY}".encode(), PAGE_MARK.encode())
_HEAD = 1024


def is_plot(path: Path) -> bool:
    """Return whether ``path`` is a file that ``tracker plot`` drew; ``OSError`` if it cannot be read."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return any(mark in head for mark in _MARKS)
