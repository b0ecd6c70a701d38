"""Time series of results."""

from __future__ import annotations

import numpy as np
import pytest

from tests.timelines import face_line, result_lines
from tracker.errors import ResultsError
from tracker.reports.plot.timeline import Timeline, timeline
from tracker.sinks.json_lines import ResultLine


def test_series_have_frames_gaps_and_blinks_of_each_face() -> None:
    one = timeline(
        result_lines(
            (face_line(2),),
            (face_line(2, 1), face_line(5)),
            (),
            None,
            (face_line(2, 1),),
            (face_line(2, 3, None),),
            (),
        ),
        "o",
    )
    assert one.is_video
    assert [found.id for found in one.faces] == [2, 5]
    first, second = one.faces
    np.testing.assert_array_equal(first.at, [0, 1, 4, 5])
    np.testing.assert_array_equal(first.starts, [True, False, True, False])
    np.testing.assert_array_equal(first.blink_at, [1, 5])
    assert (first.lost, second.lost) == (2, 0)
    np.testing.assert_allclose(first.eyes, [0.25, 0.25, 0.25, 0.2])  # one eye is enough
    assert first.mean("yaw_deg") == 1.0
    assert first.mean("roll_deg") is None
    np.testing.assert_array_equal(np.flatnonzero(one.failed), [3])
    assert one.without_face == 2


def test_a_pause_of_the_camera_breaks_a_face_without_losing_it() -> None:
    some = [
        ResultLine("0", i, time_s, (face_line(1),), None)
        for i, time_s in enumerate((0, 0.04, 0.08, 3.0, 3.04))
    ]
    (one,) = timeline(some, "o").faces
    np.testing.assert_array_equal(one.starts, [True, False, False, True, False])
    assert one.lost == 0


def test_pictures_are_not_consecutive() -> None:
    some = [ResultLine(f"{i}.jpg", 0, 0.0, (face_line(1),), None) for i in range(3)]
    line = timeline(some, "o")
    assert not line.is_video
    assert line.source == "3 pictures"
    np.testing.assert_array_equal(line.times_s, [1, 2, 3])
    assert line.faces[0].starts.all()


def test_two_videos_and_decreasing_timestamps_are_refused() -> None:
    some = result_lines((face_line(1),), (face_line(1),), ())
    with pytest.raises(ResultsError, match=r"o\.jsonl: results of 2 videos"):
        timeline([*some, ResultLine("b.mp4", 3, 0.12, (), None)], "o.jsonl")
    with pytest.raises(ResultsError, match=r"o\.jsonl:4: the time goes back"):
        timeline([*some, ResultLine("a.mp4", 0, 0.0, (), None)], "o.jsonl")


def test_results_without_faces_have_a_timeline() -> None:
    line = timeline(result_lines((), ()), "o")
    assert isinstance(line, Timeline)
    assert line.faces == ()
    assert line.without_face == 2
