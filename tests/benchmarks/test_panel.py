"""Comparison of the live panel with the bench."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from benchmarks import panel
from benchmarks.panel import STAGES, bench_stages, compare, panel_stages
from tracker.reports.bench.clip import write_clip
from tracker.reports.bench.records import BenchCase
from tracker.reports.bench.worker import FEWEST, WARM_UP


@pytest.fixture
def case(tmp_path: Path) -> BenchCase:
    clip = tmp_path / "clip.mp4"
    write_clip(clip, WARM_UP + FEWEST, (320, 240))
    return BenchCase("cpu", "unet-light", None, 1, str(clip), 1, FEWEST)


@pytest.mark.slow
def test_both_measure_every_stage_of_a_tracked_face(case: BenchCase) -> None:
    for stages in (bench_stages(case), panel_stages(case)):
        assert set(stages) == set(STAGES)
        assert all(0 < value < 10_000 for value in stages.values())


def test_medians_are_taken_over_rounds_and_sums_within_them(
    monkeypatch: pytest.MonkeyPatch, case: BenchCase
) -> None:
    bench, live = iter([1.0, 9.0, 2.0]), iter([3.0, 3.0, 1.0])
    monkeypatch.setattr(panel, "bench_stages", lambda _: dict.fromkeys(STAGES, next(bench)))
    monkeypatch.setattr(panel, "panel_stages", lambda _: dict.fromkeys(STAGES, next(live)))
    *stages, together = compare(case, rounds=3)
    assert [one.stage for one in stages] == list(STAGES)
    assert all((one.bench_ms, one.panel_ms, one.ratio) == (2.0, 3.0, 1.5) for one in stages)
    assert (together.bench_ms, together.panel_ms) == (10.0, 15.0)
