"""Training of the 68-point networks on 300-W style data."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import nn

from train.config import TrainConfig
from train.data.dataset import FaceCrops
from train.data.leaks import present_test_faces, refuse_leaks
from train.data.readers import LabelledFace
from train.data.splits import training_faces, youtube_faces
from train.errors import RunError
from train.models.load import warm_start
from train.models.registry import IMAGENET, PUBLISHED, build
from train.processes import is_first_process
from train.progress import progress_bar
from train.training.options import RunOptions
from train.training.run import run_training
from train.training.task import landmark_task, limited

log = logging.getLogger(__name__)

_CALIBRATION = 256
_TORCH_SUFFIXES = (".pt", ".pth")


def train_landmarks(
    config: TrainConfig,
    data: Path,
    limit: int,
    options: RunOptions,
    say: Callable[[str], object] = lambda _: None,
    more: Sequence[LabelledFace] = (),
) -> Path | None:
    """Train ``config.model`` on the faces below ``data`` and on ``more`` faces.

    ``limit`` is the number of faces to use; 0 uses all. Returns the weights' path on the first process and
    None on the others. On the first process, ``say`` is called with messages about the initial weights.
    Raises :class:`~train.data.leaks.LeakError` if a test or validation face is among the training faces.
    """
    training, validation = training_faces(data)
    if "youtube" in config.sets:
        training += youtube_faces(data)
    training += more
    if is_first_process():
        _refuse_leaks(training, validation, data)
        if not validation:
            log.warning("no face of this data validates: the validation error will be nan")
    training, validation = limited(training, limit), limited(validation, limit)
    task = landmark_task(config, training, validation)
    make = partial(build, config.model) if options.has_checkpoint else initial_network(config, training, say)
    return run_training(config, make, task, options)


def initial_network(
    config: TrainConfig, faces: Sequence[LabelledFace], say: Callable[[str], object]
) -> Callable[[], nn.Module]:
    """Return a function that creates the network with its initial weights.

    These are random, ImageNet's, or those of a trained model's file; the first process reports by ``say`` how
    much of the file was used. The function raises :class:`~train.errors.RunError` if the model cannot start
    from this source.
    """

    def make() -> nn.Module:
        if config.init == "imagenet":
            if config.model not in IMAGENET:
                known = " and ".join(IMAGENET)
                raise RunError(f"--init imagenet is for {known}: give a file to start {config.model} from")
            return IMAGENET[config.model]()
        network = build(config.model)
        if config.init:
            taken = _start_from(Path(config.init), network, config, faces)
            if is_first_process():
                say(f"--init {config.init} gives {taken} of {len(network.state_dict())} tensors")
        return network

    return make


def _start_from(path: Path, network: nn.Module, config: TrainConfig, faces: Sequence[LabelledFace]) -> int:
    """Copy all tensors of ``path`` that fit into ``network``, and return their number.

    The normalisation of an exported model is separated with canonical crops of some of ``faces``.
    """
    if path.suffix.lower() in _TORCH_SUFFIXES:
        if config.model not in PUBLISHED:
            raise RunError(
                f"--init {path}: only {' and '.join(PUBLISHED)} starts from a published checkpoint, "
                f"{config.model} from .onnx or .safetensors"
            )
        return PUBLISHED[config.model](network, path)
    crops = FaceCrops(faces[:: max(1, len(faces) // _CALIBRATION)], config.stages[0].size)
    return warm_start(network, path, torch.stack([crops[i][0] for i in range(len(crops))]))


def _refuse_leaks(training: list[LabelledFace], validation: list[LabelledFace], data: Path) -> None:
    test = present_test_faces(data)
    with progress_bar("comparing images", len(training) + len(validation) + len(test)) as advance:
        refuse_leaks(training, test, advance, validation)
