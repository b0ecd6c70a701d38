"""Networks by the name that the command line, checkpoints and shipped files use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from train.errors import RunError
from train.models.imm import SPECS, ImmLandmarks
from train.models.plain import PlainResNet18
from train.models.resnet18 import ResNet18Landmarks
from train.models.unet import UNetLandmarks

MODELS: dict[str, Callable[[], nn.Module]] = {
    "resnet18": ResNet18Landmarks,
    "resnet18-plain": PlainResNet18,
    "unet": partial(UNetLandmarks, features=32, stride=2),
    "unet-mri": partial(UNetLandmarks, features=32, stride=1),
    "unet-light": partial(UNetLandmarks, features=8, stride=4),
    **{model: partial(ImmLandmarks, model) for model in SPECS},
}

WITHOUT_MAPS = ("resnet18-plain", *SPECS)
"""Networks that regress coordinates, so that their points have no quality."""

_HALVED_FOUR_TIMES = ("unet", "unet-mri", "unet-light")

IMAGENET: dict[str, Callable[[], nn.Module]] = {
    "resnet18": partial(ResNet18Landmarks, pretrained=True),
    "resnet18-plain": partial(PlainResNet18, pretrained=True),
}
"""Networks that can start from ImageNet weights, which are downloaded when the network is created."""


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
