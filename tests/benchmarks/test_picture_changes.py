"""Changes of pictures: they move the points with the picture, and change what they are named for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks import picture_changes as changes
from benchmarks.conditions import CONDITIONS
from benchmarks.picture_changes import face_size, turned
from tests.tiny import draw_face, face_points
from tracker.types import FloatArray, ImageArray

POINTS = face_points((160, 120), 120, roll=0.2)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def spots(points: FloatArray) -> ImageArray:
    """Picture with a white spot at each of ``points``."""
    rows, columns = np.mgrid[:240, :320]
    image = np.zeros((240, 320))
    for x, y in points:
        image += 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 5.0**2))
    return np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def place(image: ImageArray, near: FloatArray, reach: float) -> FloatArray:
    """Return the middle of the light within ``reach`` pixels of ``near``."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    close = (columns - near[0]) ** 2 + (rows - near[1]) ** 2 <= reach**2
    light = np.where(close, image.max(axis=2).astype(float), 0)
    return np.asarray([(columns * light).sum() / light.sum(), (rows * light).sum() / light.sum()])


@pytest.mark.parametrize("name", sorted(set(CONDITIONS) - {"mask", "sunglasses"}))
def test_points_lie_where_the_picture_shows_them(name: str) -> None:
    """Spots at the middle of the face, which no side's cut removes, and at a corner of the eye."""
    shown = POINTS[[30, 39]]
    changed, points = CONDITIONS[name](spots(shown), POINTS, rng())
    scale = face_size(points) / face_size(POINTS) if "px" in name else 1.0
    for index in (30, 39):
        found = place(changed, points[index], 11 * scale)
        assert found == pytest.approx(points[index], abs=0.2), name


@pytest.mark.parametrize("name", ["mask", "sunglasses"])
def test_what_is_drawn_over_a_face_does_not_move_it(name: str) -> None:
    image = draw_face(POINTS)
    changed, points = CONDITIONS[name](image, POINTS, rng())
    assert np.array_equal(points, POINTS)
    assert changed.shape == image.shape
    away = np.ones(image.shape[:2], bool)
    x0, y0 = (int(low) for low in POINTS.min(axis=0) - 20)
    x1, y1 = (int(high) for high in POINTS.max(axis=0) + 20)
    away[y0:y1, x0:x1] = False
    assert np.array_equal(changed[away], image[away])


@pytest.mark.parametrize("name", sorted(CONDITIONS))
def test_a_change_is_deterministic_and_leaves_its_arguments_alone(name: str) -> None:
    image, points = draw_face(POINTS), POINTS.copy()
    kept = image.copy()
    (first, first_points), (second, second_points) = (
        CONDITIONS[name](image, points, rng()) for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert np.array_equal(first_points, second_points)
    assert np.array_equal(image, kept)
    assert np.array_equal(points, POINTS)
    assert first.dtype == np.uint8
    assert first.shape[2:] == (3,)
    assert name == "plain" or first.shape != image.shape or not np.array_equal(first, image)


@pytest.mark.parametrize("degrees", [0, 90, 120, 180])
def test_points_turn_with_the_picture(degrees: float) -> None:
    image = np.zeros((80, 120, 3), np.uint8)
    cv2.circle(image, (30, 20), 3, (255, 255, 255), -1)
    canvas, points = turned(image, np.array([[30.0, 20.0]]), degrees)
    rows, columns = np.nonzero(canvas[..., 0] > 128)
    np.testing.assert_allclose(points[0], (columns.mean(), rows.mean()), atol=0.6)


@pytest.mark.parametrize("size", [96, 64, 48, 32])
def test_a_face_shrinks_to_its_size_but_never_grows(size: int) -> None:
    small, points = changes.shrunk_to(size)(draw_face(POINTS), POINTS, rng())
    assert face_size(points) == pytest.approx(size, rel=0.02)
    again, same = changes.shrunk_to(size + 10)(small, points, rng())
    assert np.array_equal(again, small)
    assert same == pytest.approx(points)


def test_the_dark_keeps_a_tenth_of_the_light_and_is_noisy() -> None:
    image = np.full((240, 320, 3), 200, np.uint8)
    night, _ = changes.dark(image, POINTS, rng())
    assert night.mean() == pytest.approx(20, abs=0.1)
    assert night.std() == pytest.approx(changes.DARK_NOISE, rel=0.05)


@pytest.mark.parametrize("name", ["blur", "motion blur"])
def test_blur_spreads_light_in_proportion_to_the_face(name: str) -> None:
    widths = []
    for size in (60.0, 120.0):
        image = np.zeros((240, 320, 3), np.uint8)
        image[100:140, 140:180] = 255
        blurred, _ = CONDITIONS[name](image, face_points((160, 120), size), rng())
        assert blurred.mean() == pytest.approx(image.mean(), rel=0.01)
        widths.append(int(((blurred > 0) & (blurred < 255)).sum()))
    assert widths[1] > 1.5 * widths[0]


@pytest.mark.parametrize("name", ["blur", "motion blur"])
def test_blur_is_centred(name: str) -> None:
    for seed in range(5):
        image = np.zeros((240, 320, 3), np.uint8)
        image[118:123, 158:163] = 255
        blurred, _ = CONDITIONS[name](image, POINTS, np.random.default_rng(seed))
        assert place(blurred, np.array((160.0, 120)), 40) == pytest.approx((160, 120), abs=0.05)


def test_a_mask_covers_the_mouth_and_not_the_eyes_in_all_colours() -> None:
    image = draw_face(POINTS)
    drawn, _ = changes.masked(image, POINTS, rng())
    mouth, eyes = (np.rint(POINTS[rows]).astype(int).T for rows in (slice(48, 68), slice(36, 48)))
    assert (drawn[mouth[1], mouth[0]] != image[mouth[1], mouth[0]]).any(axis=1).all()
    assert np.array_equal(drawn[eyes[1], eyes[0]], image[eyes[1], eyes[0]])
    cloth = drawn[mouth[1], mouth[0]].astype(int)
    assert np.abs(cloth - cloth[:, :1]).max() <= 1


@pytest.mark.parametrize("centre", [(2.0, 120.0), (318.0, 238.0), (-400.0, 120.0)])
def test_a_mask_on_a_face_at_the_edge_keeps_the_size_of_the_picture(centre: tuple[float, float]) -> None:
    image = draw_face(POINTS)
    drawn, _ = changes.masked(image, face_points(centre, 100), rng())
    assert drawn.shape == image.shape


@pytest.mark.parametrize("roll", [0.0, 1.0, 3.0])
def test_sunglasses_cover_the_eyes_and_not_the_mouth(roll: float) -> None:
    points = face_points((160, 120), 120, roll=roll)
    image = np.full((240, 320, 3), 180, np.uint8)
    drawn, _ = changes.sunglasses(image, points, rng())
    eyes, mouth = (np.rint(points[rows]).astype(int).T for rows in (slice(36, 48), slice(48, 68)))
    assert (drawn[eyes[1], eyes[0]] < 50).all()
    assert (drawn[mouth[1], mouth[0]] == 180).all()


def test_each_side_of_a_face_can_be_cut_off_by_a_quarter() -> None:
    shapes = set()
    for seed in range(24):
        image, points = changes.cut_off(draw_face(POINTS), POINTS, np.random.default_rng(seed))
        height, width = image.shape[:2]
        low, high = points.min(axis=0), points.max(axis=0)
        outside = np.concatenate([-low, high - (width, height)]) / np.tile(high - low, 2)
        assert outside.max() == pytest.approx(0.25, abs=0.01)
        assert (outside > 0).sum() == 1
        shapes.add(int(outside.argmax()))
    assert shapes == {0, 1, 2, 3}


def test_the_infrared_look_has_one_channel_and_falls_off_from_the_face() -> None:
    image = np.full((240, 320, 3), (10, 60, 150), np.uint8)
    seen, _ = changes.infrared(image, face_points((60, 120), 80), rng())
    assert (seen == seen[..., :1]).all()
    assert seen[120, 60, 0] > 150 > seen[120, 300, 0]
