"""Joints of recordings in one file, as ``cat`` joins transport streams: clocks restart, nothing is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from av.packet import Packet
from av.stream import Stream

_LAG = 2  # packets from the one that libav takes to be corrupt to the first of the next recording
_MAX_AHEAD = 1000  # packets of all streams up to there


def restarts(packet: Packet[Stream], last_dts: int | None) -> bool:
    """Return whether another recording begins with ``packet``, which follows ``last_dts`` in its stream."""
    is_earlier = packet.dts is not None and last_dts is not None and packet.dts < last_dts
    return is_earlier and packet.is_keyframe


def with_verdicts(packets: Iterable[Packet[Stream]]) -> Iterator[tuple[Packet[Stream], bool]]:
    """Yield each packet, and whether it is corrupt.

    libav takes one of the last packets of a joined recording to be corrupt, because the counters of the
    transport packets restart, too. It is not.
    """
    source = iter(packets)
    waiting: deque[Packet[Stream]] = deque()
    while (packet := waiting.popleft() if waiting else next(source, None)) is not None:
        yield packet, packet.is_corrupt and not _ends_recording(packet, source, waiting)


def _ends_recording(
    packet: Packet[Stream], source: Iterator[Packet[Stream]], waiting: deque[Packet[Stream]]
) -> bool:
    """Return whether another recording begins with one of the next packets of the stream.

    Packets up to it are read from ``source`` and added to ``waiting``.
    """
    last_dts, seen = packet.dts, 0
    for following in chain(list(waiting), _read_ahead(source, waiting)):
        if following.stream_index != packet.stream_index:
            continue
        if restarts(following, last_dts):
            return True
        last_dts, seen = following.dts, seen + 1
        if seen == _LAG:
            return False
    return False


def _read_ahead(source: Iterator[Packet[Stream]], waiting: deque[Packet[Stream]]) -> Iterator[Packet[Stream]]:
    """Yield packets of ``source`` and add them to ``waiting``, which is limited."""
    while len(waiting) < _MAX_AHEAD and (packet := next(source, None)) is not None:
        waiting.append(packet)
        yield packet
