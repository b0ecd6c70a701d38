"""What is asked of a camera: picture size, rate, pixel format; and which inputs can be asked at all."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

_SAME_FPS = 0.01  # drivers round: 29.97 for 30


@dataclass(frozen=True)
class CameraMode:
    """A camera's setting; None leaves it to the camera.

    ``size`` is (width, height) in pixels, ``fps`` frames per second, ``fourcc`` the four characters of a
    pixel format such as ``MJPG``. Raises ``ValueError`` on values that no camera can have.
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

    def misses(self, given: CameraMode) -> tuple[str, ...]:
        """Where the mode that was really ``given`` differs from this one, in words; None there is unknown."""
        missed = []
        if self.size and given.size != self.size:
            missed.append(f"{_size_text(given.size)} instead of {_size_text(self.size)}")
        if self.fps and (given.fps is None or abs(given.fps - self.fps) > _SAME_FPS * self.fps):
            got = "an unknown rate" if given.fps is None else f"{given.fps:g} fps"
            missed.append(f"{got} instead of {self.fps:g} fps")
        if self.fourcc and given.fourcc != self.fourcc:
            missed.append(f"{given.fourcc or 'an unknown format'} instead of {self.fourcc}")
        return tuple(missed)


def is_number(device: int | str) -> bool:
    """Whether ``device`` counts cameras, as in ``--camera 0``."""
    return isinstance(device, int) or (device.isascii() and device.isdecimal())


def is_local_camera(device: int | str) -> bool:
    """Whether ``device`` is a camera of this computer, a number or a Linux device; else a stream or file."""
    return is_number(device) or (sys.platform.startswith("linux") and str(device).startswith("/dev/"))


def _is_fourcc(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isprintable()


def _size_text(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else "an unknown size"
