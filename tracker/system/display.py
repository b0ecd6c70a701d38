"""Size of the monitor that a window would open on."""

from __future__ import annotations

import ctypes
import sys

_WIDEST = 2.0
"""Width over height of the widest monitor assumed: several side by side count as one screen on X11."""


def monitor_size() -> tuple[int, int] | None:
    """Return width and height in pixels of the monitor, None where the system does not tell.

    On X11 this is the screen, no wider than twice its height: monitors side by side are one screen there. The
    server is asked as Qt will ask it, through libxcb with its authorisation, and once only: some reset when
    their last client leaves. None means that Qt would not reach it either.
    """
    try:
        width, height = _stated_size()
    except (OSError, AttributeError):  # a library or a function that this system does not have
        return None
    if min(width, height) < 1:
        return None
    return min(width, round(_WIDEST * height)), height


def _stated_size() -> tuple[int, int]:
    if sys.platform == "win32":
        metrics = ctypes.windll.user32.GetSystemMetrics
        return metrics(0), metrics(1)
    if sys.platform == "darwin":
        graphics = ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
        for function in (graphics.CGDisplayPixelsWide, graphics.CGDisplayPixelsHigh):
            function.argtypes, function.restype = [ctypes.c_uint32], ctypes.c_size_t
        main = graphics.CGMainDisplayID()
        return graphics.CGDisplayPixelsWide(main), graphics.CGDisplayPixelsHigh(main)
    return _x11_size()


class _XcbScreen(ctypes.Structure):
    """The beginning of ``xcb_screen_t``."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("root", "colormap", "white", "black", "masks")),
        ("width", ctypes.c_uint16),
        ("height", ctypes.c_uint16),
    )


class _XcbScreenIterator(ctypes.Structure):
    """``xcb_screen_iterator_t``."""

    _fields_ = (("data", ctypes.POINTER(_XcbScreen)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


def _x11_size() -> tuple[int, int]:
    xcb = _libxcb()
    connection = xcb.xcb_connect(None, None)
    try:
        if xcb.xcb_connection_has_error(connection):
            return 0, 0
        screens = xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(connection))
        return (screens.data.contents.width, screens.data.contents.height) if screens.rem else (0, 0)
    finally:
        xcb.xcb_disconnect(connection)


def _libxcb() -> ctypes.CDLL:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    for function in (xcb.xcb_connection_has_error, xcb.xcb_disconnect, xcb.xcb_get_setup):
        function.argtypes = [ctypes.c_void_p]
    xcb.xcb_setup_roots_iterator.argtypes = [ctypes.c_void_p]
    xcb.xcb_setup_roots_iterator.restype = _XcbScreenIterator
    return xcb
