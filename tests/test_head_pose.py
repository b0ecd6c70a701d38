"""Head poses of a known face, projected by a camera that is written out here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tracker import head_pose as module
from tracker.geometry import mirror_points
from tracker.head_pose import MEAN_FACE, RIGID, head_pose
from tracker.scheme import MIRROR
from tracker.types import FloatArray

HW = (480, 640)


def turned(yaw: float, pitch: float, roll: float) -> FloatArray:
    """Rotation in axes x right, y down, z away, from what each angle does to a face that looks along -z."""
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in np.radians((yaw, pitch, roll)))
    to_the_right = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    up = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    clockwise = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(clockwise @ up @ to_the_right)


def seen(
    yaw: float, pitch: float, roll: float, place: tuple[float, float, float] = (0, 0, 600)
) -> FloatArray:
    """``(68, 2)`` pixels of the mean face, its nose tip at ``place`` in millimetres from the camera."""
    at = MEAN_FACE @ turned(yaw, pitch, roll).T + place
    return np.asarray(640 * at[:, :2] / at[:, 2:] + ((HW[1] - 1) / 2, (HW[0] - 1) / 2))


def test_each_angle_does_what_its_name_says() -> None:
    look = turned(20, 0, 0) @ (0, 0, -1)
    assert look[0] > 0  # to the right
    look = turned(0, 20, 0) @ (0, 0, -1)
    assert look[1] < 0  # up
    top = turned(0, 0, 20) @ (0, -1, 0)
    assert top[0] > 0  # clockwise


@given(
    floats(-60, 60),
    floats(-40, 40),
    floats(-170, 170),
    floats(-150, 150),
    floats(-100, 100),
    floats(300, 2000),
)
def test_the_angles_of_a_known_head_are_found(
    yaw: float, pitch: float, roll: float, x: float, y: float, z: float
) -> None:
    pose = head_pose(seen(yaw, pitch, roll, (x, y, z)), HW)
    assert pose is not None
    found = turned(pose.yaw, pose.pitch, pose.roll)
    # The angle between two rotations: their quotient's trace is 1 + 2 cos.
    apart = np.arccos(np.clip((np.trace(found.T @ turned(yaw, pitch, roll)) - 1) / 2, -1, 1))
    assert np.degrees(apart) < 0.1


@given(floats(-50, 50), floats(-30, 30), floats(-60, 60), st.integers(0, 1000))
def test_noise_of_a_good_landmark_model_moves_it_little(
    yaw: float, pitch: float, roll: float, seed: int
) -> None:
    points = seen(yaw, pitch, roll)
    eyes = np.linalg.norm(points[36] - points[45])
    noisy = points + np.random.default_rng(seed).normal(0, 0.01 * eyes, points.shape)
    pose = head_pose(noisy, HW)
    assert pose is not None
    # Noise of 0.9 mm on points some 40 mm deep and 90 wide is two degrees; six times that never comes.
    assert abs(pose.yaw - yaw) < 12
    assert abs(pose.pitch - pitch) < 12
    assert abs(pose.roll - roll) < 8


@given(floats(-50, 50), floats(-30, 30), floats(-60, 60))
def test_a_mirrored_head_turns_and_tilts_the_other_way(yaw: float, pitch: float, roll: float) -> None:
    points = seen(yaw, pitch, roll)
    plain, mirrored = head_pose(points, HW), head_pose(mirror_points(points, HW[1]), HW)
    assert plain is not None
    assert mirrored is not None
    assert (mirrored.yaw, mirrored.pitch, mirrored.roll) == pytest.approx(
        (-plain.yaw, plain.pitch, -plain.roll), abs=0.05
    )


def test_a_face_without_extent_has_no_pose() -> None:
    assert head_pose(np.zeros((68, 2)), HW) is None
    line = np.column_stack([np.linspace(0, 100, 68), np.zeros(68)])
    assert head_pose(line, HW) is None


def test_points_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(68, 2\)"):
        head_pose(np.zeros((67, 2)), HW)


def test_the_mean_face_is_a_face() -> None:
    assert MEAN_FACE.shape == (68, 3)
    assert MEAN_FACE[30].tolist() == [0, 0, 0]
    assert pytest.approx(MEAN_FACE, abs=0.051) == MEAN_FACE[MIRROR] * (-1, 1, 1)
    assert np.linalg.norm(MEAN_FACE[36] - MEAN_FACE[45]) == pytest.approx(89, abs=0.1)
    assert (MEAN_FACE[:, 2] >= 0).all()  # nothing is before the tip of the nose
    assert len(set(RIGID.tolist())) == len(RIGID) == 13
    stored = Path(module.__file__).parent / "assets" / "mean_face.json"
    assert json.loads(stored.read_text()) == MEAN_FACE.tolist()
