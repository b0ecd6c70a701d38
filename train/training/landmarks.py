"""Training of the networks for iBUG's points on 300-W style data, and the initial weights of any scheme."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from train.config import TrainConfig
from train.data.dataset import FaceCrops, Picture
from train.data.faceless import NOFACE, with_mined
from train.data.leaks import present_test_faces, refuse_leaks
from train.data.readers import LabelledFace
from train.data.sides import Side
from train.data.splits import (
    HALF_LABELLED,
    faceless_pictures,
    half_faces,
    is_held_out,
    training_faces,
    youtube_faces,
)
from train.errors import RunError
from train.models.load import warm_start
from train.models.registry import HEADS, WITH_BACKBONE, build
from train.models.trained import FROM_SHIPPED, goes_back_to_shipped, scheme_of_weights
from train.processes import is_first_process
from train.progress import progress_bar
from train.training.options import RunOptions
from train.training.run import run_training
from train.training.task import landmark_task, limited

log = logging.getLogger(__name__)

IMAGENET = "imagenet"
"""Initial weights that torchvision has of ImageNet."""

_CALIBRATION = 256


@dataclass(frozen=True)
class Additions:
    """What a run uses besides recipe and data sets.

    ``faces`` that a network labelled, the table of ``mined`` crops, and whether initial weights may come
    ``in_part`` from a file that has less than half of them.
    """

    faces: Sequence[LabelledFace] = ()
    mined: Path | None = None
    in_part: bool = False


def train_landmarks(
    config: TrainConfig,
    data: Path,
    limit: int,
    options: RunOptions,
    say: Callable[[str], object] = lambda _: None,
    more: Additions = Additions(),
) -> Path | None:
    """Train ``config.model`` on the faces below ``data`` and on ``more`` faces.

    ``limit`` is the number of faces to use; 0 uses all. Returns the weights' path on the first process and
    None on the others. On the first process, ``say`` is called with messages about the initial weights.
    Raises :class:`~train.data.leaks.LeakError` if a test or validation face is among the training faces.
    """
    faces, validation = training_faces(data)
    if "youtube" in config.sets:
        faces += youtube_faces(data)
    faces += more.faces
    if config.sets.intersection(HALF_LABELLED):
        faces = [face for face in faces if not is_held_out(face)]
        faces += half_faces(data, Side.TRAINING, config.sets)
    if is_first_process():
        _refuse_leaks(faces, validation, data)
        if not validation:
            log.warning("no face of this data validates: the validation error will be nan")
    pictures: list[Picture] = [*faces]
    if more.mined and NOFACE not in config.sets:
        raise RunError(f"--mined is for recipes that name {NOFACE}, such as train/configs/resnet18_turned.py")
    if NOFACE in config.sets:
        without = faceless_pictures(data, Side.TRAINING)
        pictures += with_mined(without, data, more.mined) if more.mined else without
    pictures = [one for one in pictures for _ in range(config.repeats.get(one.subset, 1))]
    pictures, validation = limited(pictures, limit), limited(validation, limit)
    about = {FROM_SHIPPED: starts_from_shipped(config, options)}
    task = replace(landmark_task(config, pictures, validation), about=about)
    fresh = initial_network(config, faces, say, more.in_part)
    make = partial(build, config.model, backbone=config.backbone) if options.has_checkpoint else fresh
    return run_training(config, make, task, options)


def starts_from_shipped(config: TrainConfig, options: RunOptions) -> bool:
    """Return whether the initial weights go back to a shipped model, for the record of the run.

    A run that goes on has its record already, and needs no file to begin with.
    """
    if options.has_checkpoint or config.init in ("", IMAGENET):
        return False
    return goes_back_to_shipped(Path(config.init))


def initial_network(
    config: TrainConfig,
    faces: Sequence[LabelledFace],
    say: Callable[[str], object],
    in_part: bool = False,
    scheme: Scheme = IBUG68,
) -> Callable[[], nn.Module]:
    """Return a function that creates the network with its initial weights.

    These are random, ImageNet's, or those of a trained model's file; the first process reports by ``say`` how
    much of the file was used. From a file of another scheme than ``scheme`` only the trunk is taken, not what
    belongs to its points. The function raises :class:`~train.errors.RunError` if the model cannot start
    from this source, or if the file has less than half of its weights and not ``in_part``.
    """

    def make() -> nn.Module:
        if config.init == IMAGENET:
            if config.model not in WITH_BACKBONE:
                known = " and ".join(WITH_BACKBONE)
                raise RunError(f"--init imagenet is for {known}: give a file to start {config.model} from")
            return build(config.model, scheme.n_points, backbone=config.backbone, pretrained=True)
        network = build(config.model, scheme.n_points, backbone=config.backbone)
        if config.init:
            line = _start_from(network, config, faces, in_part, scheme)
            if is_first_process():
                say(line)
        return network

    return make


def _start_from(
    network: nn.Module,
    config: TrainConfig,
    faces: Sequence[LabelledFace],
    in_part: bool,
    scheme: Scheme,
) -> str:
    """Copy all tensors of the file ``config.init`` that fit into ``network``; return a line of what it gave.

    The normalisation of an exported model is separated with canonical crops of some of ``faces``.
    """

    def crops() -> Tensor:
        chosen = faces[:: max(1, len(faces) // _CALIBRATION)]
        some = FaceCrops(chosen, config.stages[0].size, scheme=scheme)
        return torch.stack([some[i][0] for i in range(len(some))])

    path, heads = Path(config.init), HEADS[config.model]
    told = scheme_of_weights(path)
    fresh = () if (told or IBUG68).has_points_of(scheme) else heads
    taken = warm_start(network, path, crops, in_part, fresh)
    new = " and ".join(name.removesuffix(".") for name in fresh)
    line = f"--init {path} gives {taken}" + (f"; new: {new}, for the points of {scheme}" if fresh else "")
    if told is None and (fresh or any(name.startswith(heads) for name in taken.names)):
        line += f"; a {path.suffix} file does not tell its scheme: it is taken for {IBUG68}"
    return line


def _refuse_leaks(training: list[LabelledFace], validation: list[LabelledFace], data: Path) -> None:
    test = present_test_faces(data)
    with progress_bar("comparing images", len(training) + len(validation) + len(test)) as advance:
        refuse_leaks(training, test, advance, validation)
