from __future__ import annotations

import sys
from collections.abc import Mapping
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

NAMES: Mapping[int, bytes] = {2: b"Maker Cam\n", 10: b"caf\xe9\n", 5: b"in sysfs only\n"}


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Folders of a Linux with three cameras: one with a stable path, two without, one of them nameless."""
    monkeypatch.setattr(sys, "platform", "linux")
    sysfs, dev = tmp_path / "sys", tmp_path / "dev"
    by_id = dev / "v4l" / "by-id"
    by_id.mkdir(parents=True)
    for device in ("video10", "video2", "video0", "video-dec", "videox", "vbi0"):
        (dev / device).touch()
    (by_id / "usb-Maker_Cam_123-video-index0").symlink_to("../../video2")
    (by_id / "usb-Gone-video-index0").symlink_to("../../video77")
    for number, name in NAMES.items():
        (sysfs / f"video{number}").mkdir(parents=True)
        (sysfs / f"video{number}" / "name").write_bytes(name)
    return sysfs, dev


def test_cameras_are_listed_by_number_with_path_and_name(roots: tuple[Path, Path]) -> None:
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
    assert lines[0].endswith("(name unknown)")
    assert lines[1] == f"2   {stable}  Maker Cam"
    assert lines[0].index("(name") == lines[1].index("Maker Cam") == lines[2].index("caf")


def test_no_cameras_are_described_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert list_cameras(tmp_path / "none", tmp_path / "here") == ()
    assert describe_cameras(()) == ["no cameras found"]


def test_other_systems_list_the_numbers_that_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(devices, "_opens", lambda number: number in (0, 2))
    cameras = list_cameras()
    assert cameras == (CameraInfo(0), CameraInfo(2))
    assert describe_cameras(cameras)[1] == "2   opens; this system does not tell its name"


class FakeVideoCapture:
    """OpenCV camera that records the properties set, in order."""

    def __init__(self, fps: float = 0.0, fourcc: float = 0.0) -> None:
        self.requested: list[tuple[int, float]] = []
        self._values = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FOURCC: fourcc}

    def set(self, prop: int, value: float) -> bool:
        self.requested.append((prop, value))
        return False

    def get(self, prop: int) -> float:
        return self._values[prop]


def test_a_mode_is_requested_as_format_then_size_then_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = FakeVideoCapture()
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: camera)
    open_capture(0, CameraMode())
    assert camera.requested == []
    open_capture(0, CameraMode((1280, 720), 60, "MJPG"))
    assert camera.requested == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_FPS, 60),
    ]


@pytest.mark.parametrize(
    ("fps", "fourcc", "mode"),
    [
        (30.0, float(cv2.VideoWriter.fourcc(*"YUYV")), CameraMode((4, 2), 30.0, "YUYV")),
        (0.0, 0.0, CameraMode((4, 2))),
        (-1.0, -1.0, CameraMode((4, 2))),
        (float("nan"), 22.0, CameraMode((4, 2))),
    ],
)
def test_values_not_reported_by_a_driver_are_unknown(fps: float, fourcc: float, mode: CameraMode) -> None:
    assert actual_mode(FakeVideoCapture(fps, fourcc), (4, 2)) == mode  # type: ignore[arg-type]
