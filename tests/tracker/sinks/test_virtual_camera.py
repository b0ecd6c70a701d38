"""Virtual camera on a fake pyvirtualcam, and errors of the real one."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.media import picture, picture_index
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.virtual_camera import VirtualCamera
from tracker.types import ImageArray


class PixelFormat(Enum):
    RGB = 1
    BGR = 2


class Device:
    """Fake of ``pyvirtualcam.Camera`` as documented: exact size, one colour order, closed once."""

    opened: list[Device] = []  # noqa: RUF012
    failure: Exception | None = None

    def __init__(self, width: int, height: int, fps: float, *, fmt: PixelFormat, device: str | None) -> None:
        if Device.failure:
            raise Device.failure
        self.args = (width, height, fps, fmt.name, device)
        self.size = (height, width, 3)
        self.sent: list[ImageArray] = []
        self.closings = 0
        Device.opened.append(self)

    def send(self, frame: ImageArray) -> None:
        if Device.failure:
            raise Device.failure
        assert frame.shape == self.size
        assert frame.dtype == np.uint8
        self.sent.append(frame.copy())

    def close(self) -> None:
        self.closings += 1


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[Device]:
    module = ModuleType("pyvirtualcam")
    module.Camera = Device  # type: ignore[attr-defined]
    module.PixelFormat = PixelFormat  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    monkeypatch.setattr(Device, "opened", [])
    monkeypatch.setattr(Device, "failure", None)
    return Device


def test_pictures_reach_the_device_unchanged(device: type[Device]) -> None:
    with VirtualCamera("/dev/video9", (64, 48), 25.0) as camera:
        camera.write(Picture(picture(1), 0.0))
        camera.write(Picture(picture(2), 0.04))
    (opened,) = device.opened
    assert opened.args == (64, 48, 25.0, "BGR", "/dev/video9")
    np.testing.assert_array_equal(opened.sent, [picture(1), picture(2)])
    assert opened.closings == 1


def test_auto_takes_any_device_and_odd_sizes_are_padded(device: type[Device]) -> None:
    with VirtualCamera("auto", (63, 47)) as camera:
        image = picture(5, 63, 47)
        camera.write(Picture(image, 0.0))
    (opened,) = device.opened
    assert opened.args == (64, 48, 30.0, "BGR", None)
    np.testing.assert_array_equal(opened.sent[0][:47, :63], image)
    np.testing.assert_array_equal(opened.sent[0][47], opened.sent[0][46])


def test_pictures_of_another_size_are_fitted_in(device: type[Device]) -> None:
    with VirtualCamera("auto", (64, 48)) as camera:
        camera.write(Picture(np.full((24, 64, 3), 200, np.uint8)))
    (image,) = device.opened[0].sent
    assert image.shape == (48, 64, 3)
    assert (image[12:36] == 200).all()
    assert not image[:12].any()
    assert not image[36:].any()


def test_a_file_is_shown_at_its_own_speed(device: type[Device]) -> None:
    """Time passes only by sleeping and by tracking, which takes ``work_s``."""
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    with VirtualCamera("auto", (64, 48), paced=True, clock=lambda: now[0], sleep=sleep) as camera:
        for index, work_s in enumerate([0.03, 0.01, 0.01, 0.25, 0.01, 0.01]):
            now[0] += work_s
            camera.write(Picture(picture(index), 5.0 + index / 10))
    # The fourth picture is 0.15 s late, the fifth still 0.06 s, the last is on time again.
    np.testing.assert_allclose(slept, [0.09, 0.09, 0.03], atol=1e-9)
    assert len(device.opened[0].sent) == 6


def test_live_pictures_are_never_delayed(device: type[Device]) -> None:
    with VirtualCamera("auto", (64, 48), sleep=lambda _: pytest.fail("slept")) as camera:
        camera.write(Picture(picture(1), 0.0))
        camera.write(Picture(picture(2), 100.0))
    assert len(device.opened[0].sent) == 2


def test_errors_are_one_line_with_a_remedy(device: type[Device], monkeypatch: pytest.MonkeyPatch) -> None:
    camera = VirtualCamera("auto", (64, 48))
    monkeypatch.setattr(device, "failure", RuntimeError("'obs' backend: no\n'unitycapture' backend: no"))
    for attempt in (lambda: VirtualCamera("auto", (64, 48)), lambda: camera.write(Picture(picture(1), 0.0))):
        with pytest.raises(SinkError, match="'obs' backend: no 'unity") as caught:
            attempt()
        assert "\n" not in str(caught.value)
    with pytest.raises(SinkError, match=r"cannot open any virtual camera .* modprobe v4l2loopback"):
        VirtualCamera("auto", (64, 48))


def test_the_real_library_refuses_a_missing_device() -> None:
    pytest.importorskip("pyvirtualcam")
    with pytest.raises(SinkError, match=r"cannot open virtual camera /dev/video250 .*exist"):
        VirtualCamera("/dev/video250", (64, 48))
    if not list(Path("/dev").glob("video*")):
        with pytest.raises(SinkError, match=r"cannot open any virtual camera .*v4l2loopback"):
            VirtualCamera("auto", (64, 48))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"pip install 'tracker68\[virtual-camera\]'"):
        VirtualCamera("auto", (64, 48))


def test_pictures_are_shown_in_square_pixels(device: type[Device]) -> None:
    with VirtualCamera("auto", (128, 48)) as camera:
        camera.write(Picture(picture(61), pixel_aspect=2.0))
    (image,) = device.opened[0].sent
    assert image.shape == (48, 128, 3)
    assert picture_index(image) == 61
    assert image[:, [0, -1]].any(axis=2).all()  # no bars
