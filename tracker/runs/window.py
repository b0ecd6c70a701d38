"""Live window, with a check for a display before OpenCV opens one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Protocol

import cv2

from tracker.errors import DisplayError
from tracker.runs.keys import key_of
from tracker.system.closing import Closing
from tracker.system.display import monitor_size
from tracker.system.libraries import windows_command
from tracker.types import ImageArray

_SHARE = 0.9
"""Share of the monitor that a new window takes at most; the rest is for its frame and the system's bars."""

_LEAST_HEIGHT = 240
"""Height in pixels below which a new window is larger than the picture: less holds no readable text."""


class Screen(Protocol):
    """Place where the live view shows its pictures: :class:`Window`, or :class:`FakeWindow` in tests."""

    @property
    def closed(self) -> bool:
        """True if the user has closed the window."""

    def canvas_hw(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """Return height and width in pixels of the canvas to show; before the first, to suit the picture."""

    def show(self, canvas_bgr: ImageArray) -> None:
        """Show ``(H, W, 3)`` BGR uint8 over the whole window."""

    def toggle_full_screen(self) -> bool:
        """Fill the monitor, or no longer. Returns whether it is filled now."""

    def key(self, wait_s: float = 0.0) -> str | None:
        """Return the key of :data:`~tracker.runs.keys.KEYS` pressed since the last call, if any.

        Waits for one up to ``wait_s`` seconds.
        """


class Window(Closing):
    """Resizable window that fits the monitor; a context manager.

    Raises :class:`~tracker.errors.DisplayError` when there is no display to open it on.
    """

    def __init__(self, title: str) -> None:
        self._monitor = _require_display()
        self._title = title
        self._shown = self._full = False
        # Free of the picture's shape: the canvas always has the size of the window, and bars of its own.
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)

    @property
    def closed(self) -> bool:
        """True if the user has closed the window."""
        if not self._shown:
            return False
        try:
            # HighGUI reports 0 for a hidden window and -1 for one that was destroyed ...
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # ... and raises once its last window is destroyed
            return True

    def canvas_hw(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the window's inside; before the first picture, those it will get."""
        if self._shown and not self.closed:
            _, _, width, height = cv2.getWindowImageRect(self._title)
            if min(width, height) > 0:  # some builds of OpenCV do not tell
                return height, width
        return first_hw(picture_hw, self._monitor)

    def show(self, canvas_bgr: ImageArray) -> None:
        """Show ``(H, W, 3)`` BGR uint8; it appears at the next call of :meth:`key`.

        A window that the user has closed stays closed.
        """
        if self.closed:
            return
        if not self._shown:
            cv2.resizeWindow(self._title, canvas_bgr.shape[1], canvas_bgr.shape[0])
        cv2.imshow(self._title, canvas_bgr)
        self._shown = True

    def toggle_full_screen(self) -> bool:
        """Fill the monitor, or no longer. Returns whether it is filled now."""
        if not self.closed:
            self._full = not self._full
            mode = cv2.WINDOW_FULLSCREEN if self._full else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)
        return self._full

    def key(self, wait_s: float = 0.0) -> str | None:
        """Redraw the window and return the key pressed since the last call, if it is one of ours."""
        # waitKey would drop the bits that mark special keys; a wait of 0 would be one without end.
        return key_of(cv2.waitKeyEx(max(round(1000 * wait_s), 1)))

    def close(self) -> None:
        """Remove the window from the screen; closing twice is fine."""
        if not self.closed:
            cv2.destroyWindow(self._title)
        self._shown = True


class FakeWindow:
    """Window for tests: keeps the pictures it showed and returns ``keys`` in turn, one a call.

    Its canvas is as large as the picture, or ``hw`` (height, width).
    """

    def __init__(self, keys: Iterable[str | None] = (), hw: tuple[int, int] | None = None) -> None:
        self.shown: list[ImageArray] = []
        self.closed = self.full = False
        self.hw = hw
        self._keys = iter(keys)

    def canvas_hw(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """Return ``hw``, or the size of the picture."""
        return self.hw or picture_hw

    def show(self, canvas_bgr: ImageArray) -> None:
        """Keep a copy of the picture."""
        self.shown.append(canvas_bgr.copy())

    def toggle_full_screen(self) -> bool:
        """Note it."""
        self.full = not self.full
        return self.full

    def key(self, wait_s: float = 0.0) -> str | None:  # noqa: ARG002 - the interface of a screen
        """Return the next scripted key, ``None`` after the last, without a wait."""
        return next(self._keys, None)


def first_hw(picture_hw: tuple[int, int], monitor: tuple[int, int] | None) -> tuple[int, int]:
    """Return height and width of a new window: those of the picture, as far as the monitor allows.

    ``monitor`` is (width, height). A picture of less than 240 lines is enlarged to as many.
    """
    height, width = picture_hw
    scale = max(_LEAST_HEIGHT / height, 1.0)
    if monitor:
        scale = min(scale, _SHARE * monitor[0] / width, _SHARE * monitor[1] / height)
    return max(round(scale * height), 1), max(round(scale * width), 1)


def _require_display() -> tuple[int, int] | None:
    """Return width and height of the monitor, if the system tells.

    Raises :class:`~tracker.errors.DisplayError` where opening a window would fail. On Linux Qt aborts the
    whole process when it cannot reach an X server, so we check before.
    """
    if not cv2.currentUIFramework():
        raise DisplayError(f"this build of OpenCV has no windows: {windows_command()}, or add --no-window")
    if not sys.platform.startswith("linux"):
        return monitor_size()
    if not os.environ.get("DISPLAY"):
        raise DisplayError("no display (DISPLAY is not set): add --no-window")
    if not (size := monitor_size()):
        raise DisplayError(f"no display answers at DISPLAY={os.environ['DISPLAY']}: add --no-window")
    # OpenCV's wheels contain Qt's X11 plugin only; a desktop's own setting (wayland) would abort.
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    return size
