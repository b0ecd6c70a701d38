"""Measuring one case, in this process and in a process of its own."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tracker.errors import BenchError, TrackerError
from tracker.reports.bench.clip import write_clip
from tracker.reports.bench.records import MODES, PARTS, BenchCase, BenchGrid
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
    seldom = timings.get(("tracking", "detect"))
    assert seldom is None or seldom.frames == 1
    assert seldom is None or seldom.mean_ms == pytest.approx(seldom.median_ms / 12, abs=1e-4)
    assert timings["detect", "detect"].frames == 12
    for mode in MODES:
        means = [timings[mode, part].mean_ms for part in PARTS if (mode, part) in timings]
        # Each is rounded to four decimals.
        assert sum(means) == pytest.approx(
            timings[mode, "total"].mean_ms, abs=0.5e-4 * (len(means) + 1) + 1e-9
        )
    timings.pop(("tracking", "detect"), None)
    for mode in MODES:
        inside = [t.median_ms for (of, stage), t in timings.items() if of == mode and stage not in BESIDE]
        assert len(inside) >= 4
        assert min(inside) >= 0
        assert timings[mode, "total"].frames == timings[mode, "draw"].frames == 12
        assert timings[mode, "other"].mean_ms > 0
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
