"""Network streams, read with libav through the interface of OpenCV's cameras.

OpenCV's own stream reader scales every picture to the size of the first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import cast

import av
import cv2
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.types import ImageArray

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 5.0


class StreamCapture:
    """Pictures of a URL or file, read by ``grab`` and ``retrieve`` in turn as from a ``cv2.VideoCapture``.

    A file, unlike a URL, never opens a connection. A stream that sends nothing for 5 seconds has ended.
    ``reason`` says why a stream did not open.
    """

    def __init__(self, url: str) -> None:
        self.reason = ""
        self._container: av.container.InputContainer | None = None
        self._frames: deque[VideoFrame] = deque()
        self._frame: VideoFrame | None = None
        # UDP, RTSP's default, loses packets.
        options = {"rtsp_transport": "tcp"} if "://" in url else {"protocol_whitelist": "file"}
        try:
            timeouts_s = (OPEN_TIMEOUT_S, READ_TIMEOUT_S)
            self._container = av.open(url, container_options=options, timeout=timeouts_s)
            self._stream = self._container.streams.video[0]
            # Every further decoder thread delays the stream by a frame: 8 threads by a third of a second.
            self._stream.codec_context.thread_count = 1
            self._packets: Iterator[Packet[VideoStream]] = self._container.demux(self._stream)
        except IndexError:
            self.reason = "no video"
        except (OSError, av.FFmpegError) as error:  # not found, no answer, or unknown to libav
            self.reason = error.strerror or str(error)
        if self.reason or self._container is None:
            self.release()

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
                    return False
                try:
                    self._frames.extend(self._stream.decode(packet))
                except av.InvalidDataError:  # a transmission error, or a frame before the first key frame
                    return True
        except (OSError, av.FFmpegError):  # the connection is closed, or has timed out
            return False
        self._frame = self._frames.popleft() if self._frames else None
        return self._frame is not None

    def retrieve(self) -> tuple[bool, ImageArray | None]:
        """Return whether the grabbed picture is undamaged, and the picture: ``(H, W, 3)`` BGR uint8."""
        if self._frame is None:
            return False, None
        return True, cast(ImageArray, self._frame.to_ndarray(format="bgr24"))

    def get(self, prop: int) -> float:
        """Return the stated frame rate for ``cv2.CAP_PROP_FPS``, 0 for anything unknown."""
        known = self._container and prop == cv2.CAP_PROP_FPS
        return float(self._stream.average_rate or 0) if known else 0.0

    def release(self) -> None:
        """Close the connection; closing twice is fine."""
        if self._container:
            self._container.close()
            self._container = None
