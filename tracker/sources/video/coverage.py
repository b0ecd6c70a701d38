"""Coverage of a video file: how much of it the packets read so far reach, and how much there should be."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from tracker.sources.video.transport_sync import has_lost_sync
from tracker.sources.video.truncation import is_truncated

_MATROSKA, _MP4 = "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"
# Containers that state their length in a header. For others (MPEG-TS, raw streams) it can only be estimated.
_STATES_LENGTH = (_MATROSKA, _MP4, "asf", "flv")
_SLACK_FRAMES = 2
_SLACK_S = 1.0
_GAP_BYTES = 512  # more than lies between two packets of an undamaged Matroska file
_GAP_FRAMES = 1.5
_MIN_PACKETS = 8  # the measured frame rate needs more packets than this


def stated_frame_count(container: InputContainer, stream: VideoStream, fps: Fraction) -> int | None:
    """Return the number of frames that the container states, ``None`` if it states none."""
    length_s = float(stream.duration * (stream.time_base or 0)) if stream.duration else 0.0
    if not length_s and container.duration and container.format.name in _STATES_LENGTH:
        length_s = container.duration / av.time_base
    by_time = round(length_s * fps) if length_s else 0
    # An edit list hides samples: the header counts them, the stated length does not.
    counts = [n for n in (stream.frames, by_time) if n > 0]
    return min(counts) if counts else None


class Coverage:
    """Range of a file that the packets read so far cover, in bytes and in seconds of presentation time."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream, fps: Fraction) -> None:
        self._path, self._container, self._stream, self._fps = path, container, stream, fps
        self._gaps = _Gaps()
        # libav scans these from one packet to the next and steps over what it cannot parse without an error.
        # Other demuxers report damage, and an undamaged file of theirs may hold any padding.
        self._may_skip = container.format.name in (_MATROSKA, "avi", "flv")
        self._is_transport = container.format.name == "mpegts"
        self._is_indexed = container.format.name == _MP4 and stream.frames > 0
        self._has_failed = False
        self.end_byte = 0
        self._video_packets = 0
        self._video_start_s = float("inf")
        self._video_end_s = self._end_s = -float("inf")

    def add(self, packet: Packet[Stream], shown: int | None, decoded: int | None, is_corrupt: bool) -> int:
        """Add the next packet, with its presentation and decoding times in ticks where they are known.

        Returns the estimated number of video frames missing in the file directly before it.
        """
        is_video = packet.stream_index == self._stream.index
        if self.has_gap_before(packet):
            self._gaps.open()
        self.end_byte = max(self.end_byte, self._position(packet) + packet.size)
        start_s = _seconds(packet, shown)
        end_s = -float("inf")
        if start_s is not None:
            end_s = start_s + float((packet.duration or 0) * packet.time_base)
            self._end_s = max(self._end_s, end_s)
        if is_video:
            self._video_packets += 1
        if is_video and start_s is not None:
            self._video_start_s = min(self._video_start_s, start_s)
            self._video_end_s = max(self._video_end_s, end_s)
        self._may_skip |= is_corrupt
        return self._gaps.add(_seconds(packet, decoded), self._rate()) if is_video else 0

    def has_gap_before(self, packet: Packet[Stream]) -> bool:
        """Return whether bytes were skipped before ``packet``, which was not added yet."""
        return self._may_skip and 0 < self.end_byte < self._position(packet) - _GAP_BYTES

    def has_lost_sync_before(self, packet: Packet[Stream]) -> bool:
        """Return whether the bytes before ``packet``, which was not added yet, are no transport stream."""
        position = self._position(packet)
        return (
            self._is_transport
            and 0 < self.end_byte < position
            and (has_lost_sync(self._path, self.end_byte, position))
        )

    def _position(self, packet: Packet[Stream]) -> int:
        return packet.pos if packet.pos is not None and packet.pos >= 0 else self.end_byte

    def note_failure(self) -> None:
        """Note that parsing or decoding failed here: a gap in time that follows means missing frames."""
        self._may_skip = self._has_failed = True
        if not self._is_indexed:
            self._gaps.open()

    def stops_early(self) -> bool:
        """Return whether bytes follow the last packet in a file that is read from one packet to the next."""
        return self._may_skip and self._path.stat().st_size > self.end_byte + _GAP_BYTES

    def missing_at_end(self) -> int | None:
        """Return the number of frames missing after the last packet, ``None`` if some but unknown.

        A stated frame count is compared with the packets read (or the time they span, where recording skipped
        frames). Containers that state only a length are compared by time, over all streams, since sound may
        go on after the last frame. MPEG-TS states neither: cut between two packets, it cannot be told from a
        complete file.
        """
        truncated = is_truncated(self._path, self._container.format.name, self.end_byte)
        stated = stated_frame_count(self._container, self._stream, self._fps)
        if self._stream.frames and stated:
            return self._missing_by_count(stated, truncated)
        return self._missing_by_time(truncated)

    def _missing_by_count(self, stated: int, truncated: bool) -> int | None:
        span_s = self._video_end_s - self._video_start_s
        read = max(self._video_packets, round(span_s * self._fps) if self._video_packets else 0)
        missing = max(stated - read, 0)
        return missing if missing > _SLACK_FRAMES or self._is_indexed or not truncated else None

    def _missing_by_time(self, truncated: bool) -> int | None:
        container = self._container
        states_length = container.format.name in _STATES_LENGTH and container.duration is not None
        if not (states_length and self._video_packets):
            return None if truncated else 0
        missing_s = ((container.start_time or 0) + (container.duration or 0)) / av.time_base - self._end_s
        missing = max(round(missing_s * self._rate()), 0)
        if truncated:
            return missing or None
        return missing if missing_s > _SLACK_S or (self._has_failed and missing > _SLACK_FRAMES) else 0

    def _rate(self) -> float:
        """Return the measured frame rate in frames per second; after few packets the stated one."""
        span_s = self._video_end_s - self._video_start_s
        measurable = self._video_packets > _MIN_PACKETS and span_s > 0
        return self._video_packets / span_s if measurable else float(self._fps)


class _Gaps:
    """Estimate of the frames missing where part of a file was skipped.

    Frames are missing where both bytes and time are: a recording that drops frames skips no bytes.
    """

    def __init__(self) -> None:
        self._before_s: float | None = None
        self._is_open = False

    def open(self) -> None:
        """Note that bytes were skipped here."""
        self._is_open = True

    def add(self, decoded_s: float | None, rate: float) -> int:
        """Return how many frames, at ``rate`` per second, are missing before the packet at ``decoded_s``."""
        if decoded_s is None:
            return 0
        gap = (decoded_s - self._before_s) * rate if self._before_s is not None else 0.0
        missing = round(gap) - 1 if self._is_open and gap > _GAP_FRAMES else 0
        self._before_s, self._is_open = decoded_s, False
        return missing


def _seconds(packet: Packet[Stream], ticks: int | None) -> float | None:
    if ticks is None or packet.time_base is None:
        return None
    return float(ticks * packet.time_base)
