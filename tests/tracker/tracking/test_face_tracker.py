"""FaceTracker with a scripted detector and a landmarker that sees where people really are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.shapes import canonical_points, face_box, face_points, measured
from tracker.geometry import CropTransform
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.detection.views import whole_picture
from tracker.inference.landmarker import FakeLandmarker, Located
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from tracker.types import Frame, FrameResult, ImageArray

BLANK = np.zeros((480, 640, 3), np.uint8)


class Scene:
    """People drawn as discs of their own brightness. It is detector and landmarker at once.

    The landmarker knows a person by the disc's grey level and answers with points around the disc's
    centre in the crop, so the whole chain of crop and back is exercised. Levels below 50 are ``background``.
    """

    def __init__(self) -> None:
        self.people: dict[int, tuple[float, float]] = {}
        self.hidden: set[int] = set()
        self.detections = 0
        self.inferences = 0
        self.size = 120.0
        self.background = np.broadcast_to(np.linspace(0, 49, 640), (480, 640)).astype(np.uint8)
        self.last_crops: ImageArray = np.zeros((0, 224, 224), np.uint8)

    def frame(self, index: int, fps: float = 30.0) -> Frame:
        ys, xs = np.mgrid[:480, :640]
        image = self.background.copy()
        for level, (x, y) in self.people.items():
            if level not in self.hidden:
                image[(xs - x) ** 2 + (ys - y) ** 2 < 20**2] = level
        return Frame(np.repeat(image[..., None], 3, axis=2), index, index / fps, "scene")

    def views(self, image_hw: tuple[int, int]) -> Sequence[CropTransform]:
        return [whole_picture(image_hw, 128)]

    def detect(
        self,
        image_bgr: ImageArray,
        views: Sequence[CropTransform] | None = None,  # noqa: ARG002
    ) -> list[object]:
        self.detections += 1
        return [face_box(self.people[k], self.size) for k in sorted(self.people) if (image_bgr == k).any()]

    def locate(self, crops: ImageArray) -> Located:
        self.inferences += len(crops)
        self.last_crops = crops
        answers = [self._answer(crop) for crop in crops]
        return Located(np.array([points for points, _ in answers]), np.array([score for _, score in answers]))

    def _answer(self, crop: ImageArray) -> tuple[npt.NDArray[np.float64], float]:
        middle = crop[72:152, 72:152]
        levels = [k for k in self.people if (middle == k).any()]
        if not levels:
            return canonical_points(), 0.1
        ys, xs = np.nonzero(crop == levels[0])
        return canonical_points() - 111.5 + [xs.mean(), ys.mean()], 0.9

    def run(self, tracker: FaceTracker, steps: int, start: int = 0) -> list[FrameResult]:
        return [tracker.step(self.frame(start + i)) for i in range(steps)]


def make(scene: Scene, **settings: object) -> FaceTracker:
    return FaceTracker(scene, scene, TrackerSettings(**settings))  # type: ignore[arg-type]


def ids(result: FrameResult) -> list[int]:
    return [face.id for face in result.faces]


def test_one_face_keeps_one_id_and_its_place() -> None:
    scene = Scene()
    tracker = make(scene)
    for index in range(40):
        scene.people = {200: (150 + 6 * index, 200)}
        result = tracker.step(scene.frame(index))
        assert ids(result) == [1]
        middle = np.mean(result.faces[0].box.center[0])
        assert abs(middle - (150 + 6 * index)) < 1.5
        assert result.index == index
        assert result.time_s == index / 30


def test_detector_rests_while_all_slots_are_taken() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene, max_faces=1)
    scene.run(tracker, 30)
    assert scene.detections == 1
    # two passes when the face is new, one a frame afterwards
    assert scene.inferences == 2 + 29


def test_with_a_free_slot_the_detector_looks_now_and_then_and_finds_a_newcomer() -> None:
    scene = Scene()
    scene.people = {200: (150, 200)}
    tracker = make(scene, max_faces=2, detect_every=5)
    scene.run(tracker, 21)
    assert scene.detections == 1 + 20 // 5
    scene.people[100] = (450, 250)
    assert ids(scene.run(tracker, 5, start=21)[-1]) == [1, 2]


def test_without_a_face_the_detector_looks_in_every_frame() -> None:
    scene = Scene()
    tracker = make(scene)
    results = scene.run(tracker, 7)
    assert scene.detections == 7
    assert scene.inferences == 0
    assert [ids(result) for result in results] == [[]] * 7


def test_a_still_video_is_searched_in_turn_and_a_picture_in_all_views() -> None:
    corners = [CropTransform((x, y), 200) for x in (100, 540) for y in (100, 380)]
    detector = FakeDetector(face_box((200, 200), 100), close_ups=corners)
    tracker = FaceTracker(detector, FakeLandmarker(canonical_points()), TrackerSettings(detect_every=5))
    looks: list[tuple[bool, list[int]]] = []
    for index in range(21):
        before = len(detector.looks)
        tracker.step(Frame(BLANK, index, index / 30))
        for views in detector.looks[before:]:
            assert views is not None
            looks.append((views[0].side == 640, [corners.index(view) for view in views if view.side == 200]))
    # At first nothing has been seen; then one close-up with each look at the whole picture.
    assert looks == [(True, [0, 1]), (False, [2, 3]), *[(True, [i]) for i in (0, 1, 2, 3)]]
    tracker.find(Frame(BLANK))
    assert detector.looks[-1] is None


def test_what_changes_is_looked_at_but_not_a_face_that_is_followed() -> None:
    scene = Scene()
    scene.people = {200: (150, 200)}
    left, right = (CropTransform((x, 240), 300) for x in (150, 490))
    looks: list[Sequence[CropTransform]] = []
    seen_by_scene = scene.detect

    def detect(image_bgr: ImageArray, views: Sequence[CropTransform]) -> list[object]:
        looks.append(views)
        return seen_by_scene(image_bgr)

    scene.detect = detect  # type: ignore[method-assign, assignment]
    scene.views = lambda image_hw: [whole_picture(image_hw, 128), left, right]  # type: ignore[method-assign, assignment]
    tracker = make(scene, detect_every=1000)
    scene.run(tracker, 3)
    looks.clear()
    for index in range(3, 12):  # the face moves within its own surroundings
        scene.people = {200: (150 + 8 * (index % 2), 200)}
        tracker.step(scene.frame(index))
    assert looks == []
    scene.people[100] = (500, 300)  # somebody enters on the right
    assert ids(tracker.step(scene.frame(12))) == [1, 2]
    assert looks == [[right]]


@pytest.mark.parametrize(("quality", "followed", "found"), [(0.5, 1, 1), (0.3, 1, 1), (0.1, 0, 0)])
def test_points_that_cannot_be_right_are_no_face(quality: float, followed: int, found: int) -> None:
    landmarker = FakeLandmarker(canonical_points(), quality=np.full(68, 0.9))
    tracker = FaceTracker(FakeDetector(face_box((200, 200), 100)), landmarker)
    assert len(tracker.step(Frame(BLANK)).faces) == 1
    landmarker.quality = np.full(68, quality)
    assert len(tracker.step(Frame(BLANK, 1, 0.1)).faces) == followed
    assert len(tracker.find(Frame(BLANK)).faces) == found


def test_a_new_face_needs_better_points_than_one_that_is_followed() -> None:
    landmarker = FakeLandmarker(canonical_points(), quality=np.full(68, 0.3))
    tracker = FaceTracker(FakeDetector(face_box((200, 200), 100)), landmarker)
    assert len(tracker.step(Frame(BLANK)).faces) == 0
    landmarker.quality = np.full(68, 0.4)
    assert len(tracker.step(Frame(BLANK, 1, 0.1)).faces) == 1


def test_a_lost_face_leaves_at_once_and_comes_back_under_its_id() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene, memory_s=1.0)
    scene.run(tracker, 3)
    scene.hidden = {200}
    assert [ids(result) for result in scene.run(tracker, 20, start=3)] == [[]] * 20
    scene.hidden = set()
    assert ids(scene.run(tracker, 1, start=23)[0]) == [1]


def test_an_id_is_never_reused() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene, memory_s=0.5)
    scene.run(tracker, 3)
    scene.hidden = {200}
    scene.run(tracker, 30, start=3)
    scene.hidden = set()
    assert ids(scene.run(tracker, 1, start=33)[0]) == [2]


def test_a_face_elsewhere_does_not_inherit_a_lost_id() -> None:
    scene = Scene()
    scene.people = {200: (120, 200)}
    tracker = make(scene)
    scene.run(tracker, 3)
    scene.people = {100: (500, 200)}
    assert ids(scene.run(tracker, 1, start=3)[0]) == [2]


def test_two_people_keep_their_ids_in_any_order_of_detection() -> None:
    scene = Scene()
    scene.people = {100: (150, 200), 200: (450, 200)}
    tracker = make(scene)
    first = scene.run(tracker, 1)[0]
    assert ids(first) == [1, 2]
    for index in range(1, 30):
        scene.people = {100: (150, 200 + index), 200: (450, 200 - index)}
        result = tracker.step(scene.frame(index))
    assert {f.id: round(f.box.center[0] / 150) for f in result.faces} == {1: 1, 2: 3}


def test_no_more_than_max_faces() -> None:
    scene = Scene()
    scene.people = {60: (100, 120), 120: (320, 240), 200: (540, 360)}
    assert all(len(result.faces) == 2 for result in scene.run(make(scene, max_faces=2), 12))


def test_a_false_detection_takes_no_slot_from_a_face_behind_it() -> None:
    scene = Scene()
    scene.people = {200: (450, 250)}
    nobody, twice, person = face_box((150, 150), 120), face_box((448, 252), 120), face_box((450, 250), 120)
    tracker = FaceTracker(FakeDetector(nobody, person), scene, TrackerSettings(max_faces=1))
    assert ids(tracker.step(scene.frame(0))) == [1]
    assert len(tracker.find(scene.frame(0)).faces) == 1
    scene.people[100] = (200, 400)
    tracker = FaceTracker(
        FakeDetector(person, twice, face_box((200, 400), 120)), scene, TrackerSettings(max_faces=2)
    )
    assert ids(tracker.step(scene.frame(0))) == [1, 2]
    assert len(tracker.find(scene.frame(0)).faces) == 2


def test_two_tracks_on_one_face_become_one_and_the_older_stays() -> None:
    scene = Scene()
    scene.people = {100: (200, 200), 200: (450, 200)}
    tracker = make(scene)
    scene.run(tracker, 2)
    # Both people step to one place: the landmarker now answers both crops with the same disc.
    for index, x in enumerate(range(450, 250, -8), 2):
        scene.people = {100: (200, 200), 200: (x, 200)}
        tracker.step(scene.frame(index))
    scene.people = {100: (230, 200)}
    results = scene.run(tracker, 3, start=60)
    assert ids(results[-1]) == [1]


def test_a_doubtful_answer_is_no_face() -> None:
    landmarker = FakeLandmarker(canonical_points(), presence=0.79)
    tracker = FaceTracker(FakeDetector(face_box((200, 200), 100)), landmarker)
    assert tracker.step(Frame(BLANK)).faces == ()
    landmarker.presence = 0.81
    assert ids(tracker.step(Frame(BLANK, 1, 0.1))) == [1]


def test_find_treats_each_picture_alone_largest_first() -> None:
    boxes = [face_box((150, 150), 60), face_box((400, 240), 160)]
    tracker = FaceTracker(FakeDetector(*boxes), FakeLandmarker(canonical_points()))
    for _ in range(2):
        result = tracker.find(Frame(BLANK))
        assert ids(result) == [1, 2]
        assert result.faces[0].box.width > result.faces[1].box.width


def test_find_uses_a_second_pass() -> None:
    """The detector is off by a quarter of the face; the landmarker sees the truth in its crop."""
    scene = Scene()
    scene.people = {200: (300, 200)}
    tracker = FaceTracker(FakeDetector(face_box((325, 185), 140)), scene)
    (face,) = tracker.find(scene.frame(0)).faces
    assert scene.inferences == 2
    assert np.hypot(face.box.center[0] - 300, face.box.center[1] - 200) < 1.0


def test_find_reports_one_face_once() -> None:
    boxes = [face_box((200, 200), 100), face_box((204, 202), 104)]
    tracker = FaceTracker(FakeDetector(*boxes), FakeLandmarker(canonical_points()))
    assert len(tracker.find(Frame(BLANK)).faces) == 1


def test_points_come_back_in_frame_pixels() -> None:
    box = face_box((300, 220), 130)
    tracker = FaceTracker(FakeDetector(box), FakeLandmarker(canonical_points()))
    (face,) = tracker.find(Frame(BLANK)).faces
    truth = face_points((300, 220), 130)
    # The fake's answer is the canonical face, so its box must be the detector's box again.
    assert np.abs(np.array(face.box.xyxy) - box.xyxy).max() < 0.05
    assert np.abs(face.landmarks.points_frame - truth).max() < 0.05


def test_smoothing_steadies_what_is_shown_and_not_where_the_next_crop_goes() -> None:
    scene = Scene()
    trackers = {"smooth": make(scene, smoothing=PRESETS["high"]), "plain": make(scene)}
    rng = np.random.default_rng(0)
    seen: dict[str, list[float]] = {"smooth": [], "plain": []}
    crops: dict[str, ImageArray] = {}
    for index, (dx, dy) in enumerate(rng.normal(0, 0.5, (60, 2))):
        scene.people = {200: (300 + dx, 220 + dy)}
        for name, tracker in trackers.items():
            seen[name].append(tracker.step(scene.frame(index)).faces[0].box.center[0])
            crops[name] = scene.last_crops
        assert np.array_equal(crops["smooth"], crops["plain"])
    assert np.std(np.diff(seen["smooth"])) < 0.5 * np.std(np.diff(seen["plain"]))


def test_stage_times_name_the_stages_that_ran() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene, max_faces=1)
    first, second = scene.run(tracker, 2)
    assert set(first.stage_ms) == {"detect", "crop", "infer", "points", "smooth", "measure"}
    assert set(second.stage_ms) == {"crop", "infer", "points", "smooth", "measure"}
    assert all(value >= 0 for value in first.stage_ms.values())


def test_frame_is_not_written_to() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    frame = scene.frame(0)
    frame.image_bgr.setflags(write=False)
    assert ids(make(scene).step(frame)) == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_faces": 0},
        {"min_presence": 0.0},
        {"min_presence": 1.0},
        {"detect_every": 0},
        {"same_iou": 0},
        {"memory_s": -1},
    ],
)
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        TrackerSettings(**wrong)  # type: ignore[arg-type]


def test_many_faces_are_located_in_one_batch() -> None:
    class Counting(FakeLandmarker):
        batches: list[int] = []  # noqa: RUF012

        def locate(self, crops: ImageArray):  # type: ignore[no-untyped-def]
            self.batches.append(len(crops))
            return super().locate(crops)

    boxes = [face_box((x, y), 80) for x, y in itertools.product((100, 300, 500), (120, 340))]
    landmarker = Counting(canonical_points())
    FaceTracker(FakeDetector(*boxes), landmarker).find(Frame(BLANK))
    assert landmarker.batches == [6, 6]


@pytest.mark.parametrize("smoothing", [None, PRESETS["high"]])
def test_quality_stays_with_its_points(smoothing: object) -> None:
    quality = np.linspace(0, 1, 68)
    landmarker = FakeLandmarker(canonical_points(), quality=quality)
    tracker = FaceTracker(
        FakeDetector(face_box((320, 240), 120.0)), landmarker, TrackerSettings(smoothing=smoothing)
    )
    for index in range(3):
        (face,) = tracker.step(Frame(BLANK, index, index / 30, "blank")).faces
        assert np.array_equal(face.landmarks.quality, quality)
    (found,) = tracker.find(Frame(BLANK, 0, 0.0, "blank")).faces
    assert np.array_equal(found.landmarks.quality, quality)


def with_eyes(*closed: int) -> npt.NDArray[np.float64]:
    """The canonical face, with the eyes shut that begin at the points ``closed``."""
    points = canonical_points()
    for first in closed:
        points[first : first + 6, 1] = points[first, 1]
    return points


@pytest.mark.parametrize("smoothing", [None, PRESETS["high"]])
@pytest.mark.parametrize(("closed", "blinks"), [((36, 42), 2), ((36,), 0), ((42,), 0)])
def test_blinks_are_counted_and_winks_are_not(
    smoothing: object, closed: tuple[int, ...], blinks: int
) -> None:
    """Shut for 0.1 s, twice; no smoothing hides it, and the reported points are those that are measured."""
    landmarker = FakeLandmarker(canonical_points())
    settings = TrackerSettings(max_faces=1, smoothing=smoothing)  # type: ignore[arg-type]
    tracker = FaceTracker(FakeDetector(face_box((320, 240), 120.0)), landmarker, settings)
    seen = []
    for index in range(60):
        landmarker.points_crop = with_eyes(*closed) if index % 30 in (20, 21, 22) else canonical_points()
        frame = Frame(BLANK, index, index / 30)
        (face,) = tracker.step(frame).faces
        assert face.measures is not None
        assert replace(face.measures, blinks=0) == measured(face.landmarks.points_frame)
        seen.append(face.measures.blinks)
    assert seen == sorted(seen)
    assert (seen[19], seen[-1]) == (0, blinks)


def test_blinks_stay_with_their_person() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene)
    (face,) = scene.run(tracker, 3)[-1].faces
    assert face.measures is not None
    state = tracker.state()
    state.tracks[0].blinks.count = 5
    tracker.restore(state)
    scene.hidden = {200}
    scene.run(tracker, 9, start=3)
    scene.hidden = set()
    scene.people[100] = (480, 300)
    result = scene.run(tracker, 9, start=12)[-1]
    assert {f.id: f.measures.blinks for f in result.faces if f.measures} == {1: 5, 2: 0}


def test_a_picture_on_its_own_is_measured_and_has_no_blinks() -> None:
    tracker = FaceTracker(FakeDetector(face_box((320, 240), 120.0)), FakeLandmarker(canonical_points()))
    (face,) = tracker.find(Frame(BLANK)).faces
    assert face.measures == measured(face.landmarks.points_frame)


def test_a_face_that_speeds_up_and_turns_back_is_never_lost() -> None:
    """Up to two fifths of a face a frame: a crop around its last place alone would hold it no more."""
    scene = Scene()
    tracker = make(scene, max_faces=1, detect_every_full=1000)
    places = 320 + 200 * np.sin(np.linspace(0, 8 * np.pi, 4 * 26)) * np.linspace(0, 1, 4 * 26)
    assert np.abs(np.diff(places)).max() > 0.38 * scene.size
    for index, x in enumerate(places):
        scene.people = {200: (float(x), 240)}
        result = tracker.step(scene.frame(index))
        assert ids(result) == [1]
        assert abs(result.faces[0].box.center[0] - x) < 1.5
    assert scene.detections == 1


def test_a_face_near_the_edge_of_its_crop_is_looked_at_twice_and_a_still_one_once() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene, max_faces=1)
    scene.run(tracker, 3)
    before = scene.inferences
    scene.run(tracker, 1, start=3)
    assert scene.inferences == before + 1
    scene.people = {200: (240, 200)}
    scene.run(tracker, 1, start=4)
    assert scene.inferences == before + 3


def test_two_who_pass_each_other_unseen_keep_their_ids() -> None:
    scene = Scene()
    tracker = make(scene)
    for index in range(30):
        scene.people = {100: (140 + 12 * index, 150), 200: (500 - 12 * index, 320)}
        scene.hidden = {100, 200} if 12 <= index < 18 else set()
        result = tracker.step(scene.frame(index))
        if not scene.hidden:
            by_place = {face.id: face.box.center[1] for face in result.faces}
            assert by_place[1] < by_place[2]
    assert len(by_place) == 2


def test_when_all_slots_are_taken_a_much_larger_face_takes_that_of_the_smallest() -> None:
    near = face_box((450, 240), 200)
    scene = Scene()
    scene.people = {100: (150, 200)}
    tracker = make(scene, max_faces=1, detect_every_full=10)
    scene.run(tracker, 5)
    scene.people[200] = (450, 240)
    beside = scene.run(tracker, 15, start=5)  # as large as the first: no reason to leave it
    assert [ids(result) for result in beside] == [[1]] * 15
    scene.detect = lambda image_bgr, views=None: [near]  # type: ignore[method-assign, assignment] # noqa: ARG005
    assert ids(scene.run(tracker, 10, start=20)[-1]) == [2]


def test_something_large_that_is_no_face_takes_nobodys_slot() -> None:
    scene = Scene()
    scene.people = {100: (150, 200)}
    tracker = make(scene, max_faces=1, detect_every_full=5)
    scene.run(tracker, 3)
    looks = []

    def detect(image_bgr: ImageArray, views: Sequence[CropTransform]) -> list[object]:  # noqa: ARG001
        looks.append(views)
        return [face_box((450, 240), 300)]

    scene.detect = detect  # type: ignore[method-assign]
    assert [ids(result) for result in scene.run(tracker, 15, start=3)] == [[1]] * 15
    assert len(looks) == 3


def test_of_more_faces_than_slots_the_largest_are_kept() -> None:
    scene = Scene()
    scene.people = {60: (100, 240), 120: (300, 240), 180: (520, 240)}
    boxes = [face_box(scene.people[k], size) for k, size in ((60, 80.0), (120, 130.0), (180, 100.0))]
    scene.detect = lambda image_bgr, views=None: boxes  # type: ignore[method-assign, assignment] # noqa: ARG005
    result = make(scene, max_faces=2).step(scene.frame(0))
    assert sorted(round(face.box.center[0], -2) for face in result.faces) == [300, 500]


def test_points_that_all_coincide_are_no_face_and_stop_nothing() -> None:
    class Blind(Scene):
        def _answer(self, crop: ImageArray) -> tuple[npt.NDArray[np.float64], float]:  # noqa: ARG002
            return np.full((68, 2), 111.5), 0.1

    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene)
    scene.run(tracker, 2)
    scene._answer = Blind()._answer  # type: ignore[method-assign]
    assert [ids(result) for result in scene.run(tracker, 3, start=2)] == [[]] * 3


def test_after_a_cut_nobody_is_who_was_there_before() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene)
    scene.run(tracker, 3)
    scene.background = scene.background[:, ::-1]
    assert ids(scene.run(tracker, 1, start=3)[0]) == [2]
    assert ids(scene.run(tracker, 5, start=4)[-1]) == [2]


def test_a_new_face_must_be_sure_and_a_followed_one_may_waver() -> None:
    scene = Scene()
    scene.people = {200: (200, 200)}
    tracker = make(scene)
    answer = scene._answer
    scene._answer = lambda crop: (answer(crop)[0], 0.7)  # type: ignore[method-assign]
    assert ids(scene.run(tracker, 3)[-1]) == []
    scene._answer = answer  # type: ignore[method-assign]
    assert ids(scene.run(tracker, 1, start=3)[0]) == [1]
    scene._answer = lambda crop: (answer(crop)[0], 0.7)  # type: ignore[method-assign]
    assert ids(scene.run(tracker, 3, start=4)[-1]) == [1]
