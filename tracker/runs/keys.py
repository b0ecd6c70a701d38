"""Keys of the live window and what each does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
"""Description of each key, in the order of the help overlay; Esc counts as ``q``."""

HELP_LINES = tuple(f"{key}: {action}" for key, action in KEYS.items())
"""Lines of the help overlay."""

_ESCAPE = 27


def key_of(code: int) -> str | None:
    """Return the key of :data:`KEYS` for a code of OpenCV's ``waitKeyEx``, None for any other.

    Special keys have bits above the low byte: the left arrow of X11 is 0xFF51, which ends in a Q.
    """
    if code < 0 or code & 0xFF00:
        return None
    name = "q" if code & 0xFF == _ESCAPE else chr(code & 0xFF).lower()
    return name if name in KEYS else None
