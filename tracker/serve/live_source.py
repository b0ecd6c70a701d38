"""Frames of a live source of the server, at the pace at which a viewer sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from tracker.sources.camera.mode import CameraMode
from tracker.sources.camera.source import CameraSource
from tracker.sources.opening import open_film
from tracker.system.closing import Closing
from tracker.types import Frame

_LATE_S = 0.05  # a frame that is later is left out
_TOO_LATE_S = 0.5


class LiveCamera(Closing):
    """Camera or stream ``device``, whose first frame has come; a context manager.

    ``name`` and ``image_hw`` are those of the first frame. Raises
    :class:`~tracker.errors.SourceError` if it does not open or gives no picture.
    """

    def __init__(self, device: str, mode: CameraMode, say: Callable[[str], None]) -> None:
        self._closed = threading.Event()
        self._camera = CameraSource(device, mode, say, lambda _: not self._closed.is_set())
        try:
            self._frames = iter(self._camera)
            self._first = next(self._frames)
        except BaseException:
            self._camera.close()
            raise
        self.name, self.image_hw = self._first.source, self._first.image_hw

    def videos(self) -> Iterator[Iterator[Frame]]:
        """Yield the frames of the camera, always the newest, as one video without end."""
        yield chain([self._first], self._frames)

    def close(self) -> None:
        """End the iteration and release the camera; closing twice is fine."""
        self._closed.set()
        self._camera.close()


class LiveFilm(Closing):
    """Film ``path``, played at its own pace, again and again; a context manager.

    Frames for which the viewer was too slow are left out. ``name`` and ``image_hw`` are those of the film.
    Raises :class:`~tracker.errors.SourceError` if it does not open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = threading.Event()
        with open_film(path) as film:
            self.name, self.image_hw = film.name, film.size[::-1]

    def videos(self) -> Iterator[Iterator[Frame]]:
        """Yield the frames of the film from its beginning, each time it is played."""
        while not self._closed.is_set():
            yield self._played()

    def close(self) -> None:
        """End the iteration; closing twice is fine."""
        self._closed.set()

    def _played(self) -> Iterator[Frame]:
        begun_s: float | None = None
        with open_film(self._path) as film:
            for frame in film:
                now_s = time.monotonic() - frame.time_s
                begun_s = now_s if begun_s is None else begun_s
                if self._closed.wait(max(begun_s - now_s, 0.0)):
                    return
                late_s = now_s - begun_s
                if late_s > _TOO_LATE_S:  # it takes longer to decode than to watch: play it slower
                    begun_s, late_s = now_s, 0.0
                if late_s <= _LATE_S:
                    yield frame


LiveSource = LiveCamera | LiveFilm
"""What the server can show live."""
