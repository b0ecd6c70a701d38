import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tests.tiny import face_points
from tracker.types import FaceBox, FaceMeasures, Frame, Landmarks, TrackedFace

coordinates = floats(-5000, 5000)
sizes = floats(0.5, 3000)
boxes = st.builds(lambda x, y, w, h: FaceBox(x, y, x + w, y + h), coordinates, coordinates, sizes, sizes)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 5), np.uint8),
        np.zeros((4, 5, 4), np.uint8),
        np.zeros((4, 5, 3), np.uint16),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_frame_refuses_what_is_not_bgr_uint8_and_says_what_it_got(image) -> None:
    with pytest.raises(ValueError, match=str(image.dtype)):
        Frame(image)


@pytest.mark.parametrize("changes", [{"index": -1}, {"time_s": math.nan}, {"time_s": math.inf}])
def test_frame_refuses_impossible_times(changes) -> None:
    with pytest.raises(ValueError, match="index"):
        Frame(np.zeros((2, 3, 3), np.uint8), **changes)


def test_frame_knows_height_before_width() -> None:
    assert Frame(np.zeros((2, 7, 3), np.uint8)).image_hw == (2, 7)


@pytest.mark.parametrize(
    "values",
    [(0, 0, 0, 5), (0, 0, 5, 0), (5, 0, 0, 5), (0, 0, math.nan, 5), (0, 0, math.inf, 5)],
)
def test_box_refuses_empty_turned_and_infinite_ones(values) -> None:
    with pytest.raises(ValueError, match="face box"):
        FaceBox(*values)


@pytest.mark.parametrize("score", [-0.01, 1.01])
def test_box_refuses_scores_outside_0_to_1(score) -> None:
    with pytest.raises(ValueError, match="score"):
        FaceBox(0, 0, 1, 1, score)


def test_ids_count_from_1() -> None:
    with pytest.raises(ValueError, match="from 1"):
        TrackedFace(0, Landmarks(face_points()))


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        FaceBox(0, 0, 1, 1).x0 = 3.0


def test_iou_by_hand() -> None:
    box = FaceBox(0, 0, 4, 2)
    assert box.iou(FaceBox(2, 1, 6, 3)) == pytest.approx(2 / (8 + 8 - 2))
    assert box.iou(FaceBox(4, 0, 5, 2)) == 0  # they touch
    assert box.iou(FaceBox(1, 1, 2, 2)) == pytest.approx(1 / 8)


@given(boxes, boxes)
def test_iou_is_symmetric_within_0_to_1_and_1_for_itself(a, b) -> None:
    assert a.iou(b) == pytest.approx(b.iou(a), abs=1e-12)
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert a.iou(a) == pytest.approx(1)


def test_box_around_points_is_tight() -> None:
    points = face_points((50, 60), 40)
    box = FaceBox.around(points, score=0.5, roll_rad=0.1)
    assert box.xyxy == (*points.min(axis=0), *points.max(axis=0))
    assert (box.width, box.height) == pytest.approx(np.ptp(points, axis=0))
    assert box.center == pytest.approx(points.min(axis=0) / 2 + points.max(axis=0) / 2)
    assert (box.score, box.roll_rad) == (0.5, 0.1)


@pytest.mark.parametrize("shape", [(5, 2), (68, 3), (68,), (1, 68, 2)])
def test_landmarks_refuse_other_shapes(shape) -> None:
    with pytest.raises(ValueError, match="68"):
        Landmarks(np.zeros(shape))


@pytest.mark.parametrize("presence", [-0.1, 1.1, math.nan])
def test_landmarks_refuse_impossible_presence(presence) -> None:
    with pytest.raises(ValueError, match="presence"):
        Landmarks(face_points(), presence)


def test_landmarks_refuse_one_point_that_is_not_finite() -> None:
    points = face_points()
    points[67, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        Landmarks(points)


def test_tracked_face_takes_box_and_score_from_its_landmarks() -> None:
    face = TrackedFace(3, Landmarks(face_points(), 0.25))
    assert face.score == face.box.score == 0.25
    assert face.box.xyxy == FaceBox.around(face_points()).xyxy


@pytest.mark.parametrize("quality", [np.ones(67), np.full(68, 1.01), np.full(68, -0.01), np.full(68, np.nan)])
def test_landmarks_refuse_impossible_quality(quality) -> None:
    with pytest.raises(ValueError, match="quality"):
        Landmarks(face_points(), quality=quality)
    assert Landmarks(face_points(), quality=np.linspace(0, 1, 68)).quality[67] == 1


MEASURES = {"eye_open": (0.3, None), "mouth_open": 0.0, "yaw_deg": -90.0, "pitch_deg": 5.0, "roll_deg": 180.0}


@pytest.mark.parametrize(
    "changes",
    [
        {"eye_open": (0.3,)},
        {"eye_open": (0.3, -0.1)},
        {"eye_open": (math.nan, 0.3)},
        {"mouth_open": math.inf},
        {"yaw_deg": None},
        {"roll_deg": 180.1},
        {"pitch_deg": math.nan},
        {"blinks": -1},
    ],
)
def test_measures_refuse_impossible_values(changes) -> None:
    with pytest.raises(ValueError, match="got"):
        FaceMeasures(**{**MEASURES, **changes})


def test_measures_may_have_no_answer() -> None:
    assert FaceMeasures(**MEASURES).blinks == 0
    nothing = dict.fromkeys(MEASURES) | {"eye_open": (None, None)}
    assert FaceMeasures(**nothing).yaw_deg is None
