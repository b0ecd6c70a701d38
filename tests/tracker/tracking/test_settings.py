"""Settings: checked values, and how confident a face must be."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scene import BLANK, Scene, ids
from tests.shapes import canonical_points, face_box
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import MinConfidence, TrackerSettings
from tracker.types import Frame, Landmarks

BOX = face_box((200, 200), 100)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_faces": 0},
        {"min_presence": 0.0},
        {"min_presence": 1.0},
        {"min_quality": 0.5},
        {"detect_every": 0},
        {"same_iou": 0},
        {"larger": 1.0},
        {"memory_s": -1},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrackerSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("presence", "quality", "accepted"),
    [(0.5, None, True), (0.49, None, False), (0.5, 0.2, True), (0.9, 0.19, False), (0.4, 0.9, False)],
)
def test_presence_and_mean_quality_are_required(
    presence: float, quality: float | None, accepted: bool
) -> None:
    each = None if quality is None else np.linspace(quality - 0.1, quality + 0.1, 68)
    face = Landmarks(canonical_points(), presence, each)
    assert MinConfidence(0.5, 0.2 - 1e-9).accepts(face) is accepted


def test_a_new_face_needs_presence() -> None:
    landmarker = FakeLandmarker(canonical_points(), presence=0.79)
    tracker = FaceTracker(FakeDetector(BOX), landmarker)
    assert tracker.step(Frame(BLANK)).faces == ()
    landmarker.presence = 0.81
    assert ids(tracker.step(Frame(BLANK, 1, 0.1))) == [1]


def test_a_followed_face_needs_less_presence_than_a_new_one() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker()
    scene.presence = 0.7
    assert ids(scene.run(tracker, 3)[-1]) == []
    scene.presence = 0.9
    assert ids(scene.run(tracker, 1, start=3)[0]) == [1]
    scene.presence = 0.7
    assert ids(scene.run(tracker, 3, start=4)[-1]) == [1]


@pytest.mark.parametrize(("quality", "followed", "found"), [(0.5, 1, 1), (0.3, 1, 1), (0.1, 0, 0)])
def test_a_face_of_low_quality_is_not_reported(quality: float, followed: int, found: int) -> None:
    landmarker = FakeLandmarker(canonical_points(), quality=np.full(68, 0.9))
    tracker = FaceTracker(FakeDetector(BOX), landmarker)
    assert len(tracker.step(Frame(BLANK)).faces) == 1
    landmarker.quality = np.full(68, quality)
    assert len(tracker.step(Frame(BLANK, 1, 0.1)).faces) == followed
    assert len(tracker.find(Frame(BLANK)).faces) == found


def test_a_new_face_needs_more_quality_than_a_followed_one() -> None:
    landmarker = FakeLandmarker(canonical_points(), quality=np.full(68, 0.3))
    tracker = FaceTracker(FakeDetector(BOX), landmarker)
    assert len(tracker.step(Frame(BLANK)).faces) == 0
    landmarker.quality = np.full(68, 0.4)
    assert len(tracker.step(Frame(BLANK, 1, 0.1)).faces) == 1
