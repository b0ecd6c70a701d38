"""Settings: checked values, and how confident a face must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.scene import BLANK, Scene, ids
from tests.shapes import canonical_points, face_box
from tracker.errors import MisuseError
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.types import Frame

BOX = face_box((200, 200), 100)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_faces": 0},
        {"min_presence": 0.0},
        {"min_presence": 1.0},
        {"min_quality": 0.5},
        {"still_probability": 0.95},
        {"start_probability": 1.0},
        {"detect_every": 0},
        {"same_iou": 0},
        {"larger": 1.0},
        {"memory_s": -1},
        {"memory_s": float("nan")},
        {"memory_s": float("inf")},
        {"memory_s": "3"},
        {"detect_every": None},
        {"new_quality": float("nan")},
        {"larger": "big"},
        {"min_score": -0.1},
        {"min_score": 1.1},
        {"min_score": float("nan")},
        {"min_face": -1},
        {"min_face": float("inf")},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(MisuseError, match=next(iter(wrong))):
        TrackerSettings(**wrong)  # type: ignore[arg-type]


def test_a_new_face_needs_presence() -> None:
    landmarker = FakeLandmarker(canonical_points(), presence=0.9)
    tracker = FaceTracker(FakeDetector(replace(BOX, score=0.8)), landmarker)
    assert tracker.step(Frame(BLANK)).faces == ()
    landmarker.presence = 0.99
    assert ids(tracker.step(Frame(BLANK, 1, 0.1))) == [1]


def test_a_followed_face_needs_less_presence_than_a_new_one() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker()
    scene.presence = 0.55
    scene.score = 0.6
    assert ids(scene.run(tracker, 3)[-1]) == []
    scene.presence = 0.99
    assert ids(scene.run(tracker, 1, start=3)[0]) == [1]
    scene.presence = 0.55
    assert ids(scene.run(tracker, 3, start=4)[-1]) == [1]


@pytest.mark.parametrize(("quality", "followed", "found"), [(0.5, 1, 1), (0.3, 1, 1), (0.1, 0, 0)])
def test_a_face_of_low_quality_is_not_reported(quality: float, followed: int, found: int) -> None:
    landmarker = FakeLandmarker(canonical_points(), presence=0.99, quality=np.full(68, 0.9))
    tracker = FaceTracker(FakeDetector(replace(BOX, score=0.95)), landmarker)
    assert len(tracker.step(Frame(BLANK)).faces) == 1
    landmarker.quality = np.full(68, quality)
    assert len(tracker.step(Frame(BLANK, 1, 0.1)).faces) == followed
    assert len(tracker.find(Frame(BLANK)).faces) == found


def test_a_new_face_needs_more_quality_than_a_followed_one() -> None:
    landmarker = FakeLandmarker(canonical_points(), quality=np.full(68, 0.3))
    tracker = FaceTracker(FakeDetector(replace(BOX, score=0.6)), landmarker)
    landmarker.presence = 0.95
    assert len(tracker.step(Frame(BLANK)).faces) == 0
    landmarker.quality = np.full(68, 0.99)
    assert len(tracker.step(Frame(BLANK, 1, 0.1)).faces) == 1
    landmarker.quality = np.full(68, 0.3)
    assert len(tracker.step(Frame(BLANK, 2, 0.2)).faces) == 1
