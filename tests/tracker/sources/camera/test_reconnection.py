from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
import pytest

from tests.media import mjpeg_server, picture, picture_index, start_camera
from tests.tracker.sources.camera.fakes import (
    NO_SHOTS,
    UNDECODABLE,
    FakeCapture,
    IdleRecorder,
    capture_threads,
    playing,
    use_captures,
    wait_until,
)
from tracker.errors import SourceError
from tracker.sources.camera import source as camera
from tracker.sources.camera.mode import CameraMode
from tracker.sources.camera.source import CameraSource, retry_delays


def test_retry_delays_double_from_half_a_second_to_five() -> None:
    assert list(islice(retry_delays(), 7)) == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_index_and_time_continue_after_an_outage(capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    servers = [start_camera()]
    port = servers[0].port
    waiting = IdleRecorder(act=lambda: servers.append(start_camera(port)))
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
    # The times include the outage: they stay on the clock of the first frame.
    assert later.captured_s is not None
    assert before.captured_s is not None
    assert later.time_s - before.time_s == pytest.approx(later.captured_s - before.captured_s, abs=1e-6)
    lost, back = said
    assert lost.startswith(f"{source.name} stopped sending after ")
    assert back.startswith(f"{source.name} is back after ")
    assert set(waiting.notices) == {lost}
    assert not capture_threads()
    assert capfd.readouterr().err == ""


def test_idle_can_end_the_iteration_during_an_outage() -> None:
    with (
        mjpeg_server() as server,
        CameraSource(server.url, say=lambda _: None, idle=IdleRecorder(limit=3)) as source,
    ):
        frames = iter(source)
        next(frames)
        server.kill()
        for _ in frames:
            pass
    assert not capture_threads()


def test_a_loss_is_logged_by_default(caplog: pytest.LogCaptureFixture) -> None:
    with mjpeg_server() as server, CameraSource(server.url, idle=IdleRecorder(limit=1)) as source:
        for _ in source:
            server.kill()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "stopped sending" in record.getMessage()


@pytest.mark.usefixtures("impatient")
def test_a_stalled_stream_continues() -> None:
    said: list[str] = []
    with mjpeg_server() as server:

        def go_on() -> None:
            server.stalled = False

        with CameraSource(server.url, say=said.append, idle=IdleRecorder(act=go_on)) as source:
            frames = iter(source)
            before = next(frames)
            server.stalled = True
            after = next(frame for frame in frames if len(said) == 2)
    assert after.index > before.index
    assert ["stopped" in line for line in said] == [True, False]


def test_retry_delays_restart_after_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def delays() -> Iterator[float]:
        started.append(0)
        while True:
            started[-1] += 1
            yield 0.001

    closed = FakeCapture(iter(NO_SHOTS), opens=False)
    captures = (playing(picture(0)), closed, closed, playing(), closed, playing(picture(1)), closed, closed)
    use_captures(monkeypatch, *captures)
    monkeypatch.setattr(camera, "retry_delays", delays)
    said: list[str] = []
    with CameraSource(0, say=said.append, idle=lambda _: len(started) < 2 or started[-1] < 2) as source:
        indices = [frame.index for frame in source]
    assert indices[-1] == 1
    assert len(started) == 2  # the delays of the first outage, and those of the second
    assert started[0] == 5
    assert [("is back" in line) for line in said] == [False, True, False]
    assert all(capture.released for capture in captures)


def _wait(event: threading.Event) -> None:
    event.wait()


@pytest.mark.usefixtures("impatient")
def test_a_hanging_driver_is_reported_once_and_close_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, release: threading.Event
) -> None:
    monkeypatch.setattr(camera, "_JOIN_S", 0.05)
    use_captures(monkeypatch, playing(picture(0), lambda: _wait(release), picture(1)))
    said: list[str] = []
    waiting = IdleRecorder(limit=5)
    with CameraSource(0, say=said.append, idle=waiting) as source:
        assert [frame.index for frame in source] == [0]
        assert len(said) == 1
        assert waiting.notices == said * 5
        release.set()
        wait_until(lambda: source.captured == 2)
        assert next(iter(source)).index == 1
        assert "is back" in said[1]
    assert all(thread.daemon for thread in capture_threads())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("hangs", [False, True])
def test_a_camera_that_never_gives_a_picture_is_an_error(
    monkeypatch: pytest.MonkeyPatch, release: threading.Event, hangs: bool
) -> None:
    monkeypatch.setattr(camera, "_JOIN_S", 0.05)
    use_captures(monkeypatch, playing(lambda: _wait(release)) if hangs else playing())
    with (
        pytest.raises(SourceError, match="camera 0 opens but gives no picture") as caught,
        CameraSource(0) as source,
    ):
        next(iter(source))
    assert "\n" not in str(caught.value)


def test_damaged_pictures_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = np.zeros((0, 0, 3), np.uint8)
    use_captures(monkeypatch, playing(empty, UNDECODABLE, picture(7)[:, :, 0]))
    with CameraSource(0, say=lambda _: None, idle=lambda notice: notice is None) as source:
        frames = list(source)
    assert [frame.image_bgr.shape for frame in frames] == [(48, 64, 3)]
    assert picture_index(frames[0].image_bgr) == 7


def test_a_crash_of_the_capture_thread_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    crashed: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: crashed.append(hook.exc_value))
    use_captures(monkeypatch, playing(picture(0), np.zeros((4, 4, 4), np.uint8)))
    with CameraSource(0) as source, pytest.raises(SourceError, match="unexpected"):
        list(source)
    assert isinstance(crashed[0], ValueError)


def test_another_mode_than_requested_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    yuyv = float(cv2.VideoWriter.fourcc(*"YUYV"))
    captures = [FakeCapture(iter([picture(n)]), fps=30.0, fourcc=yuyv) for n in range(2)]
    use_captures(monkeypatch, *captures, FakeCapture(iter(NO_SHOTS), opens=False))
    monkeypatch.setattr(camera, "_FIRST_RETRY_S", 0.001)
    said: list[str] = []
    mode = CameraMode((1280, 720), 60, "MJPG")
    with CameraSource(0, mode, said.append, IdleRecorder(limit=4)) as source:
        indices = [frame.index for frame in source]
    assert indices[-1] == 1
    different = "camera 0 gives 64x48 instead of 1280x720, 30 fps instead of 60 fps, YUYV instead of MJPG"
    assert [line for line in said if "gives" in line] == [different]
