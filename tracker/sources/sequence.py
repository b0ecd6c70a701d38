"""Films of numbered pictures such as ``frames_%04d.png``: reading and writing them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker.errors import SinkError, SourceError
from tracker.sources.film import Film, Pending, merge, selected
from tracker.sources.images.source import SUFFIXES, read_image
from tracker.sources.numbered import NUMBER, is_sequence
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.source import VideoSource
from tracker.system.closing import Closing
from tracker.system.files import check_output, sink_errors, write_whole
from tracker.types import Damage, Frame

if TYPE_CHECKING:
    from tracker.drawing.picture import Picture

DEFAULT_FPS = 25.0


class SequenceSource(Closing):
    """Numbered pictures as a film; a context manager, iterated once.

    ``path`` holds ``%d`` for their number, or ``%04d`` for one of at least four digits. The smallest step
    from one number to the next is the rule, at ``fps``; where a number is missing, or its picture cannot be
    read, a frame is lost, as the ``damage`` of the next says. Attributes:
    :class:`~tracker.sources.film.Film`.

    Raises :class:`SourceError` when no picture is there or none can be read.
    """

    def __init__(self, path: Path, trim: Trim = WHOLE, fps: float = DEFAULT_FPS) -> None:
        self.path, self.name, self.trim = path, path.name, trim
        self.fps = Fraction(fps).limit_denominator(1001)
        self.time_base, self.is_steady, self.pixel_aspect = 1 / self.fps, True, Fraction(1)
        self.has_audio = self.exhausted = False
        self.last_s: float | None = None
        self._numbered = _find(path)
        self.paths: Sequence[Path] = tuple(self._numbered.values())
        numbers = list(self._numbered)
        self._step = min((b - a for a, b in pairwise(numbers)), default=1)
        count = (numbers[-1] - numbers[0]) // self._step + 1
        self.frame_count = trim.count(count, self.fps)
        self.end_s: float | None = float(count / self.fps)
        self.size = self._first_size()

    def close(self) -> None:
        """Nothing stays open between two pictures."""

    def __iter__(self) -> Iterator[Frame]:
        return selected(self, self._frames())

    def _frames(self) -> Iterator[Pending]:
        """All pictures that can be read; each waits for the next, to tell of what is missing behind it."""
        first = expected = next(iter(self._numbered))
        held: Pending | None = None
        index = 0
        for number, path in self._numbered.items():
            time_s = float((number - first) / self._step / self.fps)
            if not self.trim.has_begun(time_s):
                expected, index = number + self._step, index + 1
                continue
            try:
                image = read_image(path)
            except SourceError:
                continue
            if held:
                yield held
            lost = max((number - expected) // self._step, 0)
            damage = Damage(lost_before=lost) if lost else None
            held = Pending(partial(np.asarray, image), index, time_s, self.name, damage)
            expected, index = number + self._step, index + 1
        lost = (max(self._numbered) - expected) // self._step + 1
        if held:
            yield Pending(held.image, held.index, held.time_s, self.name, merge(held.damage, _tail(lost)))

    def _first_size(self) -> tuple[int, int]:
        reason: SourceError | None = None
        for path in self._numbered.values():
            try:
                height, width = read_image(path).shape[:2]
            except SourceError as error:
                reason = reason or error
                continue
            return width, height
        raise SourceError(f"none of the pictures {self.path} can be read; the first: {reason}")


class SequenceSink(Closing):
    """Numbered pictures, from 1 on, in place of a video file; a context manager.

    Raises :class:`~tracker.errors.SinkError` when ``path`` names no kind of picture that can be written or is
    the input ``like``, and when one cannot be written.
    """

    def __init__(self, path: Path, like: Film | None = None) -> None:
        check_output(path)
        with sink_errors(path):
            # Another count of digits may give the same names: %04d and %d do from 1000 on.
            if like is not None and path.parent.samefile(like.path.parent):
                written = _names(path)
                if any(written.fullmatch(source.name) for source in like.paths):
                    raise SinkError(f"cannot write {path}: it is the input; choose another name")
        if not _can_write(path.suffix):
            raise SinkError(
                f"cannot write {path}: pictures are written as .png or .jpg; change the file name"
            )
        self.path = path
        self._count = 0

    def write(self, picture: Picture) -> None:
        """Write the next picture; its timestamp is not kept."""
        self._count += 1
        path = self.path.with_name(NUMBER.sub(lambda found: _padded(found, self._count), self.path.name))
        with sink_errors(path):
            write_whole(path, cv2.imencode(path.suffix, picture.canvas_bgr)[1].tobytes())

    def close(self) -> None:
        """Nothing stays open between two pictures."""


def open_film(path: Path, trim: Trim = WHOLE, fps: float | None = None) -> Film:
    """The video in the file ``path``, or of the numbered pictures that it stands for, at ``fps``.

    Raises :class:`SourceError` when it does not open.
    """
    if is_sequence(path):
        return SequenceSource(path, trim, fps or DEFAULT_FPS)
    return VideoSource(path, trim)


def _find(path: Path) -> dict[int, Path]:
    """The pictures by their numbers, in order."""
    name = _names(path)
    try:
        found = {int(m[1]): p for p in path.parent.iterdir() if (m := name.fullmatch(p.name)) and p.is_file()}
    except OSError as error:
        raise SourceError(f"cannot look for {path}: {error.strerror}") from error
    if not found:
        raise SourceError(f"no pictures match {path}: check the folder and the number of digits")
    return dict(sorted(found.items()))


def _names(path: Path) -> re.Pattern[str]:
    """What matches the file names that ``path`` stands for, the number as its group."""
    number = NUMBER.search(path.name)
    if number is None:
        raise SourceError(f"{path} has no %d for the number of its pictures: give such as frames_%04d.png")
    digits = rf"(\d{{{number[2]},}})" if number[1] else r"(0|[1-9]\d*)"
    before, after = path.name[: number.start()], path.name[number.end() :]
    return re.compile(re.escape(before) + digits + re.escape(after), re.ASCII)


def _can_write(suffix: str) -> bool:
    """Whether colour pictures with this ending are written, and read again: OpenCV also knows some of grey
    levels only, of numbers that are no pixels, and some that it has switched off."""
    try:
        return suffix.lower() in SUFFIXES and cv2.imencode(suffix, np.zeros((16, 16, 3), np.uint8))[0]
    except cv2.error:
        return False


def _padded(found: re.Match[str], number: int) -> str:
    return str(number).zfill(int(found[2] or 0))


def _tail(lost: int) -> Damage | None:
    return Damage(lost_after=lost) if lost > 0 else None
