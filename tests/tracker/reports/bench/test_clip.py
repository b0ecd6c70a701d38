"""The synthetic clip of the benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cache import Trackers
from tracker.reports.bench.clip import portrait_frames, write_clip
from tracker.sources.video.source import VideoSource


@pytest.mark.parametrize(("size", "faces"), [((640, 480), 1), ((1280, 720), 2), ((640, 480), 5)])
def test_the_clip_shows_the_requested_number_of_faces(
    trackers: Trackers, size: tuple[int, int], faces: int
) -> None:
    tracker = trackers.opened(model="resnet18")
    for frame in list(portrait_frames(91, size, faces))[::30]:
        assert frame.image_hw == size[::-1]
        assert len(tracker.find(frame).faces) == faces


def test_faces_drift_on_a_circle() -> None:
    first, quarter, *_, last = list(portrait_frames(121, (320, 240)))[::30]
    assert np.array_equal(first.image_bgr, last.image_bgr)
    assert not np.array_equal(first.image_bgr, quarter.image_bgr)


@pytest.mark.parametrize(("size", "faces"), [((640, 480), 0), ((640, 480), 200), ((40, 40), 1)])
def test_faces_that_do_not_fit_are_refused(size: tuple[int, int], faces: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        next(portrait_frames(1, size, faces))


def test_the_written_clip_has_every_frame(tmp_path: Path) -> None:
    write_clip(tmp_path / "c.mp4", 12, (320, 240))
    with VideoSource(tmp_path / "c.mp4") as source:
        assert source.size == (320, 240)
        assert [frame.index for frame in source] == list(range(12))
