"""Points as distributions over the cells of a grid, and back: the one codec of all heatmap networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tracker.geometry import CROP_SIZE
from train.errors import RunError

RING = 1
"""Cells that a map reaches beyond each edge of the crop.

A mean over cells lies between the outermost centres. Without the ring, points in the outer half cell of
the crop could not be answered, and those near it only by a lopsided map.
"""

_NEWTON_STEPS = 12


@dataclass(frozen=True)
class HeatmapCodec:
    """Targets of ``sigma`` cells for maps of logits, and the points that maps speak of.

    Maps are ``(N, P, K + 2, K + 2)`` over a crop of K x K cells, rows first, with a ring of one cell
    around it. Points are ``(N, P, 2)``, x then y, in crop sides from the crop's centre. Raises
    :class:`~train.errors.RunError` if ``sigma`` is not positive.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not self.sigma > 0:
            raise RunError(f"the heatmap's sigma must be positive, got {self.sigma}")

    def encode(self, points: Tensor, cells: int) -> Tensor:
        """Distributions (each map sums to 1) whose mean is the point, for a crop of ``cells`` cells a side.

        Points off the grid count as at its edge. See :func:`gaussians`.
        """
        return gaussians(points, cells, self.sigma)

    @staticmethod
    def decode(maps: Tensor) -> Tensor:
        """The mean of each map's softmax: differentiable, and finer than a cell.

        X. Sun et al., "Integral Human Pose Regression", ECCV 2018.
        """
        side = maps.shape[-1]
        centers = cell_centers(side - 2 * RING, maps.device)
        y, x = torch.meshgrid(centers, centers, indexing="ij")
        weights = maps.float().flatten(2).softmax(dim=-1)
        return torch.matmul(weights, torch.stack([x.flatten(), y.flatten()], dim=1))


@dataclass(frozen=True)
class KernelCodec:
    """Targets as wide on the face at any working size: Gaussians of ``sigma_px``, cut to a square kernel.

    Both numbers are pixels of a 224 px crop (``CROP_SIZE``); beyond ``kernel_px / 2`` from the point, along x
    or y, the target is zero. Maps, points and the reading of maps are those of :class:`HeatmapCodec`.
    Raises :class:`~train.errors.RunError` if ``sigma_px`` is not positive, or the kernel is not wider than
    two sigma each way: less is a box, no Gaussian.
    """

    sigma_px: float = 10.0
    kernel_px: float = 60.0

    def __post_init__(self) -> None:
        if not (self.sigma_px > 0 and self.kernel_px >= 4 * self.sigma_px):
            raise RunError(f"a kernel needs sigma_px > 0 and kernel_px of four times that, got {self}")

    def encode(self, points: Tensor, cells: int) -> Tensor:
        """As :meth:`HeatmapCodec.encode`."""
        cell_px = CROP_SIZE / cells
        return gaussians(points, cells, self.sigma_px / cell_px, 0.5 * self.kernel_px / cell_px)


def gaussians(points: Tensor, cells: int, sigma: float, reach: float = math.inf) -> Tensor:
    """A Gaussian of ``sigma`` cells at each of ``points``, zero beyond ``reach`` cells along x or y.

    Takes points ``(N, P, 2)`` and returns maps ``(N, P, K + 2, K + 2)`` as :class:`HeatmapCodec` has them,
    each of sum 1. A Gaussian that the grid's edge or ``reach`` cuts off unevenly has its mean elsewhere; here
    its centre is moved until the mean is the point again. Of all distributions with that mean and this
    width, over these cells, it stays the one of largest entropy.
    """
    along = _along_axes(points, cells, sigma, reach)
    return along[..., 1, :, None] * along[..., 0, None, :]


def _along_axes(mean: Tensor, cells: int, sigma: float, reach: float) -> Tensor:
    centers = torch.arange(-RING, cells + RING, dtype=torch.float32, device=mean.device)
    wanted = ((mean.float() + 0.5) * cells - 0.5).clamp(0.05 - RING, cells + RING - 1.05)[..., None]
    away = centers - wanted
    logits = -0.5 * (away / sigma) ** 2
    # One cell on each side of the point is there however short the reach: two are enough for any mean.
    logits = logits.masked_fill(away.abs() > max(reach, 1.0), -math.inf)
    # Moving the centre by d is tilting the logits by d / sigma^2 a cell: Newton's method for the tilt at
    # which the mean offset is zero. Its derivative is the variance.
    tilt = torch.zeros_like(wanted)
    for _ in range(_NEWTON_STEPS):
        weights = torch.softmax(logits + tilt * away, dim=-1)
        found = (weights * away).sum(dim=-1, keepdim=True)
        variance = (weights * (away - found) ** 2).sum(dim=-1, keepdim=True)
        tilt = tilt - (found / variance.clamp(min=1e-3)).clamp(-1 / sigma - 0.5, 1 / sigma + 0.5)
    return torch.softmax(logits + tilt * away, dim=-1)


def cell_centers(cells: int, device: torch.device | None = None) -> Tensor:
    """Where the ``cells + 2`` cells of a map's row lie, in crop sides from the crop's centre."""
    return (torch.arange(-RING, cells + RING, dtype=torch.float32, device=device) + 0.5) / cells - 0.5
