"""Rolling measurements of the live loop: frames per second and milliseconds per stage."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


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
