"""Texts and lines of a plot."""

from __future__ import annotations

import math

import numpy as np

from tests.timelines import face_line, result_lines, video_timeline
from tracker.reports.plot.lines import (
    broken,
    clock,
    count,
    headline,
    longest,
    row_note,
    stretches,
    thin,
    tick,
)
from tracker.reports.plot.timeline import timeline


def test_texts_of_the_plot() -> None:
    assert [clock(s) for s in (0, 59.94, 60, 3599.7, 3600, -75)] == [
        "0.0 s", "59.9 s", "1:00", "1:00:00", "1:00:00", "-1:15",
    ]  # fmt: skip
    assert count(1, "face") == "1 face"
    assert count(2000, "face") == "2,000 faces"
    line = timeline(result_lines((face_line(1),), None, (), (face_line(1),)), "o")
    assert headline(line).split("   ·   ") == [
        "4 frames", "0.1 s", "1 face", "1 frame without a face", "1 could not be read",
    ]  # fmt: skip
    assert row_note(line, line.faces[0]) == "50 %, 2 lost"
    assert tick(0.5, line) == "0.5 s"
    assert stretches(line.faces[0]) == [(0, 0), (3, 3)]
    assert [found.id for found in longest(video_timeline(people=5).faces, 2)] == [1, 2]


def test_no_line_bridges_a_gap() -> None:
    line = timeline(result_lines((face_line(1),), (face_line(1),), (), (face_line(1),)), "o")
    times, (mouth,) = broken(line, line.faces[0], line.faces[0].values["mouth"])
    np.testing.assert_allclose(times, [0, 0.04, 0.12, 0.12])
    np.testing.assert_array_equal(np.isnan(mouth), [False, False, True, False])


def test_thinning_keeps_peaks_and_gaps() -> None:
    x = np.arange(100_000.0)
    y = np.sin(x / 1000)
    y[50_001], y[70_000:70_200] = 9.0, math.nan
    few, low = thin(x, y, 3000)
    assert len(few) <= 3000
    assert np.nanmax(low) == 9.0
    assert np.isnan(low[(few >= 70_000) & (few < 70_200)]).any()
    assert (np.diff(few) > 0).all()
    assert thin(x[:10], y[:10], 3000)[0] is not None
