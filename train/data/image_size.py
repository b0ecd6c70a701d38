"""Width and height of an image file, read from its header without decoding the pixels."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from train.errors import DataError

_FORMATS = ("JPEG", "PNG", "BMP")


def image_size(path: Path) -> tuple[int, int]:
    """Return width and height, in pixels as stored, of a JPEG, PNG or BMP file.

    The format is detected from the content, not from the suffix. An orientation in the EXIF data is not
    applied.

    Raises :class:`DataError` if the file is missing or has no valid header of these formats.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns about large pictures and malformed metadata; neither matters without decoding.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
                return image.size
    except UnidentifiedImageError as error:
        reason = "its content is neither JPEG, PNG nor BMP, or its header is broken"
        raise DataError(f"{path}: the image cannot be read: {reason}") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: the image cannot be read: {error}") from error
