"""Rolling statistics of the live loop: frame rate, stage times and camera latency."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from tracker.drawing.panel import Panel, Table
from tracker.drawing.text import Span
from tracker.types import STAGES, Frame, TrackedFace

STATS_WINDOW_S = 2.0
"""Seconds that the badge and the panel look back."""

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

    def tracking_ms(self) -> float | None:
        """Return the median time in milliseconds that tracking a frame took; None before the first."""
        spent = [sum(ms[name] for name in STAGES if name in ms) for _, ms in self._iterations]
        return median(spent) if spent else None

    def stages(self) -> dict[str, StageStats]:
        """Return statistics of every stage that ran within the window, in order of first appearance."""
        samples: dict[str, list[float]] = {}
        for _, stage_ms in self._iterations:
            for stage, value in stage_ms.items():
                samples.setdefault(stage, []).append(value)
        return {stage: _summary(values) for stage, values in samples.items()}


def _summary(values: list[float]) -> StageStats:
    middle, p95 = np.percentile(values, (50, 95))
    return StageStats(float(middle), float(p95))


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

    @property
    def latency_ms(self) -> float | None:
        """Median time from capture to screen in milliseconds; None for a source that is no camera."""
        return median(latency for _, latency, _ in self._shown) if self._shown else None

    def rows(self) -> Table:
        """Return latency and bottleneck as rows of the panel; none for a source that is no camera."""
        if self.latency_ms is None:
            return ()
        skipped = sum(count for _, _, count in self._shown)
        share = skipped / (skipped + len(self._shown))
        limit = "this computer" if share >= _SKIPPED_SHARE else "the camera"
        return (
            ("capture to screen", f"{self.latency_ms:.0f} ms"),
            ("frames skipped", f"{share:.0%}"),
            ("limited by", limit),
        )


@dataclass(frozen=True)
class LiveStats:
    """Statistics of a run for the live window; ``label`` names the model and its runtime."""

    label: str = "tracker"
    loop: RollingStats = field(default_factory=RollingStats)
    pace: Pace = field(default_factory=Pace)

    def status(self) -> tuple[Span, ...]:
        """Return the texts of the badge: frame rate, latency and model.

        The latency is that from a camera to the screen, for a video the time that tracking takes.
        """
        fps, latency_ms = self.loop.fps, self.pace.latency_ms
        latency_ms = self.loop.tracking_ms() if latency_ms is None else latency_ms
        if fps is None or latency_ms is None:
            return Span("starting", bold=True), Span(self._model)
        rate = f"{fps:.0f} fps" if fps >= 10 else f"{fps:.1f} fps"
        return Span(rate, bold=True), Span(f"{latency_ms:.0f} ms"), Span(self._model)

    def panel(self, faces: Sequence[TrackedFace] = ()) -> Panel:
        """Return the panel as of now: median stage times, pace, and score and measures of each face."""
        stages = self.loop.stages()
        times = tuple((name, f"{stages[name].median_ms:.1f} ms") for name in _SHOWN_STAGES if name in stages)
        about = (_FACE_HEAD, *map(_face_row, faces)) if faces else ()
        tables = tuple(filter(None, (times, self.pace.rows(), about)))
        return Panel(self.label, tables, self.loop.iterations_ms())

    @property
    def _model(self) -> str:
        return self.label.split(" ", maxsplit=1)[0]


_FACE_HEAD = ("face", "score", "yaw", "pitch", "roll", "blinks")


def _face_row(face: TrackedFace) -> tuple[str, ...]:
    measures = face.measures
    angles = (measures.yaw_deg, measures.pitch_deg, measures.roll_deg)
    texts = ("-" if angle is None else f"{angle:+.0f}" for angle in angles)
    return f"{face.id}", f"{face.score:.2f}", *texts, f"{measures.blinks}"
