from __future__ import annotations

import numpy as np
import pytest

from tracker.drawing.patch import Patch

RNG = np.random.default_rng(0)


def random_patch() -> Patch:
    return Patch.of_mask(RNG.integers(0, 256, (12, 20), np.uint8), (40, 120, 250))


def test_a_patch_is_blended_by_its_opacity() -> None:
    mask = np.array([[0, 128, 255]], np.uint8)
    canvas = np.full((1, 3, 3), 200, np.uint8)
    Patch.of_mask(mask, (0, 100, 255)).blend(canvas, (0, 0))
    np.testing.assert_allclose(canvas[0], [[200, 200, 200], [100, 150, 228], [0, 100, 255]], atol=1)


@pytest.mark.parametrize("place", [(-15, -5), (25, 18), (3, 4), (100, 0), (-20, 0)])
def test_a_patch_at_a_border_is_cut(place: tuple[int, int]) -> None:
    patch = random_patch()
    small, large = np.full((24, 32, 3), 90, np.uint8), np.full((124, 232, 3), 90, np.uint8)
    patch.blend(small, place)
    patch.blend(large, (place[0] + 50, place[1] + 50))
    np.testing.assert_array_equal(small, large[50:74, 50:82])


def test_patches_on_each_other_are_as_if_blended_in_turn() -> None:
    lower, upper = random_patch(), random_patch()
    one, other = np.full((30, 30, 3), 77, np.uint8), np.full((30, 30, 3), 77, np.uint8)
    lower.over(upper, (3, 2)).blend(one, (1, 1))
    lower.blend(other, (1, 1))
    Patch(upper.paint[:10, :17].copy(), upper.keep[:10, :17].copy()).blend(other, (4, 3))
    np.testing.assert_allclose(one.astype(int), other.astype(int), atol=2)


def test_a_fraction_of_a_pixel_is_a_mixture_of_neighbours() -> None:
    canvas = np.zeros((3, 5, 3), np.uint8)
    Patch.of_mask(np.full((1, 1), 255, np.uint8), (200, 200, 200)).blend(canvas, (2.25, 1.0))
    np.testing.assert_allclose(canvas[1, :, 0], [0, 0, 150, 50, 0], atol=2)


def test_a_clear_patch_changes_nothing() -> None:
    canvas = RNG.integers(0, 256, (9, 9, 3), np.uint8)
    before = canvas.copy()
    Patch.blank((5, 5)).blend(canvas, (1.5, 2.25))
    np.testing.assert_array_equal(canvas, before)


@pytest.mark.parametrize(
    ("paint", "keep"),
    [
        (np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8)),
        (np.zeros((2, 3, 3)), np.zeros((2, 3, 3))),
    ],
)
def test_other_arrays_are_refused(paint: np.ndarray, keep: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        Patch(paint, keep)
