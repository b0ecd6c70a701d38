"""Frames from a video file: every one, with its exact time. Still images are in :mod:`tracker.images`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.closing import Closing
from tracker.errors import SourceError
from tracker.types import Frame, ImageArray

# Containers that state their length in a header. Others (MPEG-TS, raw streams) only let it be guessed.
_STATES_LENGTH = ("matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2")
_SLACK_FRAMES = 2
_SLACK_S = 1.0


class VideoSource(Closing):
    """Every frame of a video file in presentation order; a context manager, iterated once.

    Yields :class:`Frame` turned upright as the file's rotation says, with ``time_s`` its presentation
    time. Frames before a damaged place are all yielded; then :class:`SourceError` says how many.

    ``size`` is (width, height) in pixels of an upright frame, ``fps`` the average rate,
    ``frame_count`` the container's claim (``None`` when it makes none), ``time_base`` the seconds per tick
    of its clock, ``pixel_aspect`` width over height of a pixel, ``has_audio`` whether there is a sound
    track. ``exhausted`` turns true once the last frame of a sound file was yielded; ``last_s`` is the time of
    the newest frame that was.

    Raises :class:`SourceError` on a file that is missing, empty or holds no decodable video.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.exhausted = False
        self.last_s: float | None = None
        self._closed = False
        self._damaged = False
        self._avi_ticks: deque[int] = deque()
        self._container = open_container(path)
        try:
            self._open_stream()
        except BaseException:
            self.close()
            raise

    def _open_stream(self) -> None:
        # Cover art of a music file is a video stream of one picture: it does not count.
        videos = self._container.streams.video
        streams = [s for s in videos if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise SourceError(f"{self.path} holds no video: give a video file")
        self._stream = stream = streams[0]
        stream.thread_type = "AUTO"
        self._extent = _Extent()
        frames = self._sound_frames()
        first = next(frames, None)
        if first is None or stream.time_base is None:
            raise SourceError(f"{self.path}: no frame can be decoded; damaged or of an unknown kind")
        self._frames: Iterator[VideoFrame] = chain([first], frames)
        turned = _quarter_turns(first) % 2 == 1
        self.size = (first.height, first.width) if turned else (first.width, first.height)
        self.time_base: Fraction = stream.time_base
        self.fps: Fraction = Fraction(stream.average_rate or stream.guessed_rate or 30)
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        self.pixel_aspect = 1 / aspect if turned else aspect
        self.frame_count = self._claimed_count()
        self.has_audio = bool(self._container.streams.audio)

    def close(self) -> None:
        """Close the file and end the decoder's threads; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        self._container.close()
        # The decoder ends with the last that refers to it, and what iterates refers to this object in turn:
        # left to the garbage collector its threads might stay until the program ends.
        self._frames = iter(())
        for name in ("_container", "_stream"):
            vars(self).pop(name, None)

    def __iter__(self) -> Iterator[Frame]:
        if self._closed:
            raise ValueError(f"{self.path} was closed: open it again")
        count = 0
        time_s = -float(1 / self.fps)
        for count, decoded in enumerate(self._frames, 1):
            tick = self._avi_ticks.popleft() if self._avi_ticks else decoded.pts
            # Raw streams carry no times: then frames follow each other at the average rate.
            time_s = time_s + float(1 / self.fps) if tick is None else float(tick * self.time_base)
            self.last_s = time_s
            yield Frame(_upright(decoded), count - 1, time_s, self.name)
        if self._damaged or self._falls_short():
            of = f" of {self.frame_count}" if self.frame_count and self.frame_count > count else ""
            raise SourceError(f"{self.path} ends after {count}{of} frames: damaged or truncated")
        self.exhausted = True

    def _sound_frames(self) -> Iterator[VideoFrame]:
        """Frames up to the first that the decoder had to guess at."""
        for frame in self._decode():
            if frame.is_corrupt:
                self._damaged = True
                return
            yield frame

    def _decode(self) -> Iterator[VideoFrame]:
        """Frames up to the end or the first damage, which is noted in ``_damaged``."""
        try:
            for packet in self._container.demux():
                if not packet.size:  # libav's way to ask for a flush, which comes below
                    continue
                is_video = packet.stream_index == self._stream.index
                if is_video and packet.is_corrupt:
                    self._damaged = True
                    break
                self._extent.add(packet, is_video)
                if is_video:
                    self._note_avi_tick(packet)
                    yield from self._stream.decode(cast("Packet[VideoStream]", packet))
        except av.FFmpegError:
            self._damaged = True
        try:  # the decoder runs some packets ahead and still holds good frames
            yield from self._stream.codec_context.decode(None)
        except EOFError:  # it is empty
            return
        except av.FFmpegError:
            self._damaged = True

    def _note_avi_tick(self, packet: Packet[Stream]) -> None:
        # AVI stores when a frame is decoded, not when it is shown, and libav's guess at the latter runs
        # backwards at B-frames. Decoding times are in order, and frames come out in order: the n-th
        # frame is shown at the n-th time.
        if self._container.format.name == "avi" and packet.dts is not None:
            self._avi_ticks.append(packet.dts)

    def _claimed_count(self) -> int | None:
        stream, container = self._stream, self._container
        length_s = float(stream.duration * self.time_base) if stream.duration else 0.0
        if not length_s and container.duration and container.format.name in _STATES_LENGTH:
            length_s = container.duration / av.time_base
        by_time = round(length_s * self.fps) if length_s else 0
        # An edit list hides samples: the header counts them, the stated length does not.
        counts = [n for n in (stream.frames, by_time) if n > 0]
        return min(counts) if counts else None

    def _falls_short(self) -> bool:
        """Whether the container claims clearly more than was read.

        A stated frame count is compared with the packets read (or the time they span, where
        recording skipped frames). Containers that state only a length are compared by time, over all
        streams, since sound may go on after the last frame. MPEG-TS states neither: cut between two
        packets it cannot be told from a whole file.
        """
        stream, container, extent = self._stream, self._container, self._extent
        if stream.frames and self.frame_count:
            spanned = round((extent.video_end_s - extent.video_start_s) * self.fps)
            return max(extent.video_packets, spanned) < self.frame_count - _SLACK_FRAMES
        if container.format.name not in _STATES_LENGTH or container.duration is None:
            return False
        claimed_end_s = ((container.start_time or 0) + container.duration) / av.time_base
        return extent.end_s < claimed_end_s - _SLACK_S


class _Extent:
    """How far the packets read so far reach, in seconds of presentation time."""

    def __init__(self) -> None:
        self.video_packets = 0
        self.video_start_s = float("inf")
        self.video_end_s = self.end_s = -float("inf")

    def add(self, packet: Packet[Stream], is_video: bool) -> None:
        start_s = end_s = None
        if packet.pts is not None and packet.time_base is not None:
            start_s = float(packet.pts * packet.time_base)
            end_s = start_s + float((packet.duration or 0) * packet.time_base)
            self.end_s = max(self.end_s, end_s)
        if is_video:
            self.video_packets += 1
        if is_video and start_s is not None and end_s is not None:
            self.video_start_s = min(self.video_start_s, start_s)
            self.video_end_s = max(self.video_end_s, end_s)


def open_container(path: Path) -> av.container.InputContainer:
    """Open ``path`` for reading; nothing that it refers to is fetched from elsewhere.

    Raises :class:`SourceError` when it is missing, empty or no video.
    """
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceError(f"{path} is empty: give a video file")
        # A playlist must not make libav fetch anything: only this computer's files may be opened.
        return av.open(str(path.absolute()), container_options={"protocol_whitelist": "file"})
    except av.InvalidDataError as error:
        raise SourceError(f"{path} is not a video, or too damaged to be opened") from error
    except (OSError, av.FFmpegError) as error:
        raise SourceError(f"cannot open {path}: {error.strerror}") from error


def _quarter_turns(frame: VideoFrame) -> int:
    """Counterclockwise quarter turns, 0 to 3, that bring the frame upright."""
    return round(frame.rotation / 90) % 4


def _upright(frame: VideoFrame) -> ImageArray:
    image = frame.to_ndarray(format="bgr24")
    turns = _quarter_turns(frame)
    return cast(ImageArray, np.ascontiguousarray(np.rot90(image, turns)) if turns else image)
