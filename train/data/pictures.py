"""Reading of pictures as arrays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tracker.types import ImageArray
from train.errors import DataError


def read_picture(path: Path, colour: bool = False, upright: bool = False) -> ImageArray:
    """Read a picture as ``(H, W)`` grey uint8, or ``(H, W, 3)`` BGR.

    The pixels are those of the file, which its labels belong to: an EXIF orientation is applied only to
    ``upright`` pictures.

    Raises :class:`~train.errors.DataError` if the file does not exist or is not a picture.
    """
    flags = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    image = cv2.imread(str(path), flags if upright else flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise unreadable(path)
    return np.asarray(image, np.uint8)


def unreadable(path: Path) -> DataError:
    """Return the error for a file that is not a picture."""
    return DataError(
        f"{path}: not an image that OpenCV can read; save it as PNG, or take it and its label away"
    )
