"""Number of the frames of an animated picture, read from its structure without decoding it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from tracker.sources.images.animation import durations_ms, has_extended_header
from tracker.sources.suffixes import IMAGE_SUFFIXES

_HEAD = 64
_IMAGE, _EXTENSION = 0x2C, 0x21  # blocks of a GIF


def count_frames(path: Path) -> int:
    """Return the number of frames that a GIF, WebP, PNG or AVIF states; 1 for any other file, and for stills.

    The format is told by the suffix, or by the content if the suffix is not that of an image.
    A file that cannot be read counts as a still: whoever opens it says why.
    """
    suffix = path.suffix.lower()
    counter = _COUNTERS.get(suffix, _most)
    if counter is _most and suffix in IMAGE_SUFFIXES:
        return 1
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            return 1
        with path.open("rb") as file:
            return max(counter(file), 1)
    except OSError:
        return 1


def _gif(file: BinaryIO) -> int:
    """Count image descriptors (GIF89a, 20)."""
    head = file.read(13)
    if not head.startswith(b"GIF8") or len(head) < 13:
        return 1
    return sum(kind == _IMAGE for kind in _gif_blocks(file, head[10]))


def _gif_blocks(file: BinaryIO, flags: int) -> Iterator[int]:
    """Yield the kind of each block after the logical screen descriptor with ``flags``, up to the trailer."""
    _skip_colours(file, flags)
    while (kind := file.read(1)) and kind[0] in (_IMAGE, _EXTENSION):
        if kind[0] == _IMAGE:
            descriptor = file.read(9)
            if len(descriptor) < 9:
                return
            _skip_colours(file, descriptor[8])
        file.seek(1, 1)  # label of an extension, or code size of an image
        yield kind[0]
        while (size := file.read(1)) and size[0]:
            file.seek(size[0], 1)


def _skip_colours(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << (flags & 7) + 1, 1)


def _png(file: BinaryIO) -> int:
    """Return what ``acTL`` before the first ``IDAT`` states (PNG, third edition, 11.3.6.1)."""
    if file.read(8) != b"\x89PNG\r\n\x1a\n":
        return 1
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        if head[4:] == b"acTL":
            return int.from_bytes(file.read(4), "big")
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return 1


def _webp(file: BinaryIO) -> int:
    """Count the frames of an animated WebP."""
    head = file.read(_HEAD)
    if not has_extended_header(head):
        return 1
    return len(durations_ms(head + file.read()))


def _avif(file: BinaryIO) -> int:
    """Return the number of samples of an image sequence (ISO/IEC 14496-12, 8.7.3.2)."""
    head = file.read(_HEAD)
    if head[4:12] != b"ftypavis":
        return 1
    data = head + file.read()
    at = data.find(b"stsz")
    return int.from_bytes(data[at + 12 : at + 16], "big") if at >= 0 else 1


def _most(file: BinaryIO) -> int:
    """Return the answer of the counter whose format it is; the others return 1."""
    counts = []
    for counter in _COUNTERS.values():
        file.seek(0)
        counts.append(counter(file))
    return max(counts)


_COUNTERS: dict[str, Callable[[BinaryIO], int]] = {
    ".gif": _gif,
    ".png": _png,
    ".webp": _webp,
    ".avif": _avif,
}
