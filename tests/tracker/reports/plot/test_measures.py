"""Value ranges and titles of the measures in a plot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.timelines import face_line, result_lines, video_timeline
from tracker.reports.plot.measures import EYES, MEASURES, SCORE, measures_of, panel_title, value_range
from tracker.reports.plot.timeline import timeline
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import plain_scheme


def test_the_range_holds_the_usual_values_and_all_others() -> None:
    assert value_range(SCORE, ()) == pytest.approx((-0.06, 1.06))
    faces = video_timeline().faces
    assert value_range(SCORE, faces) == pytest.approx((-0.06, 1.06))
    yaw = MEASURES[0]
    assert value_range(yaw, faces) == pytest.approx((-22.4, 22.4))
    (wide,) = timeline(result_lines((face_line(1, eye=1.8),)), "o").faces
    assert value_range(EYES, [wide]) == pytest.approx((-0.06, 1.18))


def test_titles_count_blinks() -> None:
    line = video_timeline(people=2)
    assert panel_title(EYES, line, line.faces) == "eyes open: height over width; ▾ 2 blinks"
    assert panel_title(SCORE, line, line.faces) == "score"


def test_titles_tell_of_the_faces_that_are_not_drawn() -> None:
    line = timeline(result_lines(tuple(face_line(i + 1) for i in range(8))), "o")
    for measure in MEASURES:
        assert panel_title(measure, line, line.faces[:6]).endswith("; without 2 faces seen for less long")
        assert "without" not in panel_title(measure, line, line.faces)


def test_panels_without_values_are_left_out_for_points_that_do_not_show_them() -> None:
    face = replace(face_line(1), eye_left=None, eye_right=None, yaw_deg=None, pitch_deg=None, roll_deg=None)
    lines = result_lines((face,), (face,), (face,))
    ibug = timeline(lines, "o")
    assert (ibug.scheme, measures_of(ibug)) == (IBUG68, MEASURES)
    other = timeline([replace(line, scheme=plain_scheme("fox", 5)) for line in lines], "o")
    assert [measure.title.split(":")[0] for measure in measures_of(other)] == ["mouth open", "score"]
