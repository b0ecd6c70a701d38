"""Rolling statistics of the live loop: frame rate, stage times and camera latency."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from tracker.drawing.panel import Panel
from tracker.types import STAGES, Frame

STATS_WINDOW_S = 2.0
"""Seconds that the status panel looks back."""

_SHOWN_STAGES = (*STAGES, "write", "show")  # the last two include drawing
_SKIPPED_SHARE = 0.05  # fewer skipped frames do not mean that the loop is the bottleneck


@dataclass(frozen=True)
class StageStats:
    """Median and 95th percentile (linear interpolation) of one stage, in milliseconds."""

    median_ms: float
    p95_ms: float


class RollingStats:
    """Frame rate and stage times over the last ``window_s`` seconds of a loop.

    The caller passes the time of a monotonic clock. Raises ``ValueError`` when ``window_s`` is not positive
    or the clock runs backwards.
    """

    def __init__(self, window_s: float = STATS_WINDOW_S) -> None:
        if not window_s > 0:
            raise ValueError(f"window_s must be positive, got {window_s}")
        self._window_s = window_s
        self._iterations: deque[tuple[float, Mapping[str, float]]] = deque()

    def update(self, now_s: float, stage_ms: Mapping[str, float]) -> None:
        """Add an iteration that ended at ``now_s``; stages that did not run in it are absent."""
        if self._iterations and now_s < self._iterations[-1][0]:
            raise ValueError(f"time runs backwards: {now_s} after {self._iterations[-1][0]}")
        self._iterations.append((now_s, dict(stage_ms)))
        while now_s - self._iterations[0][0] > self._window_s:
            self._iterations.popleft()

    @property
    def fps(self) -> float | None:
        """Iterations of the whole loop per second; ``None`` until there is an interval to measure.

        n iterations bound n - 1 intervals, so this is (n - 1) over the time from first to last.
        """
        if len(self._iterations) < 2:
            return None
        duration_s = self._iterations[-1][0] - self._iterations[0][0]
        return (len(self._iterations) - 1) / duration_s if duration_s else None

    def iterations_ms(self) -> tuple[float, ...]:
        """Return the sum of the stage times of each iteration in milliseconds, oldest first."""
        return tuple(sum(stage_ms.values()) for _, stage_ms in self._iterations)

    def stages(self) -> dict[str, StageStats]:
        """Return statistics of every stage that ran within the window, in order of first appearance."""
        samples: dict[str, list[float]] = {}
        for _, stage_ms in self._iterations:
            for stage, value in stage_ms.items():
                samples.setdefault(stage, []).append(value)
        return {stage: _summary(values) for stage, values in samples.items()}


def _summary(values: list[float]) -> StageStats:
    median, p95 = np.percentile(values, (50, 95))
    return StageStats(float(median), float(p95))


class Pace:
    """Latency and skipped frames over the last ``window_s`` seconds of a live camera.

    Frames without a capture time, as those of a video, are ignored. Raises ``ValueError`` when ``window_s``
    is not positive.
    """

    def __init__(self, window_s: float = STATS_WINDOW_S) -> None:
        if not window_s > 0:
            raise ValueError(f"window_s must be positive, got {window_s}")
        self._window_s = window_s
        self._shown: deque[tuple[float, float, int]] = deque()  # time in s, latency in ms, frames skipped
        self._last_index: int | None = None

    def update(self, frame: Frame, shown_s: float) -> None:
        """Add a frame that is on the screen since ``shown_s``, seconds of ``time.monotonic``."""
        if frame.captured_s is None:
            return
        skipped = 0 if self._last_index is None else max(frame.index - self._last_index - 1, 0)
        self._last_index = frame.index
        self._shown.append((shown_s, 1000 * (shown_s - frame.captured_s), skipped))
        while shown_s - self._shown[0][0] > self._window_s:
            self._shown.popleft()

    def lines(self) -> list[str]:
        """Return a line with the latency and the bottleneck; no line for a source that is no camera."""
        if not self._shown:
            return []
        skipped = sum(count for _, _, count in self._shown)
        share = skipped / (skipped + len(self._shown))
        limit = (
            f"the loop limits FPS: {share:.0%} of frames skipped"
            if share >= _SKIPPED_SHARE
            else "the camera limits FPS"
        )
        latency_ms = median(latency for _, latency, _ in self._shown)
        return [f"{latency_ms:.0f} ms from capture to screen, median   {limit}"]


@dataclass(frozen=True)
class LiveStats:
    """Statistics of a run for the status panel; ``label`` names the model and its runtime."""

    label: str = "tracker"
    loop: RollingStats = field(default_factory=RollingStats)
    pace: Pace = field(default_factory=Pace)

    def panel(self) -> Panel:
        """Return the status panel as of now."""
        fps = self.loop.fps
        if fps is None:
            return Panel((f"measuring FPS   {self.label}",))
        measured = self.loop.stages()
        stages = "  ".join(
            f"{name} {measured[name].median_ms:.1f}" for name in _SHOWN_STAGES if name in measured
        )
        lines = (
            f"{fps:.1f} FPS, whole loop   {self.label}   h: keys",
            f"{stages}  ms, median of {STATS_WINDOW_S:.0f} s",
            *self.pace.lines(),
        )
        return Panel(lines, self.loop.iterations_ms())
