"""Stage times: added up, and begun anew for each frame."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tracker.tracking import stage_times
from tracker.tracking.stage_times import StageClock


def test_times_of_a_stage_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 0.5, 1.0, 1.25, 2.0, 2.5])
    monkeypatch.setattr(stage_times, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    clock = StageClock()
    for name in ("crop", "infer", "crop"):
        with clock.stage(name):
            pass
    before = clock.spent_ms
    assert before == {"crop": 1000.0, "infer": 250.0}
    clock.restart()
    assert (clock.spent_ms, len(before)) == ({}, 2)
