"""Cameras and network streams: a thread captures, the loop always gets the newest frame."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from tracker.closing import Closing
from tracker.errors import SourceError
from tracker.types import Frame, ImageArray

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 5.0
_STALL_S = 2 * READ_TIMEOUT_S
_JOIN_S = 2.0


class CameraSource(Closing):
    """A camera number, a device path or a stream URL; a context manager that yields :class:`Frame`.

    A thread of its own reads the camera and keeps one frame: a loop slower than the camera skips
    frames and always sees the newest. ``Frame.index`` counts captured frames, so a gap shows the
    skipped ones; ``Frame.time_s`` is taken from a monotonic clock at capture, 0 at the first frame.
    ``captured`` and ``dropped`` count what came in and what nobody fetched.

    Only a URL makes it connect anywhere. Raises :class:`SourceError` when the camera does not open,
    and, while iterating, when it stops delivering frames.
    """

    def __init__(self, device: int | str) -> None:
        self.name = f"camera {device}" if _is_number(device) else str(device)
        self.captured = 0
        self.dropped = 0
        self._newest: Frame | None = None
        self._ended = False
        self._closing = False
        self._changed = threading.Condition()
        self._capture = _open(device)
        if not self._capture.isOpened():
            raise SourceError(f"cannot open {self.name}: {_remedy(device)}")
        # A driver may block for ever in read(): as a daemon this thread cannot keep the process alive.
        self._thread = threading.Thread(target=self._run, name=f"capture {self.name}", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the newest frame each time, waiting for one that was not yielded before."""
        while not self._closing:
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._ended or self._closing, _STALL_S)
                frame, self._newest = self._newest, None
            if frame is None and not self._closing:
                raise SourceError(
                    f"{self.name} stopped delivering frames after {self.captured}: check its connection"
                )
            if frame is not None:
                yield frame

    def close(self) -> None:
        """End the capture thread and free the camera; closing twice is fine."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        start_s: float | None = None
        try:
            while not self._closing:
                image = self._read()
                now_s = time.monotonic()
                if image is None:
                    break
                start_s = now_s if start_s is None else start_s
                self._keep(Frame(image, self.captured, now_s - start_s, self.name))
        finally:
            self._capture.release()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _read(self) -> ImageArray | None:
        try:
            delivered, image = self._capture.read()
        except cv2.error:  # a frame that the driver cannot decode ends the stream like a lost cable
            return None
        if not delivered:
            return None
        return image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]

    def _keep(self, frame: Frame) -> None:
        with self._changed:
            self.captured += 1
            self.dropped += self._newest is not None
            self._newest = frame
            self._changed.notify_all()


def list_cameras() -> tuple[str, ...]:
    """Names of the cameras on this computer, as ``--camera`` takes them.

    On Linux the video devices in numerical order; elsewhere the numbers 0 to 3 that open.
    """
    if sys.platform.startswith("linux"):
        found = [p for p in Path("/dev").glob("video*") if re.fullmatch(r"video\d+", p.name)]
        return tuple(str(p) for p in sorted(found, key=lambda p: int(p.name[5:])))
    return tuple(str(n) for n in range(4) if _opens(n))


def _opens(number: int) -> bool:
    capture = _open(number)
    opened = capture.isOpened()
    capture.release()
    return opened


def _is_number(device: int | str) -> bool:
    return isinstance(device, int) or device.isdecimal()


def _open(device: int | str) -> cv2.VideoCapture:
    # OpenCV and its own copy of libav would write several lines for every camera that is not there.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    on_linux = sys.platform.startswith("linux")
    if _is_number(device):
        device = min(int(device), 2**31 - 1)  # what fits OpenCV's argument; no computer has so many
        # Naming the backend keeps OpenCV from trying every other one, network cameras included.
        return cv2.VideoCapture(int(device), cv2.CAP_V4L2 if on_linux else cv2.CAP_ANY)
    if on_linux and str(device).startswith("/dev/"):
        return cv2.VideoCapture(str(device), cv2.CAP_V4L2)
    timeouts_ms = [
        (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(1000 * OPEN_TIMEOUT_S)),
        (cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(1000 * READ_TIMEOUT_S)),
    ]
    return cv2.VideoCapture(str(device), cv2.CAP_FFMPEG, [int(v) for pair in timeouts_ms for v in pair])


def _remedy(device: int | str) -> str:
    if "://" in str(device):
        return "nothing that can be decoded comes from there; check the URL"
    found = list_cameras()
    if not found:
        return "no cameras found on this computer; plug one in, or give --camera URL or --video FILE"
    return f"found {', '.join(found)}; give one of these, and close other programs that use it"
