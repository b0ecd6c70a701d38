"""ResNet18 that locates 68 points and judges the presence of a face in one grey crop.

K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016: torchvision's network with a
one-channel stem. Its pooled features forget where they were; so the points are not regressed from them,
but read as means of coarse maps (X. Sun et al., "Integral Human Pose Regression", ECCV 2018) that a thin
pyramid (T.-Y. Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017) draws a quarter as
fine as the crop. Presence comes from the pooled features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tracker.types import N_POINTS
from train.errors import RunError
from train.heatmap import RING, HeatmapCodec
from train.models.output import LandmarkOutput
from train.models.vision import import_models

MEAN, STD = 127.5, 64.0
"""Grey levels are normalised by these; they travel inside the exported graph."""

_WIDTH = 64
_FEATURES = (64, 128, 256, 512)


class ResNet18Landmarks(nn.Module):
    """``(N, 1, S, S)`` uint8 or float grey levels 0..255 to ``LandmarkOutput``, S a multiple of 32.

    ``pretrained=True`` downloads torchvision's ImageNet weights (the only network access in training,
    and only on request) and averages the RGB stem into one channel. Raises
    :class:`~train.errors.RunError` if the download fails.
    """

    def __init__(self, pretrained: bool = False) -> None:
        super().__init__()
        models = import_models()
        weights = models.ResNet18_Weights.IMAGENET1K_V1 if pretrained else None
        try:
            backbone = models.resnet18(weights=weights)
        except OSError as error:
            raise RunError(f"the ImageNet weights cannot be downloaded: {error}") from error
        stem = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        if weights is not None:
            stem.weight.data = backbone.conv1.weight.data.mean(dim=1, keepdim=True)
        backbone.conv1 = stem
        backbone.fc = nn.Identity()
        self.backbone = backbone
        self.pyramid = Pyramid()
        self.presence = nn.Linear(_FEATURES[-1], 1)

    def forward(self, crop: Tensor) -> LandmarkOutput:
        levels = self._levels((crop.float() - MEAN) / STD)
        maps = self.pyramid(levels)
        # bfloat16 resolves half a pixel at the crop's edge: coordinates are made in float32.
        with torch.autocast(crop.device.type, enabled=False):
            points = HeatmapCodec.decode(maps)
            presence = self.presence(levels[-1].float().mean(dim=(2, 3)))
        return LandmarkOutput(points, presence[:, 0], maps)

    def _levels(self, x: Tensor) -> list[Tensor]:
        """Features at 1/4, 1/8, 1/16 and 1/32 of the crop's size."""
        net = self.backbone
        x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
        levels = []
        for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
            x = layer(x)
            levels.append(x)
        return levels


class Pyramid(nn.Module):
    """Features of four sizes, finest first, to maps of the finest size with a ring around them."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(count, _WIDTH, kernel_size=1) for count in _FEATURES)
        self.smooth = nn.ModuleList(_smooth() for _ in _FEATURES[1:])
        self.maps = nn.Conv2d(_WIDTH, N_POINTS, kernel_size=3, padding=1 + RING)
        # Flat maps at the start: every point begins in the middle of the crop.
        nn.init.normal_(self.maps.weight, std=0.01)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """``(N, 68, S/4 + 2, S/4 + 2)`` logits."""
        x = self.lateral[-1](levels[-1])
        for level, lateral, smooth in zip(levels[-2::-1], self.lateral[-2::-1], self.smooth, strict=True):
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = smooth(x + lateral(level))
        maps: Tensor = self.maps(x)
        return maps


def _smooth() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(_WIDTH, _WIDTH, kernel_size=3, padding=1, bias=False), nn.BatchNorm2d(_WIDTH), nn.ReLU()
    )
