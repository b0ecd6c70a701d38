"""Annotated still images in a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2

from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.system.closing import Closing
from tracker.system.files import check_output, guarded_write, write_whole

_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe"})
_JPEG_QUALITY = 95


class ImageSink(Closing):
    """Annotated images in a folder, each with the file name of its input.

    JPEG inputs become JPEG, PNG inputs PNG; ``x.bmp`` becomes ``x.bmp.png``. The folder is created if its
    parent exists. Raises :class:`~tracker.errors.SinkError` at once when two ``inputs`` would be written to
    one file or one of them would be overwritten, later when an image cannot be written.
    """

    def __init__(self, directory: Path, inputs: Sequence[Path]) -> None:
        self.directory = directory
        counts = Counter(_output_name(path.name) for path in inputs)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise SinkError(
                f"several inputs would be written to {directory / twice[0]}: give each folder its own output"
            )
        with guarded_write(directory):
            directory.mkdir(exist_ok=True)
        for path in inputs:
            check_output(directory / _output_name(path.name), [path])

    def write(self, picture: Picture) -> None:
        """Write a picture; its ``source`` is the name of the input file, without a folder."""
        name = picture.source
        if name in ("", ".", "..") or Path(name).name != name:
            raise SinkError(f"cannot write {name!r} into {self.directory}: it is not the name of a file")
        path = self.directory / _output_name(name)
        flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix.lower() in _JPEG_SUFFIXES else []
        with guarded_write(path):
            _, encoded = cv2.imencode(path.suffix.lower(), picture.canvas_bgr, flags)
            write_whole(path, encoded.tobytes())

    def close(self) -> None:
        """Do nothing: no file stays open between two images."""


def _output_name(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return name if suffix == ".png" or suffix in _JPEG_SUFFIXES else f"{name}.png"
