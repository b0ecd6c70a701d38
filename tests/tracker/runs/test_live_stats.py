"""Rolling statistics of the live loop."""

from __future__ import annotations

import numpy as np
import pytest

from tests.shapes import canonical_points
from tracker.drawing.panel import Panel
from tracker.runs.live_stats import LiveStats, Pace, RollingStats, StageStats
from tracker.types import FaceMeasures, Frame, Landmarks, TrackedFace

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
    assert pace.latency_ms == pytest.approx(40)
    assert pace.rows() == (
        ("capture to screen", "40 ms"),
        ("frames skipped", "0%"),
        ("limited by", "the camera"),
    )


@pytest.mark.parametrize(("step", "share"), [(2, "50%"), (4, "75%")])
def test_a_loop_that_skips_frames_is_the_bottleneck(step: int, share: str) -> None:
    pace = Pace(100.0)
    for index in range(0, 1000 * step, step):
        show(pace, index, index / 100, 0.1)
    assert pace.rows()[1:] == (("frames skipped", share), ("limited by", "this computer"))


def test_a_single_skipped_frame_does_not_count_and_old_ones_are_forgotten() -> None:
    pace = Pace(1.0)
    for index in (0, *range(2, 32)):
        show(pace, index, index / 30, 0.1)
    assert pace.rows()[-1] == ("limited by", "the camera")
    for index in range(40, 80, 4):
        show(pace, index, index / 30, 0.1)
    assert pace.rows()[-1] == ("limited by", "this computer")
    for index in range(80, 140):
        show(pace, index, index / 30, 0.2)
    assert pace.rows()[-1] == ("limited by", "the camera")
    assert pace.latency_ms == pytest.approx(200)


def test_a_video_has_no_pace() -> None:
    pace = Pace()
    assert (pace.rows(), pace.latency_ms) == ((), None)
    pace.update(Frame(IMAGE, 3), 5.0)
    assert (pace.rows(), pace.latency_ms) == ((), None)


def texts(stats: LiveStats) -> list[str]:
    return [span.text for span in stats.status()]


def test_the_panel_names_the_model_and_lists_stages_and_faces_in_order() -> None:
    stats = LiveStats("resnet18 on CPU")
    assert stats.panel() == Panel("resnet18 on CPU")
    for i in range(5):
        stats.loop.update(i / 10, {"show": 2.0, "infer": 4.0, "detect": 1.0})
    measures = FaceMeasures((0.3, 0.3), 0.1, -12.4, 3.0, 0.2, blinks=2)
    faces = [
        TrackedFace(1, Landmarks(canonical_points(), 0.984), measures),
        TrackedFace(3, Landmarks(canonical_points())),
    ]
    panel = stats.panel(faces)
    assert panel.title == "resnet18 on CPU"
    times, about = panel.tables
    assert times == (("detect", "1.0 ms"), ("infer", "4.0 ms"), ("show", "2.0 ms"))
    assert about == (
        ("face", "score", "yaw", "pitch", "roll", "blinks"),
        ("1", "0.98", "-12", "+3", "+0", "2"),
        ("3", "1.00", "-", "-", "-", "0"),
    )
    assert panel.turns_ms == (7.0,) * 5


def test_the_badge_has_rate_latency_and_model() -> None:
    stats = LiveStats("resnet18 int8 on CPUExecutionProvider")
    assert texts(stats) == ["starting", "resnet18"]
    for i in range(5):
        stats.loop.update(i / 10, {"detect": 1.0, "infer": 4.0, "show": 20.0})
    assert texts(stats) == ["10 fps", "5 ms", "resnet18"]  # a video: the time of tracking
    show(stats.pace, 0, 0.0, 0.083)
    assert texts(stats) == ["10 fps", "83 ms", "resnet18"]  # a camera: from capture to screen
    assert [span.bold for span in stats.status()] == [True, False, False]


def test_a_slow_rate_has_a_decimal() -> None:
    stats = LiveStats()
    for i in range(3):
        stats.loop.update(0.4 * i, {})
    assert texts(stats)[0] == "2.5 fps"
