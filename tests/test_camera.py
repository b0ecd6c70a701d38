from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media import mjpeg_server, picture_index, write_video
from tracker import camera
from tracker.camera import CameraSource, list_cameras
from tracker.errors import SourceError


def _capture_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("capture ")]


def _until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; the limit only keeps a broken test from hanging."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.005)


def test_a_slow_loop_sees_the_newest_frame() -> None:
    with mjpeg_server(fps=100) as server, CameraSource(server.url) as source:
        frames = iter(source)
        first = next(frames)
        assert first.source == server.url
        assert first.time_s >= 0
        _until(lambda: source.captured >= 20)
        before = source.captured
        frame = next(frames)
        # A queue would hand out one of the first here.
        assert frame.index >= before - 1
        assert picture_index(frame.image_bgr) >= 0
        assert source.dropped >= 15
        assert frame.time_s > first.time_s
        last = next(frames)
        assert last.index > frame.index
        assert last.time_s > frame.time_s


def test_every_frame_of_a_slow_stream_is_seen_once() -> None:
    with mjpeg_server(fps=25) as server, CameraSource(server.url) as source:
        indices = [frame.index for _, frame in zip(range(8), source, strict=False)]
    assert indices == sorted(set(indices))


def test_a_server_killed_midway_ends_the_loop_with_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with mjpeg_server() as server, CameraSource(server.url) as source:
        frames = iter(source)
        next(frames)
        server.kill()
        with pytest.raises(SourceError, match=r"stopped delivering frames after \d+") as caught:
            deque(frames, maxlen=0)
        assert "\n" not in str(caught.value)
        assert source.captured >= 1
    assert not _capture_threads()
    assert capfd.readouterr().err == ""


def _raise_in_loop(url: str) -> None:
    with CameraSource(url) as source:
        for _ in source:
            raise ZeroDivisionError


def test_the_thread_ends_when_the_loop_raises() -> None:
    with mjpeg_server() as server:
        with pytest.raises(ZeroDivisionError):
            _raise_in_loop(server.url)
        assert not _capture_threads()


def test_the_thread_ends_when_the_loop_breaks_and_close_is_idempotent() -> None:
    with mjpeg_server() as server:
        with CameraSource(server.url) as source:
            for _ in source:
                break
        source.close()
        assert not _capture_threads()
        assert list(source) == []


def test_close_does_not_wait_for_a_driver_that_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    class Stuck:
        def isOpened(self) -> bool:  # noqa: N802
            return True

        def read(self) -> tuple[bool, None]:
            release.wait(30)
            return False, None

        def release(self) -> None:
            pass

    monkeypatch.setattr(camera, "_open", lambda _: Stuck())
    monkeypatch.setattr(camera, "_JOIN_S", 0.05)
    monkeypatch.setattr(camera, "_STALL_S", 0.1)
    with (
        pytest.raises(SourceError, match="stopped delivering frames after 0"),
        CameraSource(0) as source,
    ):
        next(iter(source))
    (thread,) = _capture_threads()
    assert thread.daemon
    release.set()
    thread.join(10)
    assert not _capture_threads()


def test_a_file_path_is_a_camera_that_ends(tmp_path: Path) -> None:
    """Whatever OpenCV opens will do, a FIFO for example; its end is the camera's end."""
    path = tmp_path / "clip.mp4"
    write_video(path, n_frames=5)
    with CameraSource(str(path)) as source, pytest.raises(SourceError, match="after 5"):
        for _ in source:
            pass


def test_no_camera_says_which_exist(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(camera, "list_cameras", lambda: ())
    with pytest.raises(SourceError, match="cannot open camera 97: no cameras found on this computer"):
        CameraSource(97)
    monkeypatch.setattr(camera, "list_cameras", lambda: ("/dev/video0", "/dev/video2"))
    with pytest.raises(SourceError, match="found /dev/video0, /dev/video2"):
        CameraSource("97")
    with pytest.raises(SourceError, match="cannot open /dev/video97"):
        CameraSource("/dev/video97")
    assert capfd.readouterr().err == ""


def test_a_dead_url_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with mjpeg_server() as server:
        url = server.url
    with pytest.raises(SourceError, match="check the URL"):
        CameraSource(url)
    assert capfd.readouterr().err == ""
    assert not _capture_threads()


def test_cameras_are_listed_in_numerical_order(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["video10", "video2", "video0", "video-dec", "videox"]
    monkeypatch.setattr(camera.sys, "platform", "linux")
    monkeypatch.setattr(Path, "glob", lambda self, _: [self / name for name in names])
    assert list_cameras() == ("/dev/video0", "/dev/video2", "/dev/video10")


def test_elsewhere_cameras_are_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera.sys, "platform", "darwin")
    monkeypatch.setattr(camera, "_opens", lambda number: number in (0, 2))
    assert list_cameras() == ("0", "2")
