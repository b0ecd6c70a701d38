"""Virtual camera that shows the annotated pictures to other programs; needs the extra ``virtual-camera``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tracker.distribution import install_command
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.sink import Sink
from tracker.sinks.video.sizes import even_sized, fit

ANY = "auto"
"""Name that stands for the first virtual camera found."""

_REMEDY = (
    "on Linux load the v4l2loopback module (sudo modprobe v4l2loopback), on macOS and Windows install OBS "
    "Studio and start its virtual camera once"
)


class VirtualCamera(Sink):
    """Virtual camera ``device`` with pictures of ``size`` (width, height) square pixels; a context manager.

    ``device`` is a name such as ``/dev/video2``, or :data:`ANY`. ``fps`` is a hint for other programs.
    Pictures are shown when they are written, as suits a live camera. With ``paced`` each waits for its
    timestamp, so that a file is not shown faster than it plays. An odd width or height gets one more column
    or row. ``clock`` and ``sleep`` are in seconds.

    Raises :class:`~tracker.errors.SinkError` when pyvirtualcam is not installed, the device does not open,
    or it fails later.
    """

    def __init__(
        self,
        device: str,
        size: tuple[int, int],
        fps: float = 30.0,
        paced: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise SinkError(
                f"a virtual camera needs pyvirtualcam ({error}): {install_command('virtual-camera')}"
            ) from error
        self._name = "any virtual camera" if device == ANY else f"virtual camera {device}"
        self._size = width, height = size
        self._paced, self._clock, self._sleep = paced, clock, sleep
        self._offset_s: float | None = None
        with _camera_errors(f"cannot open {self._name}", _REMEDY):
            self._camera = pyvirtualcam.Camera(
                width=width + width % 2,
                height=height + height % 2,
                fps=fps,
                fmt=pyvirtualcam.PixelFormat.BGR,
                device=None if device == ANY else device,
            )

    def write(self, picture: Picture) -> None:
        """Show a picture, with ``paced`` not before its ``time_s``.

        A picture of another size, or whose pixels are not square, is scaled into that of the device, with
        black bars.
        """
        self._check_open()
        if self._paced:
            self._wait(picture.time_s)
        with _camera_errors(f"cannot write {self._name}", "is it still there?"):
            fitted = fit(picture.canvas_bgr, self._size[::-1], picture.pixel_aspect)
            self._camera.send(even_sized(fitted))

    def _close(self) -> None:
        """Release the device."""
        with _camera_errors(f"cannot close {self._name}", "is it still there?"):
            self._camera.close()

    def _wait(self, time_s: float) -> None:
        now_s = self._clock()
        if self._offset_s is None:
            self._offset_s = now_s - time_s
        late_s = now_s - time_s - self._offset_s
        if late_s < 0:
            self._sleep(-late_s)


@contextmanager
def _camera_errors(what: str, remedy: str) -> Iterator[None]:
    """Convert errors of pyvirtualcam, which have a line per backend that it tried, to one line."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        raise SinkError(f"{what} ({' '.join(str(error).split())}): {remedy}") from error
