"""Damaged parts of MPEG transport streams, over which libav steps without an error."""

from __future__ import annotations

from pathlib import Path

from tracker.errors import SourceError

_SYNC = 0x47  # first byte of every packet (ISO/IEC 13818-1, 2.4.3.2)
# Length of a packet and place of its first byte: plain, behind a time stamp (M2TS), with parity (DVB).
_LAYOUTS = ((188, 0), (192, 4), (204, 0))
_LONGEST_CHECK = 1 << 20  # bytes: more than any padding between two frames, little to read


def has_lost_sync(path: Path, start: int, end: int) -> bool:
    """Return whether a transport packet between the bytes ``start`` and ``end`` does not begin as it must.

    ``end`` is where a packet begins. Of a long part only the last megabyte is read.

    Raises:
        SourceError: The file cannot be read any more.
    """
    start = max(start, end - _LONGEST_CHECK)
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(end - start)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    layouts = (data[len(data) % stride :][offset::stride] for stride, offset in _LAYOUTS)
    return not any(all(byte == _SYNC for byte in first_bytes) for first_bytes in layouts)
