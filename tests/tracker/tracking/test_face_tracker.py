"""The face tracker on scripted scenes: when it detects, and whom it follows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from tests.cache import Trackers
from tests.faces import astronaut
from tests.scene import BLANK, Scene, ids
from tests.shapes import canonical_points, face_box, face_points
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.detection.views import View
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from tracker.types import STAGES, Frame, ImageArray


def test_one_face_keeps_its_id_and_place() -> None:
    scene = Scene()
    tracker = scene.tracker()
    for index in range(40):
        scene.people = {200: (150 + 6 * index, 200)}
        result = tracker.step(scene.frame(index))
        assert ids(result) == [1]
        assert abs(result.faces[0].box.center[0] - (150 + 6 * index)) < 1.5
        assert (result.index, result.time_s) == (index, index / 30)


def test_two_faces_keep_their_ids() -> None:
    scene = Scene({100: (150, 200), 200: (450, 200)})
    tracker = scene.tracker()
    assert ids(scene.run(tracker, 1)[0]) == [1, 2]
    for index in range(1, 30):
        scene.people = {100: (150, 200 + index), 200: (450, 200 - index)}
        result = tracker.step(scene.frame(index))
    assert {face.id: round(face.box.center[0] / 150) for face in result.faces} == {1: 1, 2: 3}


def test_a_face_that_accelerates_and_turns_back_is_never_lost() -> None:
    """It moves up to two fifths of its size a frame: the crop at its last place would miss it."""
    scene = Scene()
    tracker = scene.tracker(TrackerSettings(max_faces=1, detect_every_full=1000))
    places = 320 + 200 * np.sin(np.linspace(0, 8 * np.pi, 4 * 26)) * np.linspace(0, 1, 4 * 26)
    assert np.abs(np.diff(places)).max() > 0.38 * scene.size
    for index, x in enumerate(places):
        scene.people = {200: (float(x), 240)}
        result = tracker.step(scene.frame(index))
        assert ids(result) == [1]
        assert abs(result.faces[0].box.center[0] - x) < 1.5
    assert len(scene.looks) == 1


def test_all_tracks_end_at_a_scene_cut() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker()
    scene.run(tracker, 3)
    scene.background = scene.background[:, ::-1]
    scene.people = {100: (280, 220)}  # near enough to come back there without a cut
    assert ids(scene.run(tracker, 1, start=3)[0]) == [2]
    assert ids(scene.run(tracker, 5, start=4)[-1]) == [2]


def test_a_face_found_where_it_was_expected_disproves_a_cut() -> None:
    scene = Scene({200: (200, 200)})
    tracker = scene.tracker()
    for index in range(12):
        scene.background = scene.background[:, ::-1]
        assert ids(scene.run(tracker, 1, start=index)[0]) == [1]


@pytest.mark.parametrize("level", [0, 255])
def test_faces_that_only_the_first_look_found_are_back_right_after_a_blank_frame(level: int) -> None:
    scene = Scene({60 + 10 * i: (60 + 130 * (i % 5), 90 + 150 * (i // 5)) for i in range(15)})
    tracker = scene.tracker(TrackerSettings(max_faces=15))
    assert len(ids(scene.run(tracker, 3)[-1])) == 15
    scene.boxes = []
    blank = Frame(np.full_like(BLANK, level), 3, 3 / 30)
    assert ids(tracker.step(blank)) == []
    assert ids(tracker.step(scene.frame(4))) == list(range(1, 16))


def test_lost_faces_are_sought_less_often_after_a_while() -> None:
    scene = Scene({60 + 10 * i: (60 + 130 * (i % 5), 90 + 150 * (i // 5)) for i in range(6)})
    tracker = scene.tracker(TrackerSettings(memory_s=2.0))
    scene.run(tracker, 3)
    scene.people, scene.boxes = {}, []
    before = scene.crops_located
    scene.run(tracker, 60, start=3)
    retries = scene.crops_located - before
    assert retries <= 6 * (1 + 3) + 60 // 2


def test_a_face_that_leaves_is_lost_with_half_of_its_points() -> None:
    scene = Scene({200: (320, 300)})
    tracker = scene.tracker()
    shares = {True: [1.0], False: [0.0]}
    for index, y in enumerate([*range(300, 540, 4), *range(540, 300, -4)]):
        scene.people = {200: (320, y)}
        result = tracker.step(scene.frame(index))
        points = face_points((320, y), scene.size)
        shares[bool(result.faces)].append(float((points[:, 1] < 479.5).mean()))
    assert 0.35 < min(shares[True]) < 0.55
    assert 0.4 < max(shares[False]) < 0.65


def test_the_detector_rests_while_all_slots_are_taken() -> None:
    scene = Scene({200: (200, 200)})
    scene.run(scene.tracker(TrackerSettings(max_faces=1)), 30)
    assert len(scene.looks) == 1
    # A new face is located twice, and in three crops that stand another way up, twice; then once a frame.
    assert scene.crops_located == 2 + 6 + 29


def test_with_a_free_slot_the_detector_runs_every_few_frames_and_finds_a_new_face() -> None:
    scene = Scene({200: (150, 200)})
    tracker = scene.tracker(TrackerSettings(max_faces=2, detect_every=5))
    scene.run(tracker, 21)
    assert len(scene.looks) == 1 + 20 // 5
    scene.people[100] = (450, 250)
    assert ids(scene.run(tracker, 5, start=21)[-1]) == [1, 2]


def test_without_a_face_the_detector_runs_in_every_frame() -> None:
    scene = Scene()
    results = scene.run(scene.tracker(), 7)
    assert len(scene.looks) == 7
    assert scene.crops_located == 0
    assert [ids(result) for result in results] == [[]] * 7


def test_close_ups_of_a_still_video_take_turns_and_a_picture_is_searched_in_all() -> None:
    corners = [View((x, y), 200 / 128, (128, 128)) for x in (100, 540) for y in (100, 380)]
    detector = FakeDetector(face_box((200, 200), 100), close_ups=corners)
    tracker = FaceTracker(detector, FakeLandmarker(canonical_points()), TrackerSettings(detect_every=5))
    looks: list[int | None] = []
    for index in range(2 + 25 * 5):
        before = len(detector.looks)
        tracker.step(Frame(BLANK, index, index / 30))
        for views in detector.looks[before:]:
            assert views is not None
            (view,) = views
            looks.append(corners.index(view) if view in corners else None)
    # At first all are new; then one close-up after every fifth look at the whole picture.
    whole = [None] * 5
    assert looks == [None, 0, 1, 2, 3, *whole, 0, *whole, 1, *whole, 2, *whole, 3, *whole]
    tracker.find(Frame(BLANK))
    assert detector.looks[-1] is None


def test_a_changed_close_up_is_searched_unless_only_a_followed_face_moved() -> None:
    scene = Scene({200: (150, 200)})
    left, right = (View((x, 240), 300 / 128, (128, 128)) for x in (150, 490))
    scene.close_ups = [left, right]
    tracker = scene.tracker(TrackerSettings(detect_every=1000))
    scene.run(tracker, 3)
    scene.looks.clear()
    for index in range(3, 12):
        scene.people = {200: (150 + 8 * (index % 2), 200)}
        tracker.step(scene.frame(index))
    assert scene.looks == []
    scene.people[100] = (500, 300)
    assert ids(tracker.step(scene.frame(12))) == [1, 2]
    assert scene.looks == [[right]]


def test_at_most_max_faces_are_followed() -> None:
    scene = Scene({60: (100, 120), 120: (320, 240), 200: (540, 360)})
    results = scene.run(scene.tracker(TrackerSettings(max_faces=2)), 12)
    assert all(len(result.faces) == 2 for result in results)


def test_the_largest_faces_get_the_slots() -> None:
    scene = Scene({60: (100, 240), 120: (300, 240), 180: (520, 240)})
    scene.boxes = [face_box(scene.people[k], size) for k, size in ((60, 80.0), (120, 130.0), (180, 100.0))]
    result = scene.tracker(TrackerSettings(max_faces=2)).step(scene.frame(0))
    assert sorted(round(face.box.center[0], -2) for face in result.faces) == [300, 500]


def test_a_much_larger_face_takes_the_slot_of_the_smallest() -> None:
    scene = Scene({100: (150, 200)})
    tracker = scene.tracker(TrackerSettings(max_faces=1, detect_every_full=10))
    scene.run(tracker, 5)
    scene.people[200] = (450, 240)  # as large as the first, which stays
    assert [ids(result) for result in scene.run(tracker, 15, start=5)] == [[1]] * 15
    scene.boxes = [face_box((450, 240), 200)]
    assert ids(scene.run(tracker, 10, start=20)[-1]) == [2]


def test_a_large_false_detection_takes_no_slot() -> None:
    scene = Scene({100: (150, 200)})
    tracker = scene.tracker(TrackerSettings(max_faces=1, detect_every_full=5))
    scene.run(tracker, 3)
    scene.looks.clear()
    scene.boxes = [face_box((450, 240), 300)]
    assert [ids(result) for result in scene.run(tracker, 15, start=3)] == [[1]] * 15
    assert len(scene.looks) == 3


def test_smoothing_changes_the_shown_points_and_not_the_next_crop() -> None:
    scene = Scene()
    trackers = {"smooth": scene.tracker(TrackerSettings(smoothing=PRESETS["high"])), "plain": scene.tracker()}
    shown: dict[str, list[float]] = {"smooth": [], "plain": []}
    crops: dict[str, ImageArray] = {}
    for index, (dx, dy) in enumerate(np.random.default_rng(0).normal(0, 0.5, (60, 2))):
        scene.people = {200: (300 + dx, 220 + dy)}
        for name, tracker in trackers.items():
            shown[name].append(tracker.step(scene.frame(index)).faces[0].box.center[0])
            crops[name] = scene.last_crops
        assert np.array_equal(crops["smooth"], crops["plain"])
    assert np.std(np.diff(shown["smooth"])) < 0.5 * np.std(np.diff(shown["plain"]))


def test_stage_times_name_the_stages_that_ran() -> None:
    scene = Scene({200: (200, 200)})
    first, second = scene.run(scene.tracker(TrackerSettings(max_faces=1)), 2)
    assert set(first.stage_ms) == set(STAGES)
    assert set(second.stage_ms) == set(STAGES) - {"detect"}
    assert all(value >= 0 for value in first.stage_ms.values())


def test_a_frame_is_not_written_to() -> None:
    scene = Scene({200: (200, 200)})
    frame = scene.frame(0)
    frame.image_bgr.setflags(write=False)
    assert ids(scene.tracker().step(frame)) == [1]


def test_find_treats_each_picture_alone_and_reports_the_largest_face_first() -> None:
    boxes = [face_box((150, 150), 60), face_box((400, 240), 160)]
    tracker = FaceTracker(FakeDetector(*boxes), FakeLandmarker(canonical_points()))
    for _ in range(2):
        result = tracker.find(Frame(BLANK))
        assert ids(result) == [1, 2]
        assert result.faces[0].box.width > result.faces[1].box.width


@pytest.fixture(scope="module")
def pictures() -> Sequence[Frame]:
    face = astronaut()
    pair = np.hstack([face, cv2.flip(face, 1)])
    larger = cv2.resize(face, None, fx=1.5, fy=1.5)
    images = [face, np.full_like(face, 120), pair, larger, face[:, ::-1].copy()]
    return [Frame(np.asarray(image, np.uint8), i, 0.0, str(i)) for i, image in enumerate(images)]


def test_pictures_together_give_the_faces_of_each_alone(
    trackers: Trackers, pictures: Sequence[Frame]
) -> None:
    tracker = trackers.opened(model="resnet18")
    together = tracker.find_all(pictures)
    assert [len(result.faces) for result in together] == [1, 0, 2, 1, 1]
    for one, alone in zip(together, map(tracker.find, pictures), strict=True):
        assert (one.index, one.source, one.image_hw) == (alone.index, alone.source, alone.image_hw)
        for a, b in zip(one.faces, alone.faces, strict=True):
            assert a.id == b.id
            # Sums in another order move a point by some float steps of a crop of 224 pixels.
            assert np.abs(a.landmarks.points_frame - b.landmarks.points_frame).max() < 1e-2


def test_no_pictures_give_no_results() -> None:
    assert Scene().tracker().find_all([]) == []


def test_close_ups_go_on_in_turn_while_a_face_is_lost() -> None:
    corners = [View((x, y), 200 / 128, (128, 128)) for x in (100, 540) for y in (100, 380)]
    scene = Scene({100: (150, 200), 200: (450, 240)})
    scene.close_ups = corners
    tracker = scene.tracker()
    scene.run(tracker, 10)
    scene.hidden = {100}
    scene.run(tracker, 3, start=10)
    before = len(scene.looks)
    scene.run(tracker, 110, start=13)
    seen = [view for views in scene.looks[before:] if views for view in views if view in corners]
    assert len(set(map(id, seen))) == len(corners)
