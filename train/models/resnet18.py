"""ResNet18 that regresses 68 points and the presence of a face from one grey crop.

K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; torchvision's network with a
one-channel stem and a head of 68 x 2 + 1 outputs.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from tracker.types import N_POINTS
from train.errors import RunError
from train.models.vision import import_models

MEAN, STD = 127.5, 64.0
"""Grey levels are normalised by these; they travel inside the exported graph."""


class LandmarkOutput(NamedTuple):
    """``points`` ``(N, 68, 2)`` in crop sides from the centre; ``presence_logit`` ``(N,)``."""

    points: Tensor
    presence_logit: Tensor


class ResNet18Landmarks(nn.Module):
    """``(N, 1, S, S)`` uint8 or float grey levels 0..255 to :class:`LandmarkOutput`, at any size S.

    ``pretrained="imagenet"`` downloads torchvision's weights (the only network access in training,
    and only on request) and averages the RGB stem into one channel. Raises
    :class:`~train.errors.RunError` if the download fails.
    """

    def __init__(self, pretrained: str | None = None) -> None:
        super().__init__()
        models = import_models()
        weights = models.ResNet18_Weights.IMAGENET1K_V1 if pretrained == "imagenet" else None
        try:
            backbone = models.resnet18(weights=weights)
        except OSError as error:
            raise RunError(f"the ImageNet weights cannot be downloaded: {error}") from error
        stem = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        if weights is not None:
            stem.weight.data = backbone.conv1.weight.data.mean(dim=1, keepdim=True)
        backbone.conv1 = stem
        self.head = nn.Linear(backbone.fc.in_features, N_POINTS * 2 + 1)
        backbone.fc = nn.Identity()
        self.backbone = backbone

    def forward(self, crop: Tensor) -> LandmarkOutput:
        features = self.backbone((crop.float() - MEAN) / STD)
        # bfloat16 resolves half a pixel at the crop's edge: the last layer stays in float32.
        with torch.autocast(crop.device.type, enabled=False):
            out = self.head(features.float())
        return LandmarkOutput(out[:, :-1].reshape(-1, N_POINTS, 2), out[:, -1])
