"""Samples that tell which points can be seen, and pictures without a face among them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch")

import torch

from tests.tiny import face_points, write_face
from tracker.scheme.ibug68 import MIRROR
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import FaceCrops, Picture, SampleRecipe
from train.data.faceless import FacelessPicture
from train.data.faces import COVERED, GUESSED, VISIBLE, LabelledFace
from train.data.occluders import OccluderPolicy
from train.errors import DataError, RunError

PLAIN = PhotometricPolicy(*[0.0] * 7)


def recipe(mirror: float = 0.0, mask: float = 0.0, background: float = 0.0) -> SampleRecipe:
    return SampleRecipe(GeometryPolicy(mirror=mirror), PLAIN, background, OccluderPolicy(mask, 0, 0))


@pytest.fixture
def half(tmp_path: Path) -> LabelledFace:
    """A face with guessed points on the right."""
    face = write_face(tmp_path / "a", "face", face_points())
    visibility = np.full(68, VISIBLE, np.int8)
    visibility[[*range(9, 17), *range(22, 27), *range(42, 48)]] = GUESSED
    return LabelledFace(face.image, face.points, "profiles", visibility=visibility)


def visibility_of(points: torch.Tensor) -> npt.NDArray[np.float32]:
    return np.asarray(points[:, 2].numpy())


def test_points_of_a_recipe_with_occluders_have_their_visibility(half: LabelledFace) -> None:
    _, points, _ = FaceCrops([half], 64, recipe())[0]
    assert points.shape == (68, 3)
    assert half.visibility is not None
    assert np.array_equal(visibility_of(points), half.visibility)


def test_mirroring_moves_visibility_with_the_points(half: LabelledFace) -> None:
    _, points, _ = FaceCrops([half], 64, recipe(mirror=1.0))[0]
    assert half.visibility is not None
    assert np.array_equal(visibility_of(points), half.visibility[MIRROR])


def test_points_under_a_mask_are_covered_and_guessed_ones_stay_guessed(half: LabelledFace) -> None:
    _, points, _ = FaceCrops([half], 64, recipe(mask=1.0))[0]
    found = visibility_of(points)
    assert half.visibility is not None
    assert (found[half.visibility == GUESSED] == GUESSED).all()
    assert found[[51, 57, 62, 66]].tolist() == [COVERED] * 4
    assert found[36:42].tolist() == [VISIBLE] * 6


def test_without_occluders_there_is_no_visibility(half: LabelledFace) -> None:
    assert FaceCrops([half], 64)[0][1].shape == (68, 2)


def test_guessed_points_without_occluders_are_refused_since_they_would_count_in_full(
    half: LabelledFace,
) -> None:
    with pytest.raises(RunError, match="guessed points need a recipe with occluders"):
        FaceCrops([half], 64, SampleRecipe(background=0))


@pytest.mark.parametrize("background", [0.0, 1.0])
def test_pictures_without_a_face_and_backgrounds_have_points_of_the_same_shape(
    half: LabelledFace, background: float
) -> None:
    pictures: list[Picture] = [half, FacelessPicture(half.image, "thing")]
    crops = FaceCrops(pictures, 64, recipe(background=background))
    for index, is_face in ((0, 1.0 - background), (1, 0.0)):
        image, points, said = crops[index]
        assert image.shape == (1, 64, 64)
        assert points.shape == (68, 3)
        assert said.item() == is_face
        assert bool(points.any()) == bool(is_face)


def test_another_epoch_shows_another_part_of_a_picture_without_a_face(half: LabelledFace) -> None:
    crops = FaceCrops([FacelessPicture(half.image, "thing")], 64, recipe())
    one, other = crops[0][0], crops.at(64, 1)[0][0]
    assert not torch.equal(one, other)
    assert torch.equal(one, crops.at(64, 0)[0][0])


def test_visibility_of_another_shape_or_value_is_refused(half: LabelledFace) -> None:
    for visibility in (np.zeros(30, np.int8), np.full(68, 3, np.int8)):
        with pytest.raises(DataError, match="expected 68 visibilities 0, 1 or 2"):
            LabelledFace(half.image, half.points, "profiles", visibility=visibility)
