from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.geometry import mirror_points
from tracker.scheme.imm58 import IMM58
from tracker.scheme.placing import mirror_order
from tracker.types import FloatArray
from train.data.asf import Shot

pytest.importorskip("torch")

import torch
from torch import Tensor

from tests.train.imm_files import HW, draw_shot, template_58, write_imm, write_shot
from train.data.asf import read_asf
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe, from_unit
from train.data.imm import (
    NOSE_TIP,
    ImmCrops,
    imm_shots,
    mean_points,
    split_people,
)
from train.data.imm import (
    test_shots as read_test_shots,
)
from train.errors import DataError, RunError

NO_PHOTOMETRY = PhotometricPolicy(*[0.0] * 7)
VGA = (480, 640)
SIZES = (80, 240)


def geometry_only(mirror: float) -> SampleRecipe:
    policy = GeometryPolicy(angle_std_deg=8, angle_max_deg=15, mirror=mirror)
    return SampleRecipe(policy, NO_PHOTOMETRY, background=0)


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> list[Shot]:
    return imm_shots(write_imm(tmp_path_factory.mktemp("imm")))


@pytest.fixture(scope="module")
def real_shots(data_dir: Path) -> list[Shot]:
    if not (data_dir / "imm_face_db").is_dir():
        pytest.skip(f"no imm_face_db in {data_dir}")
    return imm_shots(data_dir)


def shot_with_a_dot(folder: Path, number: int, sigma: float) -> Shot:
    """Write a black 640x480 picture with a single blurred dot exactly at point ``number``."""
    points = np.array((301.3, 248.6)) + 260 * template_58()
    rows, columns = np.arange(VGA[0])[:, None], np.arange(VGA[1])[None, :]
    x, y = points[number]
    dot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return read_asf(write_shot(folder, "01-1m", np.rint(255 * dot).astype(np.uint8), points))


def centroid(picture: Tensor) -> FloatArray:
    """Return the centroid x, y in pixels of the picture ``(1, H, W)``."""
    weights = picture[0].numpy().astype(np.float64)
    rows, columns = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return np.asarray([(columns * weights).sum(), (rows * weights).sum()] / weights.sum())


def position(points: Tensor, size: int) -> FloatArray:
    """Convert points from crop sides to pixels of the picture, whose rows begin at an eighth of the crop."""
    return np.asarray(from_unit(points.double(), size).numpy() - (0, size // 8))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mirror", [0, 1])
@pytest.mark.parametrize("number", [NOSE_TIP, 13, 43])
def test_points_follow_their_features_through_augmentation(
    tmp_path: Path, size: int, mirror: int, number: int
) -> None:
    """Accurate to a tenth of a pixel: bilinear sampling keeps the centroid of a smooth dot."""
    shot = shot_with_a_dot(tmp_path, number, sigma=1.2 * 640 / size)
    crops = ImmCrops([shot], size, recipe=geometry_only(mirror))
    plain = ImmCrops([shot], size)
    where = mirror_order(IMM58)[number] if mirror else number
    drawn = []
    for epoch in range(12):
        picture, points, _ = crops.at(size, epoch)[0]
        drawn.append(position(points, size)[where])
        assert np.abs(drawn[-1] - centroid(picture)).max() < 0.1
    assert np.std(drawn, axis=0).min() > size / 100  # the crops differ
    picture, points, _ = plain[0]
    assert np.abs(position(points, size)[number] - centroid(picture)).max() < 0.1


def test_the_plain_picture_is_the_whole_shot_averaged_over_blocks(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, VGA, dtype=np.uint8)
    shot = read_asf(write_shot(tmp_path, "01-1m", noise, 300 + 100 * template_58()))
    picture, _, _ = ImmCrops([shot], 80)[0]
    blocks = noise.reshape(60, 8, 80, 8).mean(axis=(1, 3))
    assert picture.shape == (1, 60, 80)
    assert np.abs(picture[0].numpy() - blocks).max() <= 1  # two roundings of at most a half


@pytest.mark.parametrize("size", SIZES)
def test_points_are_fractions_of_the_width_from_the_middle(shots: list[Shot], size: int) -> None:
    height, width = HW
    for index, shot in enumerate(shots[:4]):
        _, points, is_face = ImmCrops(shots, size)[index]
        expected = (shot.points - ((width - 1) / 2, (height - 1) / 2)) / width
        assert np.abs(points.numpy() - expected).max() < 1e-6
        assert is_face == 1


def test_points_map_back_into_the_image(shots: list[Shot]) -> None:
    crops = ImmCrops(shots, 240)
    back = crops.to_image(5, crops[5][1])
    assert np.abs(back - shots[5].points).max() < 1e-4  # float32 in crop sides


def test_keep_selects_points_in_its_own_order(shots: list[Shot]) -> None:
    everything, some = ImmCrops(shots, 80)[3][1], ImmCrops(shots, 80, (52, 13))[3][1]
    assert torch.equal(some, everything[[52, 13]])


def test_mean_points_are_the_mean_of_the_samples(shots: list[Shot]) -> None:
    samples = torch.stack([ImmCrops(shots, 80)[i][1] for i in range(len(shots))])
    assert mean_points(shots) == pytest.approx(samples.double().mean(dim=0).numpy(), abs=1e-6)
    assert mean_points(shots, (NOSE_TIP,)) == pytest.approx(mean_points(shots)[[NOSE_TIP]])


def test_a_sample_depends_on_seed_epoch_and_index_only(shots: list[Shot]) -> None:
    def sample(seed: int = 0, epoch: int = 0, index: int = 0) -> Tensor:
        recipe = SampleRecipe(background=0)
        return ImmCrops(shots, 80, recipe=recipe, seed=seed).at(80, epoch)[index][0]

    assert torch.equal(sample(), sample())
    assert not torch.equal(sample(), sample(seed=1))
    assert not torch.equal(sample(), sample(epoch=1))
    assert not torch.equal(sample(), sample(index=1))


def test_at_returns_another_epoch_and_leaves_the_original_unchanged(shots: list[Shot]) -> None:
    crops = ImmCrops(shots, 80, recipe=SampleRecipe(background=0))
    before = crops[0][0].clone()
    assert crops.at(160, 3)[0][0].shape == (1, 120, 160)
    assert torch.equal(crops[0][0], before)


def test_colour_is_read_as_grey(tmp_path: Path) -> None:
    """The weights are those of ITU-R BT.601, in which green is brighter than blue."""
    images = [np.full((*HW, 3), 0, np.uint8) for _ in range(2)]
    images[0][:, :, 0] = images[1][:, :, 1] = 200
    points = 60 + 50 * template_58()
    greys = []
    for number, image in enumerate(images, 1):
        shot = read_asf(write_shot(tmp_path, f"01-{number}m", image, points))
        greys.append(int(ImmCrops([shot], 80)[0][0][0, 30, 40]))
    assert greys == pytest.approx([0.114 * 200, 0.587 * 200], abs=1)


def test_the_mirror_order_fits_a_symmetric_face() -> None:
    """Laid out by hand, apart from the scheme."""
    face = template_58()
    assert mirror_points(face, 1, IMM58) == pytest.approx(face)


def test_the_mirror_order_matches_real_faces(real_shots: list[Shot]) -> None:
    """In the flipped mean of the neutral shots, each point is nearest to the one that takes its place."""
    mean = mean_points([shot for shot in real_shots if shot.shot == 1])
    middle = mean[:13, 0].mean()
    flipped = (mean - (middle, 0)) * (-1, 1) + (middle, 0)
    nearest = np.linalg.norm(flipped[:, None] - mean[None], axis=-1).argmin(axis=0)
    assert nearest.tolist() == mirror_order(IMM58).tolist()


def test_the_outer_eye_corners_match_real_faces(real_shots: list[Shot]) -> None:
    mean = mean_points(real_shots)
    first, second = range(13, 21), range(21, 29)
    outer = []
    for own, other in ((second, first), (first, second)):
        away = np.linalg.norm(mean[list(own)] - mean[list(other)].mean(axis=0), axis=-1)
        outer.append(own[int(away.argmax())])
    assert tuple(outer) == IMM58.normaliser
    assert mean[outer[0], 0] < mean[outer[1], 0]  # left in the picture comes first


def test_training_and_validation_people_are_disjoint(real_shots: list[Shot]) -> None:
    parts = (*split_people(real_shots), read_test_shots(real_shots))
    people = [{shot.person for shot in part} for part in parts]
    assert [len(part) for part in parts] == [168, 24, 48]
    assert max(people[0]) < min(people[1])
    assert max(people[1]) < min(people[2])


def test_no_run_sees_the_people_that_are_reported(shots: list[Shot]) -> None:
    training, validation = split_people(shots)
    assert {shot.person for shot in training} == {1, 2}
    assert {shot.person for shot in validation} == {30}
    training, validation = split_people(shots, final=True)
    assert {shot.person for shot in training} == {1, 2, 30}
    assert validation == []
    assert {shot.person for shot in read_test_shots(shots)} == {33, 34}


def test_the_data_folder_may_be_given_directly(tmp_path: Path) -> None:
    root = write_imm(tmp_path, (1, 33), shots=1)
    assert [shot.image for shot in imm_shots(root)] == [s.image for s in imm_shots(root / "imm_face_db")]


def test_a_folder_without_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.asf files"):
        imm_shots(tmp_path)


def test_pictures_of_another_shape_are_refused(tmp_path: Path) -> None:
    points = 60 + 40 * template_58()
    shot = read_asf(write_shot(tmp_path, "01-1m", draw_shot(points, (120, 120)), points))
    with pytest.raises(DataError, match=r"01-1m\.png: expected a picture of 4 to 3.*120x120"):
        ImmCrops([shot], 80)


def test_a_file_that_is_not_a_picture_is_refused(tmp_path: Path) -> None:
    shot = imm_shots(write_imm(tmp_path, (1,), shots=1))[0]
    shot.image.write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"01-1m\.png: not an image"):
        ImmCrops([shot], 80)


def test_a_recipe_with_background_and_an_invalid_size_are_refused(shots: list[Shot]) -> None:
    with pytest.raises(RunError, match=r"background to 0, got 0\.125"):
        ImmCrops(shots, 80, recipe=SampleRecipe())
    with pytest.raises(RunError, match="multiple of 8, got 84"):
        ImmCrops(shots, 84)
    with pytest.raises(RunError, match="multiple of 8, got 90"):
        ImmCrops(shots, 80).at(90, 0)


def test_photometry_changes_the_picture_and_no_point(shots: list[Shot]) -> None:
    still = GeometryPolicy(angle_std_deg=0, scale_std=0, shift_std=0, mirror=0)
    loud = ImmCrops(shots, 80, recipe=SampleRecipe(still, PhotometricPolicy(tone=1.0), background=0))
    plain = ImmCrops(shots, 80)
    assert torch.equal(loud[0][1], plain[0][1])
    assert not torch.equal(loud[0][0], plain[0][0])


def test_images_are_read_once_and_reported(shots: list[Shot], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    crops = ImmCrops(shots[:3], 80, on_read=lambda: seen.append(1))
    monkeypatch.setattr(cv2, "imread", None)
    assert len(seen) == len(crops) == 3
    assert crops.at(240, 1)[2][0].shape == (1, 180, 240)
