"""Networks by the name that the command line, checkpoints and shipped files use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from train.errors import RunError
from train.models.imm import SPECS, ImmLandmarks
from train.models.resnet18 import ResNet18Landmarks
from train.models.unet import UNetLandmarks, adopt_brain_mri

MODELS: dict[str, Callable[[], nn.Module]] = {
    "resnet18": ResNet18Landmarks,
    "unet": partial(UNetLandmarks, features=32, stride=2),
    "unet-mri": partial(UNetLandmarks, features=32, stride=1),
    "unet-light": partial(UNetLandmarks, features=8, stride=4),
    **{model: partial(ImmLandmarks, model) for model in SPECS},
}

_HALVED_FOUR_TIMES = ("unet", "unet-mri", "unet-light")

IMAGENET: dict[str, Callable[[], nn.Module]] = {
    "resnet18": partial(ResNet18Landmarks, pretrained=True),
}
"""Networks that can start from ImageNet weights, which are downloaded when the network is created."""

PUBLISHED: dict[str, Callable[[Any, Path], int]] = {"unet-mri": adopt_brain_mri}
"""Networks that can start from a torch checkpoint published elsewhere, each with its import function.

The function copies the checkpoint into the network and returns the number of tensors copied.
"""


def build(model: str) -> nn.Module:
    """Create the untrained network ``model``.

    Raises :class:`~train.errors.RunError` for an unknown name.
    """
    if model not in MODELS:
        raise RunError(f"unknown model {model!r}: choose one of {', '.join(MODELS)}")
    return MODELS[model]()


def size_step(model: str) -> int:
    """Return the number of pixels that crop sides for the network ``model`` must be a multiple of."""
    return 16 if model in _HALVED_FOUR_TIMES else 32
