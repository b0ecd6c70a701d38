from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from tests.strategies import floats
from tracker.geometry import CropTransform
from tracker.types import ImageArray
from train.data.augment import CANONICAL, MISPLACED, GeometryPolicy, misplace
from train.data.dataset import FaceCrops, SampleRecipe
from train.data.faceless import FacelessPicture, place_crop
from train.data.kept import SMALL, KeptPictures, Part, Reach, plan_parts
from train.errors import DataError

HW = (900, 1200)
EXTREME = GeometryPolicy(angle_std_deg=1e4, angle_max_deg=45, scale_std=1e3, shift_std=1e3)
"""Policy of which each draw lies at its limits."""

REACHES = (EXTREME.reach, *MISPLACED)


def noise(hw: tuple[int, int] = HW) -> ImageArray:
    return np.random.default_rng(1).integers(0, 256, hw, np.uint8)


def waves(hw: tuple[int, int], length: float, height: float) -> ImageArray:
    """Draw a plane wave of ``length`` pixels and an amplitude of ``height`` grey levels."""
    rows, columns = np.arange(hw[0])[:, None], np.arange(hw[1])[None, :]
    phase = 2 * np.pi * (0.8 * columns + 0.6 * rows) / length
    return np.rint(128 + height * np.sin(phase)).astype(np.uint8)


def write(folder: Path, image: ImageArray) -> Path:
    path = folder / "picture.png"
    assert cv2.imwrite(str(path), image)
    return path


def kept(path: Path, crop: CropTransform, reaches: Sequence[Reach] = REACHES) -> KeptPictures:
    return KeptPictures.read([path], lambda _, hw: plan_parts(crop, reaches, hw), lambda: None)


def draw(crop: CropTransform, seed: int, size: int) -> CropTransform:
    """Draw an extreme crop of the face, or one that must be rejected."""
    rng, at = np.random.default_rng(seed), CropTransform(crop.center, crop.side, crop.angle, size)
    return EXTREME.perturb(at, rng) if rng.random() < 0.5 else misplace(at, rng)


@given(
    st.integers(0, 10**6), floats(-400, 1600), floats(-300, 1200), floats(20, 3000), floats(-3, 3),
    st.sampled_from([32, 96, 128]), st.sampled_from([HW, (5000, 3000), (600, 601)]),
)  # fmt: skip
def test_every_crop_that_a_recipe_draws_is_held(
    seed: int, x: float, y: float, side: float, angle: float, size: int, hw: tuple[int, int]
) -> None:
    face = CropTransform((x, y), side, angle, 128)
    parts = plan_parts(face, REACHES, hw)
    crop = draw(face, seed, size)
    assert any(part.holds(crop, hw) for part in parts)
    own = EXTREME.perturb(CropTransform((x, y), side, angle, size), np.random.default_rng(seed))
    assert parts[0].holds(own, hw)  # at the resolution for faces


@pytest.mark.parametrize("side", [60.0, 250.0, 300.0])
def test_crops_of_small_faces_in_large_pictures_are_the_same_bytes(tmp_path: Path, side: float) -> None:
    """Nothing is reduced, so the part and the whole picture are sampled at the same places."""
    image, face = noise(), CropTransform((580.3, 466.8), side, 0.2, 128)
    pictures = kept(write(tmp_path, image), face)
    for seed in range(60):
        crop = draw(face, seed, 96)
        assert np.array_equal(pictures.cut(0, crop), crop.cut(image)), crop


@pytest.mark.parametrize("center", [(4.0, 500.0), (1190.0, 890.0), (-60.0, -60.0)])
def test_outside_its_picture_a_crop_stays_black(tmp_path: Path, center: tuple[float, float]) -> None:
    image, face = noise(), CropTransform(center, 45.0, -0.4, 128)
    pictures = kept(write(tmp_path, image), face)
    for seed in range(40):
        crop = draw(face, seed, 128)
        assert np.array_equal(pictures.cut(0, crop), crop.cut(image)), crop


@pytest.mark.parametrize("side", [800.0, 1700.0])
def test_crops_of_large_faces_differ_by_no_more_than_their_averages_may(tmp_path: Path, side: float) -> None:
    """Blocks of ``b`` pixels, interpolated, weigh them with a variance of b^2/12 + b^2/6 = b^2/4.

    A crop averages blocks from 2/3 to all of one of its pixels, whether it is cut from the whole picture or
    from a reduced one. So the variances differ by at most (1 - 4/9) / 4 = 0.14 of a crop pixel squared, and
    values by half of this times the second derivative, height * (2 pi / length)^2. Both are rounded two or
    three times. At the edge of the picture, where it ends within a block, they may differ more.
    """
    face = CropTransform((1500.0, 1000.0), side, 0.1, 128)
    length, height = 16 * face.scale, 60.0
    image = waves((2000, 3000), length, height)
    pictures = kept(write(tmp_path, image), face)
    assert int(face.scale * EXTREME.reach.finest) > 1  # it is reduced
    for seed in range(20):
        crop = EXTREME.perturb(face, np.random.default_rng(seed))
        curvature = height * (2 * np.pi * crop.scale / length) ** 2
        inside = cv2.erode(crop.cut(np.full_like(image, 255)), np.ones((5, 5), np.uint8)) == 255
        difference = (pictures.cut(0, crop).astype(int) - crop.cut(image))[inside]
        assert np.abs(difference).max() <= 0.07 * curvature + 2.5
        assert abs(difference.mean()) < 0.5  # OpenCV rounds means of four half up


@pytest.mark.parametrize("side", [100.0, 400.0, 650.0, 700.0, 1500.0, 2500.0])
def test_a_large_picture_takes_little_room(side: float) -> None:
    """At 128 px a face has at most 4 / exp(-0.25) = 5.14 stored pixels a crop pixel, in 2.3 sides, and 12."""
    parts = plan_parts(CropTransform((2000.0, 1500.0), side, 0.0, 128), REACHES, (3000, 4000))
    assert parts[0].pixels <= (2.3 * min(5.14 * 128, side) + 12) ** 2
    assert sum(part.pixels for part in parts) <= 5_000_000
    assert parts[-1].pixels <= 1_200_000


def test_a_small_picture_is_kept_as_it_is() -> None:
    hw = (512, 512)
    assert hw[0] * hw[1] == SMALL
    assert plan_parts(CropTransform((250.0, 250.0), 300.0, 0.0, 32), REACHES, hw) == (Part.whole(hw),)


def test_a_canonical_crop_needs_less_than_augmented_ones() -> None:
    crop = CropTransform((2000.0, 1500.0), 600.0, 0.0, 128)
    (canonical,) = plan_parts(crop, (CANONICAL,), (3000, 4000))
    assert canonical.holds(crop, (3000, 4000))
    assert canonical.pixels < plan_parts(crop, REACHES, (3000, 4000))[0].pixels


def test_a_crop_that_nothing_was_kept_for_is_refused(tmp_path: Path) -> None:
    face = CropTransform((300.0, 300.0), 100.0, 0.0, 128)
    pictures = kept(write(tmp_path, noise()), face, (CANONICAL,))
    with pytest.raises(ValueError, match="no part was kept"):
        pictures.cut(0, CropTransform((800.0, 300.0), 100.0, 0.0, 128))


def test_faces_of_one_picture_share_it_where_that_takes_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, rng = noise(), np.random.default_rng(3)
    path, reads, written = write(tmp_path, image), [], []
    crops = [CropTransform((x, 450.0), 150.0, 0.0, 128) for x in rng.uniform(200, 1000, 12)]

    def read(source: Path) -> ImageArray:
        reads.append(source)
        return image

    monkeypatch.setattr("train.data.kept.read_picture", read)
    pictures = KeptPictures.read(
        [path] * 12, lambda i, hw: plan_parts(crops[i], REACHES, hw), lambda: written.append(1)
    )
    assert len(reads) == 1
    assert len(written) == 12
    assert len(pictures._file) == 1  # noqa: SLF001 - what is in the file
    for index, face in enumerate(crops):
        crop = draw(face, index, 128)
        assert np.array_equal(pictures.cut(index, crop), crop.cut(image))


def test_pictures_keep_their_order(tmp_path: Path) -> None:
    paths = []
    for grey in range(40):
        paths.append(tmp_path / f"{grey}.png")
        assert cv2.imwrite(str(paths[-1]), np.full((20, 20), grey, np.uint8))
    pictures = KeptPictures.read(paths, lambda _, hw: (Part.whole(hw),), lambda: None)
    crop = CropTransform((9.5, 9.5), 4.0, 0.0, 2)
    assert [int(pictures.cut(index, crop)[0, 0]) for index in range(40)] == list(range(40))


def test_the_first_unreadable_picture_is_named(tmp_path: Path) -> None:
    good = write(tmp_path, noise((30, 30)))
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"bad\.jpg"):
        KeptPictures.read([good, bad, good], lambda _, hw: (Part.whole(hw),), lambda: None)


def test_a_large_picture_without_a_face_is_reduced_to_what_its_crops_use(tmp_path: Path) -> None:
    hw = (1600, 2400)
    path = write(tmp_path, waves(hw, 300.0, 50.0))
    crops = FaceCrops([FacelessPicture(path, "texture")], 64, SampleRecipe())
    pictures = crops._pictures  # noqa: SLF001 - what is kept
    assert pictures.image_hw(0) == hw
    assert pictures._file[0].shape == (400, 600)  # noqa: SLF001 - 1600 / 6 / 64 is above 4
    for epoch in range(40):
        assert crops.at(32 + 32 * (epoch % 2), epoch)[0][2] == 0
    mined = CropTransform((100.0, 100.0), 64.0)
    crops = FaceCrops([FacelessPicture(path, "texture", mined=(mined,))], 64, SampleRecipe())
    assert crops._pictures._file[0].shape == hw  # noqa: SLF001


def test_placed_crops_are_no_finer_than_what_is_kept_for_them() -> None:
    hw, rng = (1600, 2400), np.random.default_rng(0)
    finest = min(place_crop(hw, 64, rng).scale for _ in range(3000))
    assert 4 <= finest < 5
