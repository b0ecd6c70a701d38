import math

import pytest

from tracker.sources.camera import mode as camera_mode
from tracker.sources.camera.mode import CameraMode, is_local_camera


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (0, 480)},
        {"size": (640, -1)},
        {"fps": 0.0},
        {"fps": math.nan},
        {"fps": math.inf},
        {"fourcc": "MJPEG"},
        {"fourcc": ""},
        {"fourcc": "MJP\n"},
        {"fourcc": "MJP\u00c9"},
    ],
)
def test_what_no_camera_can_have_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"camera's|pixel format"):
        CameraMode(**wrong)  # type: ignore[arg-type]


def test_only_what_was_asked_for_can_be_missed() -> None:
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


def test_cameras_of_this_computer_are_numbers_and_on_linux_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_mode.sys, "platform", "linux")
    for local in (0, "0", "12", "/dev/video0", "/dev/v4l/by-id/usb-A-video-index0"):
        assert is_local_camera(local)
    for other in ("http://10.0.0.1/", "rtsp://x/1", "clip.mp4", "-1", "\u0661", "\u00b2", "1.5"):
        assert not is_local_camera(other)
    monkeypatch.setattr(camera_mode.sys, "platform", "darwin")
    assert is_local_camera("1")
    assert not is_local_camera("/dev/video0")
