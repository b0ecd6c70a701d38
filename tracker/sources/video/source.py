"""Video files: every frame, with its exact presentation time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from av.video.frame import VideoFrame

from tracker.errors import SourceError
from tracker.sources.damage import merge
from tracker.sources.film import Film, Pending
from tracker.sources.images.read import over_white
from tracker.sources.limits import check_count
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.container import frame_rate, open_container, video_stream
from tracker.sources.video.coverage import claimed_count
from tracker.sources.video.decoder import DamageMetError, Decoded, Reading
from tracker.sources.video.timestamps import in_order
from tracker.types import Damage, Frame, ImageArray


class VideoSource(Film):
    """Every frame of a video file in presentation order; a context manager, iterated once.

    Yields :class:`Frame` turned upright as the file's rotation says, with ``time_s`` its presentation
    time and ``index`` its place among all frames that can be decoded, also where ``trim`` takes only some.
    A damaged file gives every frame that can be decoded, with its ``damage``; after the last one
    :class:`SourceError` sums up what is lost. For the attributes see :class:`~tracker.sources.film.Film`.

    Raises :class:`SourceError` on a file that is missing, empty, holds no decodable video, or is larger than
    :mod:`tracker.sources.limits` allow.
    """

    def __init__(self, path: Path, trim: Trim = WHOLE) -> None:
        super().__init__(path, trim)
        self._closed = False
        self._file: BinaryIO | None = None
        self._container = open_container(path)
        try:
            self._open_stream()
        except BaseException:
            self.close()
            raise

    def _open_stream(self) -> None:
        self._stream = stream = video_stream(self.path, self._container)
        self.fps = frame_rate(self._container, stream)
        self._decoded = self._decode()
        first = next(self._decoded, None)
        stream = self._stream  # a damaged file has been opened anew: libav has freed the other one
        if first is None or stream.time_base is None:
            raise SourceError(f"{self.path}: no frame can be decoded; damaged or of an unknown kind")
        self._pictures: Iterator[Decoded] = chain([first], self._decoded)
        picture = first.picture
        turned = _quarter_turns(picture) % 2 == 1
        self.size = (picture.height, picture.width) if turned else (picture.width, picture.height)
        self.is_steady = stream.base_rate == self.fps
        self.time_base = stream.time_base
        end = (stream.start_time or 0) + stream.duration if stream.duration else None
        self.end_s = None if end is None else float(end * self.time_base)
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        self.pixel_aspect = 1 / aspect if turned else aspect
        self._claimed = claimed_count(self._container, stream, self.fps)
        self.frame_count = self.trim.count(self._claimed, self.fps)
        self.has_audio = bool(self._container.streams.audio)

    def close(self) -> None:
        """Close the file and end the decoder's threads; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        # The decoder ends with the last that refers to it, and what iterates refers to this object in turn:
        # left to the garbage collector its threads might stay until the program ends.
        self._pictures = iter(())
        for name in ("_decoded", "_reading", "_stream"):
            vars(self).pop(name, None)
        self._container.close()
        vars(self).pop("_container")
        if self._file:
            self._file.close()

    def __iter__(self) -> Iterator[Frame]:
        if self._closed:
            raise ValueError(f"{self.path} was closed: open it again")
        return super().__iter__()

    def all_frames(self) -> Iterator[Pending]:
        """Yield every frame that can be decoded, its pixels still to be converted."""
        timed = ((decoded, self._seconds(decoded.tick)) for decoded in self._pictures)
        held: Pending | None = None
        for index, (decoded, time_s, mended) in enumerate(in_order(timed, float(1 / self.fps))):
            check_count(self.path, index)
            if held:
                yield held
            damage = merge(decoded.damage, Damage(time_mended=True) if mended else None)
            held = Pending(partial(_upright, decoded.picture), index, time_s, self.name, damage)
        if held:
            yield replace(held, damage=merge(held.damage, self._reading.rest()))

    def _seconds(self, tick: int | None) -> float | None:
        return None if tick is None else float(tick * self.time_base)

    def _decode(self) -> Iterator[Decoded]:
        """All pictures: read quickly up to the first damage, then once more from the beginning with care."""
        count = 0
        self._reading = Reading(self.path, self._container, self._stream, self.fps)
        try:
            for decoded in self._reading:
                yield decoded
                count += 1
            self._reading.rest()
            return
        except DamageMetError:
            index = self._reading.index
            self._container.close()
        if index:  # a damaged one hides what is there: libav cannot use it on what it cannot seek in
            self._file = self.path.open("rb")
        self._container = open_container(self.path, self._file)
        self._stream = video_stream(self.path, self._container)
        self._reading = Reading(self.path, self._container, self._stream, self.fps, index)
        yield from islice(self._reading, count, None)


def _quarter_turns(frame: VideoFrame) -> int:
    """Counterclockwise quarter turns, 0 to 3, that bring the frame upright."""
    return round(frame.rotation / 90) % 4


def _upright(frame: VideoFrame) -> ImageArray:
    """``(H, W, 3)`` BGR; what is transparent lies over white, as in still images."""
    if any(component.is_alpha for component in frame.format.components):
        image = over_white(frame.to_ndarray(format="bgra"))
    else:
        image = cast(ImageArray, frame.to_ndarray(format="bgr24"))
    turns = _quarter_turns(frame)
    return cast(ImageArray, np.ascontiguousarray(np.rot90(image, turns)) if turns else image)
