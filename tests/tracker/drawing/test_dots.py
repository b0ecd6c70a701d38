from __future__ import annotations

import math

import numpy as np
import pytest

from tracker.drawing.dots import draw_dots
from tracker.types import FloatArray, ImageArray

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (0, 0, 255)


def black(size: int = 41) -> ImageArray:
    return np.zeros((size, size, 3), np.uint8)


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.25, 0.75), (0.5, 0.5), (0.9, 0.1)])
@pytest.mark.parametrize("radius", [0.9, 2.0, 3.2, 6.4])
def test_dots_are_drawn_at_sub_pixel_positions(offset: tuple[float, float], radius: float) -> None:
    canvas, point = black(), np.array([[20.0, 20.0]]) + offset
    draw_dots(canvas, point, radius, 0.5, (WHITE, BLACK))
    weight = canvas.sum(axis=2, dtype=float)
    y, x = np.mgrid[:41, :41]
    center = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
    np.testing.assert_allclose(center, point[0], atol=0.08)


@pytest.mark.parametrize("radius", np.linspace(0.9, 6.4, 12))
def test_a_dot_covers_the_disc_that_is_asked_for(radius: float) -> None:
    canvas = black()
    draw_dots(canvas, np.array([[20.3, 19.6]]), radius, 1.0, (WHITE, BLACK))
    assert math.sqrt(canvas[..., 0].sum() / 255 / math.pi) == pytest.approx(radius, rel=0.05)


def test_a_ring_lies_around_its_dot_and_under_its_neighbour() -> None:
    canvas = np.full((41, 41, 3), 128, np.uint8)
    draw_dots(canvas, np.array([[20.0, 20.0], [24.0, 20.0]]), 3.0, 2.0, (WHITE, RED))
    assert (canvas[20, 18:27] == 255).all()
    assert (canvas[20, 16] == RED).all()
    assert (canvas[20, 5] == 128).all()


OUTSIDE: list[FloatArray] = [
    np.array([[-50.0, -50.0], [1e9, -1e9]]),
    np.array([[-3.2, 20.0], [20.0, 43.1]]),
    np.array([[0.0, 0.0], [40.0, 40.0], [-2.0, 42.0]]),
]


@pytest.mark.parametrize("points", OUTSIDE)
def test_dots_at_and_beyond_a_border_are_cut(points: FloatArray) -> None:
    small, large = black(), black(141)
    draw_dots(small, points, 2.5, 1.0, (WHITE, RED))
    draw_dots(large, points + 50, 2.5, 1.0, (WHITE, RED))
    np.testing.assert_array_equal(small, large[50:91, 50:91])


def test_a_part_of_a_picture_can_be_drawn_on() -> None:
    whole, alone = black(80), black()
    draw_dots(whole[20:61, 10:51], np.array([[20.5, 11.0]]), 2.5, 1.0, (WHITE, RED))
    draw_dots(alone, np.array([[20.5, 11.0]]), 2.5, 1.0, (WHITE, RED))
    np.testing.assert_array_equal(whole[20:61, 10:51], alone)
    assert np.count_nonzero(whole) == np.count_nonzero(alone)


def exact(canvas: ImageArray, points: FloatArray, radius: float, ring: float) -> ImageArray:
    """Return what :func:`draw_dots` approximates by tables: each pixel by its distance, white on red."""
    y, x = np.mgrid[: canvas.shape[0], : canvas.shape[1]]
    away = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1]).min(axis=2)[..., None]
    disc, whole = (np.clip(edge + 0.5 - away, 0, 1) for edge in (radius, radius + ring))
    under = whole * np.array(RED) + (1 - whole) * canvas
    return np.asarray(np.rint(disc * 255 + (1 - disc) * under), np.uint8)


@pytest.mark.parametrize("radius", [0.9, 1.88, 2.94, 6.4])
def test_dots_are_those_of_exact_distances(radius: float) -> None:
    rng = np.random.default_rng(4)
    canvas = np.full((90, 120, 3), 90, np.uint8)
    points = rng.uniform(-3, 123, (68, 2))
    wanted = exact(canvas, points, radius, 0.53)
    draw_dots(canvas, points, radius, 0.53, (WHITE, RED))
    error = np.abs(canvas.astype(int) - wanted)
    assert error.max() <= 2 * 255 / 16  # a step of the radius and one of the distance
    assert error.mean() < 1.0
