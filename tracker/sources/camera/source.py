"""Cameras and network streams: a thread captures, the loop always gets the newest frame."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from tracker.errors import SourceError
from tracker.sources.camera.devices import Capture, list_cameras, mode_given, open_capture
from tracker.sources.camera.mode import CameraMode, is_local_camera, is_number
from tracker.sources.camera.stream import READ_TIMEOUT_S, StreamCapture
from tracker.system.closing import Closing
from tracker.types import Frame, ImageArray

IDLE_S = 0.05
"""How often the waiting loop gets control: its keys and Ctrl-C are heard at least so often."""

_FIRST_RETRY_S, _LAST_RETRY_S = 0.5, 5.0
_STALL_S = READ_TIMEOUT_S
_JOIN_S = 2.0
_MOST_DAMAGED = 300  # a film joined in the middle may take ten seconds to its next key frame

log = logging.getLogger(__name__)


class CameraSource(Closing):
    """A camera number, a device path or a stream URL; a context manager that yields :class:`Frame`.

    A thread of its own reads the camera and keeps one frame: a loop slower than the camera skips
    frames and always sees the newest. ``Frame.index`` counts captured frames, so a gap shows the
    skipped ones; ``Frame.time_s`` is taken from a monotonic clock at capture, 0 at the first frame.
    ``captured`` and ``dropped`` count what came in and what nobody fetched.

    A camera that goes away, or sends nothing for 5 seconds, does not end the iteration: it is opened again
    after 0.5 seconds, then after twice that, up to every 5 seconds; index and time go on when it is back.
    Each loss, each return, another picture size and a ``mode`` that the camera did not give are told once to
    ``say``, a line each. While there is no new frame, ``idle`` is called every :data:`IDLE_S` with the line
    that says what is wrong, None when all is well; iteration ends when it returns False. Both are called from
    the iterating thread.

    Only a URL makes it connect anywhere. Raises :class:`SourceError` when the camera does not open, and,
    while iterating, when it opened but gives no frame at all, or is a file that has ended.
    """

    def __init__(
        self,
        device: int | str,
        mode: CameraMode | None = None,
        say: Callable[[str], None] = log.warning,
        idle: Callable[[str | None], bool] = lambda _: True,
    ) -> None:
        self.name = f"camera {device}" if is_number(device) else str(device)
        self.captured = 0
        self.dropped = 0
        self._device = device
        self._mode = mode or CameraMode()
        self._say, self._idle = say, idle
        self._lines: deque[str] = deque()  # what is still to be said, by the iterating thread
        self._trouble: str | None = None
        self._error: SourceError | None = None
        self._newest: Frame | None = None
        self._size: tuple[int, int] | None = None
        self._opened = self._ended = self._closing = False
        self._start_s: float | None = None
        self._last_s = time.monotonic()  # when the last frame came, or the camera opened
        self._changed = threading.Condition()
        # A driver may block for ever in grab(): as a daemon this thread cannot keep the process alive.
        self._thread = threading.Thread(target=self._run, name=f"capture {self.name}", daemon=True)
        self._thread.start()
        try:
            self._await_opening()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        """Yield the newest frame each time, waiting for one that was not yielded before."""
        while (frame := self._next()) is not None:
            yield frame

    def close(self) -> None:
        """End the capture thread and free the camera; closing twice is fine."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_JOIN_S)

    def _await_opening(self) -> None:
        with self._changed:
            while not (self._opened or self._ended):
                self._changed.wait(IDLE_S)  # in steps: not every system lets Ctrl-C interrupt a wait
        if not self._opened:
            raise self._error or _crashed(self.name)

    def _next(self) -> Frame | None:
        """The next new frame; None once closed, or when ``idle`` wants no more."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._ended or self._closing, IDLE_S)
                frame, self._newest = self._newest, None
                if frame is None:
                    self._watch()
            while self._lines:
                self._say(self._lines.popleft())
            if self._closing:
                return None
            if frame is not None:
                return frame
            if self._error or self._ended:
                raise self._error or _crashed(self.name)
            if not self._idle(self._trouble):
                return None

    def _watch(self) -> None:
        """Notice a driver that hangs in the other thread. Called with the lock held."""
        silent_s = time.monotonic() - self._last_s
        if self.captured and silent_s > _STALL_S:
            self._lose()
        elif not self.captured and silent_s > 2 * _STALL_S:
            self._error = _mute(self.name)

    def _run(self) -> None:
        try:
            delays = retry_delays()
            while not self._closing:
                if self._deliver():
                    delays = retry_delays()
                with self._changed:
                    if self._error or self._closing:
                        return
                    self._lose()
                    self._changed.wait_for(lambda: self._closing, next(delays))
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _deliver(self) -> bool:
        """Open the camera and keep its frames until none comes. Returns whether any came."""
        before = self.captured
        capture = open_capture(self._device, self._mode)
        try:
            if not capture.isOpened():
                if not self._opened:
                    self._error = SourceError(f"cannot open {self.name}: {_remedy(self._device, capture)}")
                return False
            self._note_opening()
            while not self._closing and (shot := _shoot(capture)):
                if not self.captured:
                    self._compare(capture, shot[0])
                self._keep(*shot)
        finally:
            capture.release()
        if not self.captured:
            self._error = _mute(self.name)
        elif _is_file(self._device):
            self._error = SourceError(f"{self.name} ended after {self.captured} frames; --video takes files")
        return self.captured > before

    def _note_opening(self) -> None:
        with self._changed:
            if not self._opened:
                self._opened, self._last_s = True, time.monotonic()
            self._changed.notify_all()

    def _compare(self, capture: Capture, image: ImageArray) -> None:
        """Say it if the camera gives another mode than it was asked for."""
        missed = self._mode.misses(mode_given(capture, (image.shape[1], image.shape[0])))
        if missed:
            self._lines.append(f"{self.name} gives {', '.join(missed)}")

    def _keep(self, image: ImageArray, now_s: float) -> None:
        size = image.shape[1], image.shape[0]
        with self._changed:
            if self._trouble:
                self._trouble = None
                self._lines.append(f"{self.name} is back after {now_s - self._last_s:.1f} s")
            if self._size and size != self._size:
                was = f"{self._size[0]}x{self._size[1]}"
                self._lines.append(f"{self.name} now sends {size[0]}x{size[1]} instead of {was}")
            self._start_s = now_s if self._start_s is None else self._start_s
            self.dropped += self._newest is not None
            self._newest = Frame(image, self.captured, now_s - self._start_s, self.name, now_s)
            self._size, self._last_s = size, now_s
            self.captured += 1
            self._changed.notify_all()

    def _lose(self) -> None:
        """Say that the camera is away, unless that was said. Called with the lock held."""
        if self._trouble is None:
            self._trouble = (
                f"{self.name} stopped sending after {self.captured} frames; waiting for it to come back"
            )
            self._lines.append(self._trouble)


def retry_delays() -> Iterator[float]:
    """Seconds to wait before each attempt to open a lost camera: 0.5, doubling up to 5, without end."""
    delay_s = _FIRST_RETRY_S
    while True:
        yield delay_s
        delay_s = min(2 * delay_s, _LAST_RETRY_S)


def _shoot(capture: Capture) -> tuple[ImageArray, float] | None:
    """The next picture and when it arrived, seconds of ``time.monotonic``; None when no more come.

    Damaged ones, as cheap cameras give now and then, are passed over.
    """
    for _ in range(_MOST_DAMAGED):
        try:
            if not capture.grab():
                return None
            now_s = time.monotonic()  # before decoding, which is part of the way to the screen
            decoded, image = capture.retrieve()
        except cv2.error:  # what the driver delivers cannot be decoded
            continue
        if decoded and image is not None and image.size:
            if image.ndim == 2:
                image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
            return image, now_s  # type: ignore[return-value]
    return None


def _mute(name: str) -> SourceError:
    return SourceError(
        f"{name} opens but gives no picture: close other programs that use it, or take another"
    )


def _crashed(name: str) -> SourceError:
    return SourceError(f"{name}: reading it failed in an unforeseen way, shown above; please report it")


def _is_file(device: int | str) -> bool:
    return not is_local_camera(device) and "://" not in str(device) and Path(str(device)).is_file()


def _remedy(device: int | str, capture: Capture) -> str:
    if isinstance(capture, StreamCapture) and "://" in str(device):
        return f"nothing that can be decoded comes from there ({capture.reason}); check the URL"
    found = [camera.path or str(camera.index) for camera in list_cameras()]
    if not found:
        return "no cameras found on this computer; plug one in, or give --camera URL or --video FILE"
    return f"found {', '.join(found)}; give one of these, and close other programs that use it"
