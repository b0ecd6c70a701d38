"""Network streams, read with libav through the interface of OpenCV's cameras.

OpenCV's own stream reader scales every picture to the size of the first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import av
import cv2
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.video.container import main_video_stream
from tracker.sources.video.picture import PictureConverter
from tracker.sources.video.pixel_aspect import PixelAspects
from tracker.system.addresses import masked, with_lower_scheme
from tracker.types import ImageArray

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 5.0


class StreamCapture:
    """Pictures of a URL or file, read by ``grab`` and ``retrieve`` in turn as from a ``cv2.VideoCapture``.

    A file, unlike a URL, never opens a connection. A stream that sends nothing for 5 seconds has ended.
    ``reason`` says why a stream did not open. ``has_length`` is true where the source states how long it is:
    a film elsewhere, no camera. ``has_ended`` is true once such a film was read to its end. ``pixel_aspect``
    is the width over height of the pixels of the grabbed picture.
    """

    def __init__(self, url: str) -> None:
        self.reason = ""
        self.has_length = self.has_ended = False
        self._container: InputContainer | None = None
        self._converter = PictureConverter()
        self._frames: deque[tuple[VideoFrame, float]] = deque()
        self._frame: VideoFrame | None = None
        self.pixel_aspect = 1.0
        # UDP, RTSP's default, loses packets.
        options = {"rtsp_transport": "tcp"} if "://" in url else {"protocol_whitelist": "file"}
        try:
            timeouts_s = (OPEN_TIMEOUT_S, READ_TIMEOUT_S)
            self._container = av.open(
                with_lower_scheme(url),
                container_options=options,
                timeout=timeouts_s,
                metadata_errors="replace",
            )
            stream = main_video_stream(self._container)
            if stream is None:
                self.reason = "no video"
            else:
                self._start(self._container, stream)
        except (OSError, av.FFmpegError) as error:  # not found, no answer, or unknown to libav
            self.reason = error.strerror or masked(str(error))
        if self.reason or self._container is None:
            self.release()

    def _start(self, container: InputContainer, stream: VideoStream) -> None:
        # Every further decoder thread delays the stream by a frame: 8 threads by a third of a second.
        stream.codec_context.thread_count = 1
        self._stream = stream
        self._aspects = PixelAspects(container, stream)
        # The size of a playlist, which others may follow, is not that of its pictures.
        has_size = container.size > 0 and container.format.name not in ("hls", "applehttp", "dash", "sdp")
        self.has_length = has_size or (container.duration or 0) > 0
        self._packets: Iterator[Packet[VideoStream]] = container.demux(stream)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Return whether the stream is open."""
        return self._container is not None

    def grab(self) -> bool:
        """Wait for the next picture and return whether there is one, damaged ones included."""
        self._frame = None
        try:
            while self._container and not self._frames:
                packet = next(self._packets, None)
                if packet is None:
                    self.has_ended = self.has_length
                    return False
                try:
                    for picture in self._stream.decode(packet):
                        self._frames.append((picture, float(self._aspects.of_next(picture))))
                except av.InvalidDataError:  # a transmission error, or a frame before the first key frame
                    return True
        except (OSError, av.FFmpegError):  # the connection is closed, or has timed out
            return False
        if self._frames:
            self._frame, self.pixel_aspect = self._frames.popleft()
        return self._frame is not None

    def retrieve(self) -> tuple[bool, ImageArray | None]:
        """Return whether the grabbed picture is undamaged, and it, upright: ``(H, W, 3)`` BGR uint8."""
        if self._frame is None:
            return False, None
        return True, self._converter.upright_picture(self._frame)

    def get(self, prop: int) -> float:
        """Return the stated frame rate for ``cv2.CAP_PROP_FPS``, 0 for anything unknown."""
        known = self._container and prop == cv2.CAP_PROP_FPS
        return float(self._stream.average_rate or 0) if known else 0.0

    def release(self) -> None:
        """Close the connection; closing twice is fine."""
        if self._container:
            self._container.close()
            self._container = None
