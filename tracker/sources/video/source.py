"""Video files: every frame, with its exact presentation time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from tracker.errors import SourceError
from tracker.sources.damage import merge
from tracker.sources.film import Film, Pending
from tracker.sources.limits import check_count
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.coverage import stated_frame_count
from tracker.sources.video.decoder import Decoded
from tracker.sources.video.picture import PictureConverter, orientation_of
from tracker.sources.video.reader import VideoReader
from tracker.sources.video.timestamps import in_order
from tracker.types import Damage, Frame

_SAME_S = 1e-6  # rounding of times


class VideoSource(Film):
    """Every frame of a video file in presentation order; a context manager, iterated once.

    Yields :class:`Frame` turned and mirrored upright as the file's display matrix says, in the pixels that it
    stores, with their ``pixel_aspect``. ``time_s`` is its presentation time, ``index`` its number among all
    frames that can be decoded, even where ``trim`` selects only some.

    A damaged file yields every frame that can be decoded, with its ``damage``; after the last one
    :class:`SourceError` sums up what is missing. For the attributes see :class:`~tracker.sources.film.Film`.

    Raises:
        SourceError: The file is missing, empty, holds no video that can be decoded, or is larger than
            :mod:`tracker.sources.limits` allow.
    """

    def __init__(self, path: Path, trim: Trim = WHOLE) -> None:
        super().__init__(path, trim)
        self._reader, self._converter = VideoReader(path), PictureConverter()
        try:
            self._describe()
        except BaseException:
            self._reader.close()
            raise

    def _describe(self) -> None:
        """Decode the first picture and set the attributes of a film."""
        self.fps = self._reader.fps
        first = next(iter(self._reader), None)
        container, stream = self._reader.video.container, self._reader.video.stream
        if first is None or stream.time_base is None:
            raise SourceError(f"{self.path}: no frame can be decoded; damaged or of an unknown kind")
        self._pictures: Iterator[Decoded] = chain([first], self._reader)
        width, height = first.picture.width, first.picture.height
        is_turned = orientation_of(first.picture).transposed
        self.size = (height, width) if is_turned else (width, height)
        self.pixel_aspect = first.pixel_aspect
        self.is_steady = stream.base_rate == self.fps
        self.time_base = stream.time_base
        end = (stream.start_time or 0) + stream.duration if stream.duration else None
        self.end_s = None if end is None else float(end * self.time_base)
        self.frame_count = self.trim.count(stated_frame_count(container, stream, self.fps), self.fps)
        self.has_audio = bool(container.streams.audio)

    def close(self) -> None:
        """Close the file and end the decoder's threads; closing twice is fine."""
        self._pictures = self._reader  # an error where it goes on
        self._reader.close()

    def __iter__(self) -> Iterator[Frame]:
        """Return the iterator over the selected frames, as :class:`~tracker.sources.film.Film` does."""
        _ = self._reader.video
        return super().__iter__()

    def all_frames(self) -> Iterator[Pending]:
        """Yield every frame that can be decoded, its pixels still to be converted."""
        timed = ((decoded, self._seconds(decoded.tick)) for decoded in self._pictures)
        held: Pending | None = None
        for index, (decoded, time_s, mended) in enumerate(in_order(timed, float(1 / self.fps))):
            check_count(self.path, index)
            if held:
                yield held
            self._note_shift(self._seconds(decoded.tick), time_s, mended)
            damage = merge(decoded.damage, Damage(time_mended=True) if mended else None)
            image = partial(self._converter.upright_picture, decoded.picture)
            held = Pending(image, index, time_s, self.name, damage, float(decoded.pixel_aspect))
        if held:
            yield replace(held, damage=merge(held.damage, self._reader.rest()))

    def _note_shift(self, stated_s: float | None, time_s: float, mended: bool) -> None:
        """Note the shift of a recording that begins with this frame."""
        if stated_s is not None and not mended and abs(time_s - stated_s - self.shifts_s[-1]) > _SAME_S:
            self.shifts_s.append(time_s - stated_s)

    def _seconds(self, tick: int | None) -> float | None:
        return None if tick is None else float(tick * self.time_base)
