"""Labelled faces as crops: augmented for training, canonical for validation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from tracker.geometry import CropTransform, mirror_points
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.placing import mirror_order
from tracker.scheme.value import Scheme
from tracker.types import FloatArray, ImageArray
from train.data.augment import (
    CANONICAL,
    MISPLACED,
    GeometryPolicy,
    PhotometricPolicy,
    misplace,
    synthetic_background,
)
from train.data.crowded import crowded
from train.data.faceless import FacelessPicture, place_crop, smallest_side
from train.data.faces import COVERED, GUESSED, VISIBLE
from train.data.kept import KeptPictures, Parts, Reach, plan_parts, whole_part
from train.data.occluders import OccluderPolicy
from train.data.readers import LabelledFace
from train.errors import DataError, RunError

Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""One training sample: crop, points and label.

``crop`` uint8 ``(1, S, S)``, ``points`` float32 ``(P, 2)`` in crop sides from the crop's centre (so
-0.5..0.5 covers the crop at any size), ``is_face`` float32 scalar, 1 or 0. Points of a crop without a face
are zeros. Where a recipe has occluders, ``points`` are ``(P, 3)``: the third column is the visibility, as
:class:`~train.data.faces.LabelledFace` numbers it.
"""

Points = TypeVar("Points", torch.Tensor, FloatArray)

Picture = LabelledFace | FacelessPicture

MINED_SHARE = 0.7
"""Share of crops that a tracker took for a face, where a picture without a face has any: hard negatives."""


def to_unit(points_crop: FloatArray, size: int) -> FloatArray:
    """Convert crop pixels to crop sides from the crop's centre, which the networks learn at any crop size."""
    return (points_crop - (size - 1) / 2) / size


def from_unit(points: Points, size: int) -> Points:
    """Convert crop sides from the crop's centre to crop pixels, the inverse of :func:`to_unit`."""
    return points * size + (size - 1) / 2


@dataclass(frozen=True)
class SampleRecipe:
    """Composition of training samples; ``background`` is the share of crops without a face, 0..1.

    With ``occluders``, samples tell the visibility of each point; faces with guessed points need that.
    """

    geometry: GeometryPolicy = field(default_factory=GeometryPolicy)
    photometry: PhotometricPolicy = field(default_factory=PhotometricPolicy)
    background: float = 0.125
    occluders: OccluderPolicy | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.background <= 1:
            raise RunError(f"background must be in 0..1, got {self.background}")

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """Extents of the crops around a face, from the finest and smallest to the coarsest and largest."""
        return (self.geometry.reach, *(MISPLACED if self.background else ()))


class FaceCrops(Dataset[Sample]):
    """Crops of ``faces`` and pictures without one at ``size`` pixels; augmented if there is a ``recipe``.

    A sample depends on ``seed``, epoch and index only, so a resumed run, and one with another number of
    workers, sees the same crops. Images are read once, at construction (``on_read`` is called after each);
    of large ones only the parts, and the resolution, are kept that crops of up to ``size`` pixels can use.
    :meth:`at`, and processes that are started with these crops, share them: see
    :class:`~train.data.picture_file.PictureFile`. Crops are placed and mirrored by ``scheme``; where that has
    no mirror order, they are not mirrored.

    Raises :class:`~train.errors.DataError` if an image cannot be read, and for a face with another number of
    points than ``scheme`` has, and :class:`~train.errors.RunError` for faces with guessed points and a
    ``recipe`` without occluders, and if the pictures cannot be kept.
    """

    def __init__(
        self,
        faces: Sequence[Picture],
        size: int,
        recipe: SampleRecipe | None = None,
        seed: int = 0,
        on_read: Callable[[], object] = lambda: None,
        scheme: Scheme = IBUG68,
    ) -> None:
        if recipe is not None and recipe.occluders is None and any(map(_has_guesses, faces)):
            raise RunError(
                "faces with guessed points need a recipe with occluders: see train/configs/turned.py"
            )
        for face in faces:
            if isinstance(face, LabelledFace) and len(face.points) != scheme.n_points:
                raise DataError(f"{face.image}: {scheme} expected, got {len(face.points)} points")
        self.faces, self.scheme = faces, scheme
        self.size = size
        self.epoch = 0
        self._recipe = recipe
        self._seed = seed
        self._crowded = crowded(faces)
        self._largest = size
        self._canonical = {
            index: CropTransform.from_points(face.points, scheme, size)
            for index, face in enumerate(faces)
            if isinstance(face, LabelledFace)
        }
        self._pictures = KeptPictures.read([face.image for face in faces], self._plan, on_read)

    def at(self, size: int, epoch: int) -> FaceCrops:
        """Return the same faces as crops of ``size`` pixels, with the random draws of ``epoch``.

        Raises :class:`~train.errors.RunError` for a larger size than that of the construction.
        """
        if size > self._largest:
            raise RunError(f"the pictures were read for crops of up to {self._largest} px, not for {size} px")
        other = copy.copy(self)
        other.size, other.epoch = size, epoch
        return other

    def plain(self) -> FaceCrops:
        """Return the same pictures without augmentation."""
        other = copy.copy(self)
        other._recipe = None  # noqa: SLF001 - of this class
        return other

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> Sample:
        picture, recipe = self.faces[index], self._recipe
        rng = np.random.default_rng((self._seed, self.epoch, index))
        if isinstance(picture, FacelessPicture):
            return self._faceless(picture, index, rng)
        crop = replace(self._canonical[index], size=self.size)
        if recipe is None:
            image, points = self._face(picture, index, crop)
            return _sample(image, points, 1.0)
        if rng.random() < recipe.background:
            return self._background(index, crop, recipe, rng)
        image, points = self._face(picture, index, recipe.geometry.perturb(crop, rng))
        visibility = (
            np.full(self.scheme.n_points, VISIBLE) if picture.visibility is None else picture.visibility
        )
        if rng.random() < recipe.geometry.mirror and self.scheme.mirror is not None:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
            points = mirror_points(points, 1, self.scheme)  # x -> -x about the centre
            visibility = visibility[mirror_order(self.scheme)]
        if recipe.occluders is not None:
            image, covered = recipe.occluders.apply(image, from_unit(points, self.size), rng)
            visibility = np.where(covered & (visibility == VISIBLE), COVERED, visibility)
            points = np.column_stack([points, visibility])
        return _sample(recipe.photometry.apply(image, rng), points, 1.0)

    def _face(self, face: LabelledFace, index: int, crop: CropTransform) -> tuple[ImageArray, FloatArray]:
        return self._pictures.cut(index, crop), to_unit(crop.to_crop(face.points), self.size)

    def _background(
        self, index: int, crop: CropTransform, recipe: SampleRecipe, rng: np.random.Generator
    ) -> Sample:
        if rng.random() < 0.2:
            image = synthetic_background(self.size, rng)
        else:
            alone, upright = not self._crowded[index], self.scheme.upright is not None
            image = self._pictures.cut(index, misplace(crop, rng, alone, upright))
        return self._no_face(image, recipe, rng)

    def _faceless(self, picture: FacelessPicture, index: int, rng: np.random.Generator) -> Sample:
        recipe = self._recipe
        if recipe and picture.mined and rng.random() < MINED_SHARE:
            mined = picture.mined[rng.integers(len(picture.mined))]
            crop = recipe.geometry.perturb(replace(mined, size=self.size), rng)
        else:
            crop = place_crop(self._pictures.image_hw(index), self.size, rng)
        return self._no_face(self._pictures.cut(index, crop), recipe, rng)

    def _plan(self, index: int, image_hw: tuple[int, int]) -> Parts:
        """Return the parts of picture ``index`` that its crops may need."""
        picture, recipe = self.faces[index], self._recipe
        if isinstance(picture, FacelessPicture):
            zoom = recipe.geometry.reach.largest if recipe else 1.0
            return (whole_part(smallest_side(picture, image_hw, zoom) / self.size, image_hw),)
        return plan_parts(self._canonical[index], recipe.reaches if recipe else (CANONICAL,), image_hw)

    def _no_face(self, image: ImageArray, recipe: SampleRecipe | None, rng: np.random.Generator) -> Sample:
        image = image if recipe is None else recipe.photometry.apply(image, rng)
        columns = 2 if recipe is None or recipe.occluders is None else 3
        return _sample(image, np.zeros((self.scheme.n_points, columns)), 0.0)


def _sample(image: ImageArray, points: FloatArray, is_face: float) -> Sample:
    crop, kept = torch.from_numpy(image[None]), torch.from_numpy(points.astype(np.float32))
    return crop, kept, torch.from_numpy(np.array(is_face, np.float32))


def _has_guesses(picture: Picture) -> bool:
    seen = picture.visibility if isinstance(picture, LabelledFace) else None
    return seen is not None and bool((seen == GUESSED).any())
