"""Annotated still images: in a folder, or one as a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.sink import Sink
from tracker.system.files import check_output, guarded_write, make_folder, write_whole
from tracker.types import ImageArray

_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
WRITTEN_SUFFIXES = _JPEG_SUFFIXES | {
    ".avif", ".bmp", ".dib", ".gif", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
}  # fmt: skip
"""Suffixes of images that are written: in colour, and read again.

OpenCV also knows formats of grey levels only or of floating-point values.
"""
_JPEG_QUALITY = 95


class ImageSink(Sink):
    """Annotated images in a folder, each with the file name of its input.

    JPEG inputs become JPEG, PNG inputs PNG; ``x.bmp`` becomes ``x.bmp.png``. The folder is created if its
    parent exists. Raises :class:`~tracker.errors.SinkError` at once when two ``inputs`` would be written to
    one file or one of them would be overwritten, later when an image cannot be written.
    """

    def __init__(self, directory: Path | str, inputs: Sequence[Path]) -> None:
        self.directory = directory = Path(directory)
        counts = Counter(_output_name(path.name) for path in inputs)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise SinkError(
                f"several inputs would be written to {directory / twice[0]}: give each folder its own output"
            )
        make_folder(directory, "a folder, or for one picture a file such as marked.png")
        for path in inputs:
            check_output(directory / _output_name(path.name), [path])

    def write(self, picture: Picture) -> None:
        """Write a picture; its ``source`` is the name of the input file, without a folder."""
        self._check_open()
        name = picture.source
        if name in ("", ".", "..") or Path(name).name != name:
            raise SinkError(f"cannot write {name!r} into {self.directory}: it is not the name of a file")
        path = self.directory / _output_name(name)
        _write(path, picture)


class SingleImageSink(Sink):
    """One annotated image, in the format that the suffix of ``path`` names.

    Raises :class:`~tracker.errors.SinkError` at once when there is more than one of ``inputs``, ``path`` is
    the input, or its suffix is of no format that can be written; later when it cannot be written.
    """

    def __init__(self, path: Path | str, inputs: Sequence[Path]) -> None:
        self.path = path = Path(path)
        if len(inputs) > 1:
            raise SinkError(f"cannot write {len(inputs)} pictures to {path}: give --output a folder")
        check_output(path, inputs)
        if not can_write(path.suffix):
            raise SinkError(
                f"cannot write {path}: pictures are written as .png or .jpg; change the file name"
            )

    def write(self, picture: Picture) -> None:
        """Write the picture."""
        self._check_open()
        _write(self.path, picture)


def can_write(suffix: str) -> bool:
    """Return whether images with this suffix are written; some builds of OpenCV lack a format."""
    if suffix.lower() not in WRITTEN_SUFFIXES:
        return False
    try:
        return bool(encode_image(suffix, np.zeros((16, 16, 3), np.uint8)))
    except cv2.error:
        return False


def encode_image(suffix: str, image_bgr: ImageArray) -> bytes:
    """Return ``image_bgr`` ``(H, W, 3)`` as the content of a file with this suffix."""
    is_jpeg = suffix.lower() in _JPEG_SUFFIXES
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if is_jpeg else []
    # OpenCV does not know all names of JPEG.
    found, encoded = cv2.imencode(".jpg" if is_jpeg else suffix, image_bgr, flags)
    return encoded.tobytes() if found else b""


def _write(path: Path, picture: Picture) -> None:
    with guarded_write(path):
        write_whole(path, encode_image(path.suffix, picture.canvas_bgr))


def _output_name(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return name if suffix == ".png" or suffix in _JPEG_SUFFIXES else f"{name}.png"
