"""Screen that shows nothing, for measurements without a display."""

from __future__ import annotations

from tracker.types import ImageArray


class NullScreen:
    """A :class:`~tracker.runs.window.Screen` that shows nothing and receives no keys."""

    closed = False

    def canvas_hw(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """Return the size of the picture."""
        return picture_hw

    def show(self, canvas_bgr: ImageArray) -> None:
        """Ignore the picture."""

    def toggle_full_screen(self) -> bool:
        """Return False: there is nothing to fill."""
        return False

    def key(self, wait_s: float = 0.0) -> str | None:  # noqa: ARG002 - the interface of a screen
        """Return None: no key is pressed."""
        return None
