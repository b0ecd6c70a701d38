import numpy as np
import pytest
from hypothesis import given

from tests.strategies import floats
from tracker.geometry import mirror_points
from tracker.scheme.ibug68 import MIRROR
from tracker.types import FloatArray
from train.data.half_faces import HALF_LEFT, HALF_RIGHT
from train.data.head import TRUST, Camera, complete, fit_camera, fit_cameras, turned_about_y
from train.data.head_shape import HEAD_MM
from train.errors import DataError

RIGHT = np.isin(np.arange(68), HALF_RIGHT)
LEFT = np.isin(np.arange(68), HALF_LEFT)


def seen(
    yaw: float, roll: float = 0.0, scale: float = 1.5, shift: tuple[float, float] = (120, 90)
) -> FloatArray:
    """Points of the mean head at this yaw and roll in degrees, in pixels."""
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    roll_matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    rotation = roll_matrix @ turned_about_y(yaw)
    return Camera(np.array(scale), rotation, np.array(shift)).project(HEAD_MM)


def test_the_mean_head_is_symmetric_with_outer_eye_corners_90_mm_apart() -> None:
    assert np.array_equal(HEAD_MM[MIRROR], HEAD_MM * (-1, 1, 1))
    assert HEAD_MM[45].tolist() == [45, 0, 0]


def test_a_face_turned_to_the_right_has_its_nose_right_of_its_eyes() -> None:
    points = seen(60)
    assert points[30, 0] > points[[36, 45], 0].mean()


@given(floats(-85, 85), floats(-180, 180), floats(0.3, 5))
def test_the_camera_of_a_projected_head_is_found_from_the_visible_half(
    yaw: float, roll: float, scale: float
) -> None:
    points = seen(yaw, roll, scale)
    camera = fit_camera(points, RIGHT if yaw > 0 else LEFT)
    assert float(camera.yaw_deg) == pytest.approx(yaw, abs=2)
    assert float(camera.scale) == pytest.approx(scale, rel=0.02)


def test_cameras_of_several_faces_are_fitted_at_once() -> None:
    yaws = np.array([-50.0, 0.0, 30.0])
    points, first = np.stack([seen(yaw) for yaw in yaws]), np.tile(np.eye(3), (3, 1, 1))
    cameras = fit_cameras(points, np.tile(TRUST, (3, 1)), HEAD_MM, first)
    assert cameras.yaw_deg == pytest.approx(yaws, abs=1)
    assert cameras.project(HEAD_MM) == pytest.approx(points, abs=0.5)


@pytest.mark.parametrize("yaw", [30.0, 60.0, 85.0])
def test_hidden_points_of_the_mean_head_are_completed(yaw: float) -> None:
    points = seen(yaw)
    found = complete(np.where(RIGHT[:, None], points, 0), RIGHT)
    assert np.array_equal(found[RIGHT], points[RIGHT])
    assert np.abs(found - points).max() < 1.5  # of 170 pixels


def test_an_open_mouth_opens_on_the_hidden_side_as_well() -> None:
    points = seen(70)
    lower = [57, 66]
    opened = points.copy()
    opened[lower, 1] += 20
    found = complete(np.where(RIGHT[:, None], opened, 0), RIGHT)
    assert found[57].tolist() == opened[57].tolist()
    assert (found[[56, 58], 1] > points[[56, 58], 1] + 6).all()


@given(floats(-180, 180), floats(0.2, 4), floats(-300, 300))
def test_completion_moves_with_the_face(roll: float, scale: float, x: float) -> None:
    plain, moved = (
        complete(np.where(RIGHT[:, None], seen(65, *place), 0), RIGHT)
        for place in ((0.0, 1.0, (0.0, 0.0)), (roll, scale, (x, 5.0)))
    )
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    expected = scale * plain @ np.array([[cos, sin], [-sin, cos]]) + (x, 5.0)
    assert moved == pytest.approx(expected, abs=0.6 * scale)


def test_completion_of_the_mirrored_face_is_mirrored() -> None:
    points = complete(np.where(RIGHT[:, None], seen(65), 0), RIGHT)
    mirrored = complete(np.where(LEFT[:, None], mirror_points(seen(65), 300), 0), LEFT)
    assert mirrored == pytest.approx(mirror_points(points, 300), abs=0.1)


def test_three_points_do_not_place_a_head() -> None:
    with pytest.raises(DataError, match="4 points or more, got 3"):
        fit_camera(seen(0), np.arange(68) < 3)
