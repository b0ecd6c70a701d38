"""Training task of a model: its samples, its loss and its error."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt
from torch import nn

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.types import FloatArray
from train.config import Stage, TrainConfig
from train.data.dataset import FaceCrops, Picture, Sample
from train.data.faceless import FacelessPicture
from train.data.readers import LabelledFace
from train.errors import DataError, RunError
from train.metrics import nme_percent
from train.models.losses import LossFunction
from train.models.registry import size_step
from train.progress import OnRead

_Picture = TypeVar("_Picture", bound=Picture)


class Crops(Protocol):
    """Samples whose size in pixels and random draws are set by stage and epoch."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...

    def at(self, size: int, epoch: int) -> Self:
        """Return the same pictures as crops of ``size`` pixels, with the random draws of ``epoch``."""
        ...

    def plain(self) -> Self:
        """Return the same pictures without augmentation."""
        ...


@dataclass(frozen=True)
class Task:
    """Training on ``training`` pictures and validation on ``validation`` pictures.

    ``data`` identifies these pictures, so that a resumed run uses the same ones. ``read`` loads them;
    ``members`` returns the indices of those that a stage trains on (None: all); ``loss`` takes output, points
    and is_face; ``error`` returns the error ``(N,)`` of predicted points against the truth, both ``(N, P,
    2)`` in crop sides, in ``unit``. ``counts`` are the training pictures of each data set, and ``about`` what
    else is to be known of them, as JSON, for the record. ``look`` shows the predictions for the validation
    crops, given model, crops, the run's folder and the number of epochs, after some of the first epochs.
    Raises :class:`~train.errors.DataError` without training pictures.
    """

    training: int
    validation: int
    data: str
    read: Callable[[OnRead], tuple[Crops, Crops]]
    loss: LossFunction
    error: Callable[[FloatArray, FloatArray], npt.NDArray[np.float64]]
    unit: str = "% NME"
    members: Callable[[Stage], Sequence[int]] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    look: Callable[[nn.Module, Crops, Path, int], None] | None = None

    def __post_init__(self) -> None:
        if self.training < 1:
            raise DataError("there are no training faces")

    def indices(self, stage: Stage) -> Sequence[int]:
        """Return the indices of the training pictures of ``stage``."""
        return range(self.training) if self.members is None else self.members(stage)


def landmark_task(
    config: TrainConfig,
    training: Sequence[Picture],
    validation: Sequence[LabelledFace],
    scheme: Scheme = IBUG68,
) -> Task:
    """Return the task of locating the points of ``scheme`` in crops around labelled faces.

    The error is the NME in per cent of the scheme's normaliser, such as the inter-ocular distance.
    """
    size = max(stage.size for stage in config.stages)

    def read(on_read: OnRead) -> tuple[Crops, Crops]:
        return (
            FaceCrops(training, size, config.recipe, config.seed, on_read, scheme),
            FaceCrops(validation, size, on_read=on_read, scheme=scheme),
        )

    def members(stage: Stage) -> Sequence[int]:
        wanted = stage.sets or {face.subset for face in training}
        return [index for index, face in enumerate(training) if face.subset in wanted]

    _check_stages(config, training)
    key = data_key([face.image for face in training], [face.image for face in validation])
    data = hashlib.sha256(key.encode() + b"".join(map(_content, training))).hexdigest()
    counts = Counter(face.subset for face in training)
    error = partial(nme_percent, scheme=scheme)
    return Task(
        len(training), len(validation), data, read, config.loss, error, members=members, counts=counts
    )


def limited(faces: Sequence[_Picture], limit: int) -> list[_Picture]:
    """Select ``limit`` of ``faces`` (0: all), spread over all data sets."""
    return list(faces[:: max(1, len(faces) // limit)][:limit] if limit else faces)


def data_key(training: Sequence[Path], validation: Sequence[Path]) -> str:
    """Return a digest of the pictures' names and their split, independent of their folders."""
    names = [[path.name for path in paths] for paths in (training, validation)]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _content(picture: Picture) -> bytes:
    """Return what is known of ``picture`` besides its name: labels that are made anew change a run."""
    if isinstance(picture, FacelessPicture):
        return repr(picture.mined).encode()
    seen = b"" if picture.visibility is None else picture.visibility.tobytes()
    return picture.points.tobytes() + seen


def _check_stages(config: TrainConfig, training: Sequence[Picture]) -> None:
    """Check before hours of training that each stage has a valid crop size and faces of all its sets."""
    step = size_step(config.model)
    for stage in config.stages:
        if stage.size % step:
            raise RunError(f"crops of {stage.size} px: {config.model} takes multiples of {step} px")
    check_sets(config, [face.subset for face in training])


def check_sets(config: TrainConfig, subsets: Sequence[str]) -> None:
    """Check that the sets of all stages are among ``subsets``.

    Raises :class:`~train.errors.DataError` if one is not.
    """
    there = set(subsets)
    for stage in config.stages:
        if missing := sorted(set(stage.sets) - there):
            raise DataError(
                f"the recipe trains on {', '.join(missing)}, of which there are no faces: known sets are "
                f"{', '.join(sorted(there))}"
            )
