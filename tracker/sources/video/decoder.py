"""Decoding of a video stream: every picture that can be decoded, in presentation order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.video.damage_account import DamageAccount
from tracker.sources.video.joints import with_verdicts
from tracker.sources.video.pixel_aspect import PixelAspects
from tracker.sources.video.ticks import Ticks
from tracker.types import Damage

_MAX_FAILURES = 64  # in succession: a file that fails so often has nothing more to give


@dataclass(frozen=True)
class Decoded:
    """A picture as decoded, its presentation time in ticks if it has one, and the damage at it.

    ``pixel_aspect`` is the width over height of a pixel of the upright picture. ``number`` is that of its
    packet, counted in decoding order; -1 if it is unknown.
    """

    picture: VideoFrame
    tick: int | None
    damage: Damage | None
    pixel_aspect: Fraction
    number: int


class Decoder:
    """Demuxer and decoder of one stream, iterated once; yields every picture that can be decoded.

    With several threads libav silently drops undamaged pictures beside a damaged one: read with
    ``single_thread`` where ``account`` tolerates damage.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        account: DamageAccount,
        ticks: Ticks,
        *,
        single_thread: bool,
    ) -> None:
        self._container, self._stream, self._account, self._ticks = container, stream, account, ticks
        self._aspects = PixelAspects(container, stream)
        stream.codec_context.copy_opaque = True
        if single_thread:
            stream.codec_context.thread_count = 1
        stream.thread_type = "NONE" if single_thread else "AUTO"

    def __iter__(self) -> Iterator[Decoded]:
        for packet in self._packets():
            yield from self._decode(packet)
        try:  # the decoder buffers some packets and may still hold pictures
            buffered = self._stream.codec_context.decode(None)
        except EOFError:
            return
        except av.FFmpegError:
            self._account.decoding_failed(None)
            return
        for picture in buffered:
            yield self._examined(picture)

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """Yield the packets of the stream, and tell the account of those of all streams."""
        for packet, is_corrupt in with_verdicts(self._demuxed()):
            shown, decoded = self._ticks.of_packet(packet, self._account.has_gap_before(packet))
            self._account.add_packet(packet, shown, decoded, is_corrupt)
            if packet.stream_index == self._stream.index:
                yield cast("Packet[VideoStream]", packet)

    def _demuxed(self) -> Iterator[Packet[Stream]]:
        """Yield the packets of all streams; damaged parts of the file are skipped."""
        failures = 0
        packets = self._container.demux()
        while failures < _MAX_FAILURES:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                failures += 1
                self._account.demuxing_failed()
                packets = self._container.demux()
                continue
            if packet is None:
                return
            if packet.size:  # PyAV's flush packet has none: __iter__ flushes itself
                failures = 0
                yield packet

    def _decode(self, packet: Packet[VideoStream]) -> Iterator[Decoded]:
        try:
            pictures = self._stream.decode(packet)
        except av.FFmpegError:
            self._account.decoding_failed(packet)
            return
        for picture in pictures:
            yield self._examined(picture)

    def _examined(self, picture: VideoFrame) -> Decoded:
        finding = self._account.add_picture(picture)
        tick, aspect = self._ticks.of_picture(picture, finding.passed), self._aspects.of_next(picture)
        return Decoded(picture, tick, finding.damage, aspect, finding.number)
