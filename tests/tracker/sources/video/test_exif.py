"""Films whose frames carry EXIF, side data of a kind that PyAV does not know."""

from __future__ import annotations

import shutil
import subprocess
import threading
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import cv2
import numpy as np
import pytest

from tests.media import exif_block, jpeg_with_exif, png_with_chunk
from tests.portraits import MATRICES, portrait, stored
from tracker.sources.camera.source import CameraSource
from tracker.sources.orientation import Orientation
from tracker.sources.video import picture
from tracker.sources.video.picture import orientation_of
from tracker.sources.video.source import VideoSource
from tracker.types import ImageArray

CODEC_LOSS = 4.0  # mean difference in grey levels of a JPEG; a picture the wrong way round is off by 40


def _difference(image: ImageArray, expected: ImageArray) -> float:
    assert image.shape == expected.shape
    return float(np.abs(image.astype(int) - expected).mean())


def _jpeg(orientation: int) -> bytes:
    return jpeg_with_exif(stored(portrait(), orientation), orientation)


def _film(path: Path, orientation: int) -> Path:
    """Write a film of three JPEGs with EXIF, as ``ffmpeg -c copy`` does."""
    image = stored(portrait(), orientation)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuvj420p"
        for index in range(3):
            packet = av.Packet(_jpeg(orientation))
            packet.pts = packet.dts = index
            packet.time_base, packet.stream = Fraction(1, 25), stream
            out.mux(packet)
    return path


@pytest.mark.parametrize("orientation", sorted(MATRICES))
@pytest.mark.parametrize("suffix", [".avi", ".mov", ".mkv"])
def test_frames_are_turned_by_their_exif(tmp_path: Path, suffix: str, orientation: int) -> None:
    with VideoSource(_film(tmp_path / f"a{suffix}", orientation)) as source:
        size, frames = source.size, list(source)
    assert size == portrait().shape[1::-1]
    assert len(frames) == 3
    for frame in frames:
        assert frame.damage is None
        assert _difference(frame.image_bgr, portrait()) < CODEC_LOSS


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_ffmpeg_shows_the_same(tmp_path: Path, orientation: int) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed: no second opinion")
    film = _film(tmp_path / "a.avi", orientation)
    output = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    done = subprocess.run([program, "-v", "error", "-i", film, *output], capture_output=True, check=True)
    height, width = portrait().shape[:2]
    theirs = np.frombuffer(done.stdout, np.uint8).reshape(height, width, 3)
    assert _difference(theirs, portrait()) < CODEC_LOSS


@pytest.mark.parametrize("orientation", sorted(MATRICES))
def test_a_single_picture_read_as_a_film_is_turned(tmp_path: Path, orientation: int) -> None:
    (tmp_path / "a.jpg").write_bytes(_jpeg(orientation))
    png = cv2.imencode(".png", stored(portrait(), orientation))[1].tobytes()
    (tmp_path / "a.png").write_bytes(png_with_chunk(png, b"eXIf", exif_block(orientation)))
    for name in ("a.jpg", "a.png"):
        with VideoSource(tmp_path / name) as source:
            (frame,) = source
        assert _difference(frame.image_bgr, portrait()) < CODEC_LOSS


class _Camera(BaseHTTPRequestHandler):
    """Camera that sends JPEGs with EXIF as they come from a phone held upright."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        jpeg = _jpeg(6)
        head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        for _ in range(30):
            self.wfile.write(head + jpeg + b"\r\n")

    def log_message(self, *_: object) -> None:
        """Keep the tests' stderr clean."""


def test_a_stream_of_such_frames_is_turned() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Camera) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            with CameraSource(f"http://127.0.0.1:{server.server_port}/") as source:
                assert _difference(next(iter(source)).image_bgr, portrait()) < CODEC_LOSS
        finally:
            server.shutdown()


@pytest.mark.parametrize(("rotation", "exif"), [(0, 1), (-90, 6), (90, 8), (180, 3), (-180, 3)])
def test_a_matrix_behind_unknown_side_data_still_turns(
    monkeypatch: pytest.MonkeyPatch, rotation: int, exif: int
) -> None:
    """The turn is counterclockwise, as ``av_display_rotation_get`` gives it."""

    class Unknown(dict[Any, Any]):
        def __init__(self, _: object) -> None:
            raise ValueError("99 is not a valid Type")

    monkeypatch.setattr(picture, "SideDataContainer", Unknown)
    frame = cast(Any, SimpleNamespace(rotation=rotation))
    assert orientation_of(frame) == Orientation.from_exif(exif)
