"""Reading of still images as upright 8-bit BGR, whatever their format holds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker.errors import SourceError
from tracker.sources.colour import is_bt709, to_bt709
from tracker.sources.images import targa
from tracker.sources.images.boxes import is_avif, is_heif, picture_properties
from tracker.sources.images.header import stated_size
from tracker.sources.images.heic import MissingExtraError, read_heic
from tracker.sources.limits import check_bytes, check_size
from tracker.sources.orientation import UPRIGHT, Orientation
from tracker.types import ImageArray

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"})
_ORIENTATION_TAG = 0x0112


def read_image(path: Path) -> ImageArray:
    """Read the image file ``path``, turned upright: ``(H, W, 3)`` uint8 BGR.

    EXIF states the orientation; in AVIF and HEIC the container does, and EXIF does not count there (ISO/IEC
    23008-12). Grey becomes BGR, more than 8 bits are scaled to 8 over their full range, and transparent
    pixels are laid over white, the page that cut-out portraits are made for. Of an animation the first frame
    is read.

    Raises:
        SourceError: The file is missing, damaged, not an image, or states a size above
            :mod:`tracker.sources.limits`, which is found before anything is decoded, or fewer pixels than
            it has; or it is HEIC and pillow-heif is not installed.
    """
    try:
        check_bytes(path)
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise SourceError(f"cannot read {path}: not a file's name") from error
    return _read(data, path, is_targa=path.suffix.lower() == targa.SUFFIX)


def read_encoded(data: bytes) -> ImageArray:
    """Read an image file that a program holds in memory, as :func:`read_image` does, and with its errors.

    Targa is not known: only the name of a file tells it.
    """
    return _read(data, "the picture", is_targa=False)


def _read(data: bytes, name: Path | str, is_targa: bool) -> ImageArray:
    # OpenCV would write lines of its own to stderr; the errors below say it once.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        width, height = targa.targa_size(data) if is_targa else stated_size(data)
        check_size(name, width, height)
        image = targa.read_targa(data) if is_targa else _decode(data)
    except MissingExtraError as error:
        raise SourceError(f"cannot read {name}: {error}") from error
    except (ValueError, cv2.error) as error:
        raise SourceError(f"cannot read {name}: not an image, or damaged") from error
    if image.shape[0] * image.shape[1] > width * height:  # a way past the limits; turning keeps the product
        raise SourceError(f"cannot read {name}: it has more pixels than its header says; save it anew")
    if image.dtype not in (np.uint8, np.uint16):
        raise SourceError(f"cannot read {name}: pixels are {image.dtype}; save it with 8 or 16 bits")
    return np.ascontiguousarray(_to_bgr(to_8_bits(image)))


def _decode(data: bytes) -> npt.NDArray[Any]:
    """Return the upright pixels of a file, with its own channels and depth.

    Raises:
        ValueError: Not an image, or damaged.
        MissingExtraError: It needs a package that is not installed.
    """
    if is_heif(data):
        return _decode_heif(data)
    image, exif = _decode_stored(_strip_png(data) if data.startswith(_PNG_SIGNATURE) else data)
    return _orientation(exif).upright(image)


def _decode_heif(data: bytes) -> npt.NDArray[Any]:
    """Return the upright pixels of AVIF or HEIC as :func:`_decode` does; HDR and wide colours as BT.709."""
    properties = picture_properties(data)
    if is_avif(data):
        image, _ = _decode_stored(data)
        for turn in properties.turns:
            image = turn.upright(image)
        image = image << 16 - properties.bits if image.dtype == np.uint16 else image
    else:
        image = read_heic(data)
    if is_bt709(properties.primaries, properties.transfer):
        return image
    image = image[..., :3] if image.ndim == 3 else cv2.merge([image] * 3)
    return to_bt709(image, np.iinfo(image.dtype).max, properties.primaries, properties.transfer)


def _decode_stored(data: bytes) -> tuple[npt.NDArray[Any], bytes]:
    """Return the pixels as the file stores them, and its EXIF block, empty without one."""
    if not data:
        raise ValueError("empty file")
    buffer = np.frombuffer(data, np.uint8)
    # IMREAD_UNCHANGED keeps alpha and bit depth, and does not apply the orientation.
    image, kinds, blocks = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("not an image")
    return image, _exif_block(kinds, blocks)


def _exif_block(kinds: Sequence[int], blocks: Sequence[Any]) -> bytes:
    """Return the EXIF block among OpenCV's metadata, empty without one."""
    exif = [block for kind, block in zip(kinds, blocks, strict=False) if kind == cv2.IMAGE_METADATA_EXIF]
    return np.asarray(exif[0], np.uint8).tobytes() if exif else b""


def to_8_bits(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
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
    *colors, alpha = cv2.split(image)
    laid = [cv2.bitwise_not(cv2.multiply(cv2.bitwise_not(one), alpha, scale=1 / 255)) for one in colors]
    return cv2.merge(laid * (3 // len(laid))).astype(np.uint8, copy=False)


def _orientation(exif: bytes) -> Orientation:
    """Return the orientation in an EXIF block, upright where it is absent or out of range."""
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, start)
        for i in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, start + 2 + 12 * i)
            if tag == _ORIENTATION_TAG:
                return Orientation.from_exif(value)
    except struct.error:  # viewers ignore a truncated EXIF block, too
        return UPRIGHT
    return UPRIGHT


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


def stored_orientation(path: Path) -> Orientation:
    """Return the EXIF orientation of the image file ``path``, which :func:`read_image` undoes.

    Upright for AVIF and HEIC, whose turns are part of decoding (ISO/IEC 23008-12), in other programs too.

    Raises:
        SourceError: The file cannot be read.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        check_bytes(path)
        data = path.read_bytes()
        check_size(path, *stated_size(data))
        if is_heif(data):
            return UPRIGHT
        data = _strip_png(data) if data.startswith(_PNG_SIGNATURE) else data
        # The pixels are not needed: a JPEG is decoded at an eighth of its size.
        flags = cv2.IMREAD_REDUCED_GRAYSCALE_8
        _, kinds, blocks = cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=flags)
    except (OSError, ValueError, cv2.error) as error:
        raise SourceError(f"cannot read {path}: {error}") from error
    return _orientation(_exif_block(kinds, blocks))
