"""Network camera on this computer, for measurements and tests of the live loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

import cv2

from tracker.types import ImageArray

Picture = ImageArray | bytes
"""``(H, W, 3)`` BGR uint8, or the bytes of a JPEG."""


class MjpegServer:
    """Network camera on 127.0.0.1: multipart JPEG over HTTP, ``fps`` frames per second, until killed.

    ``shows`` returns the picture of each number and may be replaced at any time. While ``stalled`` the
    connection stays open and nothing is sent. A ``port`` other than 0 replaces a killed server.
    """

    def __init__(self, fps: float, shows: Callable[[int], Picture], port: int = 0) -> None:
        self.sent = 0
        self.shows = shows
        self.stalled = False
        self._running = True
        self._interval_s = 1 / fps
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/camera.mjpg"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stream(self, out: BufferedIOBase) -> None:
        """Write pictures to ``out`` until the server is killed or the viewer disconnects."""
        while self._running:
            if self.stalled:
                time.sleep(0.01)
                continue
            try:
                out.write(_jpeg_part(self.shows(self.sent)))
            except OSError:  # the viewer has disconnected
                return
            self.sent += 1
            time.sleep(self._interval_s)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                camera.stream(self.wfile)

            def log_message(self, *_: object) -> None:
                """Keep stderr clean."""

        return Handler

    def kill(self) -> None:
        """Disconnect every viewer in the middle of the stream."""
        if self._running:
            self._running = False
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


def jpeg(image_bgr: ImageArray) -> bytes:
    """Encode ``(H, W, 3)`` BGR uint8 as a JPEG."""
    return cv2.imencode(".jpg", image_bgr)[1].tobytes()


def _jpeg_part(picture: Picture) -> bytes:
    data = picture if isinstance(picture, bytes) else jpeg(picture)
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data) + data + b"\r\n"
