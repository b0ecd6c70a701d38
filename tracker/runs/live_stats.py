"""Rolling measurements of the live loop: frame rate, stage times, camera latency, and the panel of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from tracker.drawing.panel import Panel
from tracker.types import STAGES as TRACKER_STAGES
from tracker.types import Frame

STATS_WINDOW_S = 2.0
STAGES = (*TRACKER_STAGES, "write", "show")
"""What the panel lists, in the order in which a frame passes; ``write`` and ``show`` include drawing."""

_FEW = 0.05  # a frame skipped now and then is no limit


@dataclass(frozen=True)
class StageStats:
    """One stage over the window: median and 95th percentile (linear interpolation), milliseconds."""

    median_ms: float
    p95_ms: float


class RollingStats:
    """Statistics over the last ``window_s`` seconds of a loop.

    Time is injected, so any monotonic clock will do. Raises ``ValueError`` when ``window_s`` is not
    positive or the clock runs backwards.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        if not window_s > 0:
            raise ValueError(f"window_s must be positive, got {window_s}")
        self._window_s = window_s
        self._ticks: deque[tuple[float, Mapping[str, float]]] = deque()

    def update(self, now_s: float, stage_ms: Mapping[str, float]) -> None:
        """Note that a turn of the loop ended at ``now_s``; absent stages did not run in it."""
        if self._ticks and now_s < self._ticks[-1][0]:
            raise ValueError(f"time runs backwards: {now_s} after {self._ticks[-1][0]}")
        self._ticks.append((now_s, dict(stage_ms)))
        while now_s - self._ticks[0][0] > self._window_s:
            self._ticks.popleft()

    @property
    def fps(self) -> float | None:
        """Turns of the whole loop per second; ``None`` until there is an interval to measure.

        n ticks bound n - 1 intervals, so this is (n - 1) over the time from first to last tick.
        """
        if len(self._ticks) < 2 or self._ticks[-1][0] == self._ticks[0][0]:
            return None
        return (len(self._ticks) - 1) / (self._ticks[-1][0] - self._ticks[0][0])

    def turns_ms(self) -> tuple[float, ...]:
        """What the stages of each turn took together, oldest first, milliseconds; waiting is none of them."""
        return tuple(sum(stage_ms.values()) for _, stage_ms in self._ticks)

    def stages(self) -> dict[str, StageStats]:
        """Every stage that ran within the window, in order of first appearance."""
        samples: dict[str, list[float]] = {}
        for _, stage_ms in self._ticks:
            for stage, value in stage_ms.items():
                samples.setdefault(stage, []).append(value)
        return {stage: _summary(values) for stage, values in samples.items()}


def _summary(values: list[float]) -> StageStats:
    median, p95 = np.percentile(values, (50, 95))
    return StageStats(float(median), float(p95))


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


@dataclass
class Hud:
    """Gathers what the panel shows."""

    label: str
    stats: RollingStats = field(default_factory=lambda: RollingStats(STATS_WINDOW_S))
    pace: Pace = field(default_factory=lambda: Pace(STATS_WINDOW_S))

    def panel(self) -> Panel:
        """The panel as of now; it names what each number measures."""
        fps = self.stats.fps
        if fps is None:
            return Panel((f"measuring FPS   {self.label}",))
        measured = self.stats.stages()
        stages = "  ".join(f"{name} {measured[name].median_ms:.1f}" for name in STAGES if name in measured)
        lines = (
            f"{fps:.1f} FPS, whole loop   {self.label}   h: keys",
            f"{stages}  ms, median of {STATS_WINDOW_S:.0f} s",
            *self.pace.lines(),
        )
        return Panel(lines, self.stats.turns_ms())
