"""Decoding and presentation ticks of packets, for containers that store only one of them or misstate them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# These store decoding times; the presentation times that libav derives run backwards at B-frames.
_DECODING_TIMES_ONLY = ("avi", "asf")
_AVI_CHUNK_HEADER = 8  # bytes before a chunk's content


def stores_decoding_times_only(container: InputContainer) -> bool:
    """Return whether the container stores when a frame is decoded, not when it is shown."""
    return container.format.name in _DECODING_TIMES_ONLY


def avi_index(container: InputContainer, stream: VideoStream) -> dict[int, int]:
    """Return the tick of the packet at each byte from the index of an AVI file; empty for other files."""
    if container.format.name != "avi":
        return {}
    return {entry.pos + _AVI_CHUNK_HEADER: entry.timestamp for entry in stream.index_entries}


class Ticks:
    """Ticks of a video stream's packets and pictures; ``index`` is that of :func:`avi_index`."""

    def __init__(self, container: InputContainer, stream: VideoStream, index: Mapping[int, int]) -> None:
        self._decoding_only = stores_decoding_times_only(container)
        self._stream_index, self._index = stream.index, index
        self._queue: deque[int] = deque()
        self._shift, self._indexed_tick, self._in_gap = 0, 0, False

    def of_packet(self, packet: Packet[Stream], has_gap: bool) -> tuple[int | None, int | None]:
        """Return the presentation and decoding tick of the next packet, ``None`` where unknown.

        ``has_gap`` says that bytes were skipped before it. libav counts AVI frames as if none were missing,
        so the index shifts the times after a gap.
        """
        decoded = self._decoding_tick(packet, has_gap)
        shown = decoded if self._decoding_only else packet.pts
        # Frames come out in order, as decoding times are: the n-th frame is shown at the n-th time.
        if self._decoding_only and packet.stream_index == self._stream_index and decoded is not None:
            self._queue.append(decoded)
        return shown, decoded

    def of_picture(self, picture: VideoFrame, passed: int) -> int | None:
        """Return the presentation tick of the next picture; ``passed`` packets before it showed nothing."""
        for _ in range(min(passed, len(self._queue) - 1)):
            self._queue.popleft()
        return self._queue.popleft() if self._queue else picture.pts

    def _decoding_tick(self, packet: Packet[Stream], has_gap: bool) -> int | None:
        if not self._index or packet.dts is None:
            return packet.dts
        self._in_gap |= has_gap
        tick = self._index.get(packet.pos or 0)
        if packet.stream_index == self._stream_index and tick is not None:
            if self._in_gap:
                self._shift += max(tick - self._indexed_tick - 1, 0)
            self._indexed_tick, self._in_gap = tick, False
        return packet.dts + self._shift
