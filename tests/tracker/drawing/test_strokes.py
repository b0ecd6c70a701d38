from __future__ import annotations

import math

import numpy as np
import pytest

from tracker.drawing.strokes import Polyline, draw_paths
from tracker.types import FloatArray, ImageArray

WHITE = (255, 255, 255)
LINE: tuple[Polyline, ...] = ((0, 2, False),)
TWO: tuple[Polyline, ...] = ((0, 2, False), (2, 4, False))


def black(size: int = 200) -> ImageArray:
    return np.zeros((size, size, 3), np.uint8)


def cover(canvas: ImageArray) -> float:
    """Return the area that white covers on black, in pixels."""
    return float(canvas[..., 0].sum() / 255)


@pytest.mark.parametrize("width", [0.5, 0.8, 1.0, 1.17, 1.19, 1.33, 1.75, 2.2, 3.0, 4.4])
@pytest.mark.parametrize("degrees", [0, 30, 45, 80, 90])
def test_a_line_covers_the_width_that_is_asked_for(width: float, degrees: float) -> None:
    canvas, angle = black(), math.radians(degrees)
    way = 60 * np.array([math.cos(angle), math.sin(angle)])
    draw_paths(canvas, np.array([100.3 - way, 100.3 + way]), LINE, width, WHITE)
    assert cover(canvas) / 120 == pytest.approx(width, rel=0.25)


def test_wide_lines_have_no_gap() -> None:
    canvas = black()
    draw_paths(canvas, np.array([[20.0, 30.0], [180.0, 171.0]]), LINE, 4.4, WHITE)
    diagonal = canvas[100, :, 0].astype(int)
    inside = np.flatnonzero(diagonal > 128)
    assert (np.diff(inside) == 1).all()


OUTSIDE: list[FloatArray] = [
    np.array([[[-50.0, -50.0], [-10.0, -20.0]]]),
    np.array([[[1e9, -1e9], [-1e9, 1e9]]]),
    np.array([[[250.0, 250.0], [300.0, 260.0]]]),
    np.array([[[5.0, 5.0], [5.0, 5.0]]]),
]


@pytest.mark.parametrize("segments", OUTSIDE)
@pytest.mark.parametrize("width", [0.6, 1.33, 2.0])
def test_lines_may_lie_outside_the_picture_or_be_points(segments: FloatArray, width: float) -> None:
    canvas = black()
    draw_paths(canvas, segments[0], LINE, width, WHITE)
    assert canvas.shape == (200, 200, 3)


def test_pale_lines_at_a_border_are_those_of_a_larger_picture() -> None:
    segments = np.array([[[-30.0, 10.0], [40.0, 60.0]], [[-5.0, 55.0], [60.0, -20.0]]])
    small, large = black(50), black(120)
    draw_paths(small, segments.reshape(-1, 2), TWO, 0.6, WHITE)
    draw_paths(large, segments.reshape(-1, 2) + 40, TWO, 0.6, WHITE)
    # At the very border OpenCV cuts the lines themselves.
    np.testing.assert_array_equal(small[2:-2, 2:-2], large[42:88, 42:88])


def test_a_closed_path_joins_its_ends_and_paths_do_not_join_each_other() -> None:
    points = np.array([[20.0, 20.0], [80.0, 20.0], [80.0, 80.0], [120.0, 120.0], [180.0, 120.0]])
    for width in (1.0, 2.0):
        canvas = black()
        draw_paths(canvas, points, ((0, 3, True), (3, 5, False)), width, WHITE)
        assert canvas[50, 50].any()
        assert canvas[120, 150].any()
        assert not canvas[100, 100].any()
