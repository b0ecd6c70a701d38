from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from tests.tiny import HW, blobs, face_points, write_face
from tracker.geometry import CropTransform
from tracker.scheme.ibug68 import MIRROR
from tracker.scheme.shipped import SCHEMES
from tracker.types import FloatArray
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import (
    FaceCrops,
    Sample,
    SampleRecipe,
    to_unit,
)
from train.data.readers import LabelledFace
from train.errors import DataError, RunError

PLAIN = PhotometricPolicy(*[0.0] * 7)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledFace]:
    folder = tmp_path_factory.mktemp("faces")
    return [write_face(folder, f"f{i}", face_points((150 + 5 * i, 120), 110, 0.1 * i)) for i in range(4)]


@pytest.fixture(params=[1, 6])
def dotted(request: pytest.FixtureRequest, tmp_path: Path) -> LabelledFace:
    """A face whose picture is a bright dot at each eye and lip corner, at sub-pixel positions.

    There is a small picture, and one so large that its pixels are averaged before it is kept.
    """
    import cv2

    zoom: int = request.param
    points = face_points((161.3 * zoom, 118.8 * zoom), 120 * zoom, 0.15)
    path = tmp_path / "dots.png"
    drawn = blobs(points[[36, 45, 48, 54]], 2.0 * zoom, (HW[0] * zoom, HW[1] * zoom))
    assert cv2.imwrite(str(path), drawn)
    return LabelledFace(path, points, "afw")


def equal(a: Sample, b: Sample) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("recipe", [None, SampleRecipe(), SampleRecipe(background=1.0)])
def test_samples_have_the_stated_shapes_and_types(
    faces: list[LabelledFace], recipe: SampleRecipe | None
) -> None:
    for crop, points, is_face in (FaceCrops(faces, 64, recipe)[i] for i in range(4)):
        assert (crop.shape, crop.dtype) == ((1, 64, 64), torch.uint8)
        assert (points.shape, points.dtype) == ((68, 2), torch.float32)
        assert is_face.shape == ()
        assert is_face.dtype == torch.float32
        assert is_face.item() == float(points.any())


def test_a_sample_depends_on_seed_epoch_and_index_only(faces: list[LabelledFace]) -> None:
    crops = FaceCrops(faces, 64, SampleRecipe(), seed=5)
    again = FaceCrops(faces, 64, SampleRecipe(), seed=5)
    backwards = [again.at(64, 3)[i] for i in (3, 2, 1, 0)][::-1]
    assert all(equal(crops.at(64, 3)[i], backwards[i]) for i in range(4))


def test_another_seed_epoch_or_index_gives_another_sample(faces: list[LabelledFace]) -> None:
    same_face = [faces[0], faces[0]]
    crops = FaceCrops(same_face, 64, SampleRecipe(), seed=5)
    other_seed = FaceCrops(same_face, 64, SampleRecipe(), seed=6)
    sample = crops[0]
    assert not equal(sample, crops[1])
    assert not equal(sample, crops.at(64, 1)[0])
    assert not equal(sample, other_seed[0])


def test_at_shares_the_images_and_leaves_the_original_unchanged(faces: list[LabelledFace]) -> None:
    reads = []
    crops = FaceCrops(faces, 64, SampleRecipe(), on_read=lambda: reads.append(1))
    before = crops[1]
    smaller = crops.at(48, 2)
    assert smaller[0][0].shape == (1, 48, 48)
    assert equal(crops[1], before)
    assert len(reads) == len(faces)


def test_faces_with_points_of_another_scheme_are_refused(faces: list[LabelledFace]) -> None:
    with pytest.raises(DataError, match=r"five \(5 points\) expected, got 68 points"):
        FaceCrops(faces, 64, scheme=SCHEMES["five"])


def test_crops_larger_than_the_pictures_were_read_for_are_refused(faces: list[LabelledFace]) -> None:
    with pytest.raises(RunError, match="up to 64 px, not for 96 px"):
        FaceCrops(faces, 64).at(96, 0)


def test_labels_do_not_depend_on_the_size_of_the_crop(faces: list[LabelledFace]) -> None:
    small, large = FaceCrops(faces, 64)[2][1], FaceCrops(faces, 224)[2][1]
    assert torch.allclose(small, large, atol=1e-6)


def test_validation_crops_are_canonical(faces: list[LabelledFace]) -> None:
    crop, points, _ = FaceCrops(faces, 128)[3]
    transform = CropTransform.from_points(faces[3].points, size=128)
    assert np.allclose(points.numpy(), to_unit(transform.to_crop(faces[3].points), 128), atol=1e-6)
    assert points.abs().max() == pytest.approx(0.5 / 1.35, abs=1e-6)
    assert crop.float().std() > 5


def dots_lie_under_their_points(crop: FloatArray, points: FloatArray, size: int) -> None:
    """Compare each dot's centroid with its label; 0.1 px covers 8-bit rounding."""
    rows, columns = np.indices((size, size))
    for name in (36, 45, 48, 54):
        x, y = points[name] * size + (size - 1) / 2
        if not (8 <= x <= size - 9 and 8 <= y <= size - 9):
            continue
        near = crop * ((np.abs(columns - x) < 7) & (np.abs(rows - y) < 7))
        centroid = np.array([(near * columns).sum(), (near * rows).sum()]) / near.sum()
        assert np.abs(centroid - (x, y)).max() < 0.1


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_points_land_on_the_drawn_features(dotted: LabelledFace, mirror: float) -> None:
    recipe = SampleRecipe(GeometryPolicy(mirror=mirror), PLAIN, background=0.0)
    crops = FaceCrops([dotted], 128, recipe)
    for epoch in range(30):
        crop, points, _ = crops.at(128, epoch)[0]
        dots_lie_under_their_points(crop[0].numpy().astype(float), points.numpy(), 128)


def test_mirroring_flips_the_picture_and_swaps_the_points(faces: list[LabelledFace]) -> None:
    straight, mirrored = (
        FaceCrops(faces, 64, SampleRecipe(GeometryPolicy(mirror=chance), PLAIN, background=0.0))
        for chance in (0.0, 1.0)
    )
    (image, points, _), (flipped, swapped, _) = straight[1], mirrored[1]
    assert torch.equal(image.flip(-1), flipped)
    assert torch.allclose(swapped, points[MIRROR.copy()] * torch.tensor([-1.0, 1.0]), atol=1e-6)


def test_the_share_of_crops_without_a_face_follows_the_recipe(faces: list[LabelledFace]) -> None:
    crops = FaceCrops(faces, 32, SampleRecipe(photometry=PLAIN, background=0.25))
    found = [crops.at(32, epoch)[i][2].item() for epoch in range(150) for i in range(4)]
    assert 1 - np.mean(found) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 600))


def test_photometry_does_not_write_into_the_images(faces: list[LabelledFace]) -> None:
    crops = FaceCrops(faces, 64, SampleRecipe(photometry=PhotometricPolicy(*[1.0] * 7)))
    before = [crops.plain()[i] for i in range(4)]
    for epoch in range(5):
        for i in range(4):
            crops.at(64, epoch)[i]
    assert all(equal(crops.plain()[i], before[i]) for i in range(4))


def test_unit_points_cover_the_crop_from_minus_to_plus_one_half() -> None:
    corners = np.array([[-0.5, -0.5], [63.5, 31.5]])
    assert to_unit(corners, 64) == pytest.approx(np.array([[-0.5, -0.5], [0.5, 0.0]]))


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_an_image_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.jpg: not an image"):
        FaceCrops([LabelledFace(path, face_points(), "afw")], 64)


def test_no_faces_give_no_crops() -> None:
    assert len(FaceCrops([], 64)) == 0


def test_drawn_pictures_hold_the_whole_face() -> None:
    assert all(0 < v < limit for p in face_points() for v, limit in zip(p, HW[::-1], strict=True))


@pytest.mark.slow
def test_samples_of_real_faces_are_reproducible(data_dir: Path) -> None:
    from train.data.splits import training_faces

    some = training_faces(data_dir)[0][::700]
    first, second = FaceCrops(some, 64, SampleRecipe()), FaceCrops(some, 64, SampleRecipe())
    assert all(equal(first[i], second[i]) for i in range(len(some)))
