"""Screen that shows nothing, for measurements without a display."""

from __future__ import annotations

from tracker.types import ImageArray


class NullScreen:
    """A :class:`~tracker.runs.window.Screen` that shows nothing and receives no keys."""

    closed = False

    def show(self, canvas_bgr: ImageArray) -> None:
        """Ignore the picture."""

    def key(self) -> None:
        """Return None: no key is pressed."""
