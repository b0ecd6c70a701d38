"""All pictures of a video stream that can be decoded, in order, and what is missing between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.video.coverage import Extent
from tracker.sources.video.missing_frames import Ledger, Sent
from tracker.types import Damage

# These store when a frame is decoded, not when it is shown; libav's guess at that runs backwards at B-frames.
_STORE_DTS = ("avi", "asf")
_AVI_HEAD = 8  # bytes of a chunk before its content
_MAX_FAILURES = 64  # in succession: a file that goes on failing has nothing more to give


class DamageMetError(Exception):
    """The file is damaged here; only a careful :class:`Reading` says what is lost."""


@dataclass(frozen=True)
class Decoded:
    """A picture as the decoder gives it, its time in ticks if it has one, and what is wrong with it."""

    picture: VideoFrame
    tick: int | None
    damage: Damage | None


class Reading:
    """One reading of ``stream``, iterated once.

    A careful one, which knows the ``index`` that a first reading has found, uses a single thread, goes on
    behind damage and notes it. The first uses the threads that libav likes, which makes it lose sound
    pictures beside a bad one without a word: so it raises :class:`DamageMetError` at the first sign, and all
    pictures yielded until then are sound and in order.
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        stream: VideoStream,
        fps: Fraction,
        index: Mapping[int, int] | None = None,
    ) -> None:
        self._container, self._stream, self._careful = container, stream, index is not None
        careful = self._careful
        codec = stream.codec_context
        codec.copy_opaque = True
        if careful:
            codec.thread_count = 1
        stream.thread_type = "NONE" if careful else "AUTO"
        self._extent = Extent(path, container, stream, fps)
        self._has_dts_only = container.format.name in _STORE_DTS
        self._ticks: deque[int] = deque()
        self.index = avi_index(container, stream) if index is None else index
        self._shift, self._indexed_tick, self._in_hole = 0, 0, False
        self._ledger = Ledger(codec.name, self._has_dts_only, strict=not careful)
        self._number = 0

    def __iter__(self) -> Iterator[Decoded]:
        for packet in self._packets():
            yield from self._decode(packet)
        try:  # the decoder runs some packets ahead and still holds good pictures
            held = self._stream.codec_context.decode(None)
        except EOFError:  # it is empty
            return
        except av.FFmpegError:
            self._note(None, self._number - 1)
            return
        for picture in held:
            yield self._told(picture)

    def rest(self) -> Damage | None:
        """What is missing behind the last picture, once all were yielded."""
        missing, rest = self._extent.missing(), self._ledger.rest()
        # A damaged index hides what is there, and the careful reading does without it.
        if not self._careful and (rest.lost or (missing != 0 and self._container.format.name == "avi")):
            raise DamageMetError
        if missing == 0 and not rest.lost and rest.byte is None:
            return None
        lost = None if missing is None else missing + rest.lost
        return Damage(lost_after=lost, byte=self._extent.end_byte if rest.byte is None else rest.byte)

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        failures = 0
        packets = self._container.demux()
        while failures < _MAX_FAILURES:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                failures += 1
                self._note(self._extent.end_byte)
                packets = self._container.demux()
                continue
            if packet is None:
                return
            if not packet.size:  # libav's way to ask for a flush, which the end of the loop does
                continue
            failures = 0
            is_video = packet.stream_index == self._stream.index
            decoded = self._decoding_tick(packet)
            shown = decoded if self._has_dts_only else packet.pts
            lost = self._extent.add(packet, shown, decoded, is_video)
            if is_video:
                yield self._numbered(cast("Packet[VideoStream]", packet), decoded, lost)

    def _decoding_tick(self, packet: Packet[Stream]) -> int | None:
        """When the packet is to be decoded. Across a gap libav counts AVI's as if there were none."""
        if not self.index or packet.dts is None:
            return packet.dts
        self._in_hole |= self._extent.skips(packet)
        tick = self.index.get(packet.pos or 0)
        if packet.stream_index == self._stream.index and tick is not None:
            if self._in_hole:
                self._shift += max(tick - self._indexed_tick - 1, 0)
            self._indexed_tick, self._in_hole = tick, False
        return packet.dts + self._shift

    def _numbered(self, packet: Packet[VideoStream], decoded: int | None, lost: int) -> Packet[VideoStream]:
        """The packet with its number, by which its picture is known, entered in the ledger."""
        packet.opaque = self._number
        sent = Sent(self._number, packet.pts, _place(packet), packet.is_corrupt, packet.is_keyframe)
        self._number += 1
        if lost:
            self._note(sent.byte)
        if not packet.is_discard:
            self._ledger.send(sent, lost)
        # Decoding times are in order, and frames come out in order: the n-th is shown at the n-th time.
        if self._has_dts_only and decoded is not None:
            self._ticks.append(decoded)
        return packet

    def _decode(self, packet: Packet[VideoStream]) -> Iterator[Decoded]:
        try:
            pictures = self._stream.decode(packet)
        except av.FFmpegError:
            self._note(_place(packet), cast(int, packet.opaque))
            return
        for picture in pictures:
            yield self._told(picture)

    def _note(self, byte: int | None, number: int | None = None) -> None:
        """There is damage at ``byte``, in the packet ``number``."""
        if not self._careful:
            raise DamageMetError
        self._extent.failed()
        self._ledger.damage(byte, number)

    def _told(self, picture: VideoFrame) -> Decoded:
        number = picture.opaque if isinstance(picture.opaque, int) else -1
        reorders = self._stream.codec_context.has_b_frames
        account = self._ledger.receive(number, picture.is_corrupt, picture.interlaced_frame, bool(reorders))
        if picture.is_corrupt:
            self._extent.failed()
        for _ in range(min(account.passed, len(self._ticks) - 1)):
            self._ticks.popleft()
        tick = self._ticks.popleft() if self._ticks else picture.pts
        if not (account.lost or account.guessed):
            return Decoded(picture, tick, None)
        if not self._careful:
            raise DamageMetError
        return Decoded(picture, tick, Damage(account.lost, guessed=account.guessed, byte=account.byte))


def avi_index(container: InputContainer, stream: VideoStream) -> dict[int, int]:
    """Which tick belongs to the packet at each byte, as an AVI file's index says; of other files nothing."""
    if container.format.name != "avi":
        return {}
    return {entry.pos + _AVI_HEAD: entry.timestamp for entry in stream.index_entries}


def _place(packet: Packet[VideoStream]) -> int | None:
    return packet.pos if packet.pos is not None and packet.pos >= 0 else None
