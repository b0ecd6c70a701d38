"""ResNet18 as torchvision has it, from one grey channel to the coordinates of points.

K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016. The usual first network for this
task, kept to be compared with: its points are regressed from pooled features, which have no positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tracker.scheme.ibug68 import IBUG68
from train.models.backbone import WIDTHS, features, grey_resnet
from train.models.output import LandmarkOutput


class PlainResNet18(nn.Module):
    """Network from grey crops to ``LandmarkOutput``, without presence and maps.

    The input is ``(N, 1, S, S)`` uint8 or float grey levels 0..255, S a multiple of 32; ``n_points`` are
    located. ``backbone`` and ``pretrained``, for a start from ImageNet, are as in
    :func:`~train.models.backbone.grey_resnet`. The last layer is new.
    """

    def __init__(
        self, backbone: str = "resnet18", pretrained: bool = False, n_points: int = IBUG68.n_points
    ) -> None:
        super().__init__()
        self.backbone = grey_resnet(backbone, pretrained)
        self.backbone.fc = nn.Linear(WIDTHS[-1], 2 * n_points)

    def forward(self, crop: Tensor) -> LandmarkOutput:
        """Predict the points of each crop."""
        pooled = features(self.backbone, crop)[-1].mean(dim=(2, 3))
        # bfloat16 resolves half a pixel at the crop's edge, so coordinates are computed in float32.
        with torch.autocast(crop.device.type, enabled=False):
            points: Tensor = self.backbone.get_submodule("fc")(pooled.float())
        return LandmarkOutput(points.reshape(len(points), -1, 2))
