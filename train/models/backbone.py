"""ResNets with a one-channel stem, as sources of features at five sizes.

K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016: torchvision's networks.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from train.errors import RunError
from train.models.vision import import_models

MEAN, STD = 127.5, 64.0
"""Mean and standard deviation that normalise grey levels; they are part of the exported graph."""

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of R, G and B, 0..1, for which torchvision's weights were trained."""

_STEM, _STEM_MEAN = "conv1.weight", "bn1.running_mean"

WIDTHS = (64, 64, 128, 256, 512)
"""Channels of the features, finest first."""

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
"""Residual blocks of each layer of the networks that can be a backbone: those with these ``WIDTHS``."""


def grey_resnet(name: str = "resnet18", pretrained: bool = False) -> nn.Module:
    """Create torchvision's network ``name`` of ``BLOCKS`` for grey pictures, without its classifier.

    ``pretrained=True`` downloads the ImageNet weights (the only network access in training, and only on
    request), as :func:`grey_imagenet` converts them. Raises :class:`~train.errors.RunError` if the download
    fails.
    """
    models = import_models()
    weights = models.get_model_weights(name).IMAGENET1K_V1 if pretrained else None
    try:
        backbone = models.get_model(name, weights=weights)
    except OSError as error:
        file = weights.url.rpartition("/")[2] if weights else ""
        raise RunError(
            f"the ImageNet weights cannot be downloaded ({error}): download {file} elsewhere "
            "and give it as --init FILE"
        ) from error
    published = backbone.state_dict()
    backbone.conv1 = nn.Conv2d(1, WIDTHS[0], kernel_size=7, stride=2, padding=3, bias=False)
    if weights is not None:
        backbone.load_state_dict(grey_imagenet(published))
    backbone.fc = nn.Identity()
    assert isinstance(backbone, nn.Module)
    return backbone


def backbone_of(tensors: Mapping[str, Tensor]) -> str:
    """Return the name in ``BLOCKS`` of the backbone that a network with ``tensors`` has; empty for none."""
    blocks = tuple(
        len({name.split(".")[2] for name in tensors if name.startswith(f"backbone.layer{layer}.")})
        for layer in range(1, 5)
    )
    return next((name for name, known in BLOCKS.items() if known == blocks), "")


def is_torchvision(tensors: Mapping[str, Tensor]) -> bool:
    """Return whether ``tensors`` have the names of torchvision's ResNets."""
    return {_STEM, _STEM_MEAN, "layer1.0.conv1.weight"} <= tensors.keys()


def grey_imagenet(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of torchvision's ResNets for grey pictures, normalised as :func:`features` does.

    Those of a network that sees one channel are returned as they are.

    Of a grey picture in RGB, channel c of the original is ``(g / 255 - mean_c) / std_c``, which is ``a_c u +
    d_c`` for our ``u = (g - MEAN) / STD``. The kernels are linear, so their sum over the channels, each times
    ``a_c``, answers to ``u`` as all three together do; a mean would answer a third as strongly, and the
    normalisation behind it, whose statistics are loaded too, would expect three times as much. The ``d_c``
    add a constant to each filter's output, which moves into the mean that this normalisation subtracts.
    Only at the edge something is left: there the original is padded with its mean colour, the converted one
    with the grey level MEAN.
    """
    kernels = tensors[_STEM].double()
    if kernels.shape[1] != len(_IMAGENET_STD):
        return dict(tensors)
    std = torch.tensor(_IMAGENET_STD, dtype=torch.float64)
    gain = STD / (255 * std)
    offset = (MEAN / 255 - torch.tensor(_IMAGENET_MEAN, dtype=torch.float64)) / std
    grey = torch.einsum("fcyx,c->fyx", kernels, gain)[:, None]
    constant = torch.einsum("fcyx,c->f", kernels, offset)
    mean = tensors[_STEM_MEAN]
    found = dict(tensors)
    found[_STEM] = grey.to(tensors[_STEM].dtype)
    found[_STEM_MEAN] = (mean.double() - constant).to(mean.dtype)
    return found


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
