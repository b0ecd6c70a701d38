from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from tests.noise import PLACE, SIZE
from tests.shapes import covers, face_box, face_points
from tests.strategies import floats
from tracker.drawing.heads import Head


@given(roll=floats(-math.pi, math.pi), size=floats(5, 2000), x=floats(-500, 500))
def test_a_head_covers_face_forehead_and_chin(roll: float, size: float, x: float) -> None:
    points = face_points((x, 40.0), size, roll)
    head = Head.of_points(points)
    assert covers(head, points).all()
    up = np.array([math.sin(roll), -math.cos(roll)])
    brows = points[17:27].mean(axis=0)
    assert covers(head, (brows + 0.5 * size * up)[None])  # the hairline
    assert covers(head, (points[8] - 0.05 * size * up)[None]).all()
    ears = points[[0, 16]] + 0.1 * (points[[0, 16]] - points.mean(axis=0))
    assert covers(head, ears).all()


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


def test_a_head_contains_smaller_ones_within_it() -> None:
    head = Head((100.0, 100.0), 50, 60, 0.4)
    assert head.contains(head.grown(0.99))
    assert head.contains(Head((115.0, 110.0), 20, 25, -1.0))
    assert not head.contains(head.grown(1.05))
    assert not head.contains(Head((140.0, 100.0), 20, 25, 0.0))
