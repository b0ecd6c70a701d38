"""Geometry: points and pixels of a crop move together, and mirrored points keep their names."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import examples, floats
from tests.tiny import blobs, face_points
from tracker.geometry import (
    CROP_MARGIN,
    CROP_SIZE,
    SQUARE,
    CropTransform,
    Stretch,
    mirror_points,
    roll_of,
    roll_of_features,
)
from tracker.types import FaceBox, FloatArray, ImageArray

Points = npt.NDArray[np.float64]

angles = floats(-math.pi, math.pi)
crops = st.builds(
    CropTransform,
    st.tuples(floats(-4000, 8000), floats(-4000, 8000)),
    floats(8, 6000),
    angles,
    st.integers(32, 512),
)
points_somewhere = st.lists(st.tuples(floats(-4000, 8000), floats(-4000, 8000)), min_size=1, max_size=5).map(
    np.array
)


def bilinear(image: ImageArray, points: FloatArray) -> Points:
    """Sample ``image`` at positions ``(..., 2)``, black outside: an independent implementation."""
    padded = np.pad(image.astype(np.float64), 1)
    height, width = padded.shape
    x, y = np.moveaxis(points + 1, -1, 0)
    inside = (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    v, u = y - i, x - j
    top = (1 - u) * padded[i, j] + u * padded[i, j + 1]
    bottom = (1 - u) * padded[i + 1, j] + u * padded[i + 1, j + 1]
    return np.asarray(np.where(inside, (1 - v) * top + v * bottom, 0))


def crop_grid(size: int) -> Points:
    """The coordinates (x, y) of each pixel of a crop."""
    rows, columns = np.mgrid[:size, :size]
    return np.stack([columns, rows], axis=-1).astype(np.float64)


def smooth_image(height: int = 180, width: int = 240, period: float = 40.0) -> ImageArray:
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(2 * np.pi * (columns + 0.3 * rows) / period) + np.sin(
        2 * np.pi * (rows - 9) / (1.3 * period)
    )
    return np.asarray(np.rint(128 + 50 * waves), np.uint8)


@given(crops, points_somewhere)
def test_frame_to_crop_and_back_is_exact(crop: CropTransform, points: Points) -> None:
    assert np.abs(crop.to_frame(crop.to_crop(points)) - points).max() < 1e-9


@given(crops)
def test_the_corners_of_a_crop_are_half_a_pixel_outside_its_corner_pixels(crop: CropTransform) -> None:
    corners = crop.to_frame(np.array([[-0.5, -0.5], [crop.size - 0.5, -0.5]]))
    assert math.dist(*corners) == pytest.approx(crop.side)
    middle = crop.to_frame(np.full(2, (crop.size - 1) / 2))
    assert middle == pytest.approx(np.array(crop.center), abs=1e-9)


@given(crops, crops, st.integers(32, 512), points_somewhere)
def test_a_crop_within_another_is_that_crop_of_the_frame(
    crop: CropTransform, outer: CropTransform, size: int, points: Points
) -> None:
    inner = crop.within(outer, size)
    assert inner.size == size
    expected = replace(crop, size=size).to_crop(points)
    scale = max(1.0, float(np.abs(outer.to_crop(points)).max()), *map(abs, inner.center)) / inner.scale
    assert np.abs(inner.to_crop(outer.to_crop(points)) - expected).max() < 1e-10 * scale + 1e-9


@given(crops, points_somewhere)
def test_crop_sides_count_from_the_middle(crop: CropTransform, points: Points) -> None:
    pixels = crop.to_unit(points) * crop.size + (crop.size - 1) / 2
    assert np.abs(pixels - crop.to_crop(points)).max() < 1e-12 * max(1.0, float(np.abs(pixels).max()))


def test_angle_is_clockwise_on_screen() -> None:
    crop = CropTransform((0, 0), 224, math.radians(90))
    right_of_centre = np.array([1.0, 0.0]) + (CROP_SIZE - 1) / 2
    assert crop.to_frame(right_of_centre) == pytest.approx([0, 1], abs=1e-12)


@examples(60)
@given(
    scale=st.one_of(floats(0.3, 1.0), floats(1.0, 2.0), floats(2.0, 9.0)),
    angle=angles,
    x=floats(80, 240),
    y=floats(80, 160),
    shift=st.tuples(floats(-24, 24), floats(-24, 24)),
    colour=st.booleans(),
)
def test_pixels_and_points_move_together(
    scale: float, angle: float, x: float, y: float, shift: tuple[float, float], colour: bool
) -> None:
    """A blob's centroid in the crop is where ``to_crop`` puts its centre, to 0.05 px."""
    sigma = max(1.5, 1.5 * scale)
    image = blobs(np.array([[x, y]]), sigma)
    if colour:
        image = np.repeat(image[..., None], 3, axis=2)
    size = 96
    crop = CropTransform((x + shift[0] * scale, y + shift[1] * scale), scale * size, angle, size)
    patch = crop.cut(image).astype(np.float64)
    grid, expected = crop_grid(size), crop.to_crop(np.array([x, y]))
    weight = patch[..., None] * (np.abs(grid - expected).max(axis=-1, keepdims=True) < 4 * sigma / scale + 1)
    centroid = (weight * grid).sum(axis=(0, 1)) / weight.sum()
    assert np.abs(centroid - expected).max() < 0.05


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0, 6.0])
def test_pixels_and_points_move_together_where_the_crop_leaves_the_image(scale: float) -> None:
    points = np.array([[30.0, 40.5], [45.25, 200.0], [290.75, 33.0]])
    sigma = max(1.5, 1.5 * scale)
    size = 64
    for point, corner in zip(points, [(0, 0), (0, 239), (319, 0)], strict=True):
        crop = CropTransform(corner, scale * size, 0.4, size)
        expected = crop.to_crop(point)
        if np.abs(expected - size / 2).max() > size / 2 - 5 * sigma / scale:
            crop = CropTransform((point[0] - 4, point[1] - 4), scale * size, 0.4, size)
            expected = crop.to_crop(point)
        patch = crop.cut(blobs(point[None], sigma)).astype(np.float64)
        centroid = (patch[..., None] * crop_grid(size)).sum(axis=(0, 1)) / patch.sum()
        assert np.abs(centroid - expected).max() < 0.05


@examples(40)
@given(floats(0.3, 1.99), angles, floats(60, 180), floats(60, 120))
def test_a_cut_agrees_with_bilinear_sampling(scale: float, angle: float, x: float, y: float) -> None:
    image, size = smooth_image(), 80
    crop = CropTransform((x, y), scale * size, angle, size)
    wanted_at = crop.to_frame(crop_grid(size))
    difference = np.abs(crop.cut(image) - bilinear(image, wanted_at))
    height, width = image.shape
    # At the border of the image the grey level falls by 128 within a pixel; OpenCV rounds to 1/32 px.
    far = np.abs(wanted_at - np.clip(wanted_at, 0, (width - 1, height - 1))).max(axis=-1)
    assert difference[far == 0].max(initial=0) <= 1.5
    assert difference[far >= 1].max(initial=0) == 0
    assert difference.max() <= 255 / 16


@examples(25)
@given(floats(2.0, 8.0), angles)
def test_a_shrinking_cut_is_the_mean_over_each_crop_pixel(scale: float, angle: float) -> None:
    """Compared with 8 x 8 samples a pixel; a shift by half a block would differ by seven grey levels."""
    size = 32
    image = smooth_image(600, 800, period=40 * scale)
    crop = CropTransform((400, 300), scale * size, angle, size)
    offsets = (np.arange(8) - 3.5) / 8
    samples = [crop.to_frame(crop_grid(size) + np.array((dx, dy))) for dx in offsets for dy in offsets]
    expected = np.mean([bilinear(image, points) for points in samples], axis=0)
    assert np.abs(crop.cut(image) - expected).max() <= 2


def test_a_shrinking_cut_reduces_noise() -> None:
    """Means over 6 x 6 pixels leave a sixth of the noise; bilinear sampling alone would leave half."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 600), np.uint8)
    patch = CropTransform((300, 300), 6.4 * 64, 0.3, 64).cut(noise)
    assert patch.std() <= 1.05 * noise.std() / 6


def test_colour_becomes_grey_with_bt601_weights() -> None:
    image = np.empty((50, 50, 3), np.uint8)
    image[:] = (200, 100, 50)
    patch = CropTransform((25, 25), 20, 0, 20).cut(image)
    assert np.all(patch == round(0.114 * 200 + 0.587 * 100 + 0.299 * 50))


@pytest.mark.parametrize("center", [(-200, 50), (400, 50), (50, -300), (1e6, 1e6), (-140, -140)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_crop_outside_the_image_is_black(center: tuple[float, float], channels: tuple[int, ...]) -> None:
    image = np.full((100, 100, *channels), 255, np.uint8)
    patch = CropTransform(center, 150, 0.2, 64).cut(image)
    assert patch.shape == (64, 64)
    assert patch.dtype == np.uint8
    assert not patch.any()


@pytest.mark.parametrize("side", [0.01, 1.0, 1e9, 1e30])
def test_a_crop_of_any_size_can_be_cut_from_a_tiny_image(side: float) -> None:
    assert CropTransform((0, 0), side, 0.5, 32).cut(np.full((1, 1), 255, np.uint8)).shape == (32, 32)


def test_a_cut_does_not_change_the_image_which_may_be_a_view() -> None:
    image = smooth_image()
    kept = image.copy()
    crop = CropTransform((90, 70), 100, 0.2, 64)
    assert np.array_equal(crop.cut(image[::-1, ::-1]), crop.cut(image[::-1, ::-1].copy()))
    assert np.array_equal(image, kept)


def test_a_crop_is_cut_into_an_array_of_its_size_and_no_other() -> None:
    image, crop = smooth_image(), CropTransform((90, 70), 100, 0.2, 64)
    batch = np.full((3, 64, 64), 7, np.uint8)
    assert crop.cut(image, into=batch[1]).base is batch
    assert np.array_equal(batch[1], crop.cut(image))
    assert (batch[[0, 2]] == 7).all()
    assert not CropTransform((-500, 70), 100, 0.2, 64).cut(image, into=batch[2]).any()
    for wrong in (np.zeros((64, 63), np.uint8), np.zeros((64, 64)), np.zeros((64, 128), np.uint8)[:, ::2]):
        with pytest.raises(ValueError, match="fills 64x64"):
            crop.cut(image, into=np.asarray(wrong))


@given(floats(-3.1, 3.1), floats(20, 900), floats(-300, 300), floats(-300, 300))
def test_the_crop_around_points_stands_the_head_upright_and_centres_the_points(
    roll: float, width: float, x: float, y: float
) -> None:
    points = face_points((x, y), width, roll)
    crop = CropTransform.from_points(points)
    inside = crop.to_crop(points)
    assert roll_of(inside) == pytest.approx(0, abs=1e-9)
    low, high = inside.min(axis=0), inside.max(axis=0)
    assert (low + high) / 2 == pytest.approx(np.full(2, (CROP_SIZE - 1) / 2), abs=1e-6)
    assert (high - low).max() == pytest.approx(CROP_SIZE / CROP_MARGIN)
    assert roll_of(points) == pytest.approx(roll, abs=1e-9)


@given(st.integers(0, 10**6), floats(-3.1, 3.1), floats(0, 1))
def test_roll_turns_with_the_points_and_changes_its_sign_in_the_mirror(
    seed: int, turn: float, width: float
) -> None:
    """Also in profile, where the points are narrow and the eyes coincide."""
    points = (face_points((0, 0), 100) + np.random.default_rng(seed).normal(0, 2, (68, 2))) * (width, 1)
    cos, sin = math.cos(turn), math.sin(turn)
    roll = roll_of(points)
    assert abs(roll) < 1
    turned = roll_of(points @ np.array([[cos, sin], [-sin, cos]]))
    assert math.remainder(turned - roll - turn, math.tau) == pytest.approx(0, abs=1e-6)
    assert roll_of(mirror_points(points, 300)) == pytest.approx(-roll, abs=1e-6)


def test_the_crops_of_an_upright_face_from_box_and_points_are_the_same() -> None:
    points = face_points()
    assert CropTransform.from_box(FaceBox.around(points)) == CropTransform.from_points(points)


def test_the_crop_from_a_box_has_its_roll() -> None:
    assert CropTransform.from_box(FaceBox(0, 0, 2, 4, roll_rad=0.3)) == CropTransform((1, 2), 4 * 1.35, 0.3)


@pytest.mark.parametrize(
    "values",
    [
        {"center": (math.nan, 0)},
        {"center": (0, math.inf)},
        {"side": 0.0},
        {"side": -3.0},
        {"side": math.nan},
        {"angle": math.inf},
        {"size": 1},
    ],
)
def test_impossible_crops_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="crop"):
        replace(CropTransform((0.0, 0.0), 10.0), **values)


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_points_that_coincide_or_are_not_finite_have_no_crop(value: float) -> None:
    with pytest.raises(ValueError, match="crop"):
        CropTransform.from_points(np.full((68, 2), value))


@given(st.integers(2, 4000), floats(-0.5, 0.5))
def test_mirroring_twice_is_the_identity(width: int, roll: float) -> None:
    points = face_points(roll=roll)
    assert np.abs(mirror_points(mirror_points(points, width), width) - points).max() < 1e-9


def test_mirrored_points_lie_on_the_mirrored_picture_in_the_right_order() -> None:
    left_eye = slice(36, 42)
    points = face_points((100.3, 90.6), 110, 0.2)
    flipped = blobs(points[left_eye], 2.0)[:, ::-1]
    mirrored = mirror_points(points, flipped.shape[1])
    right_eye = mirrored[42:48]
    assert bilinear(flipped, right_eye).min() > 190
    assert roll_of(mirrored) == pytest.approx(-roll_of(points))


def test_mirroring_does_not_change_the_points() -> None:
    points = face_points()
    kept = points.copy()
    mirror_points(points, 300)
    assert np.array_equal(points, kept)


def turned_head(yaw: float) -> FloatArray:
    """Eyes at x = +-32 and mouth corners at x = +-28, y = 68 of a head at this yaw, in millimetres.

    All lie in one plane, 10 mm before the axis; other points are 0.
    """
    across, before = math.cos(math.radians(yaw)), 10 * math.sin(math.radians(yaw))
    points = np.zeros((68, 2))
    points[36:42], points[42:48] = (before - 32 * across, 0), (before + 32 * across, 0)
    points[48], points[54] = (before - 28 * across, 68), (before + 28 * across, 68)
    return points


@pytest.mark.parametrize("yaw", [0, 45, 75, 85, 90, 95, 105, -60, -90, -100])
def test_an_upright_head_has_no_roll_even_if_its_eyes_change_sides(yaw: float) -> None:
    assert roll_of(turned_head(yaw)) == pytest.approx(0, abs=1e-9)


@given(floats(-3.1, 3.1), floats(0.1, 50), floats(-300, 300), floats(-100, 100))
def test_the_roll_of_a_turned_head_turns_with_it(roll: float, scale: float, x: float, yaw: float) -> None:
    turned = CropTransform((x, -x), 2 * scale, roll, size=2).to_frame(turned_head(yaw))
    assert math.remainder(roll_of(turned) - roll, math.tau) == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_the_roll_of_the_mirrored_head_is_opposite(seed: int) -> None:
    points = face_points() + np.random.default_rng(seed).normal(0, 15, (68, 2))
    mirrored = roll_of(mirror_points(points, 320))
    assert math.remainder(mirrored + roll_of(points), math.tau) == pytest.approx(0, abs=1e-9)


def test_the_roll_changes_smoothly_from_frontal_to_profile_views() -> None:
    """A mouth that is 10 degrees askew to the eyes: from the eyes' roll to that of the mouth."""
    askew = []
    for yaw in range(91):
        points = turned_head(yaw)
        points[[48, 54], 0] -= 68 * math.tan(math.radians(10))
        askew.append(math.degrees(roll_of(points)))
    assert 0 < askew[0] < 1
    assert askew[-1] == pytest.approx(10)
    assert 0 < np.diff(askew).max() < 0.6


@given(st.integers(0, 2**32 - 1))
def test_the_roll_is_that_of_the_means_of_eyes_and_mouth(seed: int) -> None:
    points = face_points() + np.random.default_rng(seed).normal(0, 15, (68, 2))
    left, right, mouth = (points[part].mean(axis=0) for part in (range(36, 42), range(42, 48), [48, 54]))
    assert roll_of(points) == pytest.approx(roll_of_features(left, right, mouth), abs=1e-12)


def test_the_roll_of_points_that_coincide_is_zero() -> None:
    assert roll_of(np.ones((68, 2))) == 0


aspects = floats(1 / 8, 8)


@given(aspects, points_somewhere)
def test_stored_pixels_become_square_and_back(aspect: float, points: Points) -> None:
    stretch = Stretch.of(aspect)
    square = stretch.to_square(points)
    assert np.abs(stretch.to_stored(square) - points).max() < 1e-9
    assert stretch.x / stretch.y == pytest.approx(aspect)  # what a pixel covers has its shape
    assert min(stretch.x, stretch.y) == 1  # and no detail is lost
    # Outer edges stay outer edges: that of the last pixel of a side is half a pixel beyond its centre.
    edges = stretch.to_square(np.array([[-0.5, -0.5], [99.5, 49.5]]))
    assert edges == pytest.approx(np.array([[-0.5, -0.5], [100 * stretch.x - 0.5, 50 * stretch.y - 0.5]]))
    assert stretch.square_hw((50, 100)) == (round(50 * stretch.y), round(100 * stretch.x))


def test_square_pixels_are_left_alone() -> None:
    points = face_points()
    assert Stretch.of(1.0) == SQUARE
    assert SQUARE.to_square(points) is points
    assert SQUARE.to_stored(points) is points
    assert SQUARE.square_hw((481, 641)) == (481, 641)
    image = smooth_image()
    assert np.array_equal(CropTransform((99.5, 79.5), 80, 0.0, 80).cut(image), image[40:120, 60:140])


@pytest.mark.parametrize("sides", [(0.0, 1.0), (1.0, -1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_impossible_stretches_are_refused(sides: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        Stretch(*sides)


@examples(60)
@given(
    aspect=st.sampled_from([2.0, 0.5, 10 / 11, 4 / 3, 64 / 45, 5.0, 0.2]),
    scale=st.one_of(floats(0.3, 2.0), floats(2.0, 9.0)),
    angle=angles,
    shift=st.tuples(floats(-20, 20), floats(-20, 20)),
)
def test_pixels_and_points_move_together_where_pixels_are_not_square(
    aspect: float, scale: float, angle: float, shift: tuple[float, float]
) -> None:
    """A round blob of the scene, stored squeezed: its centroid in the crop is where ``to_crop`` puts it."""
    stretch, size = Stretch.of(aspect), 96
    sigma = 1.5 * max(1.0, scale, stretch.x, stretch.y)
    reach = 5 * sigma + 1.5 * scale * size
    center = np.array([reach, reach + 0.3])
    hw = (math.ceil(2 * reach / stretch.y), math.ceil(2 * reach / stretch.x))
    grid = stretch.to_square(np.stack(np.meshgrid(np.arange(hw[1]), np.arange(hw[0])), axis=-1).astype(float))
    image = np.rint(220 * np.exp(-((grid - center) ** 2).sum(axis=-1) / (2 * sigma**2))).astype(np.uint8)
    crop = CropTransform(
        (center[0] + scale * shift[0], center[1] + scale * shift[1]), scale * size, angle, size
    )
    patch = crop.cut(image, stretch=stretch).astype(np.float64)
    centroid = (patch[..., None] * crop_grid(size)).sum(axis=(0, 1)) / patch.sum()
    assert np.abs(centroid - crop.to_crop(center)).max() < 0.05
    spread = patch[..., None] * (crop_grid(size) - centroid) ** 2
    wide, high = np.sqrt(spread.sum(axis=(0, 1)) / patch.sum())
    assert wide == pytest.approx(high, rel=0.08)  # round again; blocks and bilinear sampling blur by the side


@pytest.mark.parametrize(("aspect", "pixels"), [(2.0, 3 * 6), (0.5, 6 * 3), (1.0, 6 * 6)])
def test_a_shrinking_cut_takes_the_mean_of_the_pixels_that_are_stored(aspect: float, pixels: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 600), np.uint8)
    patch = CropTransform((300, 300), 6.4 * 64, 0.3, 64).cut(noise, stretch=Stretch.of(aspect))
    assert patch.std() <= 1.05 * noise.std() / math.sqrt(pixels)
