"""A screen that nobody looks at, for measurements where there is none."""

from __future__ import annotations

from tracker.types import ImageArray


class Blind:
    """A :class:`~tracker.runs.window.Screen` that shows nothing; no key is ever pressed."""

    closed = False

    def show(self, canvas_bgr: ImageArray) -> None:
        """Show nothing."""

    def key(self) -> None:
        """No key is pressed."""
