"""Live window, with a check for a display before OpenCV opens one."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from typing import Protocol

import cv2

from tracker.errors import DisplayError
from tracker.runs.keys import key_of
from tracker.system.closing import Closing
from tracker.types import ImageArray


class Screen(Protocol):
    """Place where the live view shows its pictures: :class:`Window`, or :class:`FakeWindow` in tests."""

    @property
    def closed(self) -> bool:
        """True if the user has closed the window."""

    def show(self, canvas_bgr: ImageArray) -> None:
        """Show ``(H, W, 3)`` BGR uint8."""

    def key(self) -> str | None:
        """Return the key of :data:`~tracker.runs.keys.KEYS` pressed since the last call, if any."""


class Window(Closing):
    """Resizable window that keeps the picture's aspect ratio; a context manager.

    Raises :class:`~tracker.errors.DisplayError` when there is no display to open it on.
    """

    def __init__(self, title: str) -> None:
        _require_display()
        self._title = title
        self._shown = False
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)

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

    def key(self) -> str | None:
        """Redraw the window and return the key pressed since the last call, if it is one of ours."""
        return key_of(cv2.waitKeyEx(1))  # waitKey would drop the bits that mark special keys

    def close(self) -> None:
        """Remove the window from the screen; closing twice is fine."""
        if not self.closed:
            cv2.destroyWindow(self._title)
        self._shown = True


class FakeWindow:
    """Window for tests: keeps the pictures it showed and returns ``keys`` in turn, one a call."""

    def __init__(self, keys: Iterable[str | None] = ()) -> None:
        self.shown: list[ImageArray] = []
        self.closed = False
        self._keys = iter(keys)

    def show(self, canvas_bgr: ImageArray) -> None:
        """Keep a copy of the picture."""
        self.shown.append(canvas_bgr.copy())

    def key(self) -> str | None:
        """Return the next scripted key, ``None`` after the last."""
        return next(self._keys, None)


def _require_display() -> None:
    """Raise :class:`~tracker.errors.DisplayError` where opening a window would fail.

    On Linux Qt aborts the whole process when it cannot reach an X server, so we check before.
    """
    if not cv2.currentUIFramework():
        raise DisplayError("this build of OpenCV has no windows: install opencv-python, or add --no-window")
    if not sys.platform.startswith("linux"):
        return
    if not os.environ.get("DISPLAY"):
        raise DisplayError("no display (DISPLAY is not set): add --no-window")
    if not _x_server_answers():
        raise DisplayError(f"no display answers at DISPLAY={os.environ['DISPLAY']}: add --no-window")
    # OpenCV's wheels contain Qt's X11 plugin only; a desktop's own setting (wayland) would abort.
    os.environ["QT_QPA_PLATFORM"] = "xcb"


def _x_server_answers() -> bool:
    """Open and close a connection as Qt will: through libxcb, with its authorisation."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    answers = xcb.xcb_connection_has_error(connection) == 0
    xcb.xcb_disconnect(connection)
    return bool(answers)
