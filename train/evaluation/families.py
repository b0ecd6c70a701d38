"""Test set and unit of error of each model. A new model is one line in ``FAMILIES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from tracker.scheme.ibug68 import PARTS
from train.data.readers import LabelledFace
from train.data.splits import IMM_PEOPLE, TEST_FOLDERS, test_faces, training_faces
from train.evaluation.labelled import LabelledSet
from train.evaluation.results import Measure
from train.metrics import inter_ocular
from train.progress import OnRead

if TYPE_CHECKING:
    from train.data.dataset import Sample
    from train.evaluation.labelled import LabelCrops


@dataclass(frozen=True)
class Family:
    """Models that are evaluated in the same way.

    ``read`` returns the labelled test faces below a data folder, ``crops`` these faces as the input of a
    network of a given size in pixels, and ``examples`` a number of training samples of that size, as the
    loader makes them. ``subsets`` are the parts of the complete test set. ``tracked`` is true if the tracker
    runs these models, so that they can be tested with its own detector.
    """

    subsets: tuple[str, ...]
    tracked: bool
    read: Callable[[Path], LabelledSet]
    crops: Callable[[LabelledSet, int, OnRead], LabelCrops]
    examples: Callable[[Path, int, int], list[Sample]]


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


def _examples_300w(data: Path, size: int, count: int) -> list[Sample]:
    from train.configs.resnet18 import CONFIG
    from train.data.dataset import FaceCrops

    training, _ = training_faces(data)
    crops = FaceCrops(training[:: max(len(training) // count, 1)][:count], size, CONFIG.recipe)
    return [crops[index] for index in range(len(crops))]


def _read_imm(model: str, data: Path) -> LabelledSet:
    from train.evaluation.imm_set import read_test

    return read_test(model, data)


def _crops_imm(model: str, labelled: LabelledSet, size: int, on_read: OnRead) -> LabelCrops:
    from train.evaluation.imm_set import crops

    return crops(model, labelled, size, on_read)


def _examples_imm(model: str, data: Path, size: int, count: int) -> list[Sample]:
    from train.evaluation.imm_set import examples

    return examples(model, data, size, count)


def _imm(model: str) -> Family:
    return Family(
        subsets=(IMM_PEOPLE,),
        tracked=False,
        read=partial(_read_imm, model),
        crops=partial(_crops_imm, model),
        examples=partial(_examples_imm, model),
    )


_LANDMARKS = Family(tuple(TEST_FOLDERS), True, _read_300w, _crops_300w, _examples_300w)

FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("resnet18", "resnet18-plain", "unet", "unet-mri", "unet-light"), _LANDMARKS),
    "nose-funnel": _imm("nose-funnel"),
    "nose-fan": _imm("nose-fan"),
    "face58": _imm("face58"),
}
