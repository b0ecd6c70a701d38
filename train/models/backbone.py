"""ResNet18 with a one-channel stem, as a source of features at five sizes.

K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016: torchvision's network.
"""

from __future__ import annotations

from torch import Tensor, nn

from train.errors import RunError
from train.models.vision import import_models

MEAN, STD = 127.5, 64.0
"""Mean and standard deviation that normalise grey levels; they are part of the exported graph."""

WIDTHS = (64, 64, 128, 256, 512)
"""Channels of the features, finest first."""


def grey_resnet18(pretrained: bool = False) -> nn.Module:
    """Create torchvision's ResNet18 for grey pictures, without its classifier.

    ``pretrained=True`` downloads the ImageNet weights (the only network access in training, and only on
    request) and averages the RGB stem into one channel. Raises :class:`~train.errors.RunError` if the
    download fails.
    """
    models = import_models()
    weights = models.ResNet18_Weights.IMAGENET1K_V1 if pretrained else None
    try:
        backbone = models.resnet18(weights=weights)
    except OSError as error:
        raise RunError(f"the ImageNet weights cannot be downloaded: {error}") from error
    stem = nn.Conv2d(1, WIDTHS[0], kernel_size=7, stride=2, padding=3, bias=False)
    if weights is not None:
        stem.weight.data = backbone.conv1.weight.data.mean(dim=1, keepdim=True)
    backbone.conv1 = stem
    backbone.fc = nn.Identity()
    assert isinstance(backbone, nn.Module)
    return backbone


def features(backbone: nn.Module, crop: Tensor) -> list[Tensor]:
    """Compute the features of a crop at 1/2, 1/4, 1/8, 1/16 and 1/32 of its size.

    ``crop`` is ``(N, 1, S, S)`` grey levels.
    """
    part = dict(backbone.named_children())
    x = part["relu"](part["bn1"](part["conv1"]((crop.float() - MEAN) / STD)))
    found = [x]
    x = part["maxpool"](x)
    for layer in ("layer1", "layer2", "layer3", "layer4"):
        x = part[layer](x)
        found.append(x)
    return found
