from __future__ import annotations

import math
import sys
from collections.abc import Callable

import pytest

from tracker.sources.camera.mode import CameraMode, is_local_camera


@pytest.mark.parametrize(
    "make",
    [
        lambda: CameraMode(size=(0, 480)),
        lambda: CameraMode(size=(640, -1)),
        lambda: CameraMode(fps=0.0),
        lambda: CameraMode(fps=math.nan),
        lambda: CameraMode(fps=math.inf),
        lambda: CameraMode(fourcc="MJPEG"),
        lambda: CameraMode(fourcc=""),
        lambda: CameraMode(fourcc="MJP\n"),
        lambda: CameraMode(fourcc="MJP\u00c9"),
    ],
)
def test_impossible_values_are_refused(make: Callable[[], CameraMode]) -> None:
    with pytest.raises(ValueError, match=r"camera's|pixel format"):
        make()


def test_differences_are_told_for_requested_values_only() -> None:
    given = CameraMode((640, 480), 29.97, "YUYV")
    assert CameraMode().differences(given) == ()
    assert CameraMode((640, 480), 30, "YUYV").differences(given) == ()
    assert CameraMode((1280, 720), 60, "MJPG").differences(given) == (
        "640x480 instead of 1280x720",
        "29.97 fps instead of 60 fps",
        "YUYV instead of MJPG",
    )
    assert CameraMode((1280, 720), 60, "MJPG").differences(CameraMode()) == (
        "an unknown size instead of 1280x720",
        "an unknown rate instead of 60 fps",
        "an unknown format instead of MJPG",
    )


def test_local_cameras_are_numbers_and_device_paths_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for local in (0, "0", "12", "/dev/video0", "/dev/v4l/by-id/usb-A-video-index0"):
        assert is_local_camera(local)
    for other in ("http://10.0.0.1/", "rtsp://x/1", "clip.mp4", "-1", "\u0661", "\u00b2", "1.5"):
        assert not is_local_camera(other)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert is_local_camera("1")
    assert not is_local_camera("/dev/video0")
