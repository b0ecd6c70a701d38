"""Width and height of an image file, read from its header without decoding the pixels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from train.errors import DataError, in_short

T = TypeVar("T")

_FORMATS = ("JPEG", "PNG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")
_ORIENTATION_TAG = 0x0112


def image_size(path: Path) -> tuple[int, int]:
    """Return width and height, in pixels as stored, of an image file.

    The format is one of JPEG, PNG, BMP, GIF, WebP, TIFF, PNM, JPEG 2000 and AVIF, told by the content, not
    by the suffix. An orientation in the EXIF data is not applied.

    Raises :class:`DataError` if the file is missing or has no valid header of these formats.
    """
    return _from_header(path, lambda image: image.size)


def is_turned(path: Path) -> bool:
    """Return whether the EXIF data of an image file say that it is not stored upright.

    Raises :class:`DataError` as :func:`image_size` does.
    """
    return _from_header(path, lambda image: image.getexif().get(_ORIENTATION_TAG, 1) in range(2, 9))


def _from_header(path: Path, about: Callable[[Image.Image], T]) -> T:
    try:
        with warnings.catch_warnings():
            # Pillow warns about large pictures and malformed metadata; neither matters without decoding.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
                return about(image)
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: the image cannot be read: {_why_not(path)}") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: the image cannot be read: {in_short(error)}") from error


def _why_not(path: Path) -> str:
    if not path.stat().st_size:
        return "it is empty; copy it again, or take it and its label away"
    return f"its content is none of {', '.join(_FORMATS)}, or its header is broken; save it as PNG"
