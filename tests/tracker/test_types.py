"""Data types: impossible values are refused, and derived values are right."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results import frames_of_one_face, three_measured_faces, write_json_lines
from tests.scene import Scene
from tests.strategies import floats
from tests.tiny import face_points
from tracker.errors import MisuseError
from tracker.types import Damage, FaceBox, FaceMeasures, Frame, FrameResult, Landmarks, TrackedFace

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
    assert box.iou(FaceBox(5, 3, 9, 9)) == 0  # apart in both directions
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


def test_landmarks_have_bounds_a_box_and_a_mean_quality() -> None:
    points, quality = face_points((50, 60), 40), np.linspace(0.2, 0.6, 68)
    face = Landmarks(points, 0.25, quality)
    assert face.bounds == (*points.min(axis=0), *points.max(axis=0))
    assert face.box == FaceBox.around(points, 0.25)
    assert face.mean_quality == pytest.approx(0.4)
    assert Landmarks(points).mean_quality is None
    moved = replace(face, points_frame=points + 1, quality=quality / 2)
    assert moved.bounds == tuple(value + 1 for value in face.bounds)
    assert moved.mean_quality == pytest.approx(0.2)


def test_points_that_coincide_have_bounds_and_no_box() -> None:
    face = Landmarks(np.full((68, 2), 3.0))
    assert face.bounds == (3.0, 3.0, 3.0, 3.0)
    with pytest.raises(ValueError, match="face box"):
        _ = face.box


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


def tracked() -> FrameResult:
    """The result of a tracker for one face."""
    scene = Scene({200: (320, 240)})
    return scene.tracker().step(scene.frame(3))


def through_pickle(result: FrameResult) -> FrameResult:
    loaded: FrameResult = pickle.loads(pickle.dumps(result))
    return loaded


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_pickle])
def test_a_result_is_equal_and_read_only_after_a_copy(again: Callable[[FrameResult], FrameResult]) -> None:
    result = replace(tracked(), damage=Damage(2, byte=7))
    other = again(result)
    assert other == result
    assert hash(other) == hash(result)
    assert other.stage_ms == result.stage_ms
    for one in (result, other):
        with pytest.raises(ValueError, match="read-only"):
            one.faces[0].landmarks.points_frame[0, 0] = 1.0


def test_results_are_equal_if_all_numbers_are() -> None:
    result = tracked()
    (face,) = result.faces
    points = face.landmarks.points_frame.copy()
    assert replace(result, stage_ms={}) == result
    same = replace(face, landmarks=replace(face.landmarks, points_frame=points))
    assert replace(result, faces=(same,)) == result
    points[67, 1] = np.nextafter(points[67, 1], np.inf)
    judged = replace(face.landmarks, quality=np.full(68, 0.5))
    others = [
        replace(result, time_s=0.2),
        replace(result, faces=()),
        replace(result, faces=(replace(face, id=2),)),
        replace(result, faces=(replace(face, measures=replace(face.measures, blinks=1)),)),
        replace(result, faces=(replace(face, landmarks=replace(face.landmarks, points_frame=points)),)),
        replace(result, faces=(replace(face, landmarks=judged),)),
    ]
    assert len({result, *others}) == 1 + len(others)
    assert judged == replace(judged, quality=np.full(68, 0.5))
    assert judged != replace(judged, quality=np.full(68, 0.6))
    assert judged != "landmarks"


def test_the_quality_of_a_result_is_read_only_too() -> None:
    landmarks = Landmarks(face_points(), quality=np.ones(68))
    landmarks.seal()
    assert landmarks.quality is not None
    with pytest.raises(ValueError, match="read-only"):
        landmarks.quality[0] = 0.5


def test_a_dictionary_of_a_result_is_its_json_line_before_rounding(tmp_path: Path) -> None:
    for result in (*frames_of_one_face(), replace(tracked(), damage=Damage(2))):
        data = result.to_dict()
        (line,) = write_json_lines(tmp_path / "a.jsonl", [result]).read_text("utf-8").splitlines()
        written = json.loads(line)
        assert data.keys() == written.keys()
        assert json.loads(json.dumps(data)) == data  # plain values only
        for face, rounded in zip(data["faces"], written["faces"], strict=True):
            assert face.keys() == rounded.keys()
            assert face["measures"].keys() == rounded["measures"].keys()
            np.testing.assert_allclose(face["landmarks"], rounded["landmarks"], rtol=0, atol=0.0051)
            np.testing.assert_allclose(face["box"], rounded["box"], rtol=0, atol=0.0051)
        if result.faces:
            assert data["faces"][0]["landmarks"][30] == result.faces[0].landmarks.points_frame[30].tolist()
    assert asdict(tracked().faces[0].measures)["blinks"] == 0


DIGITS = {
    "time_s": 6, "pixel_aspect": 6, "box": 2, "landmarks": 2, "score": 4, "quality": 3,
    "eye_open": 4, "mouth_open": 4, "yaw_deg": 2, "pitch_deg": 2, "roll_deg": 2,
}  # fmt: skip
"""Decimals of the numbers in a JSON line."""


def rounded(key: str, value: Any) -> Any:
    """Return ``value`` as a JSON line has it under ``key``."""
    if isinstance(value, dict):
        return {name: rounded(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(key, inner) for inner in value]
    if not isinstance(value, float):
        return value
    how = np.round if key in ("landmarks", "quality") else round  # which differ where five is next
    return float(how(value, DIGITS[key]))


def test_a_dictionary_rounded_is_the_json_line_to_the_last_digit(tmp_path: Path) -> None:
    everything = replace(tracked(), damage=Damage(2, None), left_out=3, pixel_aspect=16 / 15, time_s=1 / 3)
    for result in (*frames_of_one_face(), three_measured_faces(), tracked(), everything):
        (line,) = write_json_lines(tmp_path / "a.jsonl", [result]).read_text("utf-8").splitlines()
        assert json.dumps(rounded("", result.to_dict())) == line


@pytest.mark.parametrize(
    "renewed", [lambda face: face, copy.deepcopy, lambda face: pickle.loads(pickle.dumps(face))]
)
def test_sealed_arrays_cannot_be_made_writeable_again(renewed: Callable[[Landmarks], Landmarks]) -> None:
    quality = np.full((2, 68), 0.5)
    points = face_points()
    face = Landmarks(points, quality=quality[1])  # a view of an array that is writeable
    face.seal()
    face = renewed(face)
    face.seal()  # once more changes nothing
    assert face.quality is not None
    for array, expected in ((face.points_frame, points), (face.quality, quality[1])):
        np.testing.assert_array_equal(array, expected, strict=True)
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_a_frame_is_equal_to_itself_only() -> None:
    frame = Frame(np.zeros((2, 3, 3), np.uint8))
    assert frame == frame
    assert pickle.loads(pickle.dumps(frame)) != frame


@pytest.mark.parametrize("aspect", [0.0, -1.0, 0.1, 9.0, math.nan, math.inf])
def test_a_frame_refuses_pixels_of_an_impossible_shape(aspect: float) -> None:
    with pytest.raises(MisuseError, match="pixel_aspect must lie in"):
        Frame(np.zeros((4, 4, 3), np.uint8), pixel_aspect=aspect)
