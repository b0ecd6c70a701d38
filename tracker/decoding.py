"""All pictures of a video stream that can be decoded, in order, and what is missing between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.extent import Extent
from tracker.types import Damage

_MAX_REORDER = 16  # no codec shows a picture later than that many after the next
_PATIENCE = 4  # pictures
# These store when a frame is decoded, not when it is shown; libav's guess at that runs backwards at B-frames.
_STORE_DTS = ("avi", "asf")
_MAX_FAILURES = 64  # in succession: a file that goes on failing has nothing more to give


class DamageMetError(Exception):
    """The file is damaged here; only a careful :class:`Reading` says what is lost."""


@dataclass(frozen=True)
class Decoded:
    """A picture as the decoder gives it, its time in ticks if it has one, and what is wrong with it."""

    picture: VideoFrame
    tick: int | None
    damage: Damage | None


@dataclass(frozen=True)
class _Sent:
    number: int
    pts: int | None
    byte: int | None
    corrupt: bool


class Reading:
    """One reading of ``stream``, iterated once.

    A ``careful`` one uses a single thread, goes on behind damage and notes it. Another uses the threads that
    libav likes, which makes it lose sound pictures beside a bad one without a word: so it raises
    :class:`DamageMetError` at the first sign, and all pictures yielded until then are sound and in order.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, fps: Fraction, careful: bool) -> None:
        self._container, self._stream, self._careful = container, stream, careful
        codec = stream.codec_context
        codec.copy_opaque = True
        if careful:
            codec.thread_count = 1
        stream.thread_type = "NONE" if careful else "AUTO"
        self._extent = Extent(container, stream, fps)
        self._has_dts_only = container.format.name in _STORE_DTS
        self._ticks: deque[int] = deque()
        self._sent: dict[int, _Sent] = {}
        self._number = 0
        self._written_off: set[int] = set()
        self._owed = 0  # pictures that came after they had been counted as lost
        self._holes: list[tuple[int, _Sent]] = []
        self._is_damaged = False
        self._byte: int | None = None  # of the first damage of which no picture has told yet

    def __iter__(self) -> Iterator[Decoded]:
        for packet in self._packets():
            yield from self._decode(packet)
        try:  # the decoder runs some packets ahead and still holds good pictures
            held = self._stream.codec_context.decode(None)
        except EOFError:  # it is empty
            return
        except av.FFmpegError:
            self._note(None)
            return
        for picture in held:
            yield self._told(picture)

    def rest(self) -> Damage | None:
        """What is missing behind the last picture, once all were yielded."""
        missing = self._extent.missing()
        unseen = sum(1 for sent in self._sent.values() if self._counts_as_lost(sent))
        if unseen and not self._careful:
            raise DamageMetError
        unseen += sum(lost for lost, _ in self._holes)
        if not (missing or unseen or self._byte is not None):
            return None
        lost = None if missing is None else missing + unseen
        return Damage(lost_after=lost, byte=self._extent.end_byte if self._byte is None else self._byte)

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        failures = 0
        packets = self._container.demux()
        while failures < _MAX_FAILURES:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                failures += 1
                self._extent.failed()
                self._note(self._extent.end_byte)
                packets = self._container.demux()
                continue
            if packet is None:
                return
            if not packet.size:  # libav's way to ask for a flush, which the end of the loop does
                continue
            failures = 0
            is_video = packet.stream_index == self._stream.index
            lost = self._extent.add(packet, is_video)
            if is_video:
                yield self._numbered(cast("Packet[VideoStream]", packet), lost)

    def _numbered(self, packet: Packet[VideoStream], lost: int) -> Packet[VideoStream]:
        sent = _Sent(self._number, packet.pts, _place(packet), packet.is_corrupt)
        packet.opaque = self._number
        self._number += 1
        if not packet.is_discard:
            self._sent[sent.number] = sent
        if lost:
            self._note(sent.byte)
            self._holes.append((lost, sent))
        # Decoding times are in order, and frames come out in order: the n-th is shown at the n-th time.
        if self._has_dts_only and packet.dts is not None:
            self._ticks.append(packet.dts)
        return packet

    def _decode(self, packet: Packet[VideoStream]) -> Iterator[Decoded]:
        try:
            pictures = self._stream.decode(packet)
        except av.FFmpegError:
            self._note(_place(packet))
            return
        for picture in pictures:
            yield self._told(picture)

    def _note(self, byte: int | None) -> None:
        """There is damage at ``byte``."""
        if not self._careful:
            raise DamageMetError
        self._is_damaged = True
        if self._byte is None:
            self._byte = byte

    def _told(self, picture: VideoFrame) -> Decoded:
        number = picture.opaque if isinstance(picture.opaque, int) else min(self._sent, default=-1)
        sent = self._sent.pop(number, None) or _Sent(number, picture.pts, None, picture.is_corrupt)
        if number in self._written_off:
            self._written_off.discard(number)
            self._owed += 1
        guessed = picture.is_corrupt or sent.corrupt
        if guessed:
            self._note(sent.byte)
        lost = self._lost_before(sent)
        tick = self._ticks.popleft() if self._ticks else picture.pts
        if not (lost or guessed):  # damage met already may lie behind pictures that the decoder still held
            return Decoded(picture, tick, None)
        byte, self._byte = self._byte if self._byte is not None else sent.byte, None
        return Decoded(picture, tick, Damage(lost, guessed=guessed, byte=byte))

    def _lost_before(self, sent: _Sent) -> int:
        """How many pictures should have come before that of ``sent`` and did not."""
        passed = [other for other in self._sent.values() if self._precedes(other, sent)]
        for other in passed:
            del self._sent[other.number]
        missed = {other.number for other in passed if self._counts_as_lost(other)}
        if missed and not self._careful:
            raise DamageMetError
        self._written_off |= missed
        repaid = min(self._owed, len(missed))
        self._owed -= repaid
        lost = len(missed) - repaid
        for _ in range(min(lost, len(self._ticks) - 1)):
            self._ticks.popleft()
        behind = [
            (n, at) for n, at in self._holes if not (at.number == sent.number or self._precedes(at, sent))
        ]
        lost += sum(n for n, _ in self._holes) - sum(n for n, _ in behind)
        self._holes = behind
        return lost

    def _counts_as_lost(self, sent: _Sent) -> bool:
        # VP8 stores pictures that are never shown, and a stream that begins between two key frames others
        # that nobody can decode: a picture is only missed where there is damage. A quick reading looks twice.
        if self._stream.codec_context.name in ("vp8", "libvpx"):
            return sent.corrupt
        return self._is_damaged or sent.corrupt or not self._careful

    def _precedes(self, other: _Sent, sent: _Sent) -> bool:
        """Whether the picture of ``other`` should have come before that of ``sent``."""
        reorders = self._stream.codec_context.has_b_frames
        if self._has_dts_only or other.pts is None or sent.pts is None:
            return other.number < sent.number - (_MAX_REORDER if reorders else 0)
        # Next to damage decoders give late what they do have: with patience it does not count as lost.
        patience = _PATIENCE if reorders and self._careful else 0
        return other.pts < sent.pts and other.number <= sent.number - patience


def _place(packet: Packet[VideoStream]) -> int | None:
    return packet.pos if packet.pos is not None and packet.pos >= 0 else None
