"""Benchmark timings for tests of tables, plots and reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tracker.reports.bench.records import StageTiming

STAGES_MS = {"total": 123.4, "crop": 3.0, "infer": 100.0, "other": 20.4, "decode": 9.0, "draw": 1.5}
"""Median milliseconds per stage; means are a quarter more, and those within a frame add up to the total."""


def stage_timing(stage: str, milliseconds: float, **changes: Any) -> StageTiming:
    """Return the timing of a stage: five faces in 1280x720, in tracking mode unless changed."""
    timing = StageTiming(
        backend="cpu",
        provider="CPUExecutionProvider",
        model="unet-light",
        precision="int8",
        threads=16,
        width=1280,
        height=720,
        faces=5,
        mode="tracking",
        stage=stage,
        median_ms=milliseconds,
        p95_ms=2 * milliseconds,
        p99_ms=3 * milliseconds,
        mean_ms=1.25 * milliseconds,
        fps=1000 / milliseconds,
        frames=100,
    )
    return replace(timing, **changes)


def all_timings() -> list[StageTiming]:
    """Return :data:`STAGES_MS` in tracking mode, and twice as long in detect mode."""
    timings = [stage_timing(stage, value) for stage, value in STAGES_MS.items()]
    return timings + [stage_timing(stage, 2 * value, mode="detect") for stage, value in STAGES_MS.items()]
