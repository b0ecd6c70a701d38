"""Annotated video: H.264 in MP4 with the frame times and the sound of the input."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from tracker.closing import Closing
from tracker.errors import ReaderGoneError, SinkError
from tracker.interrupts import uninterrupted
from tracker.sources import VideoSource, open_container
from tracker.types import ImageArray

SUFFIXES = frozenset({".mp4", ".m4v", ".mov"})
"""Endings of the video files that can be written."""

_CAMERA_FPS = Fraction(30)
_CAMERA_TICK = Fraction(1, 90_000)
# veryfast keeps up with the tracker on two cores and looks only ten frames ahead, which bounds memory;
# crf 20 is visually lossless for most pictures. Without B-frames the last packet is the last picture: libav
# takes the length of the track from the last packet, and players drop what lies behind it.
_X264_OPTIONS = {"preset": "veryfast", "crf": "20", "bf": "0"}
# What a camera shows cannot be had again: its film is written in fragments of a second, so that a run that is
# killed leaves it up to then; on closing they become an ordinary MP4.
_FRAGMENTS = {"movflags": "hybrid_fragmented", "frag_duration": "1000000", "flush_packets": "1"}
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})


class VideoSink(Closing):
    """An MP4 file (H.264, yuv420p, BT.709) of annotated frames; a context manager.

    With ``like`` every frame keeps the exact time it has in that input, and its first sound track is
    copied packet by packet (where MP4 cannot hold its codec: encoded as AAC, at most stereo): all of it
    when the input was read to its end, else up to the last frame written. Without ``like``, as for a
    camera, the first frame is at time 0 and there is no sound. An odd width or height gets one more
    column or row.

    However the loop ends, ``close`` leaves a playable file; without any frame it leaves what was there
    before, or nothing. Raises :class:`SinkError` when the file cannot be opened, written or closed, or
    would overwrite its input.
    """

    def __init__(self, path: Path, like: VideoSource | None = None) -> None:
        if path.suffix.lower() not in SUFFIXES:
            raise SinkError(f"cannot write {path}: video is written as .mp4; change the file name")
        check_output(path, [like.path] if like else [])
        self.path = path
        self._like = like
        self._tick = like.time_base if like else _CAMERA_TICK
        self._first_s: float | None = None if like is None else 0.0
        self._last_pts: int | None = None
        self._last_s: float | None = None
        self._closed = False
        with sink_errors(path):
            self._is_new = not path.exists()
            # libav opens the file at the first packet only: too late to say that it cannot.
            path.open("ab").close()
            # Start times are rounded to the movie's own clock, by default a millisecond.
            clock = {"movie_timescale": str(max(self._tick.denominator, 1000))}
            options = clock if like else {**clock, **_FRAGMENTS}
            self._container = av.open(str(path.absolute()), "w", format="mp4", container_options=options)
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._sound: _SoundCopy | None = None

    def write(self, canvas_bgr: ImageArray, time_s: float) -> None:
        """Append one picture ``(H, W, 3)`` BGR uint8, shown from ``time_s`` (seconds, increasing) on."""
        height, width = canvas_bgr.shape[:2]
        with sink_errors(self.path):
            if self._stream is None:
                self._stream = self._start(width, height)
            if (width, height) != self._size:
                raise SinkError(
                    f"cannot write {self.path}: pictures change from {self._size[0]}x{self._size[1]} to "
                    f"{width}x{height}; write each size to its own file"
                )
            if self._first_s is None:
                self._first_s = time_s
            self._last_s = time_s
            frame = _encodable(canvas_bgr)
            frame.pts = self._next_pts(time_s - self._first_s)
            frame.time_base = self._tick
            frame.duration = self._frame_ticks
            self._container.mux(self._stream.encode(frame))
            if self._sound:
                self._sound.advance(time_s)

    def close(self) -> None:
        """Finish the file; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        with sink_errors(self.path):
            try:
                if self._stream is not None:
                    self._finish(self._stream)
            finally:
                if self._sound:
                    self._sound.close()
                self._container.close()
        if self._stream is None and self._is_new:
            self.path.unlink(missing_ok=True)

    def _finish(self, stream: VideoStream) -> None:
        self._container.mux(stream.encode(None))
        if self._sound and self._last_pts is not None:
            # What was read ahead may never have been written, if the user quit.
            whole = self._like is not None and self._like.exhausted and self._last_s == self._like.last_s
            end_s = math.inf if whole else float((self._last_pts + self._frame_ticks) * self._tick)
            self._sound.advance(end_s)
            self._sound.flush()

    def _start(self, width: int, height: int) -> VideoStream:
        """Both streams must exist before the first packet: MP4 lists them in its header."""
        fps = self._like.fps if self._like else _CAMERA_FPS
        stream = self._container.add_stream("libx264", rate=fps, options=_X264_OPTIONS)
        self._size = (width, height)
        self._frame_ticks = max(round(1 / (fps * self._tick)), 1)
        codec = stream.codec_context
        codec.width, codec.height = width + width % 2, height + height % 2
        codec.pix_fmt = "yuv420p"
        codec.time_base = stream.time_base = self._tick
        codec.colorspace = codec.color_primaries = codec.color_trc = int(Colorspace.ITU709)
        codec.color_range = int(ColorRange.MPEG)
        if self._like:
            codec.sample_aspect_ratio = self._like.pixel_aspect
        if self._like and self._like.has_audio:
            self._sound = _SoundCopy(self._like.path, self._container)
        return stream

    def _next_pts(self, time_s: float) -> int:
        # A damaged input may repeat a time; MP4 needs them to increase, if only by one tick.
        pts = round(time_s / self._tick)
        self._last_pts = pts if self._last_pts is None else max(pts, self._last_pts + 1)
        return self._last_pts


class _SoundCopy:
    """The first sound track of ``source``, fed to ``container`` as time advances, never held whole."""

    def __init__(self, source: Path, container: OutputContainer) -> None:
        self._container = container
        self._input = open_container(source)
        self._stream = self._input.streams.audio[0]
        sound = self._stream.codec_context
        self._encoder: AudioStream | None = None
        self._copy: AudioStream | None = None
        # Two kinds that MP4 names but whose packets do not fit as they are: AAC from a transport stream,
        # whose settings lie in its packets, and raw samples, whose channels may have no known places.
        misfit = sound.name.startswith("pcm_") or (sound.name == "aac" and not sound.extradata)
        if sound.name in container.supported_codecs and not misfit:
            self._copy = container.add_stream_from_template(self._stream)
        else:
            # Old codecs may not say which channels they hold, only how many.
            layout = "mono" if sound.channels == 1 else "stereo"
            rate = sound.sample_rate if sound.sample_rate in _AAC_RATES else 48_000
            self._encoder = container.add_stream("aac", rate=rate, layout=layout)
        self._packets = self._read()
        self._next = next(self._packets, None)

    def advance(self, until_s: float) -> None:
        """Write every packet that starts before ``until_s``."""
        while self._next is not None and _start_s(self._next) < until_s:
            self._write(self._next)
            self._next = next(self._packets, None)

    def flush(self) -> None:
        """Write what the encoder, if there is one, still holds."""
        if self._encoder:
            self._container.mux(self._encoder.encode(None))

    def close(self) -> None:
        """Close the input."""
        self._input.close()

    def _read(self) -> Iterator[Packet[AudioStream]]:
        try:
            for packet in self._input.demux(self._stream):
                if packet.size and packet.dts is not None:
                    yield packet
        except av.FFmpegError:  # the video source meets the same damage and reports it
            return

    def _write(self, packet: Packet[AudioStream]) -> None:
        if self._copy is not None:
            packet.stream = self._copy
            self._container.mux(packet)
        elif self._encoder is not None:
            for frame in self._stream.codec_context.decode(packet):
                self._container.mux(self._encoder.encode(frame))


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise :class:`SinkError` if ``path`` has no folder to lie in, or is one of ``inputs``."""
    with sink_errors(path):
        if not path.parent.exists():
            raise SinkError(f"cannot write {path}: there is no folder {path.parent}; create it first")
        for source in inputs:
            if path.exists() and source.exists() and path.samefile(source):
                raise SinkError(f"cannot write {path}: it is the input; choose another name")


@contextmanager
def sink_errors(target: Path | str) -> Iterator[None]:
    """Turn errors of the system and of libav into one line of :class:`SinkError` about ``target``.

    A pipe that nobody reads any more is :class:`ReaderGoneError`. What is written inside is not interrupted
    half-way.
    """
    try:
        with uninterrupted():
            yield
    except BrokenPipeError as error:
        raise ReaderGoneError(f"cannot write {target}: its reader has ended") from error
    except (OSError, av.FFmpegError) as error:
        raise SinkError(f"cannot write {target}: {error.strerror or error}") from error


def _start_s(packet: Packet[AudioStream]) -> float:
    return float((packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base)


def even_sized(canvas: ImageArray) -> ImageArray:
    """The picture ``(H, W, 3)``, with its last row and column twice where they are odd, as yuv420p needs."""
    height, width = canvas.shape[:2]
    if height % 2 == width % 2 == 0:
        return canvas
    return cast(ImageArray, cv2.copyMakeBorder(canvas, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))


def _encodable(canvas: ImageArray) -> VideoFrame:
    """The picture as BT.709 yuv420p."""
    frame = VideoFrame.from_ndarray(even_sized(canvas), format="bgr24")
    return frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
