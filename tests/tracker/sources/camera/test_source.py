from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import mjpeg_server, picture, picture_index, start_camera, write_video
from tracker.errors import SourceError
from tracker.sources.camera import source as camera
from tracker.sources.camera import stream as streams
from tracker.sources.camera.devices import CameraInfo
from tracker.sources.camera.mode import CameraMode
from tracker.sources.camera.source import CameraSource, retry_delays
from tracker.types import ImageArray


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


def test_no_camera_says_which_exist(
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


def test_a_dead_url_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with mjpeg_server() as server:
        url = server.url
    with pytest.raises(SourceError, match=r"\(Connection refused\); check the URL"):
        CameraSource(url)
    assert capfd.readouterr().err == ""
    assert not _capture_threads()


class Waiting:
    """What ``idle`` is told; ``act`` runs at the first notice, and iteration ends after ``most`` notices."""

    def __init__(self, act: Callable[[], object] = lambda: None, most: int = 400) -> None:
        self.notices: list[str] = []
        self._act = act
        self._most = most

    def __call__(self, notice: str | None) -> bool:
        if notice:
            self.notices.append(notice)
            if len(self.notices) == 1:
                self._act()
        return len(self.notices) < self._most


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timeouts and delays that tests can wait for."""
    monkeypatch.setattr(streams, "READ_TIMEOUT_S", 0.3)
    monkeypatch.setattr(camera, "_STALL_S", 0.3)
    monkeypatch.setattr(camera, "_FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(camera, "IDLE_S", 0.01)


def test_delays_double_from_half_a_second_to_five() -> None:
    assert list(islice(retry_delays(), 7)) == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_a_killed_server_that_comes_back_goes_on_where_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    servers = [start_camera()]
    port = servers[0].port
    waiting = Waiting(act=lambda: servers.append(start_camera(port)))
    try:
        with CameraSource(servers[0].url, say=said.append, idle=waiting) as source:
            frames = iter(source)
            before = next(frames)
            servers[0].kill()
            after = next(frame for frame in frames if len(said) == 2)
            later = next(frames)
    finally:
        for server in servers:
            server.kill()
    assert before.index < after.index < later.index
    assert before.time_s < after.time_s < later.time_s
    # The outage is in the times, which stay on the clock of the first frame.
    assert later.captured_s is not None
    assert before.captured_s is not None
    assert later.time_s - before.time_s == pytest.approx(later.captured_s - before.captured_s, abs=1e-6)
    lost, back = said
    assert lost.startswith(f"{source.name} stopped sending after ")
    assert back.startswith(f"{source.name} is back after ")
    assert set(waiting.notices) == {lost}
    assert not _capture_threads()
    assert capfd.readouterr().err == ""


def test_who_waits_can_quit_and_no_thread_stays() -> None:
    with (
        mjpeg_server() as server,
        CameraSource(server.url, say=lambda _: None, idle=Waiting(most=3)) as source,
    ):
        frames = iter(source)
        next(frames)
        server.kill()
        assert next(reversed([*frames, None])) is None  # it ends, and raises nothing
    assert not _capture_threads()


def test_without_a_listener_a_loss_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with mjpeg_server() as server, CameraSource(server.url, idle=Waiting(most=1)) as source:
        for _ in source:
            server.kill()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "stopped sending" in record.getMessage()


@pytest.mark.usefixtures("impatient")
def test_a_stream_that_stalls_goes_on() -> None:
    said: list[str] = []
    with mjpeg_server() as server:

        def go_on() -> None:
            server.stalled = False

        with CameraSource(server.url, say=said.append, idle=Waiting(act=go_on)) as source:
            frames = iter(source)
            before = next(frames)
            server.stalled = True
            after = next(frame for frame in frames if len(said) == 2)
    assert after.index > before.index
    assert ["stopped" in line for line in said] == [True, False]


def test_pictures_may_change_their_size() -> None:
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


def test_black_pictures_are_pictures() -> None:
    with (
        mjpeg_server(shows=lambda n: np.zeros_like(picture(n))) as server,
        CameraSource(server.url, idle=Waiting()) as source,
    ):
        assert [frame.image_bgr.max() for frame in islice(source, 4)] == [0] * 4


@pytest.mark.parametrize("fps", [1, 120])
def test_slow_and_fast_cameras(fps: float) -> None:
    said: list[str] = []
    idled: list[str | None] = []
    with mjpeg_server(fps) as server:
        idle = lambda notice: not idled.append(notice)  # noqa: E731
        with CameraSource(server.url, say=said.append, idle=idle) as source:
            _until(lambda: source.captured >= 2)
            frames = list(islice(source, 3))
    assert sorted({f.index for f in frames}) == [f.index for f in frames]
    assert sorted({f.time_s for f in frames}) == [f.time_s for f in frames]
    assert said == []
    assert set(idled) <= {None}
    if fps == 1:
        assert len(idled) >= 2  # keys are obeyed between two frames


UNDECODABLE = np.zeros((0, 1, 3), np.uint8)


class FakeCapture:
    """A driver that plays ``shots``: a picture, None for the end, or what blocks or raises when called."""

    def __init__(
        self, shots: Iterator[ImageArray | Callable[[], None] | None], opens: bool = True, **given: float
    ) -> None:
        self.released = False
        self.asked: list[tuple[int, float]] = []
        self._shots = shots
        self._opens = opens
        self._given = given
        self._image: ImageArray | None = None

    def isOpened(self) -> bool:  # noqa: N802
        return self._opens

    def grab(self) -> bool:
        shot = next(self._shots, None)
        while callable(shot):
            shot()
            shot = next(self._shots, None)
        self._image = shot
        return shot is not None

    def retrieve(self) -> tuple[bool, ImageArray | None]:
        assert self._image is not None
        if self._image.shape == UNDECODABLE.shape:
            raise cv2.error("what a broken JPEG makes OpenCV raise")
        return bool(self._image.size), self._image

    def get(self, prop: int) -> float:
        return self._given.get({cv2.CAP_PROP_FPS: "fps", cv2.CAP_PROP_FOURCC: "fourcc"}[prop], 0.0)

    def set(self, prop: int, value: float) -> bool:
        self.asked.append((prop, value))
        return False

    def release(self) -> None:
        self.released = True


def _fake(monkeypatch: pytest.MonkeyPatch, *captures: FakeCapture) -> None:
    """Let each attempt to open a camera get the next of ``captures``; the last again and again."""
    waiting = list(captures)
    monkeypatch.setattr(camera, "open_capture", lambda *_: waiting.pop(0) if waiting[1:] else waiting[0])


NO_SHOTS: tuple[ImageArray, ...] = ()


def _play(*shots: ImageArray | Callable[[], None] | None) -> FakeCapture:
    return FakeCapture(iter(shots))


def test_delays_grow_until_a_picture_comes_and_then_start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def delays() -> Iterator[float]:
        started.append(0)
        while True:
            started[-1] += 1
            yield 0.001

    closed = FakeCapture(iter(NO_SHOTS), opens=False)
    captures = (_play(picture(0)), closed, closed, _play(), closed, _play(picture(1)), closed, closed)
    _fake(monkeypatch, *captures)
    monkeypatch.setattr(camera, "retry_delays", delays)
    said: list[str] = []
    with CameraSource(0, say=said.append, idle=lambda _: len(started) < 2 or started[-1] < 2) as source:
        indices = [frame.index for frame in source]
    assert indices[-1] == 1
    assert len(started) == 2  # the delays of the first outage, and those of the second
    assert started[0] == 5
    assert [("is back" in line) for line in said] == [False, True, False]
    assert all(capture.released for capture in captures)


@pytest.mark.usefixtures("impatient")
def test_a_driver_that_hangs_is_told_once_and_close_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(camera, "_JOIN_S", 0.05)
    _fake(monkeypatch, _play(picture(0), lambda: assert_wait(release), picture(1)))
    said: list[str] = []
    waiting = Waiting(most=5)
    with CameraSource(0, say=said.append, idle=waiting) as source:
        assert [frame.index for frame in source] == [0]
        assert len(said) == 1
        assert waiting.notices == said * 5
        release.set()
        _until(lambda: source.captured == 2)
        assert next(iter(source)).index == 1
        assert "is back" in said[1]
    assert all(thread.daemon for thread in _capture_threads())
    _until(lambda: not _capture_threads())


def assert_wait(event: threading.Event) -> None:
    assert event.wait(30)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("hangs", [False, True])
def test_a_camera_that_never_gives_a_picture_is_an_error(
    monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    release = threading.Event()
    monkeypatch.setattr(camera, "_JOIN_S", 0.05)
    _fake(monkeypatch, _play(lambda: assert_wait(release)) if hangs else _play())
    with (
        pytest.raises(SourceError, match="camera 0 opens but gives no picture") as caught,
        CameraSource(0) as source,
    ):
        next(iter(source))
    assert "\n" not in str(caught.value)
    release.set()
    _until(lambda: not _capture_threads())


def test_damaged_pictures_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = np.zeros((0, 0, 3), np.uint8)
    _fake(monkeypatch, _play(empty, UNDECODABLE, picture(7)[:, :, 0]))
    with CameraSource(0, say=lambda _: None, idle=lambda notice: notice is None) as source:
        frames = list(source)
    assert [frame.image_bgr.shape for frame in frames] == [(48, 64, 3)]
    assert picture_index(frames[0].image_bgr) == 7


def test_a_thread_that_crashes_is_an_error_not_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    crashed: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: crashed.append(hook.exc_value))
    _fake(monkeypatch, _play(picture(0), np.zeros((4, 4, 4), np.uint8)))
    with CameraSource(0) as source, pytest.raises(SourceError, match="unforeseen"):
        list(source)
    assert isinstance(crashed[0], ValueError)


def test_what_the_camera_gives_instead_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    yuyv = float(cv2.VideoWriter.fourcc(*"YUYV"))
    captures = [FakeCapture(iter([picture(n)]), fps=30.0, fourcc=yuyv) for n in range(2)]
    _fake(monkeypatch, *captures, FakeCapture(iter(NO_SHOTS), opens=False))
    monkeypatch.setattr(camera, "_FIRST_RETRY_S", 0.001)
    said: list[str] = []
    mode = CameraMode((1280, 720), 60, "MJPG")
    with CameraSource(0, mode, said.append, Waiting(most=4)) as source:
        indices = [frame.index for frame in source]
    assert indices[-1] == 1
    different = "camera 0 gives 64x48 instead of 1280x720, 30 fps instead of 60 fps, YUYV instead of MJPG"
    assert [line for line in said if "gives" in line] == [different]


def test_a_file_path_is_a_camera_that_ends(tmp_path: Path) -> None:
    """Whatever OpenCV opens will do; a file that has ended will not come back, and is not begun anew."""
    path = tmp_path / "clip.mp4"
    write_video(path, n_frames=5)
    with CameraSource(str(path)) as source, pytest.raises(SourceError, match="after 5 frames; --video"):
        for _ in source:
            pass
