"""Order of the calls of ``step``: one at a time, with times that do not go back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tracker.errors import MisuseError
from tracker.types import Frame


class CallOrder:
    """Order of the frames that a tracker takes in, checked before each of them.

    A repeated time is allowed: a damaged video may hold one.
    """

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._last_s: float | None = None

    @contextmanager
    def take(self, frame: Frame) -> Iterator[None]:
        """Take in ``frame`` until the block ends.

        Raises:
            MisuseError: ``frame`` is none, is earlier than the one before, or another thread takes one in.
        """
        if not isinstance(frame, Frame):
            raise MisuseError(
                f"step takes a Frame, got {type(frame).__name__}: give frame_from(image, index, time_s), or "
                "take find for a picture on its own"
            )
        if not self._busy.acquire(blocking=False):
            raise MisuseError(
                "step is running in another thread: a tracker follows one video, frame by frame; open one "
                "for each video, or take find, which several threads may call"
            )
        try:
            if self._last_s is not None and frame.time_s < self._last_s:
                raise MisuseError(
                    f"time goes back from {self._last_s} s to {frame.time_s} s: times of a video increase; "
                    "take another tracker for another video, as fresh() gives"
                )
            yield
            self._last_s = frame.time_s
        finally:
            self._busy.release()

    def restart(self) -> None:
        """Forget the time of the last frame."""
        self._last_s = None
