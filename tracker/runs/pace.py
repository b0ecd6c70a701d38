"""Whether the loop keeps up with a live camera, and how long a picture takes to the screen."""

from __future__ import annotations

from collections import deque
from statistics import median

from tracker.types import Frame

_FEW = 0.05  # a frame skipped now and then is no limit


class Pace:
    """The last ``window_s`` seconds of a live camera's frames that were shown; other frames leave it empty.

    Raises ``ValueError`` when ``window_s`` is not positive.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        if not window_s > 0:
            raise ValueError(f"window_s must be positive, got {window_s}")
        self._window_s = window_s
        self._shown: deque[tuple[float, float, int]] = deque()  # when, latency in ms, frames skipped before
        self._last_index: int | None = None

    def update(self, frame: Frame, shown_s: float) -> None:
        """Note that ``frame`` is on the screen since ``shown_s``, seconds of ``time.monotonic``."""
        if frame.captured_s is None:
            return
        skipped = 0 if self._last_index is None else max(frame.index - self._last_index - 1, 0)
        self._last_index = frame.index
        self._shown.append((shown_s, 1000 * (shown_s - frame.captured_s), skipped))
        while shown_s - self._shown[0][0] > self._window_s:
            self._shown.popleft()

    def lines(self) -> list[str]:
        """Latency, and what limits the frames per second; nothing for a source that is no camera."""
        if not self._shown:
            return []
        skipped = sum(count for _, _, count in self._shown)
        share = skipped / (skipped + len(self._shown))
        limit = (
            f"the loop limits FPS: {share:.0%} of frames skipped"
            if share >= _FEW
            else "the camera limits FPS"
        )
        latency_ms = median(latency for _, latency, _ in self._shown)
        return [f"{latency_ms:.0f} ms from capture to screen, median   {limit}"]
