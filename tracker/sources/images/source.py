"""Still images, one after the other: finding the files and yielding their frames."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import SourceError
from tracker.sources.images.read import read_image
from tracker.system.closing import Closing
from tracker.types import Frame

# fmt: off
SUFFIXES = frozenset({
    ".avif", ".bmp", ".dib", ".gif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm",
    ".tif", ".tiff", ".webp",
})
# fmt: on
"""File name extensions of images that can be read, as :func:`find_images` looks for in a folder."""


@dataclass(frozen=True)
class ReadFailure:
    """An image that could not be read: its file name and a message of one line."""

    source: str
    message: str


class ImageSource(Closing):
    """Still images one after the other; a context manager.

    Yields for each path, in order, a :class:`Frame` (``source`` is the file name, ``index`` 0, ``time_s`` 0)
    or a :class:`ReadFailure`.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    def close(self) -> None:
        """Do nothing: no file stays open between two images."""

    def __iter__(self) -> Iterator[Frame | ReadFailure]:
        for path in self.paths:
            try:
                yield Frame(read_image(path), source=path.name)
            except SourceError as error:
                yield ReadFailure(path.name, str(error))


def unreadable(failures: Sequence[ReadFailure]) -> SourceError:
    """Return the error that ends a run over images; ``failures`` holds at least one."""
    count = f"{len(failures)} image{'s' if len(failures) > 1 else ''} could not be read"
    return SourceError(f"{count}, the others are done; the first: {failures[0].message}")


def find_images(pattern: str) -> tuple[Path, ...]:
    """Return the images that ``pattern`` names: one file, a folder's images, or a glob (with ``**``).

    Names sort naturally: ``face2`` before ``face10``.

    Raises:
        SourceError: There are none, or the folder cannot be read.
    """
    path = Path(pattern)
    nothing = f"no images match {pattern}: check the path or pattern"
    try:
        if path.is_dir():
            found = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
            nothing = f"no images in {pattern}: give a folder that holds some, or a pattern such as '*.jpg'"
        elif path.is_file():
            return (path,)
        else:
            found = [p for name in glob.glob(pattern, recursive=True) if (p := Path(name)).is_file()]  # noqa: PTH207
    except OSError as error:
        raise SourceError(f"cannot look for images in {pattern}: {error.strerror}") from error
    if not found:
        raise SourceError(nothing)
    return tuple(sorted(found, key=_natural))


def _natural(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that compares runs of digits as numbers."""
    parts = re.split(r"(\d+)", str(path))
    return tuple((1, int(p), "") if p.isdecimal() else (0, 0, p.casefold()) for p in parts if p)
