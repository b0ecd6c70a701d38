"""Still images, one after the other: finding the files and yielding their frames."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracker.errors import SourceError
from tracker.sources.images.frame_count import count_frames
from tracker.sources.images.read import read_image
from tracker.sources.left_out import ANIMATED, is_hidden, kind_of, left_out_text
from tracker.sources.suffixes import IMAGE_SUFFIXES
from tracker.system.closing import Closing
from tracker.system.terminal import shortened
from tracker.types import Frame

_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
"""First bytes of PNG, JPEG, GIF and TIFF."""


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


def unreadable(failures: Sequence[ReadFailure], others: bool) -> SourceError:
    """Return the error that ends a run over images.

    ``failures`` holds at least one; ``others``: there were images that could be read.
    """
    if len(failures) == 1 and not others:
        return SourceError(failures[0].message)
    count = f"{len(failures)} image{'s' if len(failures) > 1 else ''} could not be read"
    rest = ", the others are done" if others else ""
    return SourceError(f"{count}{rest}; the first: {failures[0].message}")


@dataclass(frozen=True)
class FoundImages:
    """The images that a pattern names, in natural order: ``face2`` before ``face10``.

    ``left_out`` counts what else it names, by :func:`~tracker.sources.left_out.kind_of`.
    """

    paths: tuple[Path, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def union(cls, several: Iterable[FoundImages]) -> FoundImages:
        """Return all of ``several``, each image once, in their order."""
        paths: dict[Path, None] = {}
        left_out: Counter[str] = Counter()
        for found in several:
            paths |= dict.fromkeys(found.paths)
            left_out.update(found.left_out)
        return cls(tuple(paths), left_out)


def find_images(pattern: str) -> tuple[Path, ...]:
    """Return the paths of :func:`look_for_images`."""
    return _named_images(pattern).paths


def look_for_images(pattern: str) -> FoundImages:
    """Return the images that ``pattern`` names: one file, a folder's images, or a glob (with ``**``).

    Files are told by their suffix; in a glob also by their first bytes. Of an animation the first frame is
    an image; the others count as left out. Hidden files of a folder are left out: ``._a.jpg``, which macOS
    writes beside ``a.jpg`` on foreign disks, is no picture.

    Raises:
        SourceError: There are none, or the folder cannot be read.
    """
    found = _named_images(pattern)
    frames = sum(count_frames(path) - 1 for path in found.paths)
    return FoundImages(found.paths, {**found.left_out, ANIMATED: frames}) if frames else found


def _named_images(pattern: str) -> FoundImages:
    """Return the images of :func:`look_for_images`, animations not counted."""
    path = Path(pattern)
    nothing = f"no images match {shortened(pattern)}: check the path or pattern"
    try:
        if path.is_file():
            return FoundImages((path,))
        if path.is_dir():
            named, is_image = list(path.iterdir()), _is_picture_in_folder
            nothing = f"no images in {pattern}: give a folder that holds some, or a pattern such as '*.jpg'"
        else:
            named, is_image = [Path(name) for name in glob.glob(pattern, recursive=True)], _is_image  # noqa: PTH207
        found = [p for p in named if p.is_file() and is_image(p)]
        recursive = "**" in pattern  # such a pattern names folders on the way
        rest = Counter(kind_of(p) for p in set(named) - set(found) if not (recursive and p.is_dir()))
    except OSError as error:
        raise SourceError(f"cannot look for images in {pattern}: {error.strerror}") from error
    if not found:
        raise SourceError(f"{nothing}; {left_out_text(rest)}" if rest else nothing)
    return FoundImages(tuple(sorted(found, key=_natural)), rest)


def _is_picture_in_folder(path: Path) -> bool:
    """Return whether ``path`` is an image by its suffix, and not hidden."""
    return _has_image_suffix(path) and not is_hidden(path)


def _has_image_suffix(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def _is_image(path: Path) -> bool:
    """Return whether ``path`` is an image by its suffix or its first bytes."""
    if _has_image_suffix(path):
        return True
    with path.open("rb") as file:
        return file.read(4).startswith(_MAGIC)


def _natural(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that compares runs of digits as numbers."""
    parts = re.split(r"(\d+)", str(path))
    return tuple((1, int(p), "") if p.isdecimal() else (0, 0, p.casefold()) for p in parts if p)
