"""Training loss: distance of the points, cross-entropy of their maps, presence of a face."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from tracker.geometry import CROP_SIZE
from train.data.faces import GUESSED, VISIBLE
from train.errors import RunError
from train.models.heatmap import RING, HeatmapCodec, KernelCodec
from train.models.output import LandmarkOutput

LossFunction = Callable[[LandmarkOutput, Tensor, Tensor], Tensor]
"""Loss of the network's output, given points and is_face as in :meth:`LandmarkLoss.__call__`."""


class Loss(NamedTuple):
    """The scalar ``total`` that training minimises, and the ``terms`` that it is the sum of, detached."""

    total: Tensor
    terms: Mapping[str, Tensor]


def wing(error_px: Tensor, width: float = 10.0, curvature: float = 2.0) -> Tensor:
    """Compute the wing loss of ``error_px`` (pixels of a 224 px crop), elementwise.

    Logarithmic near 0, so that small errors keep a large gradient, and linear from ``width`` on. Z.-H. Feng
    et al., "Wing Loss for Robust Facial Landmark Localisation with CNNs", CVPR 2018: ``width`` is their w,
    ``curvature`` their epsilon.
    """
    offset = width - width * math.log1p(width / curvature)
    size = error_px.abs()
    return torch.where(size < width, width * torch.log1p(size / curvature), size - offset)


def compute_loss(loss: LossFunction, output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Loss:
    """Compute ``loss``, with its terms if it is a :class:`LandmarkLoss`; a function has the total alone."""
    if isinstance(loss, LandmarkLoss):
        return loss.with_terms(output, points, is_face)
    return Loss(loss(output, points, is_face), {})


@dataclass(frozen=True)
class LandmarkLoss:
    """Mean wing loss over the points of faces, plus terms for maps and presence if the network has them.

    ``map_weight`` times the cross-entropy between each map's softmax and the target of ``codec`` keeps maps
    peaked, which the mean alone would not require (A. Nibali et al., "Numerical Coordinate Regression with
    Convolutional Neural Networks", 2018); presence adds its binary cross-entropy.

    ``wing_width`` and ``wing_curvature`` are those of :func:`wing`, in pixels of a 224 px crop.

    Where points have a visibility, guessed ones count ``guess_weight`` times, and the maps of guessed and
    covered ones should be ``blur`` times wider: a map's width becomes the point's quality. Raises
    :class:`~train.errors.RunError` for a negative weight, a blur below 1 or a wing without width.
    """

    map_weight: float = 1.0
    codec: HeatmapCodec | KernelCodec = field(default_factory=HeatmapCodec)
    guess_weight: float = 0.2
    blur: float = 2.5
    wing_width: float = 10.0
    wing_curvature: float = 2.0

    def __post_init__(self) -> None:
        if self.map_weight < 0:
            raise RunError(f"map_weight must not be negative, got {self.map_weight}")
        if self.guess_weight < 0 or self.blur < 1:
            raise RunError(f"guess_weight must not be negative and blur not below 1, got {self}")
        if not (self.wing_width > 0 and self.wing_curvature > 0):
            raise RunError(f"wing_width and wing_curvature must be positive, got {self}")

    def __call__(self, output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Tensor:
        """Return the scalar loss for ``points`` ``(N, P, 2)`` in crop sides and ``is_face`` ``(N,)``, 1 or 0.

        A third column of ``points`` is the visibility of each. Points of crops without a face are ignored.
        """
        return self.with_terms(output, points, is_face).total

    def with_terms(self, output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Loss:
        """Return the loss with its terms, weighted as they enter it: coordinates, and maps and presence."""

        def over_faces(per_point: Tensor) -> Tensor:
            return ((weight * per_point).mean(dim=1) * is_face).sum() / is_face.sum().clamp(min=1)

        place, weight, wider = self._read(points)
        error_px = CROP_SIZE * (output.points - place)
        per_point = wing(error_px, self.wing_width, self.wing_curvature).mean(dim=2)
        terms = {"coordinates": over_faces(per_point.detach())}
        if output.maps is not None and self.map_weight > 0:
            maps = self.map_weight * self._map_loss(output.maps, place, wider)
            terms["maps"] = over_faces(maps.detach())
            per_point = per_point + maps
        total = over_faces(per_point)
        if output.presence_logit is not None:
            presence = functional.binary_cross_entropy_with_logits(output.presence_logit, is_face)
            terms["presence"] = presence.detach()
            total = total + presence
        return Loss(total, terms)

    def _read(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return places ``(N, P, 2)``, weights ``(N, P)`` and the factors ``(N, P)`` of the maps' widths."""
        place = points[..., :2]
        if points.shape[-1] == 2:
            return place, torch.ones_like(place[..., 0]), torch.ones_like(place[..., 0])
        visibility = points[..., 2]
        weight = torch.where(visibility == GUESSED, self.guess_weight, 1.0)
        return place, weight, torch.where(visibility == VISIBLE, 1.0, self.blur)

    def _map_loss(self, maps: Tensor, place: Tensor, wider: Tensor) -> Tensor:
        """Return the cross-entropy of each map in nats, ``(N, P)``."""
        with torch.no_grad():
            target = self.codec.encode(place, maps.shape[-1] - 2 * RING, wider).flatten(2)
        return -(target * maps.float().flatten(2).log_softmax(dim=-1)).sum(dim=-1)
