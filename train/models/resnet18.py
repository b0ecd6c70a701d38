"""ResNet18 that locates points and judges the presence of a face in one grey crop.

K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016: torchvision's network with a
one-channel stem. Its pooled features have no positions, so the points are not regressed from them, but
decoded as means of coarse maps (X. Sun et al., "Integral Human Pose Regression", ECCV 2018), which a thin
feature pyramid (T.-Y. Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017) computes at a
quarter of the crop's resolution. Presence is predicted from the pooled features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tracker.scheme.ibug68 import IBUG68
from train.models.backbone import WIDTHS, features, grey_resnet
from train.models.heatmap import RING, HeatmapCodec
from train.models.output import LandmarkOutput

_WIDTH = 64
_FEATURES = WIDTHS[1:]


class ResNet18Landmarks(nn.Module):
    """Network from grey crops to ``LandmarkOutput``.

    The input is ``(N, 1, S, S)`` uint8 or float grey levels 0..255, S a multiple of 32; ``n_points`` are
    located. ``backbone`` and ``pretrained``, for a start from ImageNet, are as in
    :func:`~train.models.backbone.grey_resnet`.
    """

    def __init__(
        self, backbone: str = "resnet18", pretrained: bool = False, n_points: int = IBUG68.n_points
    ) -> None:
        super().__init__()
        self.backbone = grey_resnet(backbone, pretrained)
        self.pyramid = Pyramid(n_points)
        self.presence = nn.Linear(_FEATURES[-1], 1)

    def forward(self, crop: Tensor) -> LandmarkOutput:
        """Predict points, presence and maps of each crop."""
        levels = features(self.backbone, crop)[1:]
        maps = self.pyramid(levels)
        # bfloat16 resolves half a pixel at the crop's edge, so coordinates are computed in float32.
        with torch.autocast(crop.device.type, enabled=False):
            points = HeatmapCodec.decode(maps)
            presence = self.presence(levels[-1].float().mean(dim=(2, 3)))
        return LandmarkOutput(points, presence[:, 0], maps)


class Pyramid(nn.Module):
    """Feature pyramid from four feature sizes, finest first, to maps of the finest size.

    There is one map for each of ``n_points``, with a ring of cells around the crop.
    """

    def __init__(self, n_points: int = IBUG68.n_points) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(count, _WIDTH, kernel_size=1) for count in _FEATURES)
        self.smooth = nn.ModuleList(_smooth() for _ in _FEATURES[1:])
        self.maps = nn.Conv2d(_WIDTH, n_points, kernel_size=3, padding=1 + RING)
        # Initial maps are flat, so that every point begins in the middle of the crop.
        nn.init.normal_(self.maps.weight, std=0.01)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Return the maps, ``(N, P, S/4 + 2, S/4 + 2)`` logits."""
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
