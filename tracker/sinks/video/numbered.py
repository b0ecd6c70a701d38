"""Numbered images such as ``frames_%04d.png`` in place of a video file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sources.film import Film
from tracker.sources.images.source import SUFFIXES
from tracker.sources.patterns import name_matcher, numbered_path
from tracker.system.closing import Closing
from tracker.system.files import check_output, guarded_write, write_whole


class NumberedImageSink(Closing):
    """Numbered images, counted from 1, in place of a video file; a context manager.

    Raises :class:`~tracker.errors.SinkError` when ``path`` has no suffix of an image format that can be
    written, is the input ``like``, or an image cannot be written.
    """

    def __init__(self, path: Path, like: Film | None = None) -> None:
        check_output(path)
        with guarded_write(path):
            # Another count of digits may give the same names: %04d and %d do from 1000 on.
            if like is not None and path.parent.samefile(like.path.parent):
                written = name_matcher(path)
                if any(written.fullmatch(source.name) for source in like.paths):
                    raise SinkError(f"cannot write {path}: it is the input; choose another name")
        if not _can_write(path.suffix):
            raise SinkError(
                f"cannot write {path}: pictures are written as .png or .jpg; change the file name"
            )
        self.path = path
        self._count = 0

    def write(self, picture: Picture) -> None:
        """Write the next picture; its timestamp is not kept."""
        self._count += 1
        path = numbered_path(self.path, self._count)
        with guarded_write(path):
            write_whole(path, cv2.imencode(path.suffix, picture.canvas_bgr)[1].tobytes())

    def close(self) -> None:
        """Do nothing: no file stays open between two images."""


def _can_write(suffix: str) -> bool:
    """Return whether colour images with this suffix can be written and read again.

    OpenCV also knows formats of grey levels only or of floating-point values, and some that are disabled.
    """
    try:
        return suffix.lower() in SUFFIXES and cv2.imencode(suffix, np.zeros((16, 16, 3), np.uint8))[0]
    except cv2.error:
        return False
