"""Snapshots and recordings of the live view, in files of their own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2

from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.video.sink import VideoSink
from tracker.system.closing import Closing
from tracker.system.files import guarded_write, write_whole
from tracker.types import FrameResult

_JOINT_S = 1 / 30
"""Seconds between two pictures of a recording that are no neighbours in the film, as after a jump."""


class Captures(Closing):
    """Snapshots and recordings in ``folder``; a context manager. Closing finishes a recording.

    All methods raise :class:`~tracker.errors.SinkError` for a file that cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recording: VideoSink | None = None
        self._shift_s, self._last_s = 0.0, 0.0
        self._is_new, self._has_jumped = True, False

    @property
    def recording(self) -> Path | None:
        """File that is being recorded."""
        return self._recording.path if self._recording else None

    @property
    def recorded_s(self) -> float:
        """Seconds recorded so far."""
        return self._last_s

    def save(self, picture: Picture, result: FrameResult) -> Path:
        """Write a picture as PNG and beside it its results as JSON. Returns the path of the picture."""
        path = self._new_file(".png")
        with guarded_write(path):
            write_whole(path, cv2.imencode(".png", picture.canvas_bgr)[1].tobytes())
        with JsonSink(path.with_suffix(".json")) as sink:
            sink.write(result)
        return path

    def begin(self) -> Path:
        """Begin a recording. Returns its path."""
        self._recording = VideoSink(self._new_file(".mp4"))
        self._shift_s = self._last_s = 0.0
        self._is_new = True
        return self._recording.path

    def record(self, picture: Picture) -> None:
        """Add a picture to the recording, if there is one; it goes on where the film was left for a jump."""
        if not self._recording:
            return
        time_s = picture.time_s - self._shift_s
        if self._is_new:
            self._shift_s, time_s = picture.time_s, 0.0
        elif time_s < self._last_s or self._has_jumped:
            time_s = self._last_s + _JOINT_S
            self._shift_s = picture.time_s - time_s
        self._is_new = self._has_jumped = False
        self._recording.write(replace(picture, time_s=time_s))
        self._last_s = time_s

    def jumped(self) -> None:
        """Note that the next picture is from elsewhere in the film."""
        self._has_jumped = True

    def end(self) -> Path | None:
        """Finish the recording, if there is one. Returns its path, None if it has no picture."""
        recording, self._recording = self._recording, None
        if recording is None:
            return None
        recording.close()
        return None if self._is_new else recording.path

    def abandon(self) -> None:
        """Close a recording that could not be written further, as far as it goes."""
        with suppress(SinkError):  # it is already reported
            self.end()

    def close(self) -> None:
        """Finish a recording that is still running."""
        self.end()

    def _new_file(self, suffix: str) -> Path:
        """Return a path that is not taken, named by the time of day."""
        stem = f"tracker-{datetime.now():%Y%m%d-%H%M%S}"
        names = [stem, *(f"{stem}_{number}" for number in range(2, 1000))]
        taken = (".png", ".json", ".mp4")
        free = (name for name in names if not any((self._folder / (name + end)).exists() for end in taken))
        return self._folder / (next(free, f"{stem}-{datetime.now():%f}") + suffix)
