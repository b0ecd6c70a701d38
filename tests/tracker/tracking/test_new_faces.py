"""New faces: which boxes become faces, and which crops share a batch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.scene import BLANK, Scene, ids
from tests.shapes import canonical_points, face_box
from tracker.geometry import CropTransform, Raster, roll_of
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.admission import Admission, Entry, MinConfidence
from tracker.tracking.crops import MAX_BATCH, CropOfImage
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.new_faces import NewFaceSearch, find_new_faces
from tracker.tracking.settings import TrackerSettings
from tracker.types import FaceBox, Frame, Landmarks

SURE = Entry(Admission(), 0.0, MinConfidence(0.5, 0.0))


class Locator:
    """Answers each crop with the face that fills it; keeps the crops of each call."""

    def __init__(self, doubtful: Sequence[FaceBox] = ()) -> None:
        self.calls: list[list[CropTransform]] = []
        self._doubtful = [box.center for box in doubtful]

    def __call__(self, crops: Sequence[CropOfImage]) -> list[Landmarks]:
        self.calls.append([crop for _, crop in crops])
        return [self._face(crop) for _, crop in crops]

    def _face(self, crop: CropTransform) -> Landmarks:
        points = crop.to_frame(canonical_points())
        middle = FaceBox.around(points).center
        doubtful = any(np.allclose(middle, center, atol=2) for center in self._doubtful)
        return Landmarks(points, 0.1 if doubtful else 0.9)


def search(*boxes: FaceBox, slots: int = 8, known: Sequence[FaceBox] = ()) -> NewFaceSearch:
    return NewFaceSearch(Raster(BLANK), boxes, known, slots, SURE, same_iou=0.3)


def centers(faces: Sequence[Landmarks]) -> list[tuple[int, int]]:
    boxes = [FaceBox.around(face.points_frame) for face in faces]
    return [(round(box.center[0]), round(box.center[1])) for box in boxes]


def upright_in(crops: Sequence[CropOfImage], turned: float, upright: float) -> list[Landmarks]:
    """Locate upright points in each crop, with these presences in one turned by half a turn and in others."""
    found = []
    for _, crop in crops:
        is_turned = abs(math.remainder(crop.angle, math.tau)) > 2
        found.append(Landmarks(crop.to_frame(canonical_points()), turned if is_turned else upright))
    return found


def surest_upside_down(crops: Sequence[CropOfImage]) -> list[Landmarks]:
    return upright_in(crops, turned=0.95, upright=0.85)


SMALL, MIDDLE, LARGE = face_box((100, 100), 60), face_box((300, 100), 80), face_box((500, 300), 120)


def test_the_largest_boxes_come_first_and_known_faces_are_dropped() -> None:
    (found,) = find_new_faces([search(SMALL, LARGE, MIDDLE, known=[MIDDLE])], Locator())
    assert centers(found) == [(500, 300), (100, 100)]


def test_a_doubtful_face_takes_no_slot_from_the_next_box() -> None:
    locator = Locator(doubtful=[LARGE])
    (found,) = find_new_faces([search(SMALL, MIDDLE, LARGE, slots=1)], locator)
    assert centers(found) == [(300, 100)]
    assert [len(call) for call in locator.calls] == [1, 1, 1, 1]


def test_crops_of_all_pictures_share_a_batch_in_each_round() -> None:
    locator = Locator(doubtful=[LARGE])
    searches = [search(LARGE, SMALL, slots=1), search(), search(MIDDLE, SMALL, slots=1), search(SMALL, LARGE)]
    found = find_new_faces(searches, locator)
    assert [centers(faces) for faces in found] == [[(100, 100)], [], [(300, 100)], [(100, 100)]]
    # Two calls a round: one crop for each free slot of each picture that has boxes left.
    assert [len(call) for call in locator.calls] == [4, 4, 1, 1]
    assert [round(crop.center[0]) for crop in locator.calls[0]] == [500, 300, 500, 100]


def test_of_a_face_located_both_ways_up_the_surer_landmarks_are_kept() -> None:
    upside_down = replace(MIDDLE, roll_rad=math.pi, score=0.7)
    for boxes in ([MIDDLE, upside_down], [upside_down, MIDDLE]):
        ((face,),) = find_new_faces([search(*boxes)], surest_upside_down)
        assert abs(roll_of(face.points_frame)) == pytest.approx(math.pi)


@pytest.mark.parametrize(("doubts", "roll"), [(True, math.pi), (False, 0.0)])
def test_an_upright_answer_is_doubted_where_the_detector_saw_nothing_else(doubts: bool, roll: float) -> None:
    entry = replace(SURE, doubts_upright=doubts)
    lone = NewFaceSearch(Raster(BLANK), [MIDDLE], (), 8, entry, same_iou=0.3)
    ((face,),) = find_new_faces([lone], surest_upside_down)
    assert abs(roll_of(face.points_frame)) == pytest.approx(roll)
    assert FaceBox.around(face.points_frame).center == pytest.approx(MIDDLE.center, abs=1e-6)


def test_a_turned_answer_is_always_doubted() -> None:
    lone = search(replace(MIDDLE, roll_rad=math.pi))
    ((face,),) = find_new_faces([lone], lambda crops: upright_in(crops, turned=0.6, upright=0.9))
    assert roll_of(face.points_frame) == pytest.approx(0, abs=1e-9)


def test_a_picture_on_its_own_has_no_limit_of_faces() -> None:
    scene = Scene({200: (300, 200)})
    scene.boxes = [face_box((60 + 60 * x, 60 + 60 * y), 40) for y in range(4) for x in range(5)]
    tracker = FaceTracker(scene, FakeLandmarker(canonical_points()), TrackerSettings(max_faces=2))
    assert len(tracker.find(scene.frame(0)).faces) == 20


def test_no_searches_call_nothing() -> None:
    locator = Locator()
    assert find_new_faces([], locator) == []
    assert find_new_faces([search(), search(SMALL, slots=0)], locator) == [[], []]
    assert locator.calls == []


def test_a_false_or_double_detection_takes_no_slot() -> None:
    scene = Scene({200: (450, 250)})
    nobody, twice, person = face_box((150, 150), 120), face_box((448, 252), 120), face_box((450, 250), 120)
    tracker = FaceTracker(FakeDetector(nobody, person), scene, TrackerSettings(max_faces=1))
    assert ids(tracker.step(scene.frame(0))) == [1]
    assert len(tracker.find(scene.frame(0)).faces) == 1
    scene.people[100] = (200, 400)
    detector = FakeDetector(person, twice, face_box((200, 400), 120))
    tracker = FaceTracker(detector, scene, TrackerSettings(max_faces=2))
    assert ids(tracker.step(scene.frame(0))) == [1, 2]
    assert len(tracker.find(scene.frame(0)).faces) == 2


def test_find_reports_a_face_once() -> None:
    boxes = [face_box((200, 200), 100), face_box((204, 202), 104)]
    tracker = FaceTracker(FakeDetector(*boxes), FakeLandmarker(canonical_points()))
    assert len(tracker.find(Frame(BLANK)).faces) == 1


def test_a_second_pass_corrects_a_box_that_is_off() -> None:
    """The detector is off by a quarter of the face; the landmark model sees the face in its crop."""
    scene = Scene({200: (300, 200)})
    scene.boxes = [face_box((325, 185), 140)]
    (face,) = scene.tracker().find(scene.frame(0)).faces
    assert scene.crops_located == 2
    assert np.hypot(face.box.center[0] - 300, face.box.center[1] - 200) < 1.0


def test_the_faces_of_a_picture_are_located_in_one_batch() -> None:
    scene = Scene({200: (300, 200)})
    scene.boxes = [face_box((x, y), 80) for x, y in itertools.product((100, 300, 500), (120, 340))]
    scene.tracker().find(scene.frame(0))
    assert scene.batches == [6, 6]


def test_batches_over_several_pictures_are_bounded() -> None:
    scene = Scene({200: (300, 200)})
    scene.boxes = [face_box((x, y), 80) for x, y in itertools.product((100, 300, 500), (120, 340))]
    scene.tracker().find_all([scene.frame(index) for index in range(3)])
    assert scene.batches == 2 * [MAX_BATCH, MAX_BATCH, 2]
