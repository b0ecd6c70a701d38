"""Keys of the live window and what each does: the table behind its help and the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SEEK_S = 5.0
"""Seconds that an arrow key moves in a film."""

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "q": "quit, as Esc does",
        "s": "save the picture and its results",
        "r": "start or stop recording",
        "m": "mirror the picture on or off",
        "p": "next drawing: points, lines, mesh, none",
        "i": "times and scores",
        "f": "full screen on or off",
        "space": "pause a video, freeze a camera",
        "left": "5 seconds back in a video",
        "right": "5 seconds forward in a video",
        ",": "one frame back in a video",
        ".": "one frame forward in a video",
        "h": "show or hide this help",
    }
)
"""Description of each key, in the order of the help overlay; Esc counts as ``q``."""

CAPS: Mapping[str, str] = MappingProxyType(
    {"space": "Space", "left": "Left", "right": "Right", ",": "Comma", ".": "Period"}
)
"""Labels of the keys that are not labelled with their name."""

_ESCAPE = 27
# X11 (Qt and GTK), Windows (virtual key in the third byte), macOS (Cocoa's function keys).
_ARROWS = {
    0xFF51: "left",
    0xFF53: "right",
    0x250000: "left",
    0x270000: "right",
    0xF702: "left",
    0xF703: "right",
}


def key_of(code: int) -> str | None:
    """Return the key of :data:`KEYS` for a code of OpenCV's ``waitKeyEx``, None for any other.

    Special keys have bits above the low byte: the left arrow of X11 is 0xFF51, which ends in a Q. Bits above
    the second byte are modifiers such as Num Lock, or Windows' special keys.
    """
    if code < 0:
        return None
    if arrow := _ARROWS.get(code) or _ARROWS.get(code & 0xFFFF):
        return arrow
    if code & 0xFF00:
        return None
    low = code & 0xFF
    name = {_ESCAPE: "q", ord(" "): "space"}.get(low, chr(low).lower())
    return name if name in KEYS else None
