"""Plain convolutional networks on whole pictures: the tip of the nose, and 58 points of the face.

Each convolution is followed by ReLU and 2x2 max pooling, and two fully connected layers regress the points:
the architecture of Y. LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE
1998. Convolutions are padded by half a kernel, so that kernels of different size leave the same number of
features: the two nose networks differ in their convolutions only.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tracker.types import FloatArray
from train.data.asf import N_ASF_POINTS
from train.data.imm import NOSE_TIP
from train.errors import RunError
from train.models.backbone import MEAN, STD
from train.models.output import LandmarkOutput


@dataclass(frozen=True)
class ImmSpec:
    """Architecture of one network, for pictures ``size`` wide and 3/4 as high.

    ``layers`` are (filters, kernel size in pixels), ``hidden`` the units of the first linear layer, and
    ``keep`` the numbers of the predicted points, among the database's 58.
    """

    size: int
    layers: tuple[tuple[int, int], ...]
    hidden: int
    keep: tuple[int, ...]


SPECS: dict[str, ImmSpec] = {
    "nose-funnel": ImmSpec(80, ((12, 7), (24, 5), (32, 3)), 150, (NOSE_TIP,)),
    "nose-fan": ImmSpec(80, ((12, 3), (24, 5), (32, 7)), 150, (NOSE_TIP,)),
    "face58": ImmSpec(240, ((12, 10), (20, 7), (25, 5), (30, 5), (32, 5)), 500, tuple(range(N_ASF_POINTS))),
}


def imm_spec(model: str) -> ImmSpec:
    """Return the architecture of ``model``.

    Raises :class:`~train.errors.RunError` if it is not among ``SPECS``.
    """
    if model not in SPECS:
        raise RunError(f"model {model!r} is not one of {', '.join(SPECS)}")
    return SPECS[model]


class ImmLandmarks(nn.Module):
    """Network from grey pictures to ``LandmarkOutput``.

    The input is ``(N, 1, 3/4 S, S)`` uint8 or float grey levels 0..255, S the size of ``model``. An untrained
    network returns ``start`` ``(P, 2)``, in crop sides, for any picture (by default the centre), so that
    training begins with the mean face. The other weights are initialised for ReLU networks: K. He et al.,
    "Delving Deep into Rectifiers", ICCV 2015. Raises :class:`~train.errors.RunError` for a model that is not
    among ``SPECS``.
    """

    def __init__(self, model: str, start: FloatArray | None = None) -> None:
        super().__init__()
        spec = imm_spec(model)
        channels, height, width = 1, spec.size * 3 // 4, spec.size
        stages: list[nn.Module] = []
        for filters, kernel in spec.layers:
            convolution = nn.Conv2d(channels, filters, kernel, padding=kernel // 2)
            stages += [convolution, nn.ReLU(), nn.MaxPool2d(2)]
            grown = 1 - kernel % 2  # an even kernel, padded by half, adds one row and column
            channels, height, width = filters, (height + grown) // 2, (width + grown) // 2
        self.features = nn.Sequential(*stages)
        self.hidden = nn.Linear(channels * height * width, spec.hidden)
        self.points = nn.Linear(spec.hidden, 2 * len(spec.keep))
        self._initialise(start)

    def _initialise(self, start: FloatArray | None) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.points.weight)
        if start is not None:
            self.points.bias.data = torch.from_numpy(start).float().flatten()

    def forward(self, crop: Tensor) -> LandmarkOutput:
        """Predict the points of each picture, without presence and maps."""
        x = self.features((crop.float() - MEAN) / STD)
        x = torch.relu(self.hidden(x.flatten(1)))
        # bfloat16 resolves half a pixel at the picture's edge, so coordinates are computed in float32.
        with torch.autocast(crop.device.type, enabled=False):
            points = self.points(x.float())
        return LandmarkOutput(points.unflatten(1, (-1, 2)))
