"""Training samples as pictures: plain and, beside it, as the recipe of the run changes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from train.data.asf import Shot
from train.data.dataset import FaceCrops, Picture, Sample, SampleRecipe, from_unit
from train.data.faces import VISIBLE, LabelledFace
from train.data.imm import ImmCrops
from train.evaluation.tiles import Item, Marks, Tile

_T = TypeVar("_T")

COUNT = 12


def landmark_samples(pictures: Sequence[Picture], size: int, recipe: SampleRecipe, seed: int) -> list[Item]:
    """Return some of ``pictures``, each plain and as a sample of ``size`` pixels by ``recipe``."""
    some = spread(pictures, COUNT)
    crops = FaceCrops(some, size, recipe, seed)
    plain, items = crops.plain(), []
    for row, picture in enumerate(some):
        seen = picture.visibility if isinstance(picture, LabelledFace) else None
        name = f"{picture.subset}/{picture.image.name}"
        items.append(_pair(name, _with_visibility(plain[row], seen), crops[row]))
    return items


def imm_samples(
    shots: Sequence[Shot], keep: Sequence[int], size: int, recipe: SampleRecipe, seed: int
) -> list[Item]:
    """Return some of ``shots``, each plain and as a sample ``size`` pixels wide by ``recipe``."""
    some = spread(shots, COUNT)
    crops = ImmCrops(some, size, keep, recipe, seed)
    return [_pair(some[row].image.name, crops.plain()[row], crops[row]) for row in range(len(some))]


def spread(values: Sequence[_T], count: int) -> list[_T]:
    """Return ``count`` of ``values``, or all if they are fewer, in even steps from the first to the last."""
    places = np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(int)
    return [values[place] for place in places]


def sample_tile(sample: Sample, what: str) -> Tile:
    """Return the tile of one sample of the training loader; ``what`` begins its description.

    Covered and guessed points have the second colour.
    """
    crop, points, is_face = sample
    picture = crop[0].numpy()
    if is_face == 0:
        return Tile(picture, f"{what}, a crop without a face")
    height, width = picture.shape
    place = from_unit(points[:, :2].double(), width).numpy()
    place[:, 1] -= (width - height) / 2  # a whole picture lacks the rows of the square above and below it
    seen = np.ones(len(place), bool) if points.shape[1] == 2 else points[:, 2].numpy() == VISIBLE
    hidden = (Marks(place[~seen], "other", joined=False),) if not seen.all() else ()
    return Tile(picture, f"{what}, with its labels", (Marks(place, "label"), *hidden))


def _pair(name: str, plain: Sample, augmented: Sample) -> Item:
    tiles = sample_tile(plain, f"{name} plain"), sample_tile(augmented, f"{name} augmented")
    return Item(tiles, name if augmented[2] > 0 else f"{name}; right: a crop without a face")


def _with_visibility(sample: Sample, visibility: npt.NDArray[np.int8] | None) -> Sample:
    """Return a plain ``sample`` with the visibility of its points, as augmented ones have it."""
    crop, points, is_face = sample
    if visibility is None:
        return sample
    column = torch.from_numpy(np.asarray(visibility, np.float32))[:, None]
    return crop, torch.cat((points, column), dim=1), is_face
