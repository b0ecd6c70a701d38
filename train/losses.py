"""What training minimises: wing loss on the points of faces, cross-entropy on presence."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from tracker.geometry import CROP_SIZE
from train.models.resnet18 import LandmarkOutput

_WIDTH, _CURVATURE = 10.0, 2.0


def wing(error_px: Tensor) -> Tensor:
    """Wing loss of ``error_px`` (pixels of a 224 px crop), elementwise.

    Logarithmic near 0, so that small errors still pull, linear from 10 px on. Z.-H. Feng et al.,
    "Wing Loss for Robust Facial Landmark Localisation with CNNs", CVPR 2018, w = 10, epsilon = 2.
    """
    offset = _WIDTH - _WIDTH * math.log1p(_WIDTH / _CURVATURE)
    size = error_px.abs()
    return torch.where(size < _WIDTH, _WIDTH * torch.log1p(size / _CURVATURE), size - offset)


def landmark_loss(output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Tensor:
    """Mean wing loss over the faces of a batch plus binary cross-entropy of presence.

    ``points`` ``(N, 68, 2)`` in crop sides, ``is_face`` ``(N,)`` 1 or 0; points of crops without a
    face are ignored.
    """
    per_crop = wing(CROP_SIZE * (output.points - points)).mean(dim=(1, 2))
    located = (per_crop * is_face).sum() / is_face.sum().clamp(min=1)
    presence = functional.binary_cross_entropy_with_logits(output.presence_logit, is_face)
    return located + presence
