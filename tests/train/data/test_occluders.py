from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny import face_points
from tests.train.data.test_head import seen
from tracker.geometry import CropTransform
from tracker.types import FloatArray, ImageArray
from train.data.occluders import Drawn, OccluderPolicy, draw_hand, draw_mask, half_light
from train.errors import RunError

SIZE = 128
Draw = Callable[[ImageArray, FloatArray, np.random.Generator], Drawn]


def crop_points(points: FloatArray) -> FloatArray:
    return CropTransform.from_points(points, size=SIZE).to_crop(points)


def picture(seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(60, 200, (SIZE, SIZE), np.uint8)


@pytest.mark.parametrize("draw", [draw_mask, draw_hand])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_drawing_depends_on_generator_and_points_only_and_changes_no_input(draw: Draw, seed: int) -> None:
    points, image = crop_points(face_points()), picture()
    kept = image.copy(), points.copy()
    one, other = (draw(image, points, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    assert np.array_equal(image, kept[0])
    assert np.array_equal(points, kept[1])
    assert one[0].shape == image.shape
    assert one[0].dtype == np.uint8


@pytest.mark.parametrize("yaw", [-70, 0, 40])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_mask_covers_the_mouth_but_not_the_eyes(yaw: float, seed: int) -> None:
    points = crop_points(seen(yaw))
    _, covered = draw_mask(picture(), points, np.random.default_rng(seed))
    assert covered[[51, 57, 62, 66]].all()
    assert not covered[17:22].any()
    assert not covered[37:39].any()


@given(st.integers(0, 2**32 - 1))
def test_pixels_at_uncovered_points_far_from_a_hand_stay(seed: int) -> None:
    points, image = crop_points(face_points()), picture()
    drawn, covered = draw_hand(image, points, np.random.default_rng(seed))
    x, y = np.rint(points[covered]).astype(int).T
    assert covered.sum() < 60
    assert (drawn != image).mean() < 0.6
    if covered.sum() > 5:  # a drawn grey level may equal the picture's by chance
        assert (drawn[y, x] != image[y, x]).mean() > 0.5


def test_a_face_outside_of_the_crop_is_not_drawn_on() -> None:
    points, image = crop_points(face_points()) + 10_000, picture()
    drawn, covered = draw_mask(image, points, np.random.default_rng(0))
    assert not covered.any()
    assert np.array_equal(drawn, image)


@given(st.integers(0, 2**32 - 1))
def test_half_light_leaves_one_side_darker(seed: int) -> None:
    image = np.full((SIZE, SIZE), 120, np.uint8)
    lit = half_light(image, np.random.default_rng(seed))
    assert lit.min() < 80 < 100 < lit.max()


def test_a_policy_draws_as_often_as_it_says() -> None:
    points, image = crop_points(face_points()), picture()
    rng = np.random.default_rng(0)
    plain = OccluderPolicy(0, 0, 0).apply(image, points, rng)
    assert np.array_equal(plain[0], image)
    assert not plain[1].any()
    assert OccluderPolicy(1, 0, 0).apply(image, points, rng)[1].any()
    some = [OccluderPolicy(0.25, 0, 0).apply(image, points, rng)[1].any() for _ in range(400)]
    assert np.mean(some) == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("chances", [(-0.1, 0, 0), (0.6, 0.6, 0), (0, 0, 1.1)])
def test_impossible_probabilities_are_refused(chances: tuple[float, float, float]) -> None:
    with pytest.raises(RunError, match="probabilities"):
        OccluderPolicy(*chances)
