"""Annotated video with the timestamps and the sound of the input."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.packet import Packet
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from tracker.drawing.picture import Picture
from tracker.geometry import Stretch
from tracker.sinks.sink import Sink
from tracker.sinks.video.formats import format_of
from tracker.sinks.video.sizes import even_sized, fit, shrunk_hw
from tracker.sinks.video.sound import SoundCopy
from tracker.sources.film import Film
from tracker.sources.video.picture import PictureConverter
from tracker.sources.video.pixel_aspect import simple_ratio
from tracker.system.files import check_output, guarded_write
from tracker.system.opening import open_output

_CAMERA_FPS = Fraction(30)
_MAX_LAST_S = 60  # longest duration of the last picture; a damaged header may state anything


class VideoSink(Sink):
    """Video file of annotated pictures, in the format that its suffix names; a context manager.

    :mod:`tracker.sinks.video.formats` lists the formats; H.264 and VP9 are yuv420p, BT.709. With ``like``,
    the input, every picture keeps its timestamp, exactly in MP4 and MOV, else to the format's tick, and the
    sound tracks are copied packet by packet (encoded again where the format cannot hold them): completely
    when the input was read to its end, else up to the last picture written. The start of ``like.trim`` is
    subtracted from all timestamps. Without ``like``, as for a camera, the first picture is at time 0 and
    there is no sound.

    The video has the size of the first picture, plus one column or row where that is odd, and states the
    shape of its pixels; WebM and GIF get square ones, and a GIF is shrunk to 640 of them. Pictures of another
    size or shape, as when a stream turns, are scaled into it with black bars.

    However the loop ends, ``close`` leaves a playable file; without any picture it leaves what was there
    before, or nothing. Raises :class:`~tracker.errors.SinkError` when the file cannot be opened, written or
    closed, or would overwrite its input.
    """

    def __init__(self, path: Path | str, like: Film | None = None) -> None:
        path = Path(path)
        self._format = format_of(path, like)
        check_output(path, [like.path] if like else [])
        self.path = path
        self._like = like
        self._tick = self._format.time_base(like)
        self._converter = PictureConverter()
        self._first_s: float | None = None if like is None else like.trim.start_s
        self._last_pts: int | None = None
        self._held: Packet[VideoStream] | None = None
        self._last_s: float | None = None
        with guarded_write(path, av.FFmpegError):
            self._is_new = not path.exists()
            # libav opens the file only at the first packet; find out now whether it can be written.
            open_output(path, append=True).close()
            # Start times are rounded to the movie's own clock, by default a millisecond.
            clock = {"movie_timescale": str(max(self._tick.denominator, 1000))}
            options = dict(self._format.container_options)
            if self._format.stores_any_time_base:
                options |= clock
            name = str(path.absolute())
            self._container = av.open(name, "w", format=self._format.container, container_options=options)
        self._stream: VideoStream | None = None
        self._image_hw, self._pixel_aspect = (0, 0), 1.0
        self._sound: SoundCopy | None = None

    def write(self, picture: Picture) -> None:
        """Append a picture, shown from its ``time_s`` (increasing) on."""
        self._check_open()
        with guarded_write(self.path, av.FFmpegError):
            if self._stream is None:
                self._shape(picture)
                self._stream = self._start()
            if self._first_s is None:
                self._first_s = picture.time_s
            self._last_s = picture.time_s
            fitted = fit(picture.canvas_bgr, self._image_hw, picture.pixel_aspect / self._pixel_aspect)
            frame = self._converter.bt709_frame(even_sized(fitted), self._format.pix_fmt)
            frame.pts = self._next_pts(picture.time_s - self._first_s)
            frame.time_base = self._tick
            frame.duration = self._frame_ticks
            self._mux(self._stream.encode(frame))
            if self._sound:
                self._sound.advance(picture.time_s)

    def _close(self) -> None:
        with guarded_write(self.path, av.FFmpegError):
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
            self._held.duration = self._last_duration()
            self._container.mux(self._held)
        if self._sound and self._last_pts is not None:
            shown_s = float((self._last_pts + self._frame_ticks) * self._tick) + (self._first_s or 0.0)
            end_s = math.inf if self._has_all(self._like) else shown_s
            self._sound.advance(end_s)
            self._sound.flush()

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        """Write all packets but the last, whose duration is known only at the end of the input."""
        for packet in packets:
            if self._held is not None:
                self._container.mux(self._held)
            self._held = packet

    def _last_duration(self) -> int:
        """Return the duration of the last picture in ticks; the input's, if that was written to its end."""
        like, last_s = self._like, float((self._last_pts or 0) * self._tick) + (self._first_s or 0.0)
        if like is None or like.end_s is None or not self._has_all(like):
            return self._frame_ticks
        ticks = round((like.end_s - last_s) / self._tick)
        return ticks if 0 < ticks <= _MAX_LAST_S / self._tick else self._frame_ticks

    def _has_all(self, like: Film | None) -> bool:
        """Return whether ``like`` was read to its end and its last frame written.

        Frames are read ahead of those that are written, so the end of reading alone does not tell.
        """
        return like is not None and like.exhausted and self._last_s == like.last_s

    def _shape(self, first: Picture) -> None:
        """Take size and pixels of the video from its first picture."""
        image_hw = first.canvas_bgr.shape[0], first.canvas_bgr.shape[1]
        self._pixel_aspect = 1.0 if self._format.is_square else first.pixel_aspect
        if self._format.is_square:
            image_hw = Stretch.of(first.pixel_aspect).square_hw(image_hw)
        self._image_hw = shrunk_hw(image_hw, self._format.longest)

    def _start(self) -> VideoStream:
        """Add the streams; both must exist before the first packet, for MP4 lists them in its header."""
        fps = self._like.fps if self._like else _CAMERA_FPS
        form = self._format
        stream = cast(
            VideoStream, self._container.add_stream(form.codec, rate=fps, options=dict(form.options))
        )
        self._frame_ticks = max(round(1 / (fps * self._tick)), 1)
        height, width = self._image_hw
        codec = stream.codec_context
        codec.width, codec.height = width + width % 2, height + height % 2
        codec.pix_fmt = form.pix_fmt
        codec.time_base = stream.time_base = self._tick
        if form.pix_fmt == "yuv420p":
            codec.colorspace = codec.color_primaries = codec.color_trc = int(Colorspace.ITU709)
            codec.color_range = int(ColorRange.MPEG)
        codec.sample_aspect_ratio = simple_ratio(self._pixel_aspect)
        if self._like and self._like.has_audio and form.sound:
            self._sound = SoundCopy(self._like, self._container, form)
        return stream

    def _next_pts(self, time_s: float) -> int:
        # A damaged input may repeat a timestamp; MP4 needs them to increase, if only by one tick.
        pts = round(time_s / self._tick)
        self._last_pts = pts if self._last_pts is None else max(pts, self._last_pts + 1)
        return self._last_pts
