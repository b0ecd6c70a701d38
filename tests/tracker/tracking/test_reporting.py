"""Reported faces: measures, blinks and quality of the right points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.scene import BLANK, Scene
from tests.shapes import canonical_points, face_box, measured
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS, OneEuro
from tracker.types import FloatArray, Frame

BOX = face_box((320, 240), 120.0)


def with_closed_eyes(*first_points: int) -> FloatArray:
    """The canonical face with those eyes closed that begin at ``first_points``."""
    points = canonical_points()
    for first in first_points:
        points[first : first + 6, 1] = points[first, 1]
    return points


@pytest.mark.parametrize("smoothing", [None, PRESETS["high"]])
@pytest.mark.parametrize(("closed", "blinks"), [((36, 42), 2), ((36,), 0), ((42,), 0)])
def test_blinks_are_counted_and_winks_are_not(
    smoothing: OneEuro | None, closed: tuple[int, ...], blinks: int
) -> None:
    """Eyes close for 0.1 s, twice; smoothing hides no blink, and the measures are of the shown points."""
    landmarker = FakeLandmarker(canonical_points())
    tracker = FaceTracker(FakeDetector(BOX), landmarker, TrackerSettings(max_faces=1, smoothing=smoothing))
    counted = []
    for index in range(60):
        closes = index % 30 in (20, 21, 22)
        landmarker.points_crop = with_closed_eyes(*closed) if closes else canonical_points()
        (face,) = tracker.step(Frame(BLANK, index, index / 30)).faces
        assert face.measures is not None
        assert replace(face.measures, blinks=0) == measured(face.landmarks.points_frame)
        counted.append(face.measures.blinks)
    assert counted == sorted(counted)
    assert (counted[19], counted[-1]) == (0, blinks)


def test_blinks_stay_with_their_person() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker()
    scene.run(tracker, 3)
    state = tracker.state()
    state.tracks[0].blinks.count = 5
    tracker.restore(state)
    scene.hidden = {200}
    scene.run(tracker, 9, start=3)
    scene.hidden = set()
    scene.people[100] = (480, 300)
    result = scene.run(tracker, 9, start=12)[-1]
    assert {face.id: face.measures.blinks for face in result.faces if face.measures} == {1: 5, 2: 0}


def test_a_picture_on_its_own_is_measured_and_has_no_blinks() -> None:
    tracker = FaceTracker(FakeDetector(BOX), FakeLandmarker(canonical_points()))
    (face,) = tracker.find(Frame(BLANK)).faces
    assert face.measures == measured(face.landmarks.points_frame)


@pytest.mark.parametrize("smoothing", [None, PRESETS["high"]])
def test_quality_stays_with_its_points(smoothing: OneEuro | None) -> None:
    quality = np.linspace(0, 1, 68)
    landmarker = FakeLandmarker(canonical_points(), quality=quality)
    tracker = FaceTracker(FakeDetector(BOX), landmarker, TrackerSettings(smoothing=smoothing))
    results = [tracker.step(Frame(BLANK, index, index / 30)) for index in range(3)]
    for result in (*results, tracker.find(Frame(BLANK))):
        (face,) = result.faces
        assert face.landmarks.quality is not None
        assert np.array_equal(face.landmarks.quality, quality)
