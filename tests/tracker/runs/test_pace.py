import numpy as np
import pytest

from tracker.runs.live_stats import Pace
from tracker.types import Frame

IMAGE = np.zeros((2, 2, 3), np.uint8)


def shown(pace: Pace, index: int, captured_s: float, latency_s: float) -> None:
    pace.update(Frame(IMAGE, index, captured_s=captured_s), captured_s + latency_s)


def test_a_loop_that_keeps_up_is_limited_by_the_camera() -> None:
    pace = Pace(2.0)
    for index in range(30):
        shown(pace, index, index / 30, 0.040 if index else 0.9)
    assert pace.lines() == ["40 ms from capture to screen, median   the camera limits FPS"]


@pytest.mark.parametrize(("step", "said"), [(2, "50%"), (4, "75%")])
def test_skipped_frames_say_that_the_loop_limits(step: int, said: str) -> None:
    pace = Pace(100.0)
    for index in range(0, 1000 * step, step):
        shown(pace, index, index / 100, 0.1)
    assert f"the loop limits FPS: {said} of frames skipped" in pace.lines()[0]


def test_a_frame_skipped_now_and_then_is_no_limit_and_is_forgotten() -> None:
    pace = Pace(1.0)
    for index in (0, *range(2, 32)):
        shown(pace, index, index / 30, 0.1)
    assert "the camera limits" in pace.lines()[0]
    for index in range(40, 80, 4):
        shown(pace, index, index / 30, 0.1)
    assert "the loop limits" in pace.lines()[0]
    for index in range(80, 140):
        shown(pace, index, index / 30, 0.2)
    assert pace.lines() == ["200 ms from capture to screen, median   the camera limits FPS"]


def test_what_is_no_camera_has_no_pace() -> None:
    pace = Pace()
    assert pace.lines() == []
    pace.update(Frame(IMAGE, 3), 5.0)
    assert pace.lines() == []
    with pytest.raises(ValueError, match="window_s"):
        Pace(0)
