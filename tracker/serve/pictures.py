"""Pictures that clients send: their size is read from the header before anything is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import cv2
import numpy as np

from tracker.errors import SourceError
from tracker.sources.images.header import stated_size
from tracker.sources.images.read import read_encoded
from tracker.types import ImageArray

_JPEG_QUALITY = 90
_MOST_SCANS = 100  # mozjpeg writes twelve; each takes as long as the picture is large, and may have 75 bytes
_NEXT_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")  # no RST or TEM: these have no length (ITU T.81, B.1)
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"


class TooLargeError(SourceError):
    """A picture has more pixels, or takes longer to decode, than the server allows."""


def decode(data: bytes, most_pixels: int) -> ImageArray:
    """Return the upright picture in the image file ``data``: ``(H, W, 3)`` uint8 BGR.

    Raises :class:`TooLargeError` for more than ``most_pixels`` pixels or a hundred scans, and
    :class:`~tracker.errors.SourceError` for what is no picture, or damaged.
    """
    with suppress(ValueError):  # no picture, which the reader reports
        width, height = stated_size(data)
        if width * height > most_pixels:
            raise TooLargeError(
                f"the picture has {width}x{height} pixels, and this server takes at most "
                f"{most_pixels / 1e6:g} megapixels: make it smaller"
            )
    if data.startswith(b"\xff\xd8") and any(True for _ in islice(_scans(data), _MOST_SCANS, None)):
        raise TooLargeError(f"the picture has more than {_MOST_SCANS} scans: save it as a baseline JPEG")
    return read_encoded(data)


def _scans(data: bytes) -> Iterator[int]:
    """Yield where the scans of a JPEG begin."""
    at = 2
    while (found := _NEXT_MARKER.search(data, at)) and found.group() != _END_OF_IMAGE:
        at = found.end()
        if found.group() == _START_OF_SCAN:
            yield found.start()
        at += int.from_bytes(data[at : at + 2], "big")


def encode(image_bgr: ImageArray) -> bytes:
    """Return ``(H, W, 3)`` uint8 BGR as a JPEG without any metadata."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(image_bgr), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()
