"""Cameras and network streams, captured in a thread so that the loop always gets the newest frame."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from tracker.errors import SourceError
from tracker.sources.camera.devices import Capture, actual_mode, list_cameras, open_capture
from tracker.sources.camera.mode import CameraMode, is_camera_number, is_local_camera
from tracker.sources.camera.stream import READ_TIMEOUT_S, StreamCapture
from tracker.sources.video.pixel_aspect import aspect_text
from tracker.system.addresses import masked
from tracker.system.closing import Closing
from tracker.types import Frame, ImageArray

IDLE_S = 0.05
"""Seconds between two calls of ``idle`` while there is no new frame, so that keys and Ctrl-C work."""

_FIRST_RETRY_S, _LAST_RETRY_S = 0.5, 5.0
_STALL_S = READ_TIMEOUT_S
_JOIN_S = 2.0
_MAX_DAMAGED = 300  # a stream joined in the middle may take ten seconds to its next key frame

log = logging.getLogger(__name__)


class CameraSource(Closing):
    """Frames of a camera number, a device path or a stream URL; a context manager.

    A thread of its own reads the camera and keeps the newest frame: a loop slower than the camera skips
    frames. ``Frame.index`` counts captured frames, so gaps show the skipped ones; ``Frame.time_s`` comes from
    a monotonic clock at capture, 0 at the first frame. ``captured`` counts the frames read, ``dropped`` those
    that were never yielded. Only a URL makes it connect anywhere.

    A camera that disconnects, or sends nothing for 5 seconds, does not end the iteration: it is reopened
    after 0.5 seconds, then after twice that, up to every 5 seconds. Index and time continue when it is back.
    A stream of known length, such as a film or a playlist that is complete, ends the iteration at its end.

    ``name``, and ``Frame.source`` with it, is the device, or the URL without passwords and query.

    Args:
        device: Camera number, device path, URL or file.
        mode: Requested camera mode.
        say: Called with one line when the camera is lost or back, when the size of pictures or the shape of
            their pixels changes, and when the mode is not the requested one.
        idle: Called every :data:`IDLE_S` while there is no new frame, with the current problem in one line or
            ``None``. Iteration ends when it returns False. Both are called from the iterating thread.

    Raises:
        SourceError: The camera does not open, or, while iterating, yields no frame at all, is a file that has
            ended, or a film that broke off.
    """

    def __init__(
        self,
        device: int | str,
        mode: CameraMode | None = None,
        say: Callable[[str], None] = log.warning,
        idle: Callable[[str | None], bool] = lambda _: True,
    ) -> None:
        self.name = f"camera {device}" if is_camera_number(device) else masked(str(device))
        self.captured = 0
        self.dropped = 0
        self._device = device
        self._mode = mode or CameraMode()
        self._say, self._idle = say, idle
        self._lines: deque[str] = deque()  # for ``say``, which the iterating thread calls
        self._problem: str | None = None
        self._error: SourceError | None = None
        self._newest: Frame | None = None
        self._shape = ""
        self._opened = self._ended = self._finished = self._closing = False
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
        """Yield the newest frame each time, waiting for one that was not yielded yet."""
        while (frame := self._next()) is not None:
            yield frame

    def close(self) -> None:
        """End the capture thread and release the camera; closing twice is fine."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_JOIN_S)

    def _await_opening(self) -> None:
        with self._changed:
            while not (self._opened or self._ended):
                self._changed.wait(IDLE_S)  # in steps: not every system lets Ctrl-C interrupt a wait
        if not self._opened:
            raise self._error or _crash_error(self.name)

    def _next(self) -> Frame | None:
        """Return the next new frame, ``None`` at the end of a film, once closed, or when ``idle`` says so."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._ended or self._closing, IDLE_S)
                frame, self._newest = self._newest, None
                if frame is None:
                    self._check_stall()
            while self._lines:
                self._say(self._lines.popleft())
            if self._closing:
                return None
            if frame is not None:
                return frame
            if self._finished:
                return None
            if self._error or self._ended:
                raise self._error or _crash_error(self.name)
            if not self._idle(self._problem):
                return None

    def _check_stall(self) -> None:
        """Detect a driver that hangs in the capture thread. Called with the lock held."""
        silent_s = time.monotonic() - self._last_s
        if self.captured and silent_s > _STALL_S:
            self._note_loss()
        elif not self.captured and silent_s > 2 * _STALL_S:
            self._error = _no_picture_error(self.name, _is_address(self._device))

    def _run(self) -> None:
        try:
            delays = retry_delays()
            while not self._closing:
                if self._capture():
                    delays = retry_delays()
                with self._changed:
                    if self._error or self._finished or self._closing:
                        return
                    self._note_loss()
                    self._changed.wait_for(lambda: self._closing, next(delays))
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _capture(self) -> bool:
        """Open the camera and store its frames until no more come. Returns whether any came."""
        before = self.captured
        capture = open_capture(self._device, self._mode)
        try:
            if not capture.isOpened():
                if not self._opened:
                    self._error = SourceError(f"cannot open {self.name}: {_advice(self._device, capture)}")
                return False
            self._note_opening()
            while not self._closing and (grabbed := _grab(capture)):
                if not self.captured:
                    self._check_mode(capture, grabbed[0])
                self._store(*grabbed, capture.pixel_aspect if isinstance(capture, StreamCapture) else 1.0)
        finally:
            capture.release()
        if not self.captured:
            self._error = _no_picture_error(self.name, _is_address(self._device))
        elif _is_file(self._device):
            self._error = SourceError(f"{self.name} ended after {self.captured} frames; --video takes files")
        elif isinstance(capture, StreamCapture) and capture.has_length:
            self._finish(capture)
        return self.captured > before

    def _finish(self, film: StreamCapture) -> None:
        """End the iteration: opened again, a film would begin again, and its frames come twice."""
        if film.has_ended:
            self._finished = True
        elif not self._closing:
            self._error = SourceError(
                f"{self.name} broke off after {self.captured} frames: check the connection and start again"
            )

    def _note_opening(self) -> None:
        with self._changed:
            if not self._opened:
                self._opened, self._last_s = True, time.monotonic()
            self._changed.notify_all()

    def _check_mode(self, capture: Capture, image: ImageArray) -> None:
        """Report a mode other than the requested one."""
        differences = self._mode.differences(actual_mode(capture, (image.shape[1], image.shape[0])))
        if differences:
            self._lines.append(f"{self.name} gives {', '.join(differences)}")

    def _store(self, image: ImageArray, now_s: float, pixel_aspect: float) -> None:
        shape = f"{image.shape[1]}x{image.shape[0]}"
        shape += "" if pixel_aspect == 1 else f" in {aspect_text(pixel_aspect)} pixels"
        with self._changed:
            if self._problem:
                self._problem = None
                self._lines.append(f"{self.name} is back after {now_s - self._last_s:.1f} s")
            if self._shape and shape != self._shape:
                self._lines.append(f"{self.name} now sends {shape} instead of {self._shape}")
            self._start_s = now_s if self._start_s is None else self._start_s
            self.dropped += self._newest is not None
            place = (self.captured, now_s - self._start_s, self.name, now_s)
            self._newest = Frame(image, *place, pixel_aspect=pixel_aspect)
            self._shape, self._last_s = shape, now_s
            self.captured += 1
            self._changed.notify_all()

    def _note_loss(self) -> None:
        """Report once that the camera is lost. Called with the lock held."""
        if self._problem is None:
            self._problem = (
                f"{self.name} stopped sending after {self.captured} frames; waiting for it to come back"
            )
            self._lines.append(self._problem)


def retry_delays() -> Iterator[float]:
    """Yield the seconds to wait before each attempt to reopen a camera: 0.5, doubling up to 5."""
    delay_s = _FIRST_RETRY_S
    while True:
        yield delay_s
        delay_s = min(2 * delay_s, _LAST_RETRY_S)


def _grab(capture: Capture) -> tuple[ImageArray, float] | None:
    """Return the next picture and its arrival in seconds of ``time.monotonic``, ``None`` at the end.

    Damaged pictures, which cheap cameras send now and then, are skipped.
    """
    for _ in range(_MAX_DAMAGED):
        try:
            if not capture.grab():
                return None
            now_s = time.monotonic()  # before decoding, which counts as latency
            decoded, image = capture.retrieve()
        except cv2.error:  # the driver's data cannot be decoded
            continue
        if decoded and image is not None and image.size:
            if image.ndim == 2:
                image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
            return image, now_s  # type: ignore[return-value]
    return None


def _no_picture_error(name: str, is_elsewhere: bool) -> SourceError:
    if not is_elsewhere:
        advice = "close other programs that use it, or take another"
    else:
        advice = (
            "a live stream may be off; the server of a film must support ranges, or the film be made with "
            "-movflags +faststart, or download it and give --video FILE"
        )
    return SourceError(f"{name} opens but gives no picture: {advice}")


def _is_address(device: int | str) -> bool:
    return not is_local_camera(device) and "://" in str(device)


def _crash_error(name: str) -> SourceError:
    return SourceError(f"{name}: reading it failed in an unexpected way, shown above; please report it")


def _is_file(device: int | str) -> bool:
    return not is_local_camera(device) and "://" not in str(device) and Path(str(device)).is_file()


def _advice(device: int | str, capture: Capture) -> str:
    if isinstance(capture, StreamCapture) and "://" in str(device):
        return f"nothing that can be decoded comes from there ({capture.reason}); check the URL"
    found = [camera.path or str(camera.index) for camera in list_cameras()]
    if not found:
        instead = "or take a stream's URL or a film (--camera URL, --video FILE on the command line)"
        return f"no cameras found on this computer; plug one in, {instead}"
    return f"found {', '.join(found)}; give one of these, and close other programs that use it"
