"""Damage of a video file: missing, damaged and cut-off frames, found from packets and decoded pictures.

It combines the part of the file that was read (:mod:`~tracker.sources.video.coverage`), packets without a
picture (:mod:`~tracker.sources.video.missing_frames`) and a missing end of the file
(:mod:`~tracker.sources.video.truncation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.video.coverage import Coverage
from tracker.sources.video.joints import restarts
from tracker.sources.video.missing_frames import MissingFrames, SentPacket
from tracker.sources.video.ticks import stores_decoding_times_only
from tracker.types import Damage


class DamageFoundError(Exception):
    """Damage found by a strict :class:`DamageAccount`; only a second, tolerant one says what is missing."""


@dataclass(frozen=True)
class Finding:
    """Damage at the picture of packet ``number`` (-1: unknown), and how many packets before show nothing."""

    damage: Damage | None
    passed: int
    number: int = -1


class DamageAccount:
    """Damage account of one video stream while it is decoded.

    A ``strict`` account raises :class:`DamageFoundError` at the first sign of damage; all pictures before it
    are undamaged and in order.
    """

    def __init__(
        self, path: Path, container: InputContainer, stream: VideoStream, fps: Fraction, *, strict: bool
    ) -> None:
        self._stream, self._strict = stream, strict
        self._format = container.format.name
        self._coverage = Coverage(path, container, stream, fps)
        by_number = stores_decoding_times_only(container)
        self._frames = MissingFrames(stream.codec_context.name, by_number, strict)
        self._sent = self._part = 0
        self._last_dts: int | None = None

    def has_gap_before(self, packet: Packet[Stream]) -> bool:
        """Return whether bytes of the file were skipped before the next ``packet``."""
        return self._coverage.has_gap_before(packet)

    def add_packet(
        self, packet: Packet[Stream], shown: int | None, decoded: int | None, is_corrupt: bool
    ) -> None:
        """Add a demuxed packet, with its presentation and decoding times in ticks where they are known.

        A video packet gets its :class:`SentPacket` as ``opaque``, by which its picture is recognised.
        """
        if self._coverage.has_lost_sync_before(packet):
            self._add_failure(self._coverage.end_byte, None)
        missing = self._coverage.add(packet, shown, decoded, is_corrupt)
        if packet.stream_index != self._stream.index:
            return
        video = cast("Packet[VideoStream]", packet)
        self._part += restarts(packet, self._last_dts)
        self._last_dts = video.dts if video.dts is not None else self._last_dts
        sent = SentPacket(self._sent, video.pts, _position(video), is_corrupt, video.is_keyframe, self._part)
        # PyAV keeps an opaque object by its address, for all decoders at once, until the first of its holders
        # is freed. Numbers are not objects of their own: another reader's would make this one's disappear.
        video.opaque = sent
        self._sent += 1
        if missing:
            self._add_failure(sent.byte, None)
        if not video.is_discard:
            self._frames.send(sent, missing)

    def demuxing_failed(self) -> None:
        """Note that the file could not be parsed after the last packet."""
        self._add_failure(self._coverage.end_byte, None)

    def decoding_failed(self, packet: Packet[VideoStream] | None) -> None:
        """Note that ``packet`` could not be decoded; ``None`` stands for the flush after the last one."""
        if packet is None:
            self._add_failure(None, self._sent - 1)
        else:
            self._add_failure(_position(packet), cast(SentPacket, packet.opaque).number)

    def add_picture(self, picture: VideoFrame) -> Finding:
        """Add a decoded picture and return the damage at it."""
        number = picture.opaque.number if isinstance(picture.opaque, SentPacket) else -1
        reorders = bool(self._stream.codec_context.has_b_frames)
        report = self._frames.receive(number, picture.is_corrupt, picture.interlaced_frame, reorders)
        if picture.is_corrupt:
            self._coverage.note_failure()
        if not (report.missing or report.guessed):
            return Finding(None, report.passed, number)
        if self._strict:
            raise DamageFoundError
        damage = Damage(report.missing, guessed=report.guessed, byte=report.byte)
        return Finding(damage, report.passed, number)

    def judged(self, number: int, damage: Damage | None) -> Damage | None:
        """Return the damage of packet ``number``, ``damage`` so far, once the next ones were decoded."""
        return self._frames.judged(number, damage)

    def rest(self) -> Damage | None:
        """Return the damage after the last picture, once all were added."""
        cut_off, never_shown = self._coverage.missing_at_end(), self._frames.rest()
        if cut_off != 0:
            self._frames.end(self._coverage.end_byte if self._coverage.stops_early() else None)
        # A damaged AVI index hides frames that a second reading, without the index, finds.
        if self._strict and (never_shown.missing or (cut_off != 0 and self._format == "avi")):
            raise DamageFoundError
        if cut_off == 0 and not never_shown.missing and never_shown.byte is None:
            return None
        missing = None if cut_off is None else cut_off + never_shown.missing
        byte = self._coverage.end_byte if never_shown.byte is None else never_shown.byte
        return Damage(lost_after=missing, byte=byte)

    def _add_failure(self, byte: int | None, number: int | None) -> None:
        if self._strict:
            raise DamageFoundError
        self._coverage.note_failure()
        self._frames.add_damage(byte, number)


def _position(packet: Packet[VideoStream]) -> int | None:
    return packet.pos if packet.pos is not None and packet.pos >= 0 else None
