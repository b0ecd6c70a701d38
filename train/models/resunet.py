"""U-Net whose way down is a ResNet18, so that it can start from a trained one.

O. Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015: the
way up doubles the size, joins the features of that size from the way down, and convolves twice. The first
level of the original, as fine as the crop, is left out: maps are drawn at half the crop's size, which costs
an eighth and, read as means, places points as well.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tracker.types import N_POINTS
from train.heatmap import RING
from train.models.backbone import WIDTHS, features, grey_resnet18
from train.models.output import LandmarkOutput
from train.models.reading import read_maps
from train.models.unet import double_convolution


class ResUNetLandmarks(nn.Module):
    """``(N, 1, S, S)`` uint8 or float grey levels 0..255 to ``LandmarkOutput``, S a multiple of 32.

    ``width`` channels draw the maps, which have half the crop's size. ``pretrained=True`` starts from
    ImageNet, as :func:`~train.models.backbone.grey_resnet18` does.
    """

    def __init__(self, width: int = 32, pretrained: bool = False) -> None:
        super().__init__()
        self.backbone = grey_resnet18(pretrained)
        self.up = nn.ModuleList()
        self.join = nn.ModuleList()
        below = WIDTHS[-1]
        for skip, out in zip(WIDTHS[-2::-1], (*WIDTHS[-2:0:-1], width), strict=True):
            self.up.append(nn.ConvTranspose2d(below, out, kernel_size=2, stride=2))
            self.join.append(double_convolution(out + skip, out))
            below = out
        self.maps = nn.Conv2d(width, N_POINTS, kernel_size=3, padding=1 + RING)
        # Flat maps at the start: every point begins in the middle of the crop.
        nn.init.normal_(self.maps.weight, std=0.01)
        self.presence = nn.Linear(N_POINTS, 1)

    def forward(self, crop: Tensor) -> LandmarkOutput:
        levels = features(self.backbone, crop)
        x = levels[-1]
        for up, join, level in zip(self.up, self.join, levels[-2::-1], strict=True):
            x = join(torch.cat((up(x), level), dim=1))
        return read_maps(self.maps(x), self.presence)
