"""Stills told from films by their content."""

from __future__ import annotations

import re
from pathlib import Path

from tracker.sources.images.frame_count import count_frames
from tracker.sources.suffixes import IMAGE_SUFFIXES, VIDEO_SUFFIXES

_HEAD = 32
_STILL = re.compile(
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8|II\*\0|MM\0\*|BM.{4}\0{4}|P[1-6]\s|RIFF.{4}WEBP"
    rb"|\0{3}\x0cjP  |.{4}ftyp(?:avi[fs]|hei[cxmfsv]|he[iv]|mif1|msf1)",
    re.DOTALL,
)
"""First bytes of the images that are read; TGA and raw JPEG 2000 have none to tell them by."""

_FILM = re.compile(rb".{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}AVI |OggS|FLV\x01|\x30\x26\xb2\x75", re.DOTALL)
"""First bytes of the usual containers of video."""

_JPEG = b"\xff\xd8\xff"
_MOTION_JPEG = VIDEO_SUFFIXES | {".mjpg", ".mjpeg"}


def is_still(path: Path) -> bool:
    """Return whether the file ``path`` is an image with one frame: by its content, or else by its suffix.

    A file that cannot be read is told by its suffix: whoever opens it says why. A JPEG that is named like a
    video is taken for a stream of them.
    """
    suffix = path.suffix.lower()
    head = _head(path)
    if head.startswith(_JPEG):
        return suffix not in _MOTION_JPEG
    if _STILL.match(head):
        return count_frames(path) == 1
    return suffix in IMAGE_SUFFIXES and not _FILM.match(head)


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
