"""Eye and mouth openness: what they are of shapes drawn by hand, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.shapes import face_points
from tests.strategies import floats
from tests.test_head_pose import seen
from tracker.geometry import mirror_points
from tracker.measures import eye_open, measure_face, mouth_open
from tracker.scheme import PARTS
from tracker.types import FloatArray


def drawn(eye_gap: float, mouth_gap: float) -> FloatArray:
    """Eyes 30 wide and ``eye_gap`` high, an inner mouth 40 wide and ``mouth_gap`` high, on a drawn face."""
    points = face_points((300, 200), 120)
    h = eye_gap / 2
    eye = np.array([[0, 0], [10, -h], [20, -h], [30, 0], [20, h], [10, h]])
    for first, place in ((36, (250, 180)), (42, (320, 180))):
        points[first : first + 6] = eye + np.array(place)
    m = mouth_gap / 2
    points[60:68] = np.array([[0, 0], [10, -m], [20, -m], [30, -m], [40, 0], [30, m], [20, m], [10, m]])
    return points


@given(floats(0, 20), floats(0, 30))
def test_openness_is_height_over_width(eye_gap: float, mouth_gap: float) -> None:
    points = drawn(eye_gap, mouth_gap)
    assert eye_open(points, "left_eye") == pytest.approx(eye_gap / 30, abs=1e-12)
    assert eye_open(points, "right_eye") == pytest.approx(eye_gap / 30, abs=1e-12)
    assert mouth_open(points) == pytest.approx(mouth_gap / 40, abs=1e-12)


@given(floats(0.1, 10), floats(-3, 3), floats(-500, 500))
def test_size_place_and_tilt_do_not_matter(scale: float, turn: float, shift: float) -> None:
    points = drawn(9, 7)
    rotation = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = points @ rotation.T + shift
    assert eye_open(moved, "left_eye") == pytest.approx(0.3)
    assert mouth_open(moved) == pytest.approx(7 / 40)


def test_the_picture_of_a_wink_mirrored_winks_with_the_other_eye() -> None:
    points = drawn(9, 3)
    points[[37, 38, 40, 41], 1] = points[36, 1]  # the viewer's left eye is shut
    assert measure_face(points, (480, 640)).eye_open == pytest.approx((0, 0.3))
    assert measure_face(mirror_points(points, 640), (480, 640)).eye_open == pytest.approx((0.3, 0))


def test_a_known_head_is_measured_with_its_pose() -> None:
    pose = measure_face(seen(25, -10, 5), (480, 640)).pose
    assert pose is not None
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((25, -10, 5), abs=0.1)


def test_points_in_one_place_are_closed_and_without_a_pose() -> None:
    measured = measure_face(np.full((68, 2), 7.0), (480, 640))
    assert measured.eye_open == (0, 0)
    assert measured.mouth_open == 0
    assert measured.pose is None


def test_the_points_used_are_those_of_the_parts() -> None:
    points = drawn(9, 7)
    before = measure_face(points, (480, 640))
    others = [i for i in range(68) if i not in {*PARTS["left_eye"], *PARTS["right_eye"], *PARTS["inner_lip"]}]
    points[others] += 5
    after = measure_face(points, (480, 640))
    assert (after.eye_open, after.mouth_open) == (before.eye_open, before.mouth_open)
