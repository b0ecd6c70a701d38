"""Losses on heatmaps that are compared: on pixels, and on distributions as in the shipped recipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tracker.geometry import CROP_SIZE
from train.configs.unet_mri import CONFIG as SHIPPED
from train.models.heatmap import RING, HeatmapCodec, KernelCodec, cell_centers
from train.models.output import LandmarkOutput

KERNEL = KernelCodec(sigma_px=10, kernel_px=60)
"""Targets of the original attempt."""

WORTHWHILE_PX = 2 * KERNEL.sigma_px * math.sqrt(math.log(2))
"""Distance from which a misplaced Gaussian costs more squared error than a map of zeros.

Two Gaussians at a distance of d overlap by exp(-d^2 / 4 sigma^2): the squared error of one against the other
is twice the square of one, less twice that part of it.
"""


@dataclass(frozen=True)
class Way:
    """A way to train and read maps.

    Of maps of logits ``(N, P, K + 2, K + 2)`` ``heights`` gives the values that ``loss`` compares with
    ``targets``, of the same shape, and ``read`` the points. ``targets`` takes points ``(N, P, 2)`` and K, the
    crop's cells; ``loss`` maps and points.
    """

    targets: Callable[[Tensor, int], Tensor]
    heights: Callable[[Tensor], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    read: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Share:
    """Share, 0..1, of cells with a target of zero in a loss's gradient with respect to the maps.

    ``absolute`` is the share of the sum of absolute values, ``squared`` of the sum of squares.
    """

    absolute: float
    squared: float


def pixel_targets(points: Tensor, cells: int) -> Tensor:
    """Return Gaussians of height 1, zero beyond the kernel, at ``points``.

    ``points`` are ``(N, P, 2)``, the result is ``(N, P, K + 2, K + 2)`` with K = ``cells``.
    """
    away_px = CROP_SIZE * (cell_centers(cells, points.device) - points[..., None])
    inside = away_px.abs() <= KERNEL.kernel_px / 2
    along = torch.exp(-0.5 * (away_px / KERNEL.sigma_px) ** 2) * inside
    return along[..., 1, :, None] * along[..., 0, None, :]


def highest_cell(maps: Tensor) -> Tensor:
    """Return the centre of the highest cell of each map, ``(N, P, 2)`` in crop sides.

    Maps are ``(N, P, K + 2, K + 2)``.
    """
    best = maps.flatten(2).argmax(dim=-1)
    centers = cell_centers(_cells(maps), maps.device)
    side = maps.shape[-1]
    return torch.stack([centers[best % side], centers[best // side]], dim=-1)


def _pixels(heights: Callable[[Tensor], Tensor]) -> Way:
    def loss(maps: Tensor, points: Tensor) -> Tensor:
        return (heights(maps) - pixel_targets(points, _cells(maps))).square().mean()

    return Way(pixel_targets, heights, loss, highest_cell)


def _distributions() -> Way:
    def loss(maps: Tensor, points: Tensor) -> Tensor:
        is_face = torch.ones(len(points), device=maps.device)
        return SHIPPED.loss(LandmarkOutput(HeatmapCodec.decode(maps), maps=maps), points, is_face)

    def heights(maps: Tensor) -> Tensor:
        return maps.flatten(2).softmax(dim=-1).view_as(maps)

    return Way(KERNEL.encode, heights, loss, HeatmapCodec.decode)


WAYS = {
    "pixels": _pixels(lambda maps: maps),
    "pixels, sigmoid": _pixels(torch.sigmoid),
    "distributions": _distributions(),
}
"""The compared losses.

The mean squared error over pixels, of the maps or, as in the published network, of their sigmoid; and the
shipped recipe's loss: the cross-entropy of the maps' softmax, and the distance of its mean.
"""


def background_share(way: Way, maps: Tensor, points: Tensor) -> Share:
    """Return the share of the background in the gradient of ``way``'s loss at ``maps`` and ``points``."""
    maps = maps.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(way.loss(maps, points), maps)
    outside = pixel_targets(points, _cells(maps)) == 0
    absolute, squared = (
        float((size * outside).sum() / size.sum())
        for size in (gradient.abs().double(), gradient.double().square())
    )
    return Share(absolute, squared)


def _cells(maps: Tensor) -> int:
    """Return the cells of the crop's side, for maps with a ring around it."""
    return maps.shape[-1] - 2 * RING
