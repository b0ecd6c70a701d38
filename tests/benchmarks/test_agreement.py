"""Agreement of two results: ids and places, frame by frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.agreement import disagreements, followed
from tests.cache import Clips
from tests.shapes import face_box

HERE, NEAR, FAR = face_box((100, 100), 80), face_box((104, 102), 80), face_box((300, 100), 80)


def test_frames_differ_in_ids_or_places() -> None:
    first = [{1: HERE}, {1: HERE}, {1: HERE}, {1: HERE, 2: FAR}, {}]
    second = [{1: NEAR}, {2: HERE}, {1: FAR}, {1: HERE}, {}]
    assert disagreements(first, second) == [1, 2, 3]


def test_results_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        disagreements([{}], [])


def test_a_video_has_faces_in_each_frame(clips: Clips) -> None:
    path: Path = clips.faces(count=6)
    faces = followed(path, "unet-light", "cpu", max_faces=2)
    assert len(faces) == 6
    assert all(set(frame) == {1} for frame in faces)
    assert disagreements(faces, faces) == []
