"""File name patterns of numbered images, such as ``frames_%04d.png``.

Imports no image library: the command line needs it at once.
"""

from __future__ import annotations

import re
from pathlib import Path

from tracker.errors import SourceError

NUMBER = re.compile(r"%(0(\d{1,2}))?d")
"""The placeholder in a pattern: ``%d``, or ``%04d`` for a number of at least four digits."""


def is_numbered(path: Path) -> bool:
    """Return whether ``path`` is a pattern of numbered images and not an existing file."""
    return len(NUMBER.findall(path.name)) == 1 and not path.exists()


def name_matcher(path: Path) -> re.Pattern[str]:
    """Return the regular expression of the file names that ``path`` stands for; its group is the number.

    Raises:
        SourceError: The name holds no placeholder.
    """
    number = NUMBER.search(path.name)
    if number is None:
        raise SourceError(f"{path} has no %d for the number of its pictures: give such as frames_%04d.png")
    digits = rf"(\d{{{number[2]},}})" if number[1] else r"(0|[1-9]\d*)"
    before, after = path.name[: number.start()], path.name[number.end() :]
    return re.compile(re.escape(before) + digits + re.escape(after), re.ASCII)


def numbered_path(path: Path, number: int) -> Path:
    """Return the path that the pattern ``path`` gives for ``number``."""
    return path.with_name(NUMBER.sub(lambda found: str(number).zfill(int(found[2] or 0)), path.name))
