"""Train a 68-point network on 300-W style data."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import nn

from train.config import TrainConfig
from train.data.dataset import FaceCrops
from train.data.readers import LabelledFace
from train.data.splits import training_faces, youtube_faces
from train.errors import RunError
from train.exported import warm_start
from train.leaks import present_test_faces, refuse_leaks
from train.models.registry import build
from train.models.resnet18 import ResNet18Landmarks
from train.options import is_first_process
from train.progress import progress_bar
from train.running import RunOptions, run_training
from train.task import landmark_task

log = logging.getLogger(__name__)

_CALIBRATION = 256


def train_landmarks(config: TrainConfig, data: Path, limit: int, options: RunOptions) -> Path | None:
    """Train ``config.model`` on the faces below ``data`` (``limit`` of them, 0: all).

    Returns the weights' path, on the first process only. Raises :class:`~train.leaks.LeakError` if a
    test or validation face is among the training faces.
    """
    training, validation = training_faces(data)
    if "youtube" in config.sets:
        training += youtube_faces(data)
    if is_first_process():
        _refuse_leaks(training, validation, data)
        if not validation:
            log.warning("no face of this data validates: the validation error will be nan")
    training, validation = _some(training, limit), _some(validation, limit)
    task = landmark_task(config, training, validation)
    make = partial(build, config.model) if options.goes_on else initial_network(config, training)
    return run_training(config, make, task, options)


def initial_network(config: TrainConfig, faces: Sequence[LabelledFace]) -> Callable[[], nn.Module]:
    """Makes the network with its first weights: random, ImageNet's, or those of a trained model's file.

    An exported model is taken apart on canonical crops of some of ``faces``. Raises
    :class:`~train.errors.RunError`, when called, if the file does not fit.
    """

    def make() -> nn.Module:
        if config.init == "imagenet":
            if config.model != "resnet18":
                raise RunError(f"there are no ImageNet weights for {config.model}: give --init a file")
            return ResNet18Landmarks(pretrained=True)
        network = build(config.model)
        if config.init:
            crops = FaceCrops(faces[:: max(1, len(faces) // _CALIBRATION)], config.stages[0].size)
            stacked = torch.stack([crops[i][0] for i in range(len(crops))])
            taken = warm_start(network, Path(config.init), stacked)
            log.warning("--init %s gives %d of %d tensors", config.init, taken, len(network.state_dict()))
        return network

    return make


def _some(faces: list[LabelledFace], limit: int) -> list[LabelledFace]:
    """``limit`` of ``faces`` (0: all), from every data set."""
    return faces[:: max(1, len(faces) // limit)][:limit] if limit else faces


def _refuse_leaks(training: list[LabelledFace], validation: list[LabelledFace], data: Path) -> None:
    test = present_test_faces(data)
    with progress_bar("comparing images", len(training) + len(validation) + len(test)) as advance:
        refuse_leaks(training, test, advance, validation)
