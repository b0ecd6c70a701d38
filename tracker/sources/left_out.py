"""Counts of the files that a folder or a pattern names and that are left out, by kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tracker.sources.suffixes import VIDEO_SUFFIXES

_BROKEN, _FOLDER, _LINKED_FOLDER, _SPECIAL = "broken link", "folder", "link to a folder", "pipe or device"
ANIMATED = "frame of an animation"
"""Kind of the frames beyond the first that an animated picture has among still ones."""

_HIDDEN = "hidden file"
_NO_ENDING, _LONGEST_ENDING, _MOST_ENDINGS = "without an ending", 12, 8
_HEAD = 64
_LABEL = re.compile(rb"\s*(?:#|\d+\s)")


def is_hidden(path: Path) -> bool:
    """Return whether the name begins with a dot."""
    return path.name.startswith(".")


def counts_as_video(path: Path) -> bool:
    """Return whether ``path`` in a folder is taken for a video, by its suffix.

    Labels of points, as the IMM Face Database has them beside its pictures, have that of a video: a text.
    """
    suffix = path.suffix.lower()
    return suffix in VIDEO_SUFFIXES and not (suffix == ".asf" and _is_label(path))


def _is_label(path: Path) -> bool:
    """Return whether the file begins as labels do, with a comment or the number of points."""
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            return False
        with path.open("rb") as file:
            return _LABEL.match(file.read(_HEAD)) is not None
    except OSError:
        return False


def kind_of(path: Path) -> str:
    """Return the kind of a path that is left out: its suffix in lower case, or what else it is."""
    if path.is_symlink() and not path.exists():
        return _BROKEN
    if path.is_dir():
        return _LINKED_FOLDER if path.is_symlink() else _FOLDER
    if not path.is_file():
        return _SPECIAL
    if is_hidden(path):
        return _HIDDEN
    suffix = path.suffix.lower()
    return suffix if 1 < len(suffix) <= _LONGEST_ENDING else _NO_ENDING


def left_out_text(kinds: Mapping[str, int]) -> str:
    """Return a line such as ``12 files left out: .mov 10, .xmp 2; 1 broken link``, empty for none."""
    files = Counter({kind: n for kind, n in kinds.items() if kind.startswith(".") or kind == _NO_ENDING})
    others = [f"{kinds[kind]} {_plural(kind, kinds[kind])}" for kind in _OTHERS if kinds.get(kind)]
    parts = []
    if files:
        shown = sorted(files.items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in shown[_MOST_ENDINGS:])
        named = [f"{kind} {count}" for kind, count in shown[:_MOST_ENDINGS]]
        named += [f"others {rest}"] if rest else []
        parts.append(f"{files.total()} {_plural('file', files.total())} left out: {', '.join(named)}")
    if others:
        parts.append(", ".join(others) + ("" if files else " left out"))
    return "; ".join(parts)


_OTHERS = (_HIDDEN, _BROKEN, _FOLDER, _LINKED_FOLDER, _SPECIAL, ANIMATED)


def _plural(kind: str, count: int) -> str:
    if count == 1:
        return kind
    head, space, rest = kind.partition(" to ")
    return {_SPECIAL: "pipes or devices", ANIMATED: "frames of animations"}.get(kind, f"{head}s{space}{rest}")
