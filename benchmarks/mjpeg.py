"""A network camera on this computer, for measurements and tests of the live loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from tracker.types import ImageArray

Picture = ImageArray | bytes
"""``(H, W, 3)`` BGR uint8, or the bytes of a JPEG."""


class MjpegServer:
    """A network camera on 127.0.0.1: multipart JPEG over HTTP, ``fps`` frames a second, until stopped.

    ``shows`` makes the picture of each number and may be changed at any time; while ``stalled`` the
    connection stays and nothing comes. A ``port`` takes the place of a killed server.
    """

    def __init__(self, fps: float, shows: Callable[[int], Picture], port: int = 0) -> None:
        self.sent = 0
        self.shows = shows
        self.stalled = False
        self._running = True
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                while camera._running:
                    if camera.stalled:
                        time.sleep(0.01)
                        continue
                    try:
                        self.wfile.write(_jpeg_part(camera.shows(camera.sent)))
                    except OSError:  # the viewer has gone
                        return
                    camera.sent += 1
                    time.sleep(1 / fps)

            def log_message(self, *_: object) -> None:
                """Keep stderr clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/camera.mjpg"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Drop every viewer in the middle of the stream."""
        if self._running:
            self._running = False
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


def jpeg(image_bgr: ImageArray) -> bytes:
    """``(H, W, 3)`` BGR uint8 as a JPEG."""
    return cv2.imencode(".jpg", image_bgr)[1].tobytes()


def _jpeg_part(picture: Picture) -> bytes:
    data = picture if isinstance(picture, bytes) else jpeg(picture)
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data) + data + b"\r\n"
