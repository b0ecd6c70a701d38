"""Opened models and generated clips that the tests of one session share."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.media import face_video, write_video
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import OpenedTracker, open_tracker


class Trackers:
    """Trackers of the shipped models, opened once for each set of options.

    Without options: the light model on one CPU thread.
    """

    def __init__(self) -> None:
        self._opened: dict[tuple[tuple[str, Any], ...], OpenedTracker] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def opened(self, **options: Any) -> OpenedTracker:
        """Return the shared tracker for :func:`open_tracker`'s ``options``; call ``find`` only on it."""
        options = {"model": "unet-light", "backend": "cpu", "threads": 1, **options}
        key = tuple(sorted(options.items()))
        if key not in self._opened:
            self._opened[key] = self._stack.enter_context(open_tracker(**options))
        return self._opened[key]

    def fresh(self, **options: Any) -> FaceTracker:
        """Return a tracker with no history, for ``step``, on the shared models."""
        return self.opened(**options).fresh()


class Clips:
    """Clips by their parameters, each written once into ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pictures(self, n_frames: int = 30, suffix: str = ".mp4", **options: Any) -> Path:
        """Return a clip of :func:`tests.media.write_video` with its further ``options``."""
        path = self._folder / f"{_name('pictures', n_frames=n_frames, **options)}{suffix}"
        if not path.exists():
            write_video(path, n_frames, **options)
        return path

    def faces(self, count: int = 20, fps: int = 25, suffix: str = ".mp4") -> Path:
        """Return a clip of :func:`tests.media.face_video`: one drifting face."""
        path = self._folder / f"{_name('faces', count=count, fps=fps)}{suffix}"
        return path if path.exists() else face_video(path, count, fps)


def _name(kind: str, **options: object) -> str:
    text = "-".join(f"{key}={value}" for key, value in sorted(options.items()))
    return f"{kind}-{text}".replace("/", ":").replace(" ", "")
