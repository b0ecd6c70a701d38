"""How large a file's pictures may be, so that a hostile one cannot take all memory.

A file of a few kilobytes can unfold into gigabytes. What is larger than these is refused before decoding.
"""

from __future__ import annotations

from pathlib import Path

from tracker.errors import SourceError

MAX_PIXELS = 200_000_000
"""Of one picture: more than the largest cameras of telephones give (16320 x 12240)."""

MAX_SIDE = 65_500
"""Pixels; the longest side that JPEG can have, and less than OpenCV can turn."""

MAX_IMAGE_BYTES = 1 << 30
"""Of a still image's file, which is read whole."""

MAX_FRAMES = 50_000_000
"""Of a video: nine days at 60 frames a second."""


def check_size(path: Path, width: int, height: int) -> None:
    """Raise :class:`SourceError` if the picture in ``path`` is larger than allowed."""
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise SourceError(
            f"{path} claims pictures of {width}x{height}: more than {MAX_PIXELS // 1_000_000} megapixels or "
            f"{MAX_SIDE} pixels a side are not read; make it smaller"
        )


def check_bytes(path: Path) -> None:
    """Raise :class:`SourceError` if the image file ``path`` is too large, ``OSError`` if missing."""
    if path.stat().st_size > MAX_IMAGE_BYTES:
        raise SourceError(f"{path} is larger than {MAX_IMAGE_BYTES >> 30} GiB: no image that can be read")


def check_count(path: Path, count: int) -> None:
    """Raise :class:`SourceError` if a video goes on after ``count`` frames and should not."""
    if count >= MAX_FRAMES:
        raise SourceError(f"{path} goes on after {MAX_FRAMES} frames: cut it with --start and --end")
