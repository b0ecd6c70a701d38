"""Networks by the name that the command line, checkpoints and shipped files use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from train.errors import RunError
from train.models.backbone import BLOCKS
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

WITH_BACKBONE: dict[str, Callable[..., nn.Module]] = {
    "resnet18": ResNet18Landmarks,
    "resnet18-plain": PlainResNet18,
}
"""Networks whose backbone can be chosen, and which can start from ImageNet weights."""


def build(
    model: str, n_points: int | None = None, *, backbone: str = "", pretrained: bool = False
) -> nn.Module:
    """Create the untrained network ``model``, or one whose ``backbone`` is ``pretrained`` on ImageNet.

    It locates ``n_points``, None for as many as the shipped one. An empty ``backbone`` is the model's own.
    Raises :class:`~train.errors.RunError` for an unknown name, for a model whose backbone, or number of
    points, cannot be chosen, and if the ImageNet weights cannot be downloaded.
    """
    if model not in MODELS:
        raise RunError(f"unknown model {model!r}: choose one of {', '.join(MODELS)}")
    check_backbone(model, backbone)
    if n_points is not None and model in SPECS:
        raise RunError(f"{model} locates points of its own: choose one of {', '.join(OF_ANY_SCHEME)}")
    options: dict[str, int] = {} if n_points is None else {"n_points": n_points}
    if backbone or pretrained:
        return WITH_BACKBONE[model](backbone or "resnet18", pretrained, **options)
    return MODELS[model](**options)


def check_backbone(model: str, backbone: str) -> None:
    """Check that ``backbone`` is empty or one that ``model`` can have.

    Raises :class:`~train.errors.RunError` if not.
    """
    if backbone and model not in WITH_BACKBONE:
        raise RunError(f"{model} has no backbone to choose, only {' and '.join(WITH_BACKBONE)} have")
    if backbone and backbone not in BLOCKS:
        raise RunError(f"backbone must be {' or '.join(BLOCKS)}, got {backbone!r}")


def size_step(model: str) -> int:
    """Return the number of pixels that crop sides for the network ``model`` must be a multiple of."""
    return 16 if model in _HALVED_FOUR_TIMES else 32
