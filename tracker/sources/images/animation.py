"""Animated WebP as a film, which libav does not decode, read by OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from tracker.errors import SourceError
from tracker.sources.film import Film, Pending
from tracker.sources.images.header import stated_size
from tracker.sources.images.read import over_white
from tracker.sources.limits import check_bytes, check_count, check_size
from tracker.sources.trim import WHOLE, Trim
from tracker.types import Damage, ImageArray

_MILLISECOND = Fraction(1, 1000)
_CHUNK_BYTES = 256 * 2**20  # OpenCV decodes several frames at once, each time from the first on
_DEFAULT_MS = 100  # browsers show a frame without a duration so long


def is_animation(path: Path) -> bool:
    """Return whether the file is an animated WebP (VP8X chunk with the animation flag)."""
    if not path.is_file():  # opening a pipe would wait for its writer
        return False
    try:
        with path.open("rb") as file:
            head = file.read(21)
    except OSError:
        return False  # whoever opens it says why
    return has_extended_header(head) and bool(head[20:] and head[20] & 2)


def has_extended_header(head: bytes) -> bool:
    """Return whether ``head`` begins a WebP file whose first chunk is VP8X, as that of animations is."""
    return head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8X"


class AnimationSource(Film):
    """Every frame of an animated WebP, once; a context manager, iterated once.

    For the attributes see :class:`~tracker.sources.film.Film`. Transparent pixels lie over white.

    Raises:
        SourceError: The file is missing, damaged, or larger than :mod:`tracker.sources.limits` allow.
    """

    def __init__(self, path: Path, trim: Trim = WHOLE) -> None:
        super().__init__(path, trim)
        try:
            check_bytes(path)
            self._data = path.read_bytes()
            self.size = stated_size(self._data)
        except OSError as error:
            raise SourceError(f"cannot open {path}: {error.strerror}") from error
        except ValueError as error:
            raise SourceError(f"{path}: no frame can be decoded; damaged") from error
        check_size(path, *self.size)
        self._durations_ms = durations_ms(self._data)
        check_count(path, len(self._durations_ms))
        total_ms = sum(self._durations_ms)
        self.fps = Fraction(1000 * len(self._durations_ms), total_ms) if total_ms else Fraction(10)
        self.is_steady = len(set(self._durations_ms)) == 1
        self.frame_count = trim.count(len(self._durations_ms), self.fps)
        self.time_base, self.end_s, self.pixel_aspect = _MILLISECOND, total_ms / 1000, Fraction(1)
        self.has_audio = False

    def close(self) -> None:
        """Forget the file's content."""
        self._data, self._durations_ms = b"", []

    def all_frames(self) -> Iterator[Pending]:
        """Yield every frame that can be decoded, its pixels still to be laid over white."""
        held: Pending | None = None
        index, time_ms = 0, 0
        for image in self._images():
            if held:
                yield held
            held = Pending(partial(_opaque, image), index, time_ms / 1000, self.name, None)
            time_ms += self._durations_ms[index]
            index += 1
        if held is None:
            raise SourceError(f"{self.path}: no frame can be decoded; damaged")
        lost = len(self._durations_ms) - index
        yield replace(held, damage=Damage(lost_after=lost) if lost else None)

    def _images(self) -> Iterator[ImageArray]:
        """Yield the frames as BGRA, until one cannot be decoded."""
        # OpenCV would write lines of its own to stderr.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        buffer = np.frombuffer(self._data, np.uint8)[None]
        count, done = len(self._durations_ms), 0
        step = max(_CHUNK_BYTES // (4 * self.size[0] * self.size[1]), 1)
        while done < count:
            try:
                _, animation = cv2.imdecodeanimation(buffer, start=done, count=min(step, count - done))
            except cv2.error:
                return
            if not animation.frames:
                return
            done += len(animation.frames)
            yield from cast("tuple[ImageArray, ...]", animation.frames)


def durations_ms(data: bytes) -> list[int]:
    """Return the duration of each frame that the file announces (WebP container, ``ANMF``)."""
    found, at = [], 12
    while at + 8 <= len(data):
        if data[at : at + 4] == b"ANMF":
            found.append(int.from_bytes(data[at + 20 : at + 23], "little") or _DEFAULT_MS)
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return found


def _opaque(image: ImageArray) -> ImageArray:
    return over_white(image) if image.shape[2] == 4 else image
