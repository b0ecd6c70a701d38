from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.media import picture_index, write_video
from tracker.errors import SourceError
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.source import VideoSource


@pytest.mark.parametrize(
    ("start", "end", "every"), [(-1, 2, 1), (2, 2, 1), (0, 1, 0), (math.inf, math.inf, 1)]
)
def test_impossible_parts_are_refused(start: float, end: float, every: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        Trim(start, end, every)


@pytest.mark.parametrize(
    ("trim", "expected"),
    [
        (WHOLE, 10),
        (Trim(0.3), 7),
        (Trim(0.3, 0.5), 2),
        (Trim(every=4), 3),
        (Trim(0.1, 0.8, 3), 3),
        (Trim(5.0), 0),
    ],
)
def test_selected_frames_are_counted_in_advance(trim: Trim, expected: int) -> None:
    assert trim.count(10, Fraction(10)) == expected
    assert trim.count(None, Fraction(10)) is None


def test_a_start_of_zero_includes_negative_times() -> None:
    assert WHOLE.has_begun(-1.0)
    assert not Trim(0.5).has_begun(0.4)
    assert Trim(0.5).has_begun(0.5)


def test_frames_of_a_part_keep_their_times_and_indices(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 60)
    with VideoSource(path, Trim(0.5, 1.5, 5)) as source:
        frames = list(source)
        assert (source.frame_count, source.exhausted) == (len(frames), False)
    assert [f.index for f in frames] == [15, 20, 25, 30, 35, 40]
    assert [picture_index(f.image_bgr) for f in frames] == [15, 20, 25, 30, 35, 40]
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(15, 45, 5) / 30)


def test_a_part_of_a_video_without_frames_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 10)
    with VideoSource(path, Trim(60.0)) as source, pytest.raises(SourceError, match="--start"):
        list(source)
