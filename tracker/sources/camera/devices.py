"""Cameras of this computer: listing them, and opening one or a stream."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from tracker.sources.camera.mode import CameraMode, is_camera_number, is_local_camera
from tracker.sources.camera.stream import StreamCapture

Capture = cv2.VideoCapture | StreamCapture

_PROBED = 4
_SYSFS, _DEV = Path("/sys/class/video4linux"), Path("/dev")


@dataclass(frozen=True)
class CameraInfo:
    """A camera of this computer: its number, and its device path and name where the system has them.

    Where possible ``path`` does not depend on the order in which cameras are plugged in.
    """

    index: int
    path: str | None = None
    name: str | None = None


def list_cameras(sysfs: Path = _SYSFS, dev: Path = _DEV) -> tuple[CameraInfo, ...]:
    """Return the cameras of this computer in the order of their numbers.

    On Linux these are the video devices in ``dev``, with names from ``sysfs``. One camera may have several of
    which often only the first yields pictures. On other systems the numbers 0 to 3 are tried.
    """
    if not sys.platform.startswith("linux"):
        return tuple(CameraInfo(number) for number in range(_PROBED) if _opens(number))
    stable = dict(_stable_paths(dev / "v4l" / "by-id"))
    numbers = (re.fullmatch(r"video(\d+)", path.name) for path in dev.glob("video*"))
    found = sorted(int(match[1]) for match in numbers if match)
    return tuple(
        CameraInfo(n, stable.get(f"video{n}", str(dev / f"video{n}")), _name(sysfs / f"video{n}" / "name"))
        for n in found
    )


def describe_cameras(cameras: Sequence[CameraInfo]) -> list[str]:
    """Return a line for each camera: number, path, name."""
    if not cameras:
        return ["no cameras found"]
    width = max(len(camera.path or "") for camera in cameras)
    lines = [
        f"{camera.index:<3} {camera.path or '':<{width}}  {camera.name or '(name unknown)'}"
        for camera in cameras
        if camera.path
    ]
    return lines or [f"{camera.index:<3} opens; this system does not tell its name" for camera in cameras]


def open_capture(device: int | str, mode: CameraMode) -> Capture:
    """Open a camera number, a device path, a stream URL or a file; ``isOpened`` tells whether that worked.

    ``mode`` is requested from a camera of this computer, which may choose another one.
    """
    if not is_local_camera(device):
        return StreamCapture(str(device))
    # OpenCV would write several lines for every camera that does not exist.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = _open_local(device)
    _apply_mode(capture, mode)
    return capture


def actual_mode(capture: Capture, size: tuple[int, int]) -> CameraMode:
    """Return the mode that an open camera reports; ``size`` is that of its pictures."""
    fps = capture.get(cv2.CAP_PROP_FPS)
    code = max(int(capture.get(cv2.CAP_PROP_FOURCC)), 0)
    fourcc = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24))
    return CameraMode(
        size,
        fps if 0 < fps < 1e6 else None,
        fourcc if fourcc.isascii() and fourcc.isprintable() else None,
    )


def _open_local(device: int | str) -> cv2.VideoCapture:
    # Naming the backend keeps OpenCV from trying every other one, network cameras included.
    backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
    if not is_camera_number(device):
        return cv2.VideoCapture(str(device), backend)
    number = min(int(device), 2**31 - 1)  # the maximum of OpenCV's argument; no computer has so many
    return cv2.VideoCapture(number, backend)


def _apply_mode(capture: cv2.VideoCapture, mode: CameraMode) -> None:
    # The available sizes depend on the format, and the available rates on the size.
    if mode.fourcc:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*mode.fourcc))
    if mode.size:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, mode.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, mode.size[1])
    if mode.fps:
        capture.set(cv2.CAP_PROP_FPS, mode.fps)


def _opens(number: int) -> bool:
    capture = open_capture(number, CameraMode())
    opened = capture.isOpened()
    capture.release()
    return opened


def _stable_paths(by_id: Path) -> Iterator[tuple[str, str]]:
    """Yield the device name and the stable path of every link in ``by_id``."""
    if by_id.is_dir():
        for link in sorted(by_id.iterdir()):
            yield link.resolve().name, str(link)


def _name(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:  # a device without an entry, as in a container
        return None
