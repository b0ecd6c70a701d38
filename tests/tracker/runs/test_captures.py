"""Snapshots and recordings: names, times, and files that cannot be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fake_run import fake_tracker, frames
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.runs.captures import Captures
from tracker.sources.video.source import VideoSource


def picture(time_s: float) -> Picture:
    return Picture(np.full((48, 64, 3), 90, np.uint8), time_s)


def test_two_snapshots_of_one_second_do_not_replace_each_other(tmp_path: Path) -> None:
    (frame,) = frames(1)
    result = fake_tracker().step(frame)
    captures = Captures(tmp_path)
    paths = {captures.save(picture(0.0), result) for _ in range(4)}
    assert len(paths) == 4
    assert all(path.with_suffix(".json").exists() for path in paths)


def times_of(path: Path) -> list[float]:
    with VideoSource(path) as video:
        return [frame.time_s for frame in video]


def test_a_recording_begins_at_0_and_goes_on_after_jumps(tmp_path: Path) -> None:
    with Captures(tmp_path) as captures:
        captures.record(picture(1.0))  # nothing is recorded yet
        path = captures.begin()
        assert captures.recording == path
        for time_s in (20.0, 20.1, 20.2):
            captures.record(picture(time_s))
        captures.jumped()
        captures.record(picture(50.0))
        captures.record(picture(50.1))
        captures.record(picture(3.0))  # back, even if nobody has said so
        captures.record(picture(3.1))
        assert captures.recorded_s == pytest.approx(0.2 + 1 / 30 + 0.1 + 1 / 30 + 0.1)
        assert captures.end() == path
        assert captures.recording is None
    joint = 1 / 30
    expected = [0, 0.1, 0.2, 0.2 + joint, 0.3 + joint, 0.3 + 2 * joint, 0.4 + 2 * joint]
    assert times_of(path) == pytest.approx(expected, abs=1e-3)


def test_a_recording_without_pictures_leaves_no_file(tmp_path: Path) -> None:
    captures = Captures(tmp_path)
    captures.begin()
    assert captures.end() is None
    assert captures.end() is None
    assert list(tmp_path.iterdir()) == []


def test_closing_finishes_a_recording(tmp_path: Path) -> None:
    with Captures(tmp_path) as captures:
        path = captures.begin()
        captures.record(picture(0.0))
    assert times_of(path) == [0.0]


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    captures = Captures(tmp_path / "gone")
    with pytest.raises(SinkError, match=r"cannot write .*tracker-"):
        captures.begin()
    assert captures.recording is None
