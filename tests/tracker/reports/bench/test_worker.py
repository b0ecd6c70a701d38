"""Measuring one case, in this process and in a process of its own."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tracker.errors import BenchError, TrackerError
from tracker.reports.bench.clip import write_clip
from tracker.reports.bench.records import MODES, BenchCase, BenchGrid
from tracker.reports.bench.run import measure_all
from tracker.reports.bench.worker import measure

BESIDE = ("total", "decode", "draw")


@pytest.mark.slow
def test_two_faces_are_measured_in_both_modes() -> None:
    grid = BenchGrid(backends=("cpu",), threads=(1,), sizes=((320, 240),), faces=(2,), frames=12)
    results = measure_all(grid)
    timings = {(timing.mode, timing.stage): timing for timing in results.timings}
    assert {timing.faces for timing in results.timings} == {2}
    # With all faces tracked, the detector looks for larger ones only now and then.
    assert ("tracking", "detect") not in timings or timings["tracking", "detect"].frames == 1
    assert timings["detect", "detect"].frames == 12
    timings.pop(("tracking", "detect"), None)
    for mode in MODES:
        inside = [t.median_ms for (of, stage), t in timings.items() if of == mode and stage not in BESIDE]
        assert len(inside) >= 4
        assert min(inside) >= 0
        assert timings[mode, "total"].frames == timings[mode, "draw"].frames == 12
    (process,) = results.processes
    assert (process.backend, process.width, process.height, process.faces) == ("cpu", 320, 240, 2)
    assert process.start_s > 0


def test_a_missing_clip_and_one_that_is_too_short_are_refused(tmp_path: Path) -> None:
    case = BenchCase("cpu", "unet-light", None, 1, str(tmp_path / "none.mp4"), 1, 10)
    with pytest.raises(TrackerError, match=r"none\.mp4"):
        measure(case, time.time())
    write_clip(tmp_path / "short.mp4", 25, (320, 240))
    case = BenchCase("cpu", "unet-light", None, 1, str(tmp_path / "short.mp4"), 1, 10)
    with pytest.raises(BenchError, match="25 frames; a measurement needs 30"):
        measure(case, time.time())
