"""Fake camera drivers, and what tests of the capture thread wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from tracker.sources.camera import source as camera
from tracker.types import ImageArray

UNDECODABLE = np.zeros((0, 1, 3), np.uint8)


NO_SHOTS: tuple[ImageArray, ...] = ()


def capture_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("capture ")]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread; the deadline only keeps a broken test from hanging."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.005)


class IdleRecorder:
    """``idle`` callback that records problems.

    It calls ``act`` at the first one and ends the iteration after ``limit`` problems.
    """

    def __init__(self, act: Callable[[], object] = lambda: None, limit: int = 400) -> None:
        self.notices: list[str] = []
        self._act = act
        self._limit = limit

    def __call__(self, notice: str | None) -> bool:
        if notice:
            self.notices.append(notice)
            if len(self.notices) == 1:
                self._act()
        return len(self.notices) < self._limit


class FakeCapture:
    """Camera driver that plays ``shots``: pictures, ``None`` for the end, or functions to call first."""

    def __init__(
        self, shots: Iterator[ImageArray | Callable[[], None] | None], opens: bool = True, **given: float
    ) -> None:
        self.released = False
        self.asked: list[tuple[int, float]] = []
        self._shots = shots
        self._opens = opens
        self._given = given
        self._image: ImageArray | None = None

    def isOpened(self) -> bool:  # noqa: N802
        return self._opens

    def grab(self) -> bool:
        shot = next(self._shots, None)
        while callable(shot):
            shot()
            shot = next(self._shots, None)
        self._image = shot
        return shot is not None

    def retrieve(self) -> tuple[bool, ImageArray | None]:
        assert self._image is not None
        if self._image.shape == UNDECODABLE.shape:
            raise cv2.error("a broken JPEG")
        return bool(self._image.size), self._image

    def get(self, prop: int) -> float:
        return self._given.get({cv2.CAP_PROP_FPS: "fps", cv2.CAP_PROP_FOURCC: "fourcc"}[prop], 0.0)

    def set(self, prop: int, value: float) -> bool:
        self.asked.append((prop, value))
        return False

    def release(self) -> None:
        self.released = True


def playing(*shots: ImageArray | Callable[[], None] | None) -> FakeCapture:
    return FakeCapture(iter(shots))


def use_captures(monkeypatch: pytest.MonkeyPatch, *captures: FakeCapture) -> None:
    """Open the next of ``captures`` at each attempt, the last one repeatedly."""
    waiting = list(captures)
    monkeypatch.setattr(camera, "open_capture", lambda *_: waiting.pop(0) if waiting[1:] else waiting[0])
