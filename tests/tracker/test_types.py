"""Data types: impossible values are refused, and derived values are right."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tests.tiny import face_points
from tracker.types import Damage, FaceBox, FaceMeasures, Frame, Landmarks, TrackedFace

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
def test_a_frame_of_another_type_or_shape_is_refused(image: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=str(image.dtype)):
        Frame(image)


@pytest.mark.parametrize(
    "changes", [{"index": -1}, {"time_s": math.nan}, {"time_s": math.inf}, {"captured_s": math.inf}]
)
def test_impossible_indices_and_times_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        Frame(np.zeros((2, 3, 3), np.uint8), **changes)


def test_the_size_of_a_frame_is_height_and_width() -> None:
    assert Frame(np.zeros((2, 7, 3), np.uint8)).image_hw == (2, 7)


@pytest.mark.parametrize(
    "values",
    [(0, 0, 0, 5), (0, 0, 5, 0), (5, 0, 0, 5), (0, 0, math.nan, 5), (0, 0, math.inf, 5)],
)
def test_boxes_without_area_or_not_finite_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="face box"):
        FaceBox(*values)


@pytest.mark.parametrize("score", [-0.01, 1.01])
def test_scores_outside_0_to_1_are_refused(score: float) -> None:
    with pytest.raises(ValueError, match="score"):
        FaceBox(0, 0, 1, 1, score)


def test_ids_count_from_1() -> None:
    with pytest.raises(ValueError, match="from 1"):
        TrackedFace(0, Landmarks(face_points()))


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        FaceBox(0, 0, 1, 1).x0 = 3.0  # type: ignore[misc]


def test_iou_of_boxes_that_overlap_touch_and_contain_each_other() -> None:
    box = FaceBox(0, 0, 4, 2)
    assert box.iou(FaceBox(2, 1, 6, 3)) == pytest.approx(2 / (8 + 8 - 2))
    assert box.iou(FaceBox(4, 0, 5, 2)) == 0  # they touch
    assert box.iou(FaceBox(1, 1, 2, 2)) == pytest.approx(1 / 8)


@given(boxes, boxes)
def test_iou_is_symmetric_within_0_to_1_and_1_for_itself(a: FaceBox, b: FaceBox) -> None:
    assert a.iou(b) == pytest.approx(b.iou(a), abs=1e-12)
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert a.iou(a) == pytest.approx(1)


def test_the_box_around_points_is_tight() -> None:
    points = face_points((50, 60), 40)
    box = FaceBox.around(points, score=0.5, roll_rad=0.1)
    assert box.xyxy == (*points.min(axis=0), *points.max(axis=0))
    assert box.area == pytest.approx(box.width * box.height)
    assert (box.width, box.height) == pytest.approx(np.ptp(points, axis=0))
    assert box.center == pytest.approx(points.min(axis=0) / 2 + points.max(axis=0) / 2)
    assert (box.score, box.roll_rad) == (0.5, 0.1)


@pytest.mark.parametrize("shape", [(5, 2), (68, 3), (68,), (1, 68, 2)])
def test_landmarks_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="68"):
        Landmarks(np.zeros(shape))


@pytest.mark.parametrize("presence", [-0.1, 1.1, math.nan])
def test_a_presence_outside_0_to_1_is_refused(presence: float) -> None:
    with pytest.raises(ValueError, match="presence"):
        Landmarks(face_points(), presence)


def test_landmarks_that_are_not_finite_are_refused() -> None:
    points = face_points()
    points[67, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        Landmarks(points)


def test_a_tracked_face_has_the_box_and_score_of_its_landmarks() -> None:
    face = TrackedFace(3, Landmarks(face_points(), 0.25))
    assert face.score == face.box.score == 0.25
    assert face.box.xyxy == FaceBox.around(face_points()).xyxy


@pytest.mark.parametrize("quality", [np.ones(67), np.full(68, 1.01), np.full(68, -0.01), np.full(68, np.nan)])
def test_quality_of_another_shape_or_outside_0_to_1_is_refused(quality: npt.NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="quality"):
        Landmarks(face_points(), quality=quality)
    Landmarks(face_points(), quality=np.linspace(0, 1, 68))


MEASURES = FaceMeasures((0.3, None), mouth_open=0.0, yaw_deg=-90.0, pitch_deg=5.0, roll_deg=180.0)


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
def test_impossible_measures_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        replace(MEASURES, **changes)


def test_all_measures_may_be_missing() -> None:
    assert MEASURES.blinks == 0
    assert FaceMeasures((None, None), None, None, None, None).yaw_deg is None


@pytest.mark.parametrize("changes", [{"lost_before": -1}, {"lost_after": -1}, {"byte": -1}])
def test_negative_counts_of_damage_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="below 0"):
        Damage(**changes)
    assert Damage(lost_after=None).lost_before == 0
