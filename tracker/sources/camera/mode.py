"""Camera modes (picture size, frame rate, pixel format) and names of local cameras."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

_SAME_FPS = 0.01  # drivers round: 29.97 for 30


@dataclass(frozen=True)
class CameraMode:
    """Requested or actual mode of a camera; ``None`` leaves a value to the camera, or is unknown.

    ``size`` is (width, height) in pixels, ``fps`` the frame rate in frames per second, ``fourcc`` the four
    characters of a pixel format such as ``MJPG``.

    Raises:
        ValueError: A value is impossible.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    fourcc: str | None = None

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"a camera's size must be positive, got {self.size[0]}x{self.size[1]}")
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise ValueError(f"a camera's fps must be positive and finite, got {self.fps}")
        if self.fourcc is not None and not _is_fourcc(self.fourcc):
            raise ValueError(f"a pixel format is four ASCII characters such as MJPG, got {self.fourcc!r}")

    def differences(self, given: CameraMode) -> tuple[str, ...]:
        """Return the differences of the actual mode ``given`` from this requested one, in words."""
        found = []
        if self.size and given.size != self.size:
            found.append(f"{_size_text(given.size)} instead of {_size_text(self.size)}")
        if self.fps and (given.fps is None or abs(given.fps - self.fps) > _SAME_FPS * self.fps):
            got = "an unknown rate" if given.fps is None else f"{given.fps:g} fps"
            found.append(f"{got} instead of {self.fps:g} fps")
        if self.fourcc and given.fourcc != self.fourcc:
            found.append(f"{given.fourcc or 'an unknown format'} instead of {self.fourcc}")
        return tuple(found)


def is_camera_number(device: int | str) -> bool:
    """Return whether ``device`` is a camera number, as in ``--camera 0``."""
    return isinstance(device, int) or (device.isascii() and device.isdecimal())


def is_local_camera(device: int | str) -> bool:
    """Return whether ``device`` is a camera of this computer: a number or a Linux device path."""
    return is_camera_number(device) or (sys.platform.startswith("linux") and str(device).startswith("/dev/"))


def _is_fourcc(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isprintable()


def _size_text(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else "an unknown size"
