"""Reading of a film from any of its frames on, again and again."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from tracker.errors import MisuseError, SourceError
from tracker.sources.film import Film
from tracker.sources.opening import open_film
from tracker.sources.video.frame_index import FrameIndex, NotIndexableError
from tracker.sources.video.source import VideoSource
from tracker.system.closing import Closing
from tracker.types import Frame


class Seeker:
    """Excerpts of a film from any frame on; each opens the file of ``film`` anew.

    ``fps`` is the frame rate of numbered pictures, None for any other film. The frames are those of the
    film's ``trim`` and have the same numbers, times and pixels as when it is read from its beginning; only
    after damage that was passed over the numbers also count what is missing. A video file is decoded from the
    key frame before, if its packets tell the frames; any other film is read from its beginning, without
    converting the pictures before.
    """

    def __init__(self, film: Film, fps: float | None = None) -> None:
        self._path, self._trim, self._fps, self._name = film.path, film.trim, fps, film.name
        self._is_indexable = isinstance(film, VideoSource)
        self._index: FrameIndex | None = None

    def excerpt(self, time_s: float, before: bool = False) -> Excerpt:
        """Return the frames from ``time_s`` on; with ``before`` from the last one before it on.

        Where there is none before, it is the first frame.
        """
        return Excerpt(self, time_s, before)

    def open_film(self) -> Film:
        """Open the film anew, from the beginning of its trim."""
        return open_film(self._path, self._trim, self._fps)

    def open_late(self, time_s: float) -> Film:
        """Open the film anew so that it begins at the first selected frame from ``time_s`` on, if it can.

        With a step between frames it begins at the start, so that the same frames are selected.
        """
        if self._trim.every > 1 or not self._trim.start_s < time_s < self._trim.end_s:
            return self.open_film()
        return open_film(self._path, replace(self._trim, start_s=time_s), self._fps)

    def indexed(self, time_s: float, before: bool) -> Iterator[Frame]:
        """Yield the frames of an excerpt by the index of the file.

        Raises:
            NotIndexableError: There is none, or it does not hold; frames yielded before are right.
        """
        index = self._opened_index()
        times, trim = index.times_s, self._trim
        first = bisect_left(times, True, key=trim.has_begun)
        chosen = range(first, bisect_left(times, trim.end_s), trim.every)
        at = bisect_left(chosen, time_s, key=times.__getitem__)
        chosen = chosen[max(at - before, 0) :]
        if chosen:
            for frame in index.frames_from(chosen[0], self._name):
                if frame.index > chosen[-1]:
                    return
                if frame.index in chosen:
                    yield frame

    def _opened_index(self) -> FrameIndex:
        """Return the index of the file, which is read once."""
        if not self._is_indexable:
            raise NotIndexableError(f"{self._name} has no index of its frames")
        if self._index is None:
            try:
                self._index = FrameIndex.of(self._path)
            except NotIndexableError:
                self._is_indexable = False
                raise
        return self._index


class Excerpt(Closing):
    """Frames of a film from one of them on, iterated once; opened by the thread that iterates.

    Another thread may close it: then the iteration ends, or raises :class:`~tracker.errors.MisuseError`.
    """

    def __init__(self, seeker: Seeker, time_s: float, before: bool) -> None:
        self._seeker, self._time_s, self._before = seeker, time_s, before
        self._lock, self._closed = threading.Lock(), False
        self._film: Film | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            SourceError: As the film does.
        """
        last_s: float | None = None
        try:
            for frame in self._seeker.indexed(self._time_s, self._before):
                if self._closed:
                    return
                yield frame
                last_s = frame.time_s
        except NotIndexableError:
            yield from self._read_again(last_s)

    def close(self) -> None:
        """End the reading, wherever it is; closing twice is fine."""
        with self._lock:
            self._closed = True
            if self._film:
                self._film.close()

    def _read_again(self, last_s: float | None) -> Iterator[Frame]:
        """Yield the frames from the film itself, those after ``last_s`` if some are yielded already."""
        if last_s is None and self._before:
            yield from self._from_one_before()
            return
        for frame in self._opened(late=True):
            if frame.time_s >= self._time_s and (last_s is None or frame.time_s > last_s):
                yield frame

    def _from_one_before(self) -> Iterator[Frame]:
        frames, before = self._opened(late=False), None
        for frame in frames:
            if frame.time_s >= self._time_s:
                yield from chain([before] if before else [], [frame], frames)
                return
            before = frame
        if before:
            yield before

    def _opened(self, late: bool) -> Iterator[Frame]:
        film = self._seeker.open_late(self._time_s) if late else self._seeker.open_film()
        with self._lock:
            if self._closed:
                film.close()
                raise MisuseError(f"{film.path} was closed: open it again")
            self._film = film
        try:
            yield from film
        except SourceError:
            if film.last_s is not None or not late:
                raise  # otherwise it has no frame from there on: this is the end
