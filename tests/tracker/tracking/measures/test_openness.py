"""Openness of eyes and mouth, on drawn faces of any size, place and roll."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.shapes import face_points
from tests.strategies import floats
from tracker.geometry import mirror_points
from tracker.tracking.measures.head_pose import HeadPose, head_pose
from tracker.tracking.measures.openness import (
    MAX_BLINK_YAW_DEG,
    blink_openness,
    eye_openness,
    measure,
    mouth_openness,
)
from tracker.types import FloatArray

HW = (480, 640)


def face(left: float = 0.3, right: float = 0.2, mouth: float = 0.5) -> FloatArray:
    """A face whose eyes and mouth have these aspect ratios; ``left`` is the person's left eye."""
    points = face_points((320, 240), 200)
    for first, ratio in ((42, left), (36, right)):
        x, y = points[first]
        points[first : first + 6] = np.array(
            [(x, y), (x + 6, y - 10 * ratio), (x + 12, y - 10 * ratio),
             (x + 20, y), (x + 12, y + 10 * ratio), (x + 6, y + 10 * ratio)]
        )  # fmt: skip
    x, y = points[60]
    rise = 20 * mouth
    points[60:68] = np.array(
        [(x, y), (x + 10, y - rise), (x + 20, y - rise), (x + 30, y - rise),
         (x + 40, y), (x + 30, y + rise), (x + 20, y + rise), (x + 10, y + rise)]
    )  # fmt: skip
    return points


def test_openness_of_a_drawn_face() -> None:
    points = face(left=0.3, right=0.2, mouth=0.5)
    assert points[42:48, 0].mean() > points[36:42, 0].mean()  # the person's left is right in the picture
    assert eye_openness(points) == pytest.approx((0.3, 0.2))
    assert mouth_openness(points) == pytest.approx(0.5)


def test_each_pair_of_points_counts() -> None:
    points = face(left=0.2)
    points[43, 1] -= 4  # one pair of two, 4 pixels higher on 20 of width
    assert eye_openness(points)[0] == pytest.approx(0.2 + 4 / 2 / 20)
    points[62, 1] -= 12  # one pair of three, on 40 of width
    assert mouth_openness(points) == pytest.approx(0.5 + 12 / 3 / 40)


@given(floats(0, 1), floats(0, 1), floats(0, 2), floats(0.01, 100), floats(-4, 4), floats(-1e3, 1e3))
def test_openness_does_not_depend_on_size_place_or_roll(
    left: float, right: float, mouth: float, scale: float, angle: float, shift: float
) -> None:
    cos, sin = np.cos(angle), np.sin(angle)
    points = scale * face(left, right, mouth) @ np.array([[cos, -sin], [sin, cos]]) + (shift, -2 * shift)
    # Lengths of a pixel or more are differences of coordinates up to a thousand in double precision.
    assert eye_openness(points) == pytest.approx((left, right), abs=1e-9)
    assert mouth_openness(points) == pytest.approx(mouth, abs=1e-9)


@given(floats(0, 1), floats(0, 1), floats(0, 2))
def test_a_mirrored_face_swaps_its_eyes_and_keeps_its_mouth(left: float, right: float, mouth: float) -> None:
    points = mirror_points(face(left, right, mouth), HW[1])
    assert eye_openness(points) == pytest.approx((right, left), abs=1e-12)
    assert mouth_openness(points) == pytest.approx(mouth, abs=1e-12)


@pytest.mark.parametrize("part", [slice(36, 42), slice(42, 48), slice(60, 68)])
def test_a_part_without_width_has_no_openness(part: slice) -> None:
    points = face()
    points[part] = points[part][:1]
    left, right = eye_openness(points)
    nothing = {36: right, 42: left, 60: mouth_openness(points)}
    assert [first for first, value in nothing.items() if value is None] == [part.start]


def test_all_measures_of_a_face() -> None:
    points = face()
    pose = head_pose(points, HW)
    assert pose is not None
    measures = measure(points, pose, blinks=3)
    assert measures.eye_open == eye_openness(points)
    assert measures.mouth_open == mouth_openness(points)
    assert (measures.yaw_deg, measures.pitch_deg, measures.roll_deg) == (
        pose.yaw_deg, pose.pitch_deg, pose.roll_deg,
    )  # fmt: skip
    assert measures.blinks == 3


def test_without_a_pose_openness_is_measured_and_angles_are_not() -> None:
    points = np.random.default_rng(0).normal(200, 50, (68, 2))
    measures = measure(points, head_pose(points, HW))
    assert measures.yaw_deg is measures.pitch_deg is measures.roll_deg is None
    assert None not in measures.eye_open


def turned(yaw_deg: float) -> HeadPose:
    return HeadPose(yaw_deg, pitch_deg=0, roll_deg=0)


def test_blinks_are_counted_on_the_wider_eye_of_a_face_that_is_not_turned_away() -> None:
    assert blink_openness(face(left=0.3, right=0.1), turned(0.0)) == pytest.approx(0.3)
    assert blink_openness(face(left=0.1, right=0.2), turned(-MAX_BLINK_YAW_DEG)) == pytest.approx(0.2)
    for pose in (None, turned(MAX_BLINK_YAW_DEG + 1), turned(-MAX_BLINK_YAW_DEG - 1)):
        assert blink_openness(face(), pose) is None
    shut = face()
    shut[36:48] = 7.0
    assert blink_openness(shut, turned(0.0)) is None
