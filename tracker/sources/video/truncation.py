"""Detection of truncated video files, which libav reads up to their end without an error.

Every container states its length in its own way; a few bytes are read and nothing is decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tracker.errors import SourceError

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
# May follow the last frame: Cues, Tags, Cluster, SeekHead, Chapters, Attachments, Void (RFC 9559).
_MASTERS = tuple(
    map(bytes.fromhex, ("1c53bb6b", "1254c367", "1f43b675", "114d9b74", "1043a770", "1941a469", "ec"))
)
_TAIL = 64  # bytes that may follow the last frame
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def is_truncated(path: Path, kind: str, end_byte: int) -> bool:
    """Return whether the file is shorter than it states, or holds unknown data after ``end_byte``.

    ``kind`` is libav's name of the container, ``end_byte`` the end of the last packet read. Containers that
    state no length count as complete.

    Raises:
        SourceError: The file cannot be read any more.
    """
    check = _CHECKS.get(kind)
    if check is None:
        return False
    try:
        with path.open("rb") as file:
            return check(file, path.stat().st_size, end_byte)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error


def _mp4_is_truncated(file: BinaryIO, size: int, _: int) -> bool:
    """Check that boxes follow each other up to the end (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at < size:
        length, kind = struct.unpack(">I4s", _read(file, at, 8))
        if length == 1:
            (length,) = struct.unpack(">Q", _read(file, at + 8, 8))
        if length == 0:  # the rest of the file
            return False
        if length < 8 or not kind.isascii():
            return True
        at += length
    return at > size


def _matroska_is_truncated(file: BinaryIO, size: int, end_byte: int) -> bool:
    """Check the length of the segment or, in a live recording, its last element (RFC 9559)."""
    at = 0
    for wanted in (_EBML, _SEGMENT):
        head = _read(file, at, 12)
        width = 9 - head[4].bit_length()
        if head[:4] != wanted or width > 8:
            return True
        length = int.from_bytes(head[4 : 4 + width], "big") & (1 << 7 * width) - 1
        at += 4 + width + length
    if length != (1 << 7 * width) - 1 and at > size:
        return True
    # A live recording states no length, and damage may hide what follows: the last element must be complete.
    tail = _read(file, end_byte, 24)
    return size - end_byte > 16 and not any(master in tail for master in _MASTERS)


def _avi_is_truncated(file: BinaryIO, size: int, _: int) -> bool:
    length = int.from_bytes(_read(file, 4, 4), "little")
    return length == 0 or length + 8 > size  # 0: the recording was not finished


def _ts_is_truncated(file: BinaryIO, size: int, _: int) -> bool:
    """Check that the file holds whole transport packets."""
    head = file.read(3 * 204 + 8)
    for length, first in ((188, 0), (192, 4), (204, 0)):
        if all(head[first + i * length : first + i * length + 1] == b"\x47" for i in range(3)):
            return size % length != 0
    return False


def _flv_is_truncated(file: BinaryIO, size: int, _: int) -> bool:
    """Check the length of the last tag, which the last four bytes state."""
    length = int.from_bytes(_read(file, size - 4, 4), "big")
    tag = _read(file, max(size - 4 - length, 0), 4)
    return int.from_bytes(tag[1:4], "big") + 11 != length


def _gif_is_truncated(file: BinaryIO, size: int, end_byte: int) -> bool:
    return _read(file, size - 8, 8).rstrip(b"\0\r\n ")[-1:] != b";" or size - end_byte > _TAIL


def _asf_is_truncated(file: BinaryIO, size: int, _: int) -> bool:
    head = file.read(1 << 16)
    at = head.find(_ASF_PROPERTIES)
    fields = head[at + 40 : at + 92] if at >= 0 else b""
    if len(fields) < 52:
        return True
    is_live = int.from_bytes(fields[48:52], "little") & 1
    return not is_live and int.from_bytes(fields[:8], "little") > size


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    """Return ``count`` bytes from ``at``; bytes beyond the end of the file are 0."""
    file.seek(max(at, 0))
    return file.read(count).ljust(count, b"\0")


_CHECKS: dict[str, Callable[[BinaryIO, int, int], bool]] = {
    "mov,mp4,m4a,3gp,3g2,mj2": _mp4_is_truncated,
    "matroska,webm": _matroska_is_truncated,
    "avi": _avi_is_truncated,
    "mpegts": _ts_is_truncated,
    "flv": _flv_is_truncated,
    "gif": _gif_is_truncated,
    "asf": _asf_is_truncated,
}
