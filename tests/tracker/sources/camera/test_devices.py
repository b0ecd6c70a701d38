from pathlib import Path

import cv2
import pytest

from tracker.sources.camera import devices
from tracker.sources.camera.devices import (
    CameraInfo,
    actual_mode,
    describe_cameras,
    list_cameras,
    open_capture,
)
from tracker.sources.camera.mode import CameraMode


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A Linux with three cameras: one with a stable path, one without, one that the system does not name."""
    monkeypatch.setattr(devices.sys, "platform", "linux")
    sysfs, dev = tmp_path / "sys", tmp_path / "dev"
    by_id = dev / "v4l" / "by-id"
    by_id.mkdir(parents=True)
    for name in ("video10", "video2", "video0", "video-dec", "videox", "vbi0"):
        (dev / name).touch()
    (by_id / "usb-Maker_Cam_123-video-index0").symlink_to("../../video2")
    (by_id / "usb-Gone-video-index0").symlink_to("../../video77")
    for number, name in ((2, b"Maker Cam\n"), (10, b"caf\xe9\n"), (5, b"in sysfs only\n")):
        (sysfs / f"video{number}").mkdir(parents=True)
        (sysfs / f"video{number}" / "name").write_bytes(name)
    return sysfs, dev


def test_cameras_come_in_order_with_path_and_name(roots: tuple[Path, Path]) -> None:
    dev = roots[1]
    stable = str(dev / "v4l" / "by-id" / "usb-Maker_Cam_123-video-index0")
    cameras = list_cameras(*roots)
    assert cameras == (
        CameraInfo(0, str(dev / "video0"), None),
        CameraInfo(2, stable, "Maker Cam"),
        CameraInfo(10, str(dev / "video10"), "caf\ufffd"),
    )
    lines = describe_cameras(cameras)
    assert [line.split()[0] for line in lines] == ["0", "2", "10"]
    assert lines[0].endswith("of unknown name")
    assert lines[1] == f"2   {stable}  Maker Cam"
    assert lines[0].index("of unknown") == lines[1].index("Maker Cam") == lines[2].index("caf")


def test_a_computer_without_cameras_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.sys, "platform", "linux")
    assert list_cameras(tmp_path / "none", tmp_path / "here") == ()
    assert describe_cameras(()) == ["no cameras found"]


def test_elsewhere_the_numbers_that_open_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.sys, "platform", "darwin")
    monkeypatch.setattr(devices, "_opens", lambda number: number in (0, 2))
    cameras = list_cameras()
    assert cameras == (CameraInfo(0), CameraInfo(2))
    assert describe_cameras(cameras)[1] == "2   opens; this system does not tell its name"


class Camera:
    """What OpenCV would open: remembers what it was asked for, in order."""

    def __init__(self, fps: float = 0.0, fourcc: float = 0.0) -> None:
        self.asked: list[tuple[int, float]] = []
        self._has = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FOURCC: fourcc}

    def set(self, prop: int, value: float) -> bool:
        self.asked.append((prop, value))
        return False

    def get(self, prop: int) -> float:
        return self._has[prop]


def test_a_camera_is_asked_for_format_size_and_rate_in_this_order(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera()
    monkeypatch.setattr(devices.cv2, "VideoCapture", lambda *_: camera)
    open_capture(0, CameraMode())
    assert camera.asked == []
    open_capture(0, CameraMode((1280, 720), 60, "MJPG"))
    assert camera.asked == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_FPS, 60),
    ]


@pytest.mark.parametrize(
    ("fps", "fourcc", "given"),
    [
        (30.0, float(cv2.VideoWriter.fourcc(*"YUYV")), CameraMode((4, 2), 30.0, "YUYV")),
        (0.0, 0.0, CameraMode((4, 2))),
        (-1.0, -1.0, CameraMode((4, 2))),
        (float("nan"), 22.0, CameraMode((4, 2))),
    ],
)
def test_what_a_driver_does_not_tell_is_unknown(fps: float, fourcc: float, given: CameraMode) -> None:
    assert actual_mode(Camera(fps, fourcc), (4, 2)) == given  # type: ignore[arg-type]
