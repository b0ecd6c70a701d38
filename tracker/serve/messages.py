"""Messages of ``/ws/camera``: what clients send, and the answers."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

_TIME = struct.Struct("<d")
_MOST_TIME_S = 1e9  # thirty years: as in files of JSON lines


@dataclass(frozen=True)
class Message:
    """A message of the client: its number from 0, its time in seconds, and when it arrived.

    ``arrived_s`` is in seconds of the monotonic clock.
    """

    number: int
    time_s: float
    arrived_s: float

    def reply(self, values: Mapping[str, object]) -> str:
        """Return the answer to this message, as JSON."""
        place = {"frame": self.number, "time_s": round(self.time_s, 6)}
        return json.dumps({**values, **place}, ensure_ascii=False, allow_nan=False)

    def reply_faces(self, record: Mapping[str, object]) -> str:
        """Return the answer with the ``record`` of the faces, and the time that it took."""
        latency_ms = 1000 * (time.monotonic() - self.arrived_s)
        return self.reply({**record, "latency_ms": round(latency_ms, 2)})


def parse_message(data: bytes | None) -> tuple[float, bytes]:
    """Return time in seconds and picture of a message: a little-endian float64 and an image file.

    Raises ``ValueError`` for text, None here, and for a time that is none.
    """
    if data is None or len(data) < _TIME.size:
        raise ValueError("a message is binary: a little-endian float64, the time in seconds, and a JPEG")
    (time_s,) = _TIME.unpack_from(data)
    if not abs(time_s) <= _MOST_TIME_S:  # in this form it refuses nan
        raise ValueError(f"the time is in seconds, and at most {_MOST_TIME_S:g}, got {time_s}")
    return time_s, data[_TIME.size :]
