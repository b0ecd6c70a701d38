from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.media import mjpeg_server, picture, picture_index, write_video
from tests.squeezed import joined
from tests.tracker.sources.camera.fakes import (
    IdleRecorder,
    capture_threads,
    wait_until,
)
from tracker.errors import SourceError
from tracker.sources.camera import source as camera
from tracker.sources.camera.devices import CameraInfo
from tracker.sources.camera.source import CameraSource


def _raise_in_loop(url: str) -> None:
    with CameraSource(url) as source:
        for _ in source:
            raise ZeroDivisionError


def test_a_slow_loop_sees_the_newest_frame() -> None:
    with mjpeg_server(fps=100) as server, CameraSource(server.url) as source:
        frames = iter(source)
        first = next(frames)
        assert first.source == server.url
        assert first.time_s >= 0
        wait_until(lambda: source.captured >= 20)
        before = source.captured
        frame = next(frames)
        # A queue would yield one of the first here.
        assert frame.index >= before - 1
        assert picture_index(frame.image_bgr) >= 0
        assert source.dropped >= 15
        assert frame.time_s > first.time_s
        last = next(frames)
        assert last.index > frame.index
        assert last.time_s > frame.time_s


def test_no_frame_is_yielded_twice() -> None:
    with mjpeg_server(fps=25) as server, CameraSource(server.url) as source:
        indices = [frame.index for _, frame in zip(range(8), source, strict=False)]
    assert indices == sorted(set(indices))


def test_the_thread_ends_when_the_loop_raises() -> None:
    with mjpeg_server() as server:
        with pytest.raises(ZeroDivisionError):
            _raise_in_loop(server.url)
        assert not capture_threads()


def test_the_thread_ends_when_the_loop_breaks_and_close_is_idempotent() -> None:
    with mjpeg_server() as server:
        with CameraSource(server.url) as source:
            for _ in source:
                break
        source.close()
        assert not capture_threads()
        assert list(source) == []


def test_the_error_of_a_missing_camera_lists_the_others(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(camera, "list_cameras", lambda: ())
    with pytest.raises(SourceError, match="cannot open camera 97: no cameras found on this computer"):
        CameraSource(97)
    found = (CameraInfo(0, "/dev/video0"), CameraInfo(2, "/dev/video2"))
    monkeypatch.setattr(camera, "list_cameras", lambda: found)
    with pytest.raises(SourceError, match="found /dev/video0, /dev/video2"):
        CameraSource("97")
    with pytest.raises(SourceError, match="cannot open /dev/video97"):
        CameraSource("/dev/video97")
    assert capfd.readouterr().err == ""


def test_a_refused_connection_is_an_error_of_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with mjpeg_server() as server:
        url = server.url
    with pytest.raises(SourceError, match=r"\(Connection refused\); check the URL"):
        CameraSource(url)
    assert capfd.readouterr().err == ""
    assert not capture_threads()


def test_the_picture_size_may_change() -> None:
    said: list[str] = []
    sizes = [(64, 48), (48, 64), (320, 240)]
    with (
        mjpeg_server(shows=lambda n: picture(n, *sizes[min(n // 20, 2)])) as server,
        CameraSource(server.url, say=said.append) as source,
    ):
        seen = []
        for frame in source:
            height, width = frame.image_hw
            seen.append((width, height))
            if seen[-1] == sizes[-1]:
                break
    assert list(dict.fromkeys(seen)) == sizes
    assert said == [
        f"{source.name} now sends 48x64 instead of 64x48",
        f"{source.name} now sends 320x240 instead of 48x64",
    ]


def test_black_pictures_are_frames() -> None:
    with (
        mjpeg_server(shows=lambda n: np.zeros_like(picture(n))) as server,
        CameraSource(server.url, idle=IdleRecorder()) as source,
    ):
        assert [frame.image_bgr.max() for frame in islice(source, 4)] == [0] * 4


@pytest.mark.slow
@pytest.mark.parametrize("fps", [1, 120])
def test_slow_and_fast_cameras(fps: float) -> None:
    said: list[str] = []
    idled: list[str | None] = []
    with mjpeg_server(fps) as server:

        def idle(notice: str | None) -> bool:
            idled.append(notice)
            return True

        with CameraSource(server.url, say=said.append, idle=idle) as source:
            wait_until(lambda: source.captured >= 2)
            frames = list(islice(source, 3))
    assert sorted({f.index for f in frames}) == [f.index for f in frames]
    assert sorted({f.time_s for f in frames}) == [f.time_s for f in frames]
    assert said == []
    assert set(idled) <= {None}
    if fps == 1:
        assert len(idled) >= 2  # control returns between two frames


def test_a_file_is_a_camera_that_is_not_reopened_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, n_frames=5)
    with CameraSource(str(path)) as source, pytest.raises(SourceError, match="after 5 frames; --video"):
        for _ in source:
            pass


def test_the_shape_of_pixels_may_change(tmp_path: Path) -> None:
    said: list[str] = []
    seen: list[float] = []
    path = joined(tmp_path, "mpeg2video", [Fraction(64, 27), 1], count=30)
    with pytest.raises(SourceError, match="ended"), CameraSource(str(path), say=said.append) as source:
        seen.extend(frame.pixel_aspect for frame in source)
    assert seen[-1] == 1.0
    assert said == [f"{path} now sends 96x128 instead of 96x128 in 64:27 pixels"]
