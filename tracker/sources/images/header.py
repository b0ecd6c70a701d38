"""Image sizes stated in file headers, read without decoding anything.

An image of a few kilobytes can decompress into gigabytes: its size must be known before OpenCV sees it.

Pillow cannot replace these parsers, as the tests of this package show:

- ``Image.open`` warns from 89 megapixels on and refuses 179, a process-wide setting; 200 are allowed here.
- Of several sizes in one file it sees one: the last frame header of a JPEG, the box but not the codestream of
  JPEG 2000, the last IHDR of a PNG, the primary item of AVIF.
- It refuses files that OpenCV reads: PNG with a malformed or large metadata chunk, BMP with unusual bit
  fields. It does not know floating-point TIFF, which has an error message of its own.
- Opening a WebP allocates its canvas; a truncated TIFF or EXIF block is reported with a warning on stderr.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator

Size = tuple[int, int]

_PNM_GAP = rb"\s(?:\s|#[^\r\n]*[\r\n])*"
_PNM = re.compile(rb"P[1-6]" + _PNM_GAP + rb"(\d{1,9})" + _PNM_GAP + rb"(\d{1,9})\s")
_MOST_PARTS = 100_000  # of a file: a hostile one has millions of empty ones
_TIFF_WIDTHS, _TIFF_HEIGHTS = (256, 322), (257, 323)  # of the picture, and of its tiles
_TIFF_KINDS = {3: "H", 4: "I"}  # SHORT and LONG; LONG8, which libtiff reads, too, would be elsewhere


def stated_size(data: bytes) -> Size:
    """Return width and height in pixels that the image file ``data`` states, the largest of several.

    Supports PNG, JPEG, GIF, BMP, WebP, TIFF, PNM, JPEG 2000, AVIF and HEIC.

    Raises:
        ValueError: Another format, or a header that is cut off.
    """
    for magic, read in _READERS:
        if data.startswith(magic):
            try:
                return read(data)
            except (struct.error, IndexError) as error:
                raise ValueError("the header is cut off") from error
    found = _PNM.match(data)
    if found is None:
        raise ValueError("not an image of a known kind")
    return int(found[1]), int(found[2])


def _png(data: bytes) -> Size:
    if data[12:16] != b"IHDR":  # another chunk there, which the reader leaves out, would state what it likes
        raise ValueError("IHDR is not the first chunk")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif(data: bytes) -> Size:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _bmp(data: bytes) -> Size:
    (head,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if head == 12 else "<ii", data, 18)
    return abs(width), abs(height)


def _jpeg(data: bytes) -> Size:
    """Return the largest size in a frame header, SOF0 to SOF15 (ITU T.81, B.1.1.3)."""
    sizes = []
    at = 2
    for _ in range(_MOST_PARTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker < 0xC0 or 0xD0 <= marker <= 0xD7:  # TEM, RST: without a length (ITU T.81, table B.1)
            at += 2
            continue
        if marker == 0xDA:  # start of scan: the compressed image follows
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # DHT, JPG and DAC are no frames
            height, width = struct.unpack_from(">HH", data, at + 5)
            sizes.append((width, height))
        at += 2 + length
    else:
        raise ValueError("too many segments")
    return _largest(sizes)


def _webp(data: bytes) -> Size:
    """Return the largest size in any chunk: canvas and image state one each, and either may be wrong."""
    if data[12:16] not in (b"VP8X", b"VP8L", b"VP8 "):  # libwebp might take it for an image without a chunk
        raise ValueError("no size is stated")
    sizes = []
    at = 12
    for _ in range(_MOST_PARTS):
        if at + 18 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"VP8X":
            canvas = int.from_bytes(data[at + 12 : at + 18], "little")
            sizes.append(((canvas & 0xFFFFFF) + 1, (canvas >> 24) + 1))
        elif kind == b"VP8L":
            bits = int.from_bytes(data[at + 9 : at + 13], "little")
            sizes.append(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        elif kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, at + 14)
            sizes.append((width & 0x3FFF, height & 0x3FFF))
        at += 8 + length + length % 2
    else:
        raise ValueError("too many chunks")
    return _largest(sizes)


def _tiff(data: bytes) -> Size:
    """Return the larger of picture and tile, which is decoded whole, also where the picture is smaller."""
    order = "<" if data[:1] == b"I" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    widths: list[int] = []
    heights: list[int] = []
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in _TIFF_WIDTHS + _TIFF_HEIGHTS:
            if kind not in _TIFF_KINDS:
                raise ValueError("the size has a type that TIFF 6.0 does not allow")
            (value,) = struct.unpack_from(order + _TIFF_KINDS[kind], data, entry + 8)
            (widths if tag in _TIFF_WIDTHS else heights).append(value)
    return _largest([(max(widths), max(heights))] if widths and heights else [])


def _jpeg2000(data: bytes) -> Size:
    """Return the largest size in an image header box or a codestream (ITU T.800, A.5.1 and I.5.3.1)."""

    def sizes() -> Iterator[Size]:
        for at in _find(data, b"ihdr"):
            yield struct.unpack_from(">II", data, at + 4)[::-1]
        for at in _find(data, b"\xff\x4f\xff\x51"):
            x1, y1, x0, y0 = struct.unpack_from(">4I", data, at + 8)
            yield max(x1 - x0, 0), max(y1 - y0, 0)

    return _largest(sizes())


def _heif(data: bytes) -> Size:
    """Return the largest spatial extent (ISO/IEC 23008-12, 6.5.3); an assembled grid has one, too."""
    if data[4:8] != b"ftyp":
        raise ValueError("not an image of a known kind")
    return _largest(struct.unpack_from(">II", data, at + 8) for at in _find(data, b"ispe"))


def _find(data: bytes, mark: bytes) -> Iterator[int]:
    """Yield every position of ``mark`` in ``data``."""
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _largest(sizes: Iterable[Size]) -> Size:
    """Return the greatest width and the greatest height, without a list: a file may state millions."""
    found = False
    most = 0, 0
    for width, height in sizes:
        found, most = True, (max(width, most[0]), max(height, most[1]))
    if not found:
        raise ValueError("no size is stated")
    return most


# How files begin; what stands further on could be in files that OpenCV takes for another format.
_READERS: tuple[tuple[bytes, Callable[[bytes], Size]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"GIF8", _gif),
    (b"BM", _bmp),
    (b"RIFF", _webp),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
    (b"\0\0\0\x0cjP  ", _jpeg2000),
    (b"\xff\x4f\xff\x51", _jpeg2000),
    (b"\0\0", _heif),  # the length of the box of 64 KiB at most that names the kind
)
