"""Streams of known length over HTTP: they end, and are not begun again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from tests.media import picture_index, write_video
from tracker.errors import SourceError
from tracker.sources.camera import source as camera
from tracker.sources.camera.source import CameraSource
from tracker.sources.camera.stream import StreamCapture
from tracker.types import Frame

_SECRETS = "?token=abc"


class _Server(ThreadingHTTPServer):
    """Server of ``folder`` that notes what is requested, and breaks off after ``limit`` bytes of a file."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.requested: list[str] = []
        self.limit: int | None = None
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))

    def url(self, name: str) -> str:
        return f"http://user:password@127.0.0.1:{self.server_port}/{name}{_SECRETS}"


class _Handler(SimpleHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.requested.append(self.path.partition("?")[0])
        super().do_GET()

    def copyfile(self, source: object, outputfile: object) -> None:
        if self.server.limit is None:
            super().copyfile(source, outputfile)  # type: ignore[arg-type]
        else:
            outputfile.write(source.read(self.server.limit))  # type: ignore[attr-defined]
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the tests' stderr clean."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_Server]:
    with _Server(tmp_path) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _playlist(folder: Path, complete: bool) -> str:
    """Write two segments and a playlist of them; return its name."""
    for number in range(2):
        ticks = [15_360 * number + 512 * index for index in range(30)]
        write_video(folder / f"{number}.ts", ticks=ticks)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0"]
    for number in range(2):
        lines += ["#EXTINF:1.0,", f"{number}.ts"]
    (folder / "list.m3u8").write_text("\n".join([*lines, *(["#EXT-X-ENDLIST"] if complete else []), ""]))
    return "list.m3u8"


def _frames(url: str) -> list[Frame]:
    with CameraSource(url, say=pytest.fail) as source:
        return list(source)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_a_film_over_http_ends_once(tmp_path: Path, server: _Server, name: str) -> None:
    write_video(tmp_path / name, 60)
    frames = _frames(server.url(name))
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert indices[-1] == 59  # the newest frame counts: others may be skipped, the last may not
    assert picture_index(frames[-1].image_bgr) == 59


@pytest.mark.slow
def test_a_complete_playlist_ends_once(tmp_path: Path, server: _Server) -> None:
    frames = _frames(server.url(_playlist(tmp_path, complete=True)))
    assert frames[-1].index == 59
    assert [server.requested.count(f"/{number}.ts") for number in range(2)] == [1, 1]


def test_only_a_stream_of_known_length_ends(tmp_path: Path, server: _Server) -> None:
    write_video(tmp_path / "film.mp4", 5)
    film = StreamCapture(server.url("film.mp4"))
    assert (film.has_length, film.has_ended) == (True, False)
    while film.grab():
        pass
    assert film.has_ended
    film.release()
    live = StreamCapture(server.url(_playlist(tmp_path, complete=False)))
    assert live.isOpened()
    assert not live.has_length
    live.release()


def test_a_film_that_breaks_off_is_an_error_and_does_not_begin_again(
    tmp_path: Path, server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "_FIRST_RETRY_S", 0.01)
    write_video(tmp_path / "film.mp4", 600, options={"movflags": "faststart"})
    server.limit = (tmp_path / "film.mp4").stat().st_size // 2
    frames: list[Frame] = []
    with CameraSource(server.url("film.mp4"), say=pytest.fail) as source:
        with pytest.raises(SourceError, match=r"broke off after \d+ frames") as caught:
            frames.extend(source)
        assert source.name == f"http://***@127.0.0.1:{server.server_port}/film.mp4?***"
    assert "password" not in str(caught.value)
    assert "abc" not in str(caught.value)
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert {frame.source for frame in frames} == {source.name}


@pytest.mark.parametrize("faststart", [False, True])
def test_an_index_at_the_end_needs_a_server_with_ranges(
    tmp_path: Path, server: _Server, faststart: bool
) -> None:
    """The server of this test has none; libav reads over a short gap, but not over a whole film."""
    noise = np.random.default_rng(1)
    with av.open(
        str(tmp_path / "film.mp4"), "w", options={"movflags": "faststart"} if faststart else {}
    ) as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for _ in range(30):
            image = noise.integers(0, 256, (480, 640, 3), np.uint8)
            out.mux(stream.encode(VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    if faststart:
        assert _frames(server.url("film.mp4"))[-1].index == 29
        return
    with pytest.raises(SourceError, match=r"must support ranges.*faststart.*--video") as caught:
        _frames(server.url("film.mp4"))
    assert "close other programs" not in str(caught.value)
