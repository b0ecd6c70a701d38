"""Blink counter, from the openness of the eyes over time.

Openness is the eye aspect ratio of T. Soukupova and J. Cech, "Real-Time Eye Blink Detection using Facial
Landmarks", CVWW 2016 (:func:`tracker.tracking.measures.openness.eye_openness`). One threshold does not suit
everybody: open eyes measure 0.25 on one face and 0.4 on another. So the counter learns the openness of this
person's open eyes, and counts a blink when the openness falls well below it and comes back in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class BlinkThresholds:
    """Thresholds that tell a blink from other movements of the eyelids.

    Eyes close when the openness falls below ``close`` times the person's level of open eyes, and open again
    when it reaches ``open`` times that level. A blink lasts ``min_s`` to ``max_s`` seconds: longer than half
    a second is mostly eyes kept closed, or a look down. The level follows wider eyes within about ``rise_s``
    seconds and narrower ones within about ``fall_s``. No blink spans more than ``gap_s`` seconds without an
    update.

    Raises ``ValueError`` for values out of range.
    """

    close: float = 0.6
    open: float = 0.7
    min_s: float = 0.03
    max_s: float = 0.7
    rise_s: float = 0.3
    fall_s: float = 6.0
    gap_s: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.close < self.open < 1:
            raise ValueError(f"blinks need 0 < close < open < 1, got {self}")
        if not (0 <= self.min_s < self.max_s and min(self.rise_s, self.fall_s, self.gap_s) > 0):
            raise ValueError(f"blinks need 0 <= min_s < max_s and positive times, got {self}")


@dataclass(frozen=True)
class Blink:
    """Interval in which the eyes were closed, in seconds of the video, interpolated between frames."""

    start_s: float
    end_s: float


@dataclass
class BlinkCounter:
    """Counts the blinks of one face.

    ``count`` is the number of blinks so far and ``last`` the last of them. ``level`` is the openness of this
    person's open eyes, 0 before the first update. ``seen`` is the last update, openness and time; and
    ``closed_at_s`` the time since when the eyes are closed, None for open eyes.
    """

    thresholds: BlinkThresholds = field(default_factory=BlinkThresholds)
    level: float = 0.0
    seen: tuple[float, float] | None = None
    closed_at_s: float | None = None
    count: int = 0
    last: Blink | None = None

    def update(self, openness: float, time_s: float) -> None:
        """Add the ``openness``, a ratio of any scale, at ``time_s`` seconds.

        After a gap, or if time does not advance, a blink that had begun is dropped. Raises ``ValueError`` for
        values that are not finite, or an openness below 0.
        """
        if not (math.isfinite(openness) and math.isfinite(time_s)) or openness < 0:
            raise ValueError(f"openness must be finite and not below 0, got {openness} at {time_s} s")
        before, self.seen = self.seen, (openness, time_s)
        if before is None:
            self.level = openness
        elif 0 < time_s - before[1] <= self.thresholds.gap_s:
            self._advance(before, (openness, time_s))
        else:
            self.closed_at_s = None

    def _advance(self, before: tuple[float, float], now: tuple[float, float]) -> None:
        thresholds, (openness, time_s) = self.thresholds, now
        if self.closed_at_s is None:
            threshold = thresholds.close * self.level
            if openness < threshold <= before[0]:  # only eyes that were open can close
                self.closed_at_s = _crossing(before, now, threshold)
        elif openness >= thresholds.open * self.level:
            self._reopen(_crossing(before, now, thresholds.open * self.level))
        # Blinks leave the level alone. Longer closings lower it: the eyes may just have become narrower.
        if self.closed_at_s is None or time_s - self.closed_at_s > thresholds.max_s:
            follow_s = thresholds.rise_s if openness > self.level else thresholds.fall_s
            self.level += (openness - self.level) * -math.expm1(-(time_s - before[1]) / follow_s)

    def _reopen(self, end_s: float) -> None:
        start_s, self.closed_at_s = self.closed_at_s, None
        if start_s is not None and self.thresholds.min_s <= end_s - start_s <= self.thresholds.max_s:
            self.count += 1
            self.last = Blink(start_s, end_s)


def _crossing(before: tuple[float, float], now: tuple[float, float], threshold: float) -> float:
    """Return the time at which the line between two points ``(openness, time_s)`` crosses ``threshold``."""
    (first, start_s), (second, end_s) = before, now
    share = (threshold - first) / (second - first) if first != second else 0.0
    return start_s + min(max(share, 0.0), 1.0) * (end_s - start_s)
