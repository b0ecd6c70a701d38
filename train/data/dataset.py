"""Labelled faces as crops: augmented for training, canonical for validation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from tracker.geometry import CropTransform, mirror_points
from tracker.types import N_POINTS, FloatArray, ImageArray
from train.data.augment import GeometryPolicy, PhotometricPolicy, misplace, synthetic_background
from train.data.pictures import read_picture
from train.data.readers import LabelledFace
from train.errors import RunError

Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""One training sample: crop, points and label.

``crop`` uint8 ``(1, S, S)``, ``points`` float32 ``(68, 2)`` in crop sides from the crop's centre (so
-0.5..0.5 covers the crop at any size), ``is_face`` float32 scalar, 1 or 0. Points of a crop without a face
are zeros.
"""


def to_unit(points_crop: FloatArray, size: int) -> FloatArray:
    """Convert crop pixels to crop sides from the crop's centre, which the networks learn at any crop size."""
    return (points_crop - (size - 1) / 2) / size


def from_unit(points: torch.Tensor, size: int) -> torch.Tensor:
    """Convert crop sides from the crop's centre to crop pixels, the inverse of :func:`to_unit`."""
    return points * size + (size - 1) / 2


@dataclass(frozen=True)
class SampleRecipe:
    """Composition of training samples; ``background`` is the share of crops without a face, 0..1."""

    geometry: GeometryPolicy = field(default_factory=GeometryPolicy)
    photometry: PhotometricPolicy = field(default_factory=PhotometricPolicy)
    background: float = 0.125

    def __post_init__(self) -> None:
        if not 0 <= self.background <= 1:
            raise RunError(f"background must be in 0..1, got {self.background}")


class FaceCrops(Dataset[Sample]):
    """Crops of ``faces`` at ``size`` pixels; augmented if there is a ``recipe``.

    A sample depends on ``seed``, epoch and index only, so a resumed run, and one with another number of
    workers, sees the same crops. Images are read once, at construction (``on_read`` is called after each),
    and held in memory as grey pictures; :meth:`at` shares them.

    Raises :class:`~train.errors.DataError` if an image cannot be read.
    """

    def __init__(
        self,
        faces: Sequence[LabelledFace],
        size: int,
        recipe: SampleRecipe | None = None,
        seed: int = 0,
        on_read: Callable[[], object] = lambda: None,
    ) -> None:
        self.faces = faces
        self.size = size
        self.epoch = 0
        self._recipe = recipe
        self._seed = seed
        self._images = [_read(face.image, on_read) for face in faces]

    def at(self, size: int, epoch: int) -> FaceCrops:
        """Return the same faces as crops of ``size`` pixels, with the random draws of ``epoch``."""
        other = copy.copy(self)
        other.size, other.epoch = size, epoch
        return other

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> Sample:
        crop = CropTransform.from_points(self.faces[index].points, size=self.size)
        recipe = self._recipe
        if recipe is None:
            return self._face(index, crop)
        rng = np.random.default_rng((self._seed, self.epoch, index))
        if rng.random() < recipe.background:
            return self._background(index, crop, recipe.photometry, rng)
        crop = recipe.geometry.perturb(crop, rng)
        image, points, is_face = self._face(index, crop)
        if rng.random() < recipe.geometry.mirror:
            image = image.flip(-1)
            points = torch.from_numpy(mirror_points(points.numpy(), width=1))  # x -> -x about the centre
        changed = recipe.photometry.apply(image[0].numpy(), rng)
        return torch.from_numpy(changed)[None], points, is_face

    def _face(self, index: int, crop: CropTransform) -> Sample:
        image = torch.from_numpy(crop.cut(self._images[index]))[None]
        points = to_unit(crop.to_crop(self.faces[index].points), self.size)
        return image, torch.from_numpy(points.astype(np.float32)), torch.tensor(1.0)

    def _background(
        self, index: int, crop: CropTransform, photometry: PhotometricPolicy, rng: np.random.Generator
    ) -> Sample:
        if rng.random() < 0.2:
            image = synthetic_background(self.size, rng)
        else:
            image = misplace(crop, rng).cut(self._images[index])
        image = photometry.apply(image, rng)
        return torch.from_numpy(image)[None], torch.zeros(N_POINTS, 2), torch.tensor(0.0)


def _read(path: Path, on_read: Callable[[], object]) -> ImageArray:
    image = read_picture(path)
    on_read()
    return image
