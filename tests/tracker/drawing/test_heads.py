from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from tests.noise import PLACE, SIZE, is_blurred, noise
from tests.shapes import face_box, face_points
from tests.strategies import floats
from tracker.drawing.heads import Head, blur_heads
from tracker.types import FloatArray


def covers(head: Head, points: FloatArray) -> bool:
    """Return whether all points ``(N, 2)`` lie in the ellipse."""
    x, y = (points - np.array(head.center)).T
    cos, sin = math.cos(head.roll_rad), math.sin(head.roll_rad)
    along, across = (x * cos + y * sin) / head.half_width, (y * cos - x * sin) / head.half_height
    return bool((along**2 + across**2 <= 1).all())


@given(roll=floats(-math.pi, math.pi), size=floats(5, 2000), x=floats(-500, 500))
def test_a_head_covers_face_forehead_and_chin(roll: float, size: float, x: float) -> None:
    points = face_points((x, 40.0), size, roll)
    head = Head.of_points(points)
    assert covers(head, points)
    up = np.array([math.sin(roll), -math.cos(roll)])
    brows = points[17:27].mean(axis=0)
    assert covers(head, (brows + 0.5 * size * up)[None])  # the hairline
    assert covers(head, (points[8] - 0.05 * size * up)[None])
    ears = points[[0, 16]] + 0.1 * (points[[0, 16]] - points.mean(axis=0))
    assert covers(head, ears)


def test_a_box_and_the_points_in_it_give_about_the_same_head() -> None:
    of_points, of_box = Head.of_points(face_points(PLACE, SIZE)), Head.of_box(face_box(PLACE, SIZE))
    assert math.dist(of_points.center, of_box.center) < 2
    assert of_points.half_width == pytest.approx(of_box.half_width, rel=0.05)
    assert of_points.replaces(of_box)
    assert of_box.replaces(of_points)


def test_points_that_coincide_give_a_head_of_one_pixel() -> None:
    assert Head.of_points(np.full((68, 2), 7.0)) == Head((7.0, 7.0), 1.0, 1.0, 0.0)


@pytest.mark.parametrize("values", [(math.nan, 1, 1, 0), (0, 0, 1, 0), (0, 1, -1, 0), (0, 1, 1, math.inf)])
def test_impossible_heads_are_refused(values: tuple[float, float, float, float]) -> None:
    x, half_width, half_height, roll = values
    with pytest.raises(ValueError, match="finite and has a size"):
        Head((x, 0), half_width, half_height, roll)


@given(x=floats(-400, 700), y=floats(-400, 600), size=floats(0.5, 900), roll=floats(-4, 4))
def test_heads_of_any_size_can_be_blurred_inside_and_outside_the_picture(
    x: float, y: float, size: float, roll: float
) -> None:
    canvas = noise()
    blur_heads(canvas, [Head((x, y), size, 1.2 * size, roll)])
    assert canvas.shape == (240, 320, 3)


def test_only_the_head_is_blurred() -> None:
    canvas, head = noise(), Head(PLACE, 50, 60, 0.3)
    blur_heads(canvas, [head])
    grid = np.stack(np.meshgrid(np.arange(0, 320, 3), np.arange(0, 240, 3)), axis=-1).reshape(-1, 2)
    inside = np.array([covers(head, point[None].astype(float)) for point in grid])
    near = np.array([covers(head.grown(1.3), point[None].astype(float)) for point in grid])
    changed = (canvas != noise()).any(axis=2)[grid[:, 1], grid[:, 0]]
    assert changed[inside].mean() > 0.99
    assert not changed[~near].any()
    assert is_blurred(canvas)


def test_faces_that_differ_only_in_detail_look_the_same_when_blurred() -> None:
    # Recognition needs detail finer than a fifth of a face; here it is stripes and their negative.
    stripes = np.zeros((240, 320, 3), np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255
    first, second = stripes.copy(), 255 - stripes
    for canvas in (first, second):
        blur_heads(canvas, [Head(PLACE, 50, 60, 0.0)])
    assert np.abs(first[90:150, 130:190].astype(int) - second[90:150, 130:190]).max() < 40
