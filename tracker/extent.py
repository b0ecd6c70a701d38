"""How much of a video there should be, and how far what was read of it reaches."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

_MATROSKA = "matroska,webm"
# Containers that state their length in a header. Others (MPEG-TS, raw streams) only let it be guessed.
_STATES_LENGTH = (_MATROSKA, "mov,mp4,m4a,3gp,3g2,mj2")
_SLACK_FRAMES = 2
_SLACK_S = 1.0
_HOLE_BYTES = 512  # more than lies between two packets of a sound Matroska file
_HOLE_FRAMES = 1.5


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

    def __init__(self, container: InputContainer, stream: VideoStream, fps: Fraction) -> None:
        self._container, self._stream, self._fps = container, stream, fps
        self._holes = _Holes(float(fps))
        # Matroska's reader steps over what it cannot understand and says nothing; others give some sign, and
        # a sound file of theirs may be stuffed with anything.
        self._is_suspicious = container.format.name == _MATROSKA
        self.end_byte = 0
        self._video_packets = 0
        self._video_start_s = float("inf")
        self._video_end_s = self._end_s = -float("inf")

    def add(self, packet: Packet[Stream], is_video: bool) -> int:
        """Take in the next packet. Returns how many video frames seem to be missing directly before it."""
        before = self.end_byte
        position = packet.pos if packet.pos is not None and packet.pos >= 0 else before
        self.end_byte = max(before, position + packet.size)
        start_s = _seconds(packet, packet.pts)
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
        if (self._is_suspicious and 0 < before < position - _HOLE_BYTES) or (is_video and packet.is_corrupt):
            self._holes.open()
        return self._holes.add(_seconds(packet, packet.dts), packet.is_corrupt) if is_video else 0

    def failed(self) -> None:
        """The container could not be read here."""
        self._is_suspicious = True
        self._holes.open()

    def missing(self) -> int | None:
        """How many frames the container claims beyond what was read; ``None`` when it makes no claim.

        A stated frame count is compared with the packets read (or the time they span, where
        recording skipped frames). Containers that state only a length are compared by time, over all
        streams, since sound may go on after the last frame. MPEG-TS states neither: cut between two
        packets it cannot be told from a whole file.
        """
        stream, container = self._stream, self._container
        claimed = claimed_count(container, stream, self._fps)
        if stream.frames and claimed:
            span_s = self._video_end_s - self._video_start_s
            read = max(self._video_packets, round(span_s * self._fps) if self._video_packets else 0)
            return claimed - read if read < claimed - _SLACK_FRAMES else 0
        if container.format.name not in _STATES_LENGTH or container.duration is None:
            return None
        if self._end_s == -float("inf"):
            return claimed
        short_s = ((container.start_time or 0) + container.duration) / av.time_base - self._end_s
        return max(round(short_s * self._fps), 1) if short_s > _SLACK_S else 0


class _Holes:
    """How many frames are missing where part of a file was stepped over.

    Where both bytes and time are left out, so were frames: a recording that skips frames leaves out no bytes.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._before_s: float | None = None
        self._is_open = False

    def open(self) -> None:
        """Something was stepped over."""
        self._is_open = True

    def add(self, decoded_s: float | None, is_corrupt: bool) -> int:
        """Frames missing before the packet to be decoded at ``decoded_s``; a corrupt one may lack its end."""
        if decoded_s is None:
            return 0
        gap = (decoded_s - self._before_s) * self._fps if self._before_s is not None else 0.0
        lost = round(gap) - 1 if self._is_open and gap > _HOLE_FRAMES else 0
        self._before_s, self._is_open = decoded_s, is_corrupt
        return lost


def _seconds(packet: Packet[Stream], ticks: int | None) -> float | None:
    if ticks is None or packet.time_base is None:
        return None
    return float(ticks * packet.time_base)
