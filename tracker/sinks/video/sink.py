"""Annotated video with the frame times and the sound of the input, in the format that its name asks for."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from tracker.errors import SinkError
from tracker.sinks.video.formats import format_of
from tracker.sinks.video.sound import SoundCopy
from tracker.sources.film import Film
from tracker.system.closing import Closing
from tracker.system.files import check_output, sink_errors
from tracker.types import ImageArray

_CAMERA_FPS = Fraction(30)
_LONGEST_S = 60  # that a last picture stays; a damaged header may say anything


class VideoSink(Closing):
    """A video file of annotated frames, in the format of its ending; a context manager.

    For the formats see :mod:`tracker.sinks.video.formats`; H.264 and VP9 are yuv420p, BT.709. With ``like``
    every frame
    keeps the time that it has in that input, exactly in MP4 and MOV, else to the format's tick, and its sound
    tracks are copied packet by packet (encoded where the format cannot hold them): all of it when the
    input was read to its end, else up to the last frame written. What ``like.trim`` cuts off at the start
    moves all times. Without ``like``, as for a camera, the first frame is at time 0 and there is no sound. An
    odd
    width or height gets one more column or row.

    However the loop ends, ``close`` leaves a playable file; without any frame it leaves what was there
    before, or nothing. Raises :class:`SinkError` when the file cannot be opened, written or closed, or
    would overwrite its input.
    """

    def __init__(self, path: Path, like: Film | None = None) -> None:
        self._format = format_of(path, like)
        check_output(path, [like.path] if like else [])
        self.path = path
        self._like = like
        self._tick = self._format.ticks(like)
        self._first_s: float | None = None if like is None else like.trim.start_s
        self._last_pts: int | None = None
        self._held: Packet[VideoStream] | None = None
        self._last_s: float | None = None
        self._closed = False
        with sink_errors(path):
            self._is_new = not path.exists()
            # libav opens the file at the first packet only: too late to say that it cannot.
            path.open("ab").close()
            # Start times are rounded to the movie's own clock, by default a millisecond.
            clock = {"movie_timescale": str(max(self._tick.denominator, 1000))}
            options = {**self._format.container_options, **(clock if self._format.keeps_any_time else {})}
            name = str(path.absolute())
            self._container = av.open(name, "w", format=self._format.container, container_options=options)
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._sound: SoundCopy | None = None

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
            frame = _encodable(canvas_bgr, self._format.pix_fmt)
            frame.pts = self._next_pts(time_s - self._first_s)
            frame.time_base = self._tick
            frame.duration = self._frame_ticks
            self._mux(self._stream.encode(frame))
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
        self._mux(stream.encode(None))
        if self._held is not None:
            self._held.duration = self._last_ticks()
            self._container.mux(self._held)
        if self._sound and self._last_pts is not None:
            shown_s = float((self._last_pts + self._frame_ticks) * self._tick) + (self._first_s or 0.0)
            end_s = math.inf if self._has_all(self._like) else shown_s
            self._sound.advance(end_s)
            self._sound.flush()

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        """Write all packets but the last: how long the last picture of a film stays is known at its end."""
        for packet in packets:
            if self._held is not None:
                self._container.mux(self._held)
            self._held = packet

    def _last_ticks(self) -> int:
        """How long the last picture is shown: as the input says, if that was written to its end."""
        like, last_s = self._like, float((self._last_pts or 0) * self._tick) + (self._first_s or 0.0)
        if like is None or like.end_s is None or not self._has_all(like):
            return self._frame_ticks
        ticks = round((like.end_s - last_s) / self._tick)
        return ticks if 0 < ticks <= _LONGEST_S / self._tick else self._frame_ticks

    def _has_all(self, like: Film | None) -> bool:
        """Whether ``like`` was read to its end and its last frame written: one read ahead may never be."""
        return like is not None and like.exhausted and self._last_s == like.last_s

    def _start(self, width: int, height: int) -> VideoStream:
        """Both streams must exist before the first packet: MP4 lists them in its header."""
        fps = self._like.fps if self._like else _CAMERA_FPS
        form = self._format
        stream = cast(
            VideoStream, self._container.add_stream(form.codec, rate=fps, options=dict(form.options))
        )
        self._size = (width, height)
        self._frame_ticks = max(round(1 / (fps * self._tick)), 1)
        codec = stream.codec_context
        codec.width, codec.height = width + width % 2, height + height % 2
        codec.pix_fmt = form.pix_fmt
        codec.time_base = stream.time_base = self._tick
        if form.pix_fmt == "yuv420p":
            codec.colorspace = codec.color_primaries = codec.color_trc = int(Colorspace.ITU709)
            codec.color_range = int(ColorRange.MPEG)
        if self._like:
            codec.sample_aspect_ratio = self._like.pixel_aspect
        if self._like and self._like.has_audio and form.sound:
            self._sound = SoundCopy(self._like.path, self._container, form, self._like.trim.start_s)
        return stream

    def _next_pts(self, time_s: float) -> int:
        # A damaged input may repeat a time; MP4 needs them to increase, if only by one tick.
        pts = round(time_s / self._tick)
        self._last_pts = pts if self._last_pts is None else max(pts, self._last_pts + 1)
        return self._last_pts


def even_sized(canvas: ImageArray) -> ImageArray:
    """The picture ``(H, W, 3)``, with its last row and column twice where they are odd, as yuv420p needs."""
    height, width = canvas.shape[:2]
    if height % 2 == width % 2 == 0:
        return canvas
    return cast(ImageArray, cv2.copyMakeBorder(canvas, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))


def _encodable(canvas: ImageArray, pix_fmt: str) -> VideoFrame:
    """The picture with the pixels of the codec, BT.709 where they are not RGB."""
    frame = VideoFrame.from_ndarray(even_sized(canvas), format="bgr24")
    if pix_fmt == "rgb8":
        return frame.reformat(format=pix_fmt)
    return frame.reformat(format=pix_fmt, dst_colorspace=Colorspace.ITU709)
