"""Networks by the name that the command line, checkpoints and shipped files use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from train.errors import RunError
from train.models.imm import SPECS, ImmLandmarks
from train.models.resnet18 import ResNet18Landmarks
from train.models.unet import UNetLandmarks

MODELS: dict[str, Callable[[], nn.Module]] = {
    "resnet18": ResNet18Landmarks,
    "unet": UNetLandmarks,
    **{model: partial(ImmLandmarks, model) for model in SPECS},
}


def build(model: str) -> nn.Module:
    """The untrained network ``model``. Raises :class:`~train.errors.RunError` for an unknown name."""
    if model not in MODELS:
        raise RunError(f"unknown model {model!r}: choose one of {', '.join(MODELS)}")
    return MODELS[model]()
