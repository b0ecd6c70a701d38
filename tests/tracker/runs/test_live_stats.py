from __future__ import annotations

import pytest

from tracker.runs.live_stats import Hud, RollingStats, StageStats


def test_fps_counts_intervals_not_frames() -> None:
    stats = RollingStats(window_s=10)
    for i in range(11):
        stats.update(i / 10, {})
    assert stats.fps == pytest.approx(10.0)


def test_fps_needs_an_interval() -> None:
    stats = RollingStats()
    assert stats.fps is None
    stats.update(5.0, {})
    assert stats.fps is None
    stats.update(5.0, {})
    assert stats.fps is None


def test_old_turns_leave_the_window() -> None:
    stats = RollingStats(window_s=2.0)
    for now_s in (0.0, 1.0, 2.0):
        stats.update(now_s, {"infer": 100.0})
    for i in range(1, 31):
        stats.update(10 + i / 10, {"infer": 4.0})
    assert stats.fps == pytest.approx(10.0)
    assert stats.stages() == {"infer": StageStats(4.0, 4.0)}


def test_median_and_p95_of_the_turns_in_which_a_stage_ran() -> None:
    stats = RollingStats(window_s=1000)
    for i in range(101):
        stats.update(float(i), {"infer": float(i)} | ({"detect": 7.0} if i % 50 == 0 else {}))
    stages = stats.stages()
    assert list(stages) == ["infer", "detect"]
    assert (stages["infer"].median_ms, stages["infer"].p95_ms) == pytest.approx((50.0, 95.0))
    assert stages["detect"] == StageStats(7.0, 7.0)


def test_a_later_change_of_the_callers_mapping_does_not_count() -> None:
    stats, stage_ms = RollingStats(), {"crop": 1.0}
    stats.update(0.0, stage_ms)
    stage_ms["crop"] = 99.0
    assert stats.stages()["crop"].median_ms == 1.0


@pytest.mark.parametrize("window_s", [0.0, -1.0, float("nan")])
def test_refuses_an_empty_window(window_s: float) -> None:
    with pytest.raises(ValueError, match="window_s"):
        RollingStats(window_s)


def test_refuses_a_clock_that_runs_backwards() -> None:
    stats = RollingStats()
    stats.update(1.0, {})
    with pytest.raises(ValueError, match="backwards"):
        stats.update(0.9, {})


def test_a_turn_takes_what_its_stages_take_together() -> None:
    stats = RollingStats(window_s=1.0)
    for now_s, stage_ms in ((0.0, {"infer": 9.0}), (2.0, {"detect": 1.0, "infer": 4.0}), (2.5, {})):
        stats.update(now_s, stage_ms)
    assert stats.turns_ms() == (5.0, 0.0)


def test_the_panel_names_what_it_measures() -> None:
    hud = Hud("resnet18 on CPU")
    assert "measuring" in hud.panel().lines[0]
    for tick in range(11):
        hud.stats.update(tick * 0.05, {"infer": 4.0, "show": 2.0})
    first, second = hud.panel().lines
    assert first.startswith("20.0 FPS, whole loop")
    assert "resnet18 on CPU" in first
    assert "infer 4.0  show 2.0  ms" in second
    assert hud.panel().turns_ms == (6.0,) * 11
