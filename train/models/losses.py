"""Training loss: distance of the points, cross-entropy of their maps, presence of a face."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from tracker.geometry import CROP_SIZE
from train.errors import RunError
from train.models.heatmap import RING, HeatmapCodec, KernelCodec
from train.models.output import LandmarkOutput

_WIDTH, _CURVATURE = 10.0, 2.0


def wing(error_px: Tensor) -> Tensor:
    """Compute the wing loss of ``error_px`` (pixels of a 224 px crop), elementwise.

    Logarithmic near 0, so that small errors keep a large gradient, and linear from 10 px on. Z.-H. Feng et
    al., "Wing Loss for Robust Facial Landmark Localisation with CNNs", CVPR 2018, w = 10, epsilon = 2.
    """
    offset = _WIDTH - _WIDTH * math.log1p(_WIDTH / _CURVATURE)
    size = error_px.abs()
    return torch.where(size < _WIDTH, _WIDTH * torch.log1p(size / _CURVATURE), size - offset)


@dataclass(frozen=True)
class LandmarkLoss:
    """Mean wing loss over the points of faces, plus terms for maps and presence if the network has them.

    ``map_weight`` times the cross-entropy between each map's softmax and the target of ``codec`` keeps maps
    peaked, which the mean alone would not require (A. Nibali et al., "Numerical Coordinate Regression with
    Convolutional Neural Networks", 2018); presence adds its binary cross-entropy. Raises
    :class:`~train.errors.RunError` for a negative weight.
    """

    map_weight: float = 1.0
    codec: HeatmapCodec | KernelCodec = field(default_factory=HeatmapCodec)

    def __post_init__(self) -> None:
        if self.map_weight < 0:
            raise RunError(f"map_weight must not be negative, got {self.map_weight}")

    def __call__(self, output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Tensor:
        """Return the scalar loss for ``points`` ``(N, P, 2)`` in crop sides and ``is_face`` ``(N,)``, 1 or 0.

        Points of crops without a face are ignored.
        """
        per_crop = wing(CROP_SIZE * (output.points - points)).mean(dim=(1, 2))
        if output.maps is not None and self.map_weight > 0:
            per_crop = per_crop + self.map_weight * self._map_loss(output.maps, points)
        loss = (per_crop * is_face).sum() / is_face.sum().clamp(min=1)
        if output.presence_logit is not None:
            loss = loss + functional.binary_cross_entropy_with_logits(output.presence_logit, is_face)
        return loss

    def _map_loss(self, maps: Tensor, points: Tensor) -> Tensor:
        """Return the cross-entropy in nats, mean over the points of each crop, ``(N,)``."""
        with torch.no_grad():
            target = self.codec.encode(points, maps.shape[-1] - 2 * RING).flatten(2)
        return -(target * maps.float().flatten(2).log_softmax(dim=-1)).sum(dim=-1).mean(dim=-1)
