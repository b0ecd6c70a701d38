"""Targa (TGA) images, which OpenCV does not read, decoded by libav."""

from __future__ import annotations

import struct

import av
import numpy as np
from av.packet import Packet

from tracker.types import ImageArray

SUFFIX = ".tga"
"""File name extension: the format has no signature, so that its name must tell."""

_KINDS = frozenset({1, 2, 3, 9, 10, 11})  # palette, colour, grey; plain, then run-length encoded
_DEPTHS = frozenset({8, 15, 16, 24, 32})


def targa_size(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels that the header of a TGA file states.

    Raises:
        ValueError: It is no header of a TGA file.
    """
    if len(data) < 18 or data[1] > 1 or data[2] not in _KINDS or data[16] not in _DEPTHS:
        raise ValueError("not a TGA image")
    width, height = struct.unpack_from("<HH", data, 12)
    return width, height


def read_targa(data: bytes) -> ImageArray:
    """Return the upright ``(H, W, 4)`` BGRA picture of the TGA file ``data``.

    Raises:
        ValueError: It is damaged.
    """
    codec = av.CodecContext.create("targa", "r")
    codec.thread_count = 1
    try:
        frames = codec.decode(Packet(data))
    except av.FFmpegError as error:
        raise ValueError("damaged") from error
    if not frames or frames[0].is_corrupt:
        raise ValueError("damaged")
    image = np.array(frames[0].to_ndarray(format="bgra"), np.uint8)
    if not data[17] & 0x0F:  # without attribute bits the fourth byte means nothing
        image[..., 3] = 255
    return image
