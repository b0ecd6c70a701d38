from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import cv2
import pytest

from tests.media import mjpeg_server, picture, picture_index, write_video
from tracker.sources.camera import stream as streams
from tracker.sources.camera.stream import StreamCapture


def _indices(capture: StreamCapture, count: int) -> list[int | None]:
    """Return the indices of up to ``count`` pictures, ``None`` for damaged ones."""
    found: list[int | None] = []
    while len(found) < count and capture.grab():
        decoded, image = capture.retrieve()
        assert decoded == (image is not None)
        found.append(None if image is None else picture_index(image))
    return found


def test_the_pictures_of_a_file_come_in_order(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 12)
    capture = StreamCapture(str(tmp_path / "a.mp4"))
    assert capture.isOpened()
    assert capture.get(cv2.CAP_PROP_FPS) == 30
    assert capture.get(cv2.CAP_PROP_FOURCC) == 0
    assert _indices(capture, 99) == list(range(12))
    assert not capture.grab()
    assert capture.retrieve() == (False, None)
    capture.release()
    capture.release()
    assert not capture.isOpened()
    assert not capture.grab()


def test_a_damaged_picture_does_not_end_the_stream() -> None:
    garbage = b"\xff\xd8" + b"no picture " * 100
    with mjpeg_server(shows=lambda n: garbage if n == 6 else picture(n % 64)) as server:
        capture = StreamCapture(server.url)
        found = _indices(capture, 12)
        capture.release()
    assert found == [0, 1, 2, 3, 4, 5, None, 7, 8, 9, 10, 11]


def test_a_read_timeout_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "READ_TIMEOUT_S", 0.2)
    with mjpeg_server() as server:
        capture = StreamCapture(server.url)
        assert capture.grab()
        server.stalled = True
        while capture.grab():
            pass
        capture.release()


@pytest.mark.parametrize(
    ("name", "reason"), [("text", "Invalid data"), ("missing", "No such file"), ("", "Is a directory")]
)
def test_a_stream_that_does_not_open_has_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "text").write_text("no video")
    capture = StreamCapture(str(tmp_path / name))
    assert not capture.isOpened()
    assert reason in capture.reason


@dataclass(frozen=True)
class Listener:
    """A web server that records the paths requested."""

    port: int
    requested: list[str]


@pytest.fixture
def listener() -> Iterator[Listener]:
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Keep the tests' stderr clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield Listener(server.server_port, requested)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_a_file_makes_no_connection(tmp_path: Path, listener: Listener) -> None:
    link = f"http://127.0.0.1:{listener.port}/part.ts"
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{link}\n")
    capture = StreamCapture(str(tmp_path / "list.m3u8"))
    assert not capture.isOpened()
    assert listener.requested == []
