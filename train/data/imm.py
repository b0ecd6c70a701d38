"""Shots of the IMM Face Database as small grey pictures: augmented for training, plain for validation.

A shot is four wide and three high. Its crop is the square around the middle of the picture, as wide as the
picture, without the rows above and below the picture. So :class:`~tracker.geometry.CropTransform` is the map
here too, and points are in crop sides from the crop's centre, independent of the removed rows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from tracker.geometry import CROP_SIZE, CropTransform, mirror_points
from tracker.scheme.imm58 import IMM58
from tracker.types import FloatArray, ImageArray
from train.data.asf import N_ASF_POINTS, Shot, read_imm_folder
from train.data.dataset import Sample, SampleRecipe, from_unit, to_unit
from train.data.framed import Picture
from train.data.image_size import image_size
from train.data.pictures import read_picture
from train.data.splits import TEST_PEOPLE, TRAINING_PEOPLE, VALIDATION_PEOPLE
from train.errors import DataError, RunError

FOLDER = "imm_face_db"

NOSE_TIP = 52


def imm_shots(data: Path) -> list[Shot]:
    """Read the shots below ``data``: its folder ``imm_face_db``, or itself if it holds ``.asf`` files.

    Raises :class:`~train.errors.DataError` if there are none.
    """
    return read_imm_folder(data if any(data.glob("*.asf")) else data / FOLDER)


def split_people(shots: Sequence[Shot], final: bool = False) -> tuple[list[Shot], list[Shot]]:
    """Return training and validation shots: of people 1-28 and 29-32, or for ``final`` of 1-32 and of nobody.

    People 33-40 are in neither, nor those beyond 40, which the database does not have.
    """
    training = [shot for shot in shots if shot.person in TRAINING_PEOPLE]
    validation = [shot for shot in shots if shot.person in VALIDATION_PEOPLE]
    return (training + validation, []) if final else (training, validation)


def test_shots(shots: Sequence[Shot]) -> list[Shot]:
    """Return the shots of people 33-40, who are for reporting only."""
    return [shot for shot in shots if shot.person in TEST_PEOPLE]


def canonical_crop(image_hw: tuple[int, int], size: int) -> CropTransform:
    """Return the square around the middle of a picture, as wide as the picture, at ``size`` pixels.

    ``image_hw`` is the picture's size in pixels.
    """
    height, width = image_hw
    return CropTransform(((width - 1) / 2, (height - 1) / 2), float(width), 0.0, size)


def middle_rows(size: int) -> slice:
    """Return the rows that a 4 to 3 picture fills in a canonical crop of ``size`` pixels, a multiple of 8."""
    return slice(size // 8, size - size // 8)


class ImmCrops(Dataset[Sample]):
    """Pictures of ``shots``, ``size`` pixels wide, with the points whose numbers are in ``keep``.

    A sample is the picture ``(1, 3/4 size, size)``, uint8, the points ``(len(keep), 2)``, float32 in crop
    sides from the crop's centre, and 1. Centre of crop and picture coincide: points inside the picture have x
    in -0.5..0.5 and y in -0.375..0.375. With a ``recipe`` the sample is augmented; it depends on seed, epoch
    and index only. Images are read once (``on_read`` is called after each) and held in memory as grey
    pictures.

    Raises :class:`~train.errors.DataError` if an image cannot be read or is not 4 to 3, and
    :class:`~train.errors.RunError` for a ``size`` that is not a multiple of 8 and for a recipe with
    background.
    """

    def __init__(
        self,
        shots: Sequence[Shot],
        size: int,
        keep: Sequence[int] = range(N_ASF_POINTS),
        recipe: SampleRecipe | None = None,
        seed: int = 0,
        on_read: Callable[[], object] = lambda: None,
    ) -> None:
        if recipe is not None and recipe.background:
            raise RunError(
                f"these networks do not judge presence: set background to 0, got {recipe.background}"
            )
        self.shots, self.keep = shots, list(keep)
        self.size, self.epoch = _checked(size), 0
        self._recipe, self._seed = recipe, seed
        self.pictures = [_read(shot, on_read) for shot in shots]

    def at(self, size: int, epoch: int) -> ImmCrops:
        """Return the same pictures ``size`` pixels wide, with the random draws of ``epoch``."""
        other = copy.copy(self)
        other.size, other.epoch = _checked(size), epoch
        return other

    def plain(self) -> ImmCrops:
        """Return the same pictures without augmentation."""
        other = copy.copy(self)
        other._recipe = None  # noqa: SLF001 - of this class
        return other

    def followed_by(self, pictures: Sequence[Picture]) -> ImmCrops:
        """Return these crops and, after them, those of ``pictures`` of other faces."""
        other = copy.copy(self)
        other.pictures = [*self.pictures, *pictures]
        return other

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        image, points = self._plain(index) if self._recipe is None else self._augmented(index, self._recipe)
        picture = np.ascontiguousarray(image[middle_rows(self.size)])
        kept = torch.from_numpy(points[self.keep].astype(np.float32))
        return torch.from_numpy(picture)[None], kept, torch.tensor(1.0)

    def canonical(self, index: int) -> CropTransform:
        """Return the map between picture ``index`` and its crop before any perturbation."""
        return replace(self.pictures[index].frame, size=self.size)

    def to_image(self, index: int, points: torch.Tensor) -> FloatArray:
        """Convert points ``(P, 2)`` from crop sides to pixels of the crop's picture.

        The origin of crop sides is the centre of the canonical crop.
        """
        return self.canonical(index).to_frame(from_unit(points.double(), self.size).numpy())

    def _plain(self, index: int) -> tuple[ImageArray, FloatArray]:
        return self._cut(index, self.canonical(index))

    def _augmented(self, index: int, recipe: SampleRecipe) -> tuple[ImageArray, FloatArray]:
        rng = np.random.default_rng((self._seed, self.epoch, index))
        image, points = self._cut(index, recipe.geometry.perturb(self.canonical(index), rng))
        if rng.random() < recipe.geometry.mirror:
            image = image[:, ::-1]
            points = mirror_points(points, 1, IMM58)  # x -> -x about the centre
        return recipe.photometry.apply(np.ascontiguousarray(image), rng), points

    def _cut(self, index: int, crop: CropTransform) -> tuple[ImageArray, FloatArray]:
        """Cut the square crop, and return it with all 58 points in crop sides."""
        picture = self.pictures[index]
        return crop.cut(picture.image), to_unit(crop.to_crop(picture.points), self.size)


def mean_points(shots: Sequence[Shot], keep: Sequence[int] = range(N_ASF_POINTS)) -> FloatArray:
    """Return the mean positions ``(len(keep), 2)`` of the points numbered ``keep``, in crop sides.

    Raises :class:`~train.errors.DataError` if the size of an image cannot be read.
    """
    size = 8  # any size: points in crop sides do not depend on it
    points = []
    for shot in shots:
        width, height = image_size(shot.image)
        points.append(to_unit(canonical_crop((height, width), size).to_crop(shot.points), size))
    return np.asarray(np.mean(points, axis=0)[list(keep)])


def _checked(size: int) -> int:
    if size % 8:
        raise RunError(f"a picture of 4 to 3 needs a size that is a multiple of 8, got {size}")
    return size


def _read(shot: Shot, on_read: Callable[[], object]) -> Picture:
    image = read_picture(shot.image)
    height, width = image.shape
    if 3 * width != 4 * height:
        raise DataError(f"{shot.image}: expected a picture of 4 to 3, such as 640x480, got {width}x{height}")
    on_read()
    return Picture(image, shot.points, canonical_crop((height, width), CROP_SIZE))
