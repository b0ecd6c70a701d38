"""Width and height of an image file, read from its header without decoding it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from train.errors import DataError

_PNG = b"\x89PNG\r\n\x1a\n"
_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # JPEG markers that no length follows
_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # those three are tables, not frame headers
_LAST = {0xD9, 0xDA}  # end of image, start of scan: the frame header comes before


def image_size(path: Path) -> tuple[int, int]:
    """Width and height, in pixels as stored, of a JPEG (ITU T.81), PNG (ISO 15948) or BMP file.

    The content decides, not the suffix. An orientation in the EXIF data is not applied.

    Raises :class:`DataError` if the file is missing or has no such header.
    """
    try:
        with path.open("rb") as file:
            width, height = _from_header(file)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(f"{path}: the image cannot be read: {error}") from error
    except struct.error as error:
        raise DataError(f"{path}: the image is cut off inside its header") from error
    if width < 1 or height < 1:
        raise DataError(f"{path}: the image's header claims {width}x{height} pixels")
    return width, height


def _from_header(file: BinaryIO) -> tuple[int, int]:
    start = file.read(8)
    if start == _PNG:
        width, height = _unpack(file, ">8xII")
        return width, height
    if start.startswith(b"\xff\xd8"):
        file.seek(2)
        return _jpeg_frame(file)
    if start.startswith(b"BM"):
        (header,) = _unpack(file, "<6xI")
        width, height = _unpack(file, "<HH" if header == 12 else "<ii")
        return width, abs(height)  # negative: stored from the top down
    raise ValueError("its content is neither JPEG, PNG nor BMP")


def _jpeg_frame(file: BinaryIO) -> tuple[int, int]:
    while True:
        prefix, marker = _unpack(file, "BB")
        while marker == 0xFF:  # any number of fill bytes
            (marker,) = _unpack(file, "B")
        if prefix != 0xFF or marker in _LAST:
            raise ValueError("a JPEG without a frame header")
        if marker in _STANDALONE:
            continue
        (length,) = _unpack(file, ">H")
        if marker in _FRAME:
            height, width = _unpack(file, ">xHH")
            return width, height
        if length < 2:
            raise ValueError("a JPEG with a broken segment")
        file.seek(length - 2, 1)


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))
