"""Head pose: faces rotated by known angles and projected by a pinhole camera."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shapes import face_points
from tests.strategies import floats
from tracker.geometry import mirror_points
from tracker.scheme.ibug68 import MIRROR
from tracker.tracking.measures.head_pose import FACE_MM, POSE_POINTS, HeadPose, head_pose, head_poses
from tracker.types import FloatArray, Landmarks

HW = (480, 640)
EXACT_DEG = 0.1  # SQPnP stops at a small step: mostly 1e-10 degrees off, 0.06 on far faces turned by 60

yaws, pitches, rolls = floats(-60, 60), floats(-40, 40), floats(-179, 179)
depths_mm = floats(400, 2500)
places = st.tuples(floats(-0.4, 0.4), floats(-0.3, 0.3))
"""Positions of the face relative to the middle of the picture, in widths of the picture."""


def turn(x: float, y: float, z: float) -> FloatArray:
    """Rotation about the axis ``(x, y, z)`` by its length in degrees."""
    return np.asarray(cv2.Rodrigues(np.radians([x, y, z]))[0])


def projected(
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    depth_mm: float = 700.0,
    place: tuple[float, float] = (0.0, 0.0),
    hw: tuple[int, int] = HW,
    focal: float = 1.0,
) -> FloatArray:
    """Pixels ``(68, 2)`` of the mean face, rotated relative to the line of sight.

    ``focal`` is the focal length over the longer side of the picture.
    """
    sight = np.array([*place, focal]) / np.linalg.norm([*place, focal])
    axis = np.cross([0.0, 0.0, 1.0], sight)
    sine = float(np.linalg.norm(axis))
    aside = turn(*(axis / sine * np.degrees(np.arcsin(sine)))) if sine else np.eye(3)
    rotation = aside @ turn(0, 0, roll) @ turn(0, -yaw, 0) @ turn(-pitch, 0, 0)
    laid = (FACE_MM - FACE_MM.mean(axis=0)) @ rotation.T + depth_mm * sight / sight[2]
    points = np.random.default_rng(0).uniform(-1e4, 1e4, (68, 2))  # only POSE_POINTS may matter
    points[POSE_POINTS] = focal * max(hw) * laid[:, :2] / laid[:, 2:] + (np.array(hw)[::-1] - 1) / 2
    return points


def angles(points: FloatArray, hw: tuple[int, int] = HW) -> FloatArray:
    pose = head_pose(points, hw)
    assert pose is not None
    return np.array([pose.yaw_deg, pose.pitch_deg, pose.roll_deg])


def off(found: FloatArray, expected: FloatArray | list[float]) -> float:
    """The largest difference of angles, around the circle."""
    return float(np.abs((found - expected + 180) % 360 - 180).max())


@given(yaws, pitches, rolls, depths_mm, places)
def test_the_angles_of_a_rotated_face_are_found(
    yaw: float, pitch: float, roll: float, depth_mm: float, place: tuple[float, float]
) -> None:
    assert off(angles(projected(yaw, pitch, roll, depth_mm, place)), [yaw, pitch, roll]) < EXACT_DEG


def test_signs_of_the_angles() -> None:
    """Turning right, up or clockwise moves nose and eyes accordingly."""
    tip, middle = 30, [36, 39, 42, 45]

    def nose(points: FloatArray) -> FloatArray:
        return np.asarray(points[tip] - points[middle].mean(axis=0))

    straight = projected()
    assert off(angles(straight), [0, 0, 0]) < EXACT_DEG
    assert nose(projected(yaw=20))[0] > nose(straight)[0] + 5
    assert nose(projected(pitch=20))[1] < nose(straight)[1] - 5
    rolled = projected(roll=20)
    assert rolled[45, 1] > rolled[36, 1] + 5


@given(yaws, pitches, rolls, depths_mm, places)
def test_a_mirrored_picture_negates_yaw_and_roll(
    yaw: float, pitch: float, roll: float, depth_mm: float, place: tuple[float, float]
) -> None:
    mirrored = mirror_points(projected(yaw, pitch, roll, depth_mm, place), HW[1])
    assert off(angles(mirrored), [-yaw, pitch, -roll]) < EXACT_DEG


@given(yaws, pitches, rolls, places, floats(-180, 180))
def test_rotating_the_picture_about_its_middle_changes_only_the_roll(
    yaw: float, pitch: float, roll: float, place: tuple[float, float], by: float
) -> None:
    middle = (np.array(HW)[::-1] - 1) / 2
    turned = (projected(yaw, pitch, roll, place=place) - middle) @ turn(0, 0, by)[:2, :2].T + middle
    assert off(angles(turned), [yaw, pitch, roll + by]) < EXACT_DEG


def test_a_picture_rotated_by_90_degrees_changes_only_the_roll() -> None:
    points = projected(20, -10, 5, place=(0.2, 0.1))
    upright = np.column_stack([HW[0] - 1 - points[:, 1], points[:, 0]])  # 90 degrees clockwise
    assert off(angles(upright, HW[::-1]), [20, -10, 95]) < EXACT_DEG


@given(st.integers(1, 400))
def test_angles_do_not_depend_on_the_size_of_the_picture(size: int) -> None:
    hw = (12 * size, 16 * size)  # from 16 pixels, where half a pixel is two degrees
    points = projected(-25, 15, 30, place=(0.2, -0.1), hw=hw)
    assert off(angles(points, hw), [-25, 15, 30]) < EXACT_DEG


@pytest.mark.parametrize("depth_mm", [3e3, 1e4, 1e5])
def test_far_faces_have_a_pose(depth_mm: float) -> None:
    """Beyond three metres perspective is ignored: at most 46 mm of nose in 3 m, 1.5 % of a length."""
    for yaw, pitch in ((0, 0), (40, -20), (-50, 30)):
        found = angles(projected(yaw, pitch, 10, depth_mm, (0.3, 0.2)))
        assert off(found, [yaw, pitch, 10]) < np.degrees(46 / 3000)


@pytest.mark.parametrize("focal", [0.7, 1.5, 3.0])
@pytest.mark.parametrize("place", [(0.0, 0.0), (0.25, 0.1)])
def test_another_focal_length_than_assumed_changes_little(focal: float, place: tuple[float, float]) -> None:
    """The face has the same size in the picture; angles differ by less than an eighth."""
    for yaw, pitch in ((0, 0), (30, 0), (-30, 10), (15, -20)):
        found = angles(projected(yaw, pitch, 0, 700 * focal, place, focal=focal))
        assert off(found, [yaw, pitch, 0]) < 1 + 0.125 * max(abs(yaw), abs(pitch))


def test_noise_does_not_flip_the_pose() -> None:
    """With noise of a hundredth of the eye distance the pose stays close, and yaw keeps its sign."""
    rng = np.random.default_rng(3)
    errors = []
    for yaw, pitch in rng.uniform((-60, -40), (60, 40), (400, 2)):
        points = projected(yaw, pitch, 0)
        size = np.linalg.norm(FACE_MM[-1] - FACE_MM[-4]) * 640 / 700
        points[POSE_POINTS] += rng.normal(0, 0.01 * size, (len(POSE_POINTS), 2))
        errors.append(off(angles(points), [yaw, pitch, 0]))
    assert np.median(errors) < 2
    assert max(errors) < 12


def test_an_upside_down_head_has_a_roll_of_180_degrees() -> None:
    assert off(angles(projected(10, 5, 180)), [10, 5, 180]) < EXACT_DEG
    assert off(angles(projected(10, 5, -135)), [10, 5, -135]) < EXACT_DEG


@pytest.mark.parametrize("yaw", [120, 180, -150])
def test_a_face_seen_from_behind_has_no_pose(yaw: float) -> None:
    assert head_pose(projected(yaw), HW) is None


@given(st.integers(0, 2**32 - 1), floats(1, 300))
def test_random_points_have_no_pose(seed: int, spread: float) -> None:
    points = np.random.default_rng(seed).normal((320, 240), spread, (68, 2))
    assert head_pose(points, HW) is None


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((68, 2)),
        np.full((68, 2), 1e6),
        np.column_stack([np.arange(68.0), np.full(68, 240.0)]),
        np.column_stack([np.arange(68.0), np.arange(68.0)]),
        face_points((320, 240), 200) * (1, 0.02),
        face_points((320, 240), 200) * (1, -1),
        1e200 * face_points((0, 0), 1),
    ],
    ids=["one point", "far point", "level line", "slope", "flattened", "inside out", "huge"],
)
def test_degenerate_points_have_no_pose(points: FloatArray) -> None:
    assert head_pose(points, HW) is None


def test_a_symmetric_frontal_face_has_no_yaw_or_roll() -> None:
    """Another face, flat and symmetric: its pitch may differ from 0, yaw and roll may not."""
    yaw, pitch, roll = angles(face_points((319.5, 239.5), 200, roll=0.3))
    assert abs(yaw) < 1e-3
    assert abs(pitch) < 25
    assert roll == pytest.approx(np.degrees(0.3), abs=1e-3)


def test_the_mean_face_is_symmetric() -> None:
    place = {int(point): row for row, point in enumerate(POSE_POINTS)}
    swapped = [place[int(MIRROR[point])] for point in POSE_POINTS]
    np.testing.assert_array_equal(FACE_MM[swapped] * (-1, 1, 1), FACE_MM)


def test_single_precision_is_enough_and_points_are_not_changed() -> None:
    points = projected(20, 10, -5).astype(np.float32)
    points.setflags(write=False)
    assert off(angles(points), [20, 10, -5]) < 0.01


@pytest.mark.parametrize("shape", [(67, 2), (68, 3), (1, 68, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="68"):
        head_pose(np.zeros(shape), HW)


@pytest.mark.parametrize("hw", [(0, 640), (480, 0)])
def test_empty_pictures_are_refused(hw: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="picture"):
        head_pose(projected(), hw)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_points_that_are_not_finite_are_refused(bad: float) -> None:
    points = projected()
    points[0, 0] = bad
    with pytest.raises(ValueError, match="finite"):
        head_pose(points, HW)


def test_faces_together_have_the_poses_of_each_alone() -> None:
    crowd = [
        projected(20, 10, 5),
        projected(180),
        projected(-30, 0, 170, 5000.0, (0.3, 0.1)),
        np.ones((68, 2)),
    ]
    poses = head_poses([Landmarks(points) for points in crowd], HW)
    assert poses == [head_pose(points, HW) for points in crowd]
    assert [pose is None for pose in poses] == [False, True, False, True]
    assert head_poses([], HW) == []


@pytest.mark.parametrize("wrong", [(91, 0, 0), (0, -91, 0), (0, 0, 181), (np.nan, 0, 0)])
def test_impossible_angles_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="must lie"):
        HeadPose(*wrong)
