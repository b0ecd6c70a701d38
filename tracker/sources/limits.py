"""Upper limits on the size of images and videos, so that a hostile file cannot exhaust the memory.

A file of a few kilobytes can decompress into gigabytes. Larger ones are refused before decoding.
"""

from __future__ import annotations

from pathlib import Path

from tracker.errors import SourceError

MAX_PIXELS = 200_000_000
"""Pixels of one image: just above the largest phone cameras (16320 x 12240)."""

MAX_SIDE = 32_766
"""Pixels of the longest side: what OpenCV's ``warpAffine`` takes, which cuts out crops."""

MAX_IMAGE_BYTES = 1 << 30
"""Size of an image file, which is read into memory."""

MAX_FRAMES = 50_000_000
"""Frames of a video: nine days at 60 frames per second."""


def check_size(name: Path | str, width: int, height: int) -> None:
    """Check the size in pixels of the image ``name``, or of the frames of that video.

    Raises:
        SourceError: It is larger than allowed.
    """
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise SourceError(
            f"{name} claims pictures of {width}x{height}: more than {MAX_PIXELS // 1_000_000} megapixels or "
            f"{MAX_SIDE} pixels a side are not read; make it smaller"
        )


def check_bytes(path: Path) -> None:
    """Check the size of an image file.

    Raises:
        SourceError: The file is too large.
        OSError: The file is missing.
    """
    if path.stat().st_size > MAX_IMAGE_BYTES:
        raise SourceError(f"{path} is larger than {MAX_IMAGE_BYTES >> 30} GiB: too large for an image")


def check_count(path: Path, count: int) -> None:
    """Check the number of frames read of a video that goes on.

    Raises:
        SourceError: It is the maximum.
    """
    if count >= MAX_FRAMES:
        raise SourceError(f"{path} goes on after {MAX_FRAMES} frames: cut it with --start and --end")
