"""Rolling statistics of the live loop."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.runs.live_stats import LiveStats, Pace, RollingStats, StageStats
from tracker.types import Frame

IMAGE = np.zeros((2, 2, 3), np.uint8)


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


def test_old_iterations_leave_the_window() -> None:
    stats = RollingStats(window_s=2.0)
    for now_s in (0.0, 1.0, 2.0):
        stats.update(now_s, {"infer": 100.0})
    for i in range(1, 31):
        stats.update(10 + i / 10, {"infer": 4.0})
    assert stats.fps == pytest.approx(10.0)
    assert stats.stages() == {"infer": StageStats(4.0, 4.0)}


def test_median_and_p95_are_those_of_the_iterations_in_which_a_stage_ran() -> None:
    stats = RollingStats(window_s=1000)
    for i in range(101):
        stats.update(float(i), {"infer": float(i)} | ({"detect": 7.0} if i % 50 == 0 else {}))
    stages = stats.stages()
    assert list(stages) == ["infer", "detect"]
    assert (stages["infer"].median_ms, stages["infer"].p95_ms) == pytest.approx((50.0, 95.0))
    assert stages["detect"] == StageStats(7.0, 7.0)


def test_stage_times_are_copied() -> None:
    stats, stage_ms = RollingStats(), {"crop": 1.0}
    stats.update(0.0, stage_ms)
    stage_ms["crop"] = 99.0
    assert stats.stages()["crop"].median_ms == 1.0


@pytest.mark.parametrize("window_s", [0.0, -1.0, float("nan")])
def test_an_empty_window_is_refused(window_s: float) -> None:
    with pytest.raises(ValueError, match="window_s"):
        RollingStats(window_s)
    with pytest.raises(ValueError, match="window_s"):
        Pace(window_s)


def test_a_clock_that_runs_backwards_is_refused() -> None:
    stats = RollingStats()
    stats.update(1.0, {})
    with pytest.raises(ValueError, match="backwards"):
        stats.update(0.9, {})


def test_an_iteration_takes_the_sum_of_its_stages() -> None:
    stats = RollingStats(window_s=1.0)
    for now_s, stage_ms in ((0.0, {"infer": 9.0}), (2.0, {"detect": 1.0, "infer": 4.0}), (2.5, {})):
        stats.update(now_s, stage_ms)
    assert stats.iterations_ms() == (5.0, 0.0)


def show(pace: Pace, index: int, captured_s: float, latency_s: float) -> None:
    pace.update(Frame(IMAGE, index, captured_s=captured_s), captured_s + latency_s)


def test_a_loop_that_keeps_up_is_limited_by_the_camera() -> None:
    pace = Pace(2.0)
    for index in range(30):
        show(pace, index, index / 30, 0.040 if index else 0.9)
    assert pace.lines() == ["40 ms from capture to screen, median   the camera limits FPS"]


@pytest.mark.parametrize(("step", "share"), [(2, "50%"), (4, "75%")])
def test_a_loop_that_skips_frames_is_the_bottleneck(step: int, share: str) -> None:
    pace = Pace(100.0)
    for index in range(0, 1000 * step, step):
        show(pace, index, index / 100, 0.1)
    assert f"the loop limits FPS: {share} of frames skipped" in pace.lines()[0]


def test_a_single_skipped_frame_does_not_count_and_old_ones_are_forgotten() -> None:
    pace = Pace(1.0)
    for index in (0, *range(2, 32)):
        show(pace, index, index / 30, 0.1)
    assert "the camera limits" in pace.lines()[0]
    for index in range(40, 80, 4):
        show(pace, index, index / 30, 0.1)
    assert "the loop limits" in pace.lines()[0]
    for index in range(80, 140):
        show(pace, index, index / 30, 0.2)
    assert pace.lines() == ["200 ms from capture to screen, median   the camera limits FPS"]


def test_a_video_has_no_pace() -> None:
    pace = Pace()
    assert pace.lines() == []
    pace.update(Frame(IMAGE, 3), 5.0)
    assert pace.lines() == []


def test_the_panel_names_the_model_and_lists_stages_in_order() -> None:
    stats = LiveStats("resnet18 on CPU")
    assert stats.panel().lines == ("measuring FPS   resnet18 on CPU",)
    for i in range(5):
        stats.loop.update(i / 10, {"show": 2.0, "infer": 4.0, "detect": 1.0})
    first, second = stats.panel().lines
    assert first == "10.0 FPS, whole loop   resnet18 on CPU   h: keys"
    assert second == "detect 1.0  infer 4.0  show 2.0  ms, median of 2 s"
    assert stats.panel().turns_ms == (7.0,) * 5
