"""Pictures that clients send: their size is read from the header before anything is decoded."""

from __future__ import annotations

from contextlib import suppress

import cv2
import numpy as np

from tracker.errors import SourceError
from tracker.sources.images.header import stated_size
from tracker.sources.images.read import read_encoded
from tracker.types import ImageArray

_JPEG_QUALITY = 90


class TooLargeError(SourceError):
    """A picture has more pixels than the server takes."""


def decode(data: bytes, most_pixels: int) -> ImageArray:
    """Return the upright picture in the image file ``data``: ``(H, W, 3)`` uint8 BGR.

    Raises :class:`TooLargeError` for more than ``most_pixels`` pixels, and
    :class:`~tracker.errors.SourceError` for what is no picture, or damaged.
    """
    with suppress(ValueError):  # no picture, which the reader reports
        width, height = stated_size(data)
        if width * height > most_pixels:
            raise TooLargeError(
                f"the picture has {width}x{height} pixels, and this server takes at most "
                f"{most_pixels / 1e6:g} megapixels: make it smaller"
            )
    return read_encoded(data)


def encode(image_bgr: ImageArray) -> bytes:
    """Return ``(H, W, 3)`` uint8 BGR as a JPEG without any metadata."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(image_bgr), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()
