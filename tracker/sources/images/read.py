"""Reading of still images as upright 8-bit BGR, whatever their format holds."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker.errors import SourceError
from tracker.sources.images.header import stated_size
from tracker.sources.limits import check_bytes, check_size
from tracker.types import ImageArray

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"})
_ORIENTATION_TAG = 0x0112


def read_image(path: Path) -> ImageArray:
    """Read the image file ``path``, turned upright by its EXIF orientation: ``(H, W, 3)`` uint8 BGR.

    Grey becomes BGR, 16 bits are scaled to 8 over their full range, and transparent pixels are laid over
    white, the page that cut-out portraits are made for. Of an animation the first frame is read.

    Raises:
        SourceError: The file is missing, damaged, not an image, or states a size above
            :mod:`tracker.sources.limits`, which is found before anything is decoded.
    """
    # OpenCV would write lines of its own to stderr; the errors below say it once.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        check_bytes(path)
        data = path.read_bytes()
        check_size(path, *stated_size(data))
        image, orientation = _decode(_strip_png(data) if data.startswith(_PNG_SIGNATURE) else data)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, cv2.error) as error:
        raise SourceError(f"cannot read {path}: not an image, or damaged") from error
    if image.dtype not in (np.uint8, np.uint16):
        raise SourceError(f"cannot read {path}: pixels are {image.dtype}; save it with 8 or 16 bits")
    return np.ascontiguousarray(_turn(_to_bgr(_to_8_bits(image)), orientation))


def _decode(data: bytes) -> tuple[npt.NDArray[Any], int]:
    """Return the pixels as the file stores them, and the EXIF orientation 1..8."""
    if not data:
        raise ValueError("empty file")
    buffer = np.frombuffer(data, np.uint8)
    # IMREAD_UNCHANGED keeps alpha and bit depth, and does not apply the orientation.
    image, kinds, blocks = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("not an image")
    exif = [block for kind, block in zip(kinds, blocks, strict=False) if kind == cv2.IMAGE_METADATA_EXIF]
    return image, _orientation(np.asarray(exif[0], np.uint8).tobytes()) if exif else 1


def _to_8_bits(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Scale 16 bits to 8 over their full range."""
    if image.dtype != np.uint16:
        return image
    return cv2.convertScaleAbs(image, alpha=1 / 257)  # 65535 / 257 = 255


def _to_bgr(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if channels == 3:
        return image
    return over_white(image)


def over_white(image: npt.NDArray[Any]) -> ImageArray:
    """Composite ``(H, W, 4)`` BGRA, or ``(H, W, 2)`` grey and alpha, over white: ``(H, W, 3)`` BGR."""
    color, alpha = image[..., :-1], image[..., -1:]
    weight = alpha.astype(np.uint16)
    laid = (color * weight + 255 * (255 - weight) + 127) // 255
    return np.repeat(laid.astype(np.uint8), 3 // laid.shape[2], axis=2)


def _turn(image: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Undo an EXIF orientation 1..8 (EXIF 2.3, tag 0x0112): 5 to 8 are transposed, then flipped."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    flip_x = orientation in (2, 3, 6, 7)
    flip_y = orientation in (3, 4, 7, 8)
    return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def _orientation(exif: bytes) -> int:
    """Return the orientation in an EXIF block, 1 (upright) where it is absent or out of range."""
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, start)
        for i in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, start + 2 + 12 * i)
            if tag == _ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1
    except struct.error:  # viewers ignore a truncated EXIF block, too
        return 1
    return 1


def _strip_png(data: bytes) -> bytes:
    """Return a PNG without the chunks that do not affect its pixels.

    libpng writes to stderr about damaged chunks and unusual colour profiles, and cannot be silenced.

    Raises:
        ValueError: A chunk is damaged.
    """
    kept, position = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while not kept[-1].startswith(b"IEND", 4):
        head = data[position : position + 8]
        if len(head) < 8:
            raise ValueError("PNG ends early")
        end = position + 12 + int.from_bytes(head[:4], "big")
        chunk = data[position:end]
        if len(data) < end or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise ValueError("PNG chunk is damaged")
        if head[4:] in _PNG_CHUNKS:
            kept.append(chunk)
        position = end
    return b"".join(kept)
