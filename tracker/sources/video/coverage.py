"""How much of a video there should be, and how far what was read of it reaches."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from tracker.sources.video.truncation import is_cut

_MATROSKA, _MP4 = "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"
# Containers that state their length in a header. Others (MPEG-TS, raw streams) only let it be guessed.
_STATES_LENGTH = (_MATROSKA, _MP4, "asf", "flv")
_SLACK_FRAMES = 2
_SLACK_S = 1.0
_HOLE_BYTES = 512  # more than lies between two packets of a sound Matroska file
_HOLE_FRAMES = 1.5
_FEW = 8


def claimed_count(container: InputContainer, stream: VideoStream, fps: Fraction) -> int | None:
    """How many frames the container says there are; ``None`` when it makes no claim."""
    length_s = float(stream.duration * (stream.time_base or 0)) if stream.duration else 0.0
    if not length_s and container.duration and container.format.name in _STATES_LENGTH:
        length_s = container.duration / av.time_base
    by_time = round(length_s * fps) if length_s else 0
    # An edit list hides samples: the header counts them, the stated length does not.
    counts = [n for n in (stream.frames, by_time) if n > 0]
    return min(counts) if counts else None


class Extent:
    """How far the packets read so far reach: bytes, and seconds of presentation time."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream, fps: Fraction) -> None:
        self._path, self._container, self._stream, self._fps = path, container, stream, fps
        self._holes = _Holes()
        # These are read from one packet to the next; what cannot be understood is stepped over in silence.
        # Others give some sign, and a sound file of theirs may be stuffed with anything.
        self._is_suspicious = container.format.name in (_MATROSKA, "avi", "flv")
        self._is_indexed = container.format.name == _MP4 and stream.frames > 0
        self._has_failed = False
        self.end_byte = 0
        self._video_packets = 0
        self._video_start_s = float("inf")
        self._video_end_s = self._end_s = -float("inf")

    def add(self, packet: Packet[Stream], shown: int | None, decoded: int | None, is_video: bool) -> int:
        """Take in the next packet, to be decoded and shown at these ticks, if they are known.

        Returns how many video frames seem to be missing before it.
        """
        if self.skips(packet):
            self._holes.open()
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
        self._is_suspicious |= packet.is_corrupt
        return self._holes.add(_seconds(packet, decoded), self._rate()) if is_video else 0

    def skips(self, packet: Packet[Stream]) -> bool:
        """Whether something was stepped over before ``packet``, which has not been taken in yet."""
        return self._is_suspicious and 0 < self.end_byte < self._position(packet) - _HOLE_BYTES

    def _position(self, packet: Packet[Stream]) -> int:
        return packet.pos if packet.pos is not None and packet.pos >= 0 else self.end_byte

    def failed(self) -> None:
        """The file could not be understood here: if time is missing next, so are frames."""
        self._is_suspicious = self._has_failed = True
        if not self._is_indexed:
            self._holes.open()

    def is_cut(self) -> bool:
        """Whether the file is shorter than its container says."""
        return is_cut(self._path, self._container.format.name, self.end_byte)

    def missing(self) -> int | None:
        """How many frames there should be beyond what was read, ``None`` if some, and nobody knows how many.

        A stated frame count is compared with the packets read (or the time they span, where
        recording skipped frames). Containers that state only a length are compared by time, over all
        streams, since sound may go on after the last frame. MPEG-TS states neither: cut between two
        packets it cannot be told from a whole file.
        """
        stream, container, cut = self._stream, self._container, self.is_cut()
        claimed = claimed_count(container, stream, self._fps)
        if stream.frames and claimed:
            span_s = self._video_end_s - self._video_start_s
            read = max(self._video_packets, round(span_s * self._fps) if self._video_packets else 0)
            short = max(claimed - read, 0)
            return short if short > _SLACK_FRAMES or self._is_indexed or not cut else None
        states_length = container.format.name in _STATES_LENGTH and container.duration is not None
        if not (states_length and self._video_packets):
            return None if cut else 0
        short_s = ((container.start_time or 0) + (container.duration or 0)) / av.time_base - self._end_s
        short = max(round(short_s * self._rate()), 0)
        if cut:
            return short or None
        return short if short_s > _SLACK_S or (self._has_failed and short > _SLACK_FRAMES) else 0

    def _rate(self) -> float:
        """Frames a second so far; of few, what the container says."""
        span_s = self._video_end_s - self._video_start_s
        return self._video_packets / span_s if self._video_packets > _FEW and span_s > 0 else float(self._fps)


class _Holes:
    """How many frames are missing where part of a file was stepped over.

    Where both bytes and time are left out, so were frames: a recording that skips frames leaves out no bytes.
    """

    def __init__(self) -> None:
        self._before_s: float | None = None
        self._is_open = False

    def open(self) -> None:
        """Something was stepped over."""
        self._is_open = True

    def add(self, decoded_s: float | None, rate: float) -> int:
        """Frames at ``rate`` a second that are missing before the packet to be decoded at ``decoded_s``."""
        if decoded_s is None:
            return 0
        gap = (decoded_s - self._before_s) * rate if self._before_s is not None else 0.0
        lost = round(gap) - 1 if self._is_open and gap > _HOLE_FRAMES else 0
        self._before_s, self._is_open = decoded_s, False
        return lost


def _seconds(packet: Packet[Stream], ticks: int | None) -> float | None:
    if ticks is None or packet.time_base is None:
        return None
    return float(ticks * packet.time_base)
