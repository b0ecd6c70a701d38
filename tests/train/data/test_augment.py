from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny import face_points
from tracker.geometry import CropTransform
from tracker.types import ImageArray
from train.data import augment
from train.data.augment import GeometryPolicy, PhotometricPolicy, misplace, synthetic_background

ALWAYS = PhotometricPolicy(*[1.0] * 7)
NEVER = PhotometricPolicy(*[0.0] * 7)
seeds = st.integers(0, 2**32 - 1)


def texture(size: int = 128) -> ImageArray:
    rows, columns = np.mgrid[:size, :size]
    return np.asarray(128 + 90 * np.sin(rows / 7) * np.cos(columns / 5), np.uint8)


@given(seeds)
def test_a_policy_draws_from_its_generator_only(seed: int) -> None:
    crop = CropTransform.from_points(face_points())
    for draw in (
        lambda rng: GeometryPolicy().perturb(crop, rng),
        lambda rng: misplace(crop, rng),
        lambda rng: synthetic_background(64, rng).tobytes(),
        lambda rng: PhotometricPolicy().apply(texture(64), rng).tobytes(),
    ):
        assert draw(np.random.default_rng(seed)) == draw(np.random.default_rng(seed))


@given(seeds)
def test_perturbed_crops_stay_within_the_limits(seed: int) -> None:
    policy, crop = GeometryPolicy(), CropTransform.from_points(face_points(roll=0.3))
    near = policy.perturb(crop, np.random.default_rng(seed))
    assert abs(near.angle - crop.angle) <= np.deg2rad(policy.angle_max_deg) + 1e-12
    assert abs(np.log(near.side / crop.side)) <= policy.scale_max + 1e-12
    assert np.abs(np.subtract(near.center, crop.center)).max() <= policy.shift_max * crop.side + 1e-9
    assert near.size == crop.size


def test_perturbed_crops_have_the_stated_spread() -> None:
    """Standard deviations of 4000 draws: their standard error is 1.1 %, clipping takes some per cent."""
    policy, crop = GeometryPolicy(), CropTransform((0, 0), 100)
    rng = np.random.default_rng(0)
    drawn = [policy.perturb(crop, rng) for _ in range(4000)]
    assert np.std([np.rad2deg(c.angle) for c in drawn]) == pytest.approx(policy.angle_std_deg, rel=0.08)
    assert np.std([np.log(c.side / 100) for c in drawn]) == pytest.approx(policy.scale_std, rel=0.08)
    assert np.std([c.center for c in drawn]) == pytest.approx(100 * policy.shift_std, rel=0.08)


def test_perturbed_crops_hold_the_face() -> None:
    """All points are inside in at least 95 % of draws, and never more than a quarter of a side outside."""
    points, rng = face_points(), np.random.default_rng(3)
    crop = CropTransform.from_points(points)
    outside = []
    for _ in range(1000):
        near = GeometryPolicy().perturb(crop, rng)
        inside = near.to_crop(points)
        outside.append(max(-inside.min(), inside.max() - (near.size - 1)) / near.size)
    assert np.mean(np.array(outside) <= 0) >= 0.95
    assert max(outside) < 0.25


def test_a_misplaced_crop_is_outside_the_limits_of_training_crops() -> None:
    """Training crops of faces are within all limits of the geometry; misplaced ones are well outside."""
    policy, rng = GeometryPolicy(), np.random.default_rng(0)
    crop = CropTransform.from_points(face_points(roll=0.4))
    for _ in range(4000):
        bad = misplace(crop, rng)
        turned = abs(np.angle(np.exp(1j * (bad.angle - crop.angle)))) > np.deg2rad(policy.angle_max_deg)
        resized = abs(np.log(bad.side / crop.side)) > 2 * policy.scale_max
        moved = np.linalg.norm(np.subtract(bad.center, crop.center)) > 3 * policy.shift_max * crop.side
        assert turned or resized or moved


def test_among_others_crops_are_far_too_large_or_turned_over_only() -> None:
    crop, rng = CropTransform((0, 0), 100), np.random.default_rng(0)
    drawn = [misplace(crop, rng, alone=False) for _ in range(200)]
    far, turned = [c for c in drawn if c.side >= 250], [c for c in drawn if abs(c.angle) >= 1.8]
    assert len(far) + len(turned) == 200
    assert min(len(far), len(turned)) > 60
    assert all(c.center == (0, 0) and c.side == 100 for c in turned)


def test_misplacing_draws_all_four_kinds() -> None:
    crop, rng = CropTransform((0, 0), 100), np.random.default_rng(0)
    drawn = [misplace(crop, rng) for _ in range(200)]
    kinds = [
        [c.side < 50 for c in drawn],
        [c.side > 200 for c in drawn],
        [c.angle != 0 for c in drawn],
        [50 <= c.side <= 200 and c.angle == 0 for c in drawn],
    ]
    assert all(30 <= sum(kind) <= 75 for kind in kinds)  # 50 expected, standard deviation 6


@given(seeds, st.sampled_from([32, 64, 128, 224]))
def test_photometry_keeps_shape_and_type_and_leaves_its_input_alone(seed: int, size: int) -> None:
    crop = texture(size)
    kept = crop.copy()
    changed = ALWAYS.apply(crop, np.random.default_rng(seed))
    assert changed.shape == crop.shape
    assert changed.dtype == np.uint8
    assert changed.flags.c_contiguous
    assert np.array_equal(crop, kept)


@pytest.mark.parametrize("field", [*PhotometricPolicy.__dataclass_fields__])
def test_each_photometric_probability_changes_the_crop(field: str) -> None:
    crop = texture()
    alone = replace(NEVER, **{field: 1.0})
    changed = [alone.apply(crop, np.random.default_rng(seed)) for seed in range(5)]
    # The weakest draws (a Gaussian of 0.3 px) may leave a smooth picture unchanged.
    assert sum(not np.array_equal(image, crop) for image in changed) >= 3
    assert np.array_equal(NEVER.apply(crop, np.random.default_rng(0)), crop)


@given(seeds, st.sampled_from([64, 128, 224]))
def test_blur_and_low_resolution_do_not_move_the_picture(seed: int, size: int) -> None:
    """The centroid of a small square moves by at most half a pixel: that of a motion blur of even length."""
    crop = np.zeros((size, size), np.uint8)
    middle, half = size // 2, size // 16
    crop[middle - half : middle + half, middle - half : middle + half] = 200
    rows, columns = np.indices(crop.shape)
    for change in (augment._blur, augment._low_resolution):  # noqa: SLF001 - only chosen at random elsewhere
        changed = change(crop, np.random.default_rng(seed)).astype(float)
        centroid = [(changed * axis).sum() / changed.sum() for axis in (rows, columns)]
        assert np.abs(np.array(centroid) - (middle - 0.5)).max() <= 0.51


@given(seeds, st.sampled_from([32, 224]))
def test_a_synthetic_background_is_a_grey_patch(seed: int, size: int) -> None:
    patch = synthetic_background(size, np.random.default_rng(seed))
    assert patch.shape == (size, size)
    assert patch.dtype == np.uint8
