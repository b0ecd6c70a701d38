"""Everything that a report shows beside the scores: network, recipe, split, samples, heatmaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from train.data.imm import imm_shots, split_people
from train.data.splits import root_300w, training_faces
from train.errors import DataError
from train.evaluation.architecture import Block, blocks, is_folded
from train.evaluation.extremes import ranked
from train.evaluation.face_maps import FACES, face_maps, map_cells, targets
from train.evaluation.families import FAMILIES
from train.evaluation.labelled import LabelledSet
from train.evaluation.nose_pair import NosePair, compare
from train.evaluation.recipes import Recipe, find_recipe
from train.evaluation.results import Evaluation
from train.evaluation.samples import imm_samples, landmark_samples
from train.evaluation.split import Split, imm_split, landmark_pictures, landmark_split
from train.evaluation.tiles import Item
from train.models.imm import SPECS, imm_spec
from train.models.load import Loaded
from train.models.registry import WITHOUT_MAPS, build
from train.training.imm import OTHERS


@dataclass(frozen=True)
class Subject:
    """The evaluated ``model``: its ``weights`` (None: the shipped ones) as ``loaded``, and the data folder.

    ``loaded`` is None if only the tracker was measured.
    """

    model: str
    weights: Path | None
    data: Path
    loaded: Loaded | None

    @property
    def weights_name(self) -> str:
        """Name of the weights for output."""
        return "as shipped" if self.weights is None else self.weights.name


@dataclass(frozen=True, eq=False)
class Maps:
    """Heatmaps over the ``best`` and the ``worst`` faces, and the ``targets`` that maps are trained on."""

    best: Sequence[Item]
    worst: Sequence[Item]
    targets: Sequence[Item]


@dataclass(frozen=True, eq=False)
class Material:
    """Contents of a report beside the scores.

    ``picture_hw`` is the size in pixels of the grey pictures that the network sees, as the ``architecture``
    does; ``folded`` tells that its normalisations are merged into convolutions. ``samples`` are empty if the
    recipe's augmentation is not known here. ``maps`` and ``pair`` are None for networks that have none.
    """

    picture_hw: tuple[int, int]
    architecture: Sequence[Block]
    folded: bool
    recipe: Recipe
    split: Split
    samples: Sequence[Item]
    maps: Maps | None = None
    pair: NosePair | None = None


def gather(subject: Subject, faces: LabelledSet, alone: Evaluation | None) -> Material:
    """Collect the material of ``subject``, evaluated ``alone`` on the test ``faces``.

    ``alone`` is None if only the tracker was measured. Raises :class:`~train.errors.TrainError` if the data
    cannot be read.
    """
    recipe = find_recipe(subject.model, subject.weights)
    size = subject.loaded.size if subject.loaded else int(recipe.stages[-1]["size"])
    imm = subject.model in SPECS
    split, samples = _imm(subject, recipe, size) if imm else _landmarks(subject, recipe, faces, size)
    hw = (size * 3 // 4, size) if imm else (size, size)
    pair = maps = None
    if subject.loaded is not None and alone is not None:
        if subject.model not in WITHOUT_MAPS:
            maps = _maps(subject.model, subject.loaded, recipe, faces, alone)
        pair = compare(subject.model, alone, subject.weights_name, faces)
    network = subject.loaded.network if subject.loaded else build(subject.model)
    return Material(hw, blocks(network, hw), is_folded(network), recipe, split, samples, maps, pair)


def _landmarks(
    subject: Subject, recipe: Recipe, faces: LabelledSet, size: int
) -> tuple[Split, Sequence[Item]]:
    pictures = landmark_pictures(subject.data, recipe.sets)
    split, augmentation = landmark_split(pictures, recipe, faces), recipe.samples
    if augmentation is None:
        return split, ()
    return split, landmark_samples(pictures.training, size, augmentation, recipe.seed)


def _imm(subject: Subject, recipe: Recipe, size: int) -> tuple[Split, Sequence[Item]]:
    shots = imm_shots(subject.data)
    others = recipe.record is None and OTHERS in recipe.sets and _has_300w(subject.data)
    faces_300w = len(training_faces(subject.data)[0]) if others else 0
    split = imm_split(shots, recipe, subject.weights is None, faces_300w)
    training, augmentation = split_people(shots)[0], recipe.samples
    if augmentation is None or not training:
        return split, ()
    return split, imm_samples(training, imm_spec(subject.model).keep, size, augmentation, recipe.seed)


def _has_300w(data: Path) -> bool:
    try:
        root_300w(data)
    except DataError:
        return False
    return True


def _maps(model: str, loaded: Loaded, recipe: Recipe, faces: LabelledSet, alone: Evaluation) -> Maps:
    shown = {*ranked(alone, FACES, worst=False), *ranked(alone, FACES, worst=True)}
    wanted = [row in shown for row in range(len(faces.images))]
    some = faces.only(wanted)
    crops = FAMILIES[model].crops(some, loaded.size, lambda: None)
    evaluation = some.evaluated(alone.condition, alone.predicted[wanted])
    best, worst = (face_maps(loaded, crops, evaluation, which) for which in (False, True))
    crop, points, _ = crops[ranked(evaluation, 1, worst=False)[0]]
    return Maps(best, worst, targets(crop[0].numpy(), points, map_cells(loaded), recipe.codec))
