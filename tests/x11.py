"""Requests of a window manager, for windows on a virtual screen that has none."""

from __future__ import annotations

import ctypes


def press_cross(window: int) -> None:
    """Ask a window to close, as its cross does: with the message of a window manager (ICCCM 4.2.8.1)."""

    class Message(ctypes.Structure):
        _fields_ = (
            *((name, ctypes.c_long) for name in ("type", "serial", "sent", "display")),
            *((name, ctypes.c_long) for name in ("window", "kind", "format")),
            ("data", ctypes.c_long * 5),
            ("padding", ctypes.c_long * 12),
        )

    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = Message(type=33, window=window, kind=protocols, format=32)
    message.data[0] = delete
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(display)
