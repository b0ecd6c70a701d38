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

MODELS: dict[str, Callable[..., nn.Module]] = {
    "resnet18": ResNet18Landmarks,
    "resnet18-plain": PlainResNet18,
    "unet": partial(UNetLandmarks, features=32, stride=2),
    "unet-mri": partial(UNetLandmarks, features=32, stride=1),
    "unet-light": partial(UNetLandmarks, features=8, stride=4),
    **{model: partial(ImmLandmarks, model) for model in SPECS},
}

WITHOUT_MAPS = ("resnet18-plain", *SPECS)
"""Networks that regress coordinates, so that their points have no quality."""

OF_ANY_SCHEME = tuple(model for model in MODELS if model not in SPECS)
"""Networks of which the number of points can be chosen."""

HEADS: dict[str, tuple[str, ...]] = {
    "resnet18": ("pyramid.maps.",),
    "resnet18-plain": ("backbone.fc.",),
    **dict.fromkeys(("unet", "unet-mri", "unet-light"), ("maps.", "presence.")),
}
"""Beginnings of the names of the tensors that belong to the points of a scheme; the others are the trunk."""

_HALVED_FOUR_TIMES = ("unet", "unet-mri", "unet-light")

IMAGENET: dict[str, Callable[..., nn.Module]] = {
    "resnet18": partial(ResNet18Landmarks, pretrained=True),
    "resnet18-plain": partial(PlainResNet18, pretrained=True),
}
"""Networks that can start from ImageNet weights, which are downloaded when the network is created."""


def build(model: str, n_points: int | None = None) -> nn.Module:
    """Create the untrained network ``model`` for ``n_points`` landmarks; None for those of the shipped one.

    Raises :class:`~train.errors.RunError` for an unknown name, and for another number of points of a network
    that has one only.
    """
    if model not in MODELS:
        raise RunError(f"unknown model {model!r}: choose one of {', '.join(MODELS)}")
    if n_points is None:
        return MODELS[model]()
    if model in SPECS:
        raise RunError(f"{model} locates points of its own: choose one of {', '.join(OF_ANY_SCHEME)}")
    return MODELS[model](n_points=n_points)


def size_step(model: str) -> int:
    """Return the number of pixels that crop sides for the network ``model`` must be a multiple of."""
    return 16 if model in _HALVED_FOUR_TIMES else 32
