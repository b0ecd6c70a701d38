"""Films of numbered images such as ``frames_%04d.png``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from tracker.errors import SourceError
from tracker.sources.damage import merge
from tracker.sources.film import Film, Pending
from tracker.sources.images.read import read_image
from tracker.sources.patterns import name_matcher
from tracker.sources.trim import WHOLE, Trim
from tracker.types import Damage

DEFAULT_FPS = 25.0
"""Frame rate of numbered images when none is given, frames per second."""


class NumberedImageSource(Film):
    """Numbered images as a film; a context manager, iterated once.

    ``path`` holds ``%d`` for the number, or ``%04d`` for one of at least four digits. The smallest step
    between two numbers counts as one frame at ``fps``. Where a number is missing, or its image cannot be
    read, a frame is missing: the ``damage`` of the next frame says so.

    Raises:
        SourceError: No image is there, or none can be read.
    """

    def __init__(self, path: Path, trim: Trim = WHOLE, fps: float = DEFAULT_FPS) -> None:
        super().__init__(path, trim)
        self.fps = Fraction(fps).limit_denominator(1001)
        self.time_base, self.is_steady, self.pixel_aspect = 1 / self.fps, True, Fraction(1)
        self.has_audio = False
        self._numbered = _find(path)
        self.paths = tuple(self._numbered.values())
        numbers = list(self._numbered)
        self._step = min((b - a for a, b in pairwise(numbers)), default=1)
        count = (numbers[-1] - numbers[0]) // self._step + 1
        self.frame_count = trim.count(count, self.fps)
        self.end_s = float(count / self.fps)
        self.size = self._first_size()

    def close(self) -> None:
        """Do nothing: no file stays open between two images."""

    def all_frames(self) -> Iterator[Pending]:
        """Yield every image that can be read, each once the next is known, for the damage after it."""
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
            tail = Damage(lost_after=lost) if lost > 0 else None
            yield replace(held, damage=merge(held.damage, tail))

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


def _find(path: Path) -> dict[int, Path]:
    """Return the images that ``path`` stands for by number, in order."""
    name = name_matcher(path)
    try:
        found = {int(m[1]): p for p in path.parent.iterdir() if (m := name.fullmatch(p.name)) and p.is_file()}
    except OSError as error:
        raise SourceError(f"cannot look for {path}: {error.strerror}") from error
    if not found:
        raise SourceError(f"no pictures match {path}: check the folder and the number of digits")
    return dict(sorted(found.items()))
