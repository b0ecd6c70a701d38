"""The live window, and a check that there is a screen before OpenCV is asked for one."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

import cv2

from tracker.errors import DisplayError
from tracker.system.closing import Closing
from tracker.types import ImageArray

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "q": "quit, as Esc does",
        "s": "save the picture and its results",
        "r": "start or stop recording",
        "m": "mirror the view, or not",
        "p": "points, lines or mesh",
        "h": "show or hide this help",
    }
)
"""The keys of the live loop, and what they do; Esc counts as ``q``."""

_ESCAPE = 27


class Screen(Protocol):
    """Where the live loop shows its pictures: :class:`Window`, or :class:`FakeWindow` in tests."""

    @property
    def closed(self) -> bool:
        """Whether the user has closed the window."""

    def show(self, canvas_bgr: ImageArray) -> None:
        """Show ``(H, W, 3)`` BGR uint8."""

    def key(self) -> str | None:
        """The key of :data:`KEYS` pressed since the last call, if any."""


class Window(Closing):
    """A resizable window that keeps the picture's shape; a context manager.

    Raises :class:`DisplayError` when there is no screen to open it on.
    """

    def __init__(self, title: str) -> None:
        _require_display()
        self._title = title
        self._shown = False
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)

    @property
    def closed(self) -> bool:
        """Whether the user has pressed the window's cross."""
        if not self._shown:
            return False
        try:
            # HighGUI reports 0 for a window that is hidden, -1 for one that is gone ...
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # ... and raises once its last window is gone
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
        """The key of :data:`KEYS` pressed since the last call, if any; also redraws the window."""
        # Not waitKey: it keeps the low byte only, in which the left arrow (X11's 0xFF51) is a Q.
        code = cv2.waitKeyEx(1)
        if code < 0 or code & 0xFF00:
            return None
        name = "q" if code & 0xFF == _ESCAPE else chr(code & 0xFF).lower()
        return name if name in KEYS else None

    def close(self) -> None:
        """Take the window off the screen; closing twice is fine."""
        if not self.closed:
            cv2.destroyWindow(self._title)
        self._shown = True


class FakeWindow:
    """A window for tests: remembers what it showed and plays back ``keys``, one a call."""

    def __init__(self, keys: Iterable[str | None] = ()) -> None:
        self.shown: list[ImageArray] = []
        self.closed = False
        self._keys = iter(keys)

    def show(self, canvas_bgr: ImageArray) -> None:
        """Keep a copy of the picture."""
        self.shown.append(canvas_bgr.copy())

    def key(self) -> str | None:
        """The next scripted key, ``None`` after the last."""
        return next(self._keys, None)


def _require_display() -> None:
    """Raise :class:`DisplayError` where opening a window would fail.

    On Linux Qt aborts the whole process when it cannot reach an X server, so nothing may be left to it.
    """
    if not cv2.currentUIFramework():
        raise DisplayError("this build of OpenCV has no windows: install opencv-python, or add --no-window")
    if not sys.platform.startswith("linux"):
        return
    if not os.environ.get("DISPLAY"):
        raise DisplayError("no display (DISPLAY is not set): add --no-window")
    if not _x_server_answers():
        raise DisplayError(f"no display answers at DISPLAY={os.environ['DISPLAY']}: add --no-window")
    # OpenCV's wheels carry Qt's X11 plugin only; a desktop's own setting (wayland) would abort.
    os.environ["QT_QPA_PLATFORM"] = "xcb"


def _x_server_answers() -> bool:
    """Open and close a connection just as Qt will: through libxcb, authorisation included."""
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
