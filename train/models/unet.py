"""U-Net that predicts a heatmap of each point in one grey crop.

O. Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015, with
batch normalisation, in the shape and with the layer names of M. Buda et al., "Association of genomic subtypes
of lower-grade gliomas with shape features automatically extracted by a deep learning algorithm", Computers in
Biology and Medicine 2019, so that training can start from its published checkpoint.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tracker.scheme.ibug68 import IBUG68
from train.errors import RunError
from train.models.backbone import MEAN, STD
from train.models.heatmap import RING
from train.models.output import LandmarkOutput
from train.models.reading import read_maps

LEVELS = 4

_FIRST = "encoder1.enc1conv1.weight"


class UNetLandmarks(nn.Module):
    """Network from grey crops to ``LandmarkOutput``.

    The input is ``(N, 1, S, S)`` uint8 or float grey levels 0..255, S a multiple of 16. ``features`` are the
    channels of the first level, doubled at each of four. Maps, one for each of ``n_points``, have 1 /
    ``stride`` of the crop's size (1, 2 or 4), where the decoder ends. Raises
    :class:`~train.errors.RunError` for another stride.
    """

    def __init__(self, features: int = 32, stride: int = 2, n_points: int = IBUG68.n_points) -> None:
        super().__init__()
        if stride not in (1, 2, 4):
            raise RunError(f"a U-Net draws maps at 1/1, 1/2 or 1/4 of the crop, got 1/{stride}")
        self.last = {1: 1, 2: 2, 4: 3}[stride]
        widths = [features * 2**level for level in range(LEVELS + 1)]
        for level in range(1, LEVELS + 1):
            inputs = 1 if level == 1 else widths[level - 2]
            setattr(self, f"encoder{level}", double_convolution(inputs, widths[level - 1], f"enc{level}"))
        self.pool = nn.MaxPool2d(2)
        self.bottleneck = double_convolution(widths[LEVELS - 1], widths[LEVELS], "bottleneck")
        for level in range(LEVELS, self.last - 1, -1):
            width = widths[level - 1]
            setattr(self, f"upconv{level}", nn.ConvTranspose2d(2 * width, width, kernel_size=2, stride=2))
            setattr(self, f"decoder{level}", double_convolution(2 * width, width, f"dec{level}"))
        self.maps = nn.Conv2d(widths[self.last - 1], n_points, kernel_size=3, padding=1 + RING)
        # Initial maps are flat, so that every point begins in the middle of the crop.
        nn.init.normal_(self.maps.weight, std=0.01)
        self.presence = nn.Linear(n_points, 1)

    def forward(self, crop: Tensor) -> LandmarkOutput:
        """Predict points, presence and maps of each crop."""
        maps = self.maps(self._decode(self._encode((crop.float() - MEAN) / STD)))
        return read_maps(maps, self.presence)

    def _encode(self, x: Tensor) -> list[Tensor]:
        """Return the features of each level, finest first, and of the bottleneck."""
        levels = []
        for level in range(1, LEVELS + 1):
            x = getattr(self, f"encoder{level}")(x)
            levels.append(x)
            x = self.pool(x)
        return [*levels, self.bottleneck(x)]

    def _decode(self, levels: list[Tensor]) -> Tensor:
        x = levels[-1]
        for level in range(LEVELS, self.last - 1, -1):
            x = getattr(self, f"upconv{level}")(x)
            x = getattr(self, f"decoder{level}")(torch.cat((x, levels[level - 1]), dim=1))
        return x


def double_convolution(inputs: int, outputs: int, name: str = "") -> nn.Sequential:
    """Create two blocks of 3x3 convolution, batch normalisation and ReLU.

    Layers are called ``nameconv1``, ``namenorm1`` and so on.
    """
    layers: list[tuple[str, nn.Module]] = []
    for number, width in ((1, inputs), (2, outputs)):
        layers += [
            (f"{name}conv{number}", nn.Conv2d(width, outputs, kernel_size=3, padding=1, bias=False)),
            (f"{name}norm{number}", nn.BatchNorm2d(outputs)),
            (f"{name}relu{number}", nn.ReLU(inplace=True)),
        ]
    return nn.Sequential(OrderedDict(layers))


def is_brain_mri(tensors: Mapping[str, Tensor]) -> bool:
    """Return whether ``tensors`` are those of mateuszbuda/brain-segmentation-pytorch, of three channels."""
    first = tensors.get(_FIRST)
    return first is not None and first.ndim == 4 and first.shape[1] == 3


def grey_brain_mri(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return that checkpoint's tensors for one channel: the first kernel is averaged over its three.

    These are three recordings of one slice, each normalised by itself, and no colours of one picture.
    """
    return {**tensors, _FIRST: tensors[_FIRST].mean(dim=1, keepdim=True)}
