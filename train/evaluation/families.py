"""Test set and unit of error of each model. A new model is one line in ``FAMILIES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from tracker.geometry import CropTransform
from tracker.scheme.ibug68 import PARTS
from tracker.types import FloatArray, ImageArray
from train.data.readers import LabelledFace
from train.data.splits import IMM_PEOPLE, TEST_FOLDERS, test_faces
from train.evaluation.labelled import LabelledSet
from train.evaluation.results import Measure
from train.metrics import inter_ocular
from train.progress import OnRead

if TYPE_CHECKING:
    from train.evaluation.labelled import LabelCrops


@dataclass(frozen=True)
class Family:
    """Models that are evaluated in the same way.

    ``read`` returns the labelled test faces below a data folder, and ``crops`` these faces as the input of a
    network of a given size in pixels. ``cut`` cuts a face with known points ``(P, 2)`` of iBUG from any grey
    picture as ``crops`` does from those of the test faces: it returns the network's input ``(H, W)``, of a
    given size, and the square that its points refer to. ``subsets`` are the parts of the complete test set.
    ``tracked`` is true if the tracker runs
    these models, so that they can be tested with its own detector.
    """

    subsets: tuple[str, ...]
    tracked: bool
    read: Callable[[Path], LabelledSet]
    crops: Callable[[LabelledSet, int, OnRead], LabelCrops]
    cut: Callable[[ImageArray, FloatArray, int], tuple[ImageArray, CropTransform]]


def _merged(**groups: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(point for part in parts for point in PARTS[part]) for name, parts in groups.items()}


LANDMARKS_68 = Measure(
    unit="%",
    failure=10.0,
    limit=8.0,
    parts=_merged(
        jaw=("jaw",),
        brows=("left_brow", "right_brow"),
        nose=("nose_bridge", "nose_base"),
        eyes=("left_eye", "right_eye"),
        mouth=("outer_lip", "inner_lip"),
    ),
)


def _read_300w(data: Path) -> LabelledSet:
    faces = test_faces(data)
    truth = np.array([face.points for face in faces])
    subsets = tuple(face.subset for face in faces)
    return LabelledSet(LANDMARKS_68, tuple(faces), subsets, truth, inter_ocular(truth))


def _crops_300w(labelled: LabelledSet, size: int, on_read: OnRead) -> LabelCrops:
    from train.evaluation.crops_300w import CanonicalCrops

    return CanonicalCrops(cast(tuple[LabelledFace, ...], labelled.labels), size, on_read)


def _cut_300w(image: ImageArray, points: FloatArray, size: int) -> tuple[ImageArray, CropTransform]:
    crop = CropTransform.from_points(points, size=size)
    return crop.cut(image), crop


def _read_imm(model: str, data: Path) -> LabelledSet:
    from train.evaluation.imm_set import read_test

    return read_test(model, data)


def _crops_imm(model: str, labelled: LabelledSet, size: int, on_read: OnRead) -> LabelCrops:
    from train.evaluation.imm_set import crops

    return crops(model, labelled, size, on_read)


def _cut_imm(image: ImageArray, points: FloatArray, size: int) -> tuple[ImageArray, CropTransform]:
    from train.evaluation.imm_set import cut

    return cut(image, points, size)


def _imm(model: str) -> Family:
    return Family(
        subsets=(IMM_PEOPLE,),
        tracked=False,
        read=partial(_read_imm, model),
        crops=partial(_crops_imm, model),
        cut=_cut_imm,
    )


_LANDMARKS = Family(tuple(TEST_FOLDERS), True, _read_300w, _crops_300w, _cut_300w)

FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("resnet18", "resnet18-plain", "unet", "unet-mri", "unet-light"), _LANDMARKS),
    "nose-funnel": _imm("nose-funnel"),
    "nose-fan": _imm("nose-fan"),
    "face58": _imm("face58"),
}
