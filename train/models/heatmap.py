"""Codec of heatmap networks: points as distributions over the cells of a grid, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tracker.geometry import CROP_SIZE
from train.errors import RunError

RING = 1
"""Number of cells by which a map extends beyond each edge of the crop.

A mean over cells lies between the outermost centres. Without the ring, points in the outer half cell of the
crop could not be represented, and those near it only by an asymmetric map.
"""

_NEWTON_STEPS = 12


@dataclass(frozen=True)
class HeatmapCodec:
    """Gaussian targets of ``sigma`` cells for maps of logits, and decoding of maps into points.

    Maps are ``(N, P, K + 2, K + 2)`` over a crop of K x K cells, rows first, with a ring of one cell around
    it. Points are ``(N, P, 2)``, x then y, in crop sides from the crop's centre. Raises
    :class:`~train.errors.RunError` if ``sigma`` is not positive.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not self.sigma > 0:
            raise RunError(f"the heatmap's sigma must be positive, got {self.sigma}")

    def encode(self, points: Tensor, cells: int, wider: Tensor | float = 1.0) -> Tensor:
        """Return maps that each sum to 1 and have the point as mean, for a crop of ``cells`` cells a side.

        ``wider`` multiplies sigma, ``(N, P)`` or the same for all. Points off the grid are moved to its edge.
        See :func:`gaussians`.
        """
        return gaussians(points, cells, self.sigma * wider)

    @staticmethod
    def decode(maps: Tensor) -> Tensor:
        """Return the mean of each map's softmax, which is differentiable and finer than a cell.

        X. Sun et al., "Integral Human Pose Regression", ECCV 2018.
        """
        return moments(maps)[..., :2]


@dataclass(frozen=True)
class KernelCodec:
    """Gaussian targets of the same width on the face at any crop size, cut to a square kernel.

    ``sigma_px`` and ``kernel_px`` are pixels of a 224 px crop (``CROP_SIZE``); beyond ``kernel_px / 2`` from
    the point, along x or y, the target is zero. Maps, points and decoding are those of :class:`HeatmapCodec`.
    Raises :class:`~train.errors.RunError` if ``sigma_px`` is not positive, or the kernel is not wider than
    two sigma to each side: less is a box rather than a Gaussian.
    """

    sigma_px: float = 10.0
    kernel_px: float = 60.0

    def __post_init__(self) -> None:
        if not (self.sigma_px > 0 and self.kernel_px >= 4 * self.sigma_px):
            raise RunError(f"a kernel needs sigma_px > 0 and kernel_px of four times that, got {self}")

    def encode(self, points: Tensor, cells: int, wider: Tensor | float = 1.0) -> Tensor:
        """Return distributions as :meth:`HeatmapCodec.encode` does."""
        cell_px = CROP_SIZE / cells
        return gaussians(points, cells, wider * self.sigma_px / cell_px, 0.5 * self.kernel_px / cell_px)


def moments(maps: Tensor) -> Tensor:
    """Return the means of x, y and x² + y² over each map's softmax, ``(N, P, 3)``.

    Maps are ``(N, P, K + 2, K + 2)`` as in :class:`HeatmapCodec`; x and y are crop sides from the crop's
    centre. Points need the first two, their spread all three: one product gives both.
    """
    centers = cell_centers(maps.shape[-1] - 2 * RING, maps.device)
    y, x = (grid.flatten() for grid in torch.meshgrid(centers, centers, indexing="ij"))
    return torch.matmul(cell_weights(maps), torch.stack([x, y, x**2 + y**2], dim=1))


def cell_weights(maps: Tensor) -> Tensor:
    """Return the softmax of each map over its cells, ``(N, P, cells)`` float32."""
    return maps.float().flatten(2).softmax(dim=-1)


def gaussians(points: Tensor, cells: int, sigma: Tensor | float, reach: float = math.inf) -> Tensor:
    """Return a Gaussian of ``sigma`` cells at each of ``points``, zero beyond ``reach`` cells along x or y.

    Takes points ``(N, P, 2)`` and ``sigma``, one number or ``(N, P)``; returns maps ``(N, P, K + 2, K + 2)``
    as in :class:`HeatmapCodec`, each of sum 1. A Gaussian that the grid's edge or ``reach`` cuts off
    asymmetrically has its mean elsewhere; here its centre is moved until the mean is the point again. Of all
    distributions over these cells with that mean and this width, the result has the largest entropy.
    """
    along = _along_axes(points, cells, sigma, reach)
    return along[..., 1, :, None] * along[..., 0, None, :]


def _along_axes(mean: Tensor, cells: int, sigma: Tensor | float, reach: float) -> Tensor:
    sigma = torch.as_tensor(sigma, dtype=torch.float32, device=mean.device)[..., None, None]
    centers = torch.arange(-RING, cells + RING, dtype=torch.float32, device=mean.device)
    wanted = ((mean.float() + 0.5) * cells - 0.5).clamp(0.05 - RING, cells + RING - 1.05)[..., None]
    away = centers - wanted
    logits = -0.5 * (away / sigma) ** 2
    # One cell on each side of the point is always kept: two are enough for any mean.
    logits = logits.masked_fill(away.abs() > max(reach, 1.0), -math.inf)
    # Moving the centre by d tilts the logits by d / sigma^2 a cell. Newton's method finds the tilt at which
    # the mean offset is zero; the derivative is the variance.
    tilt = torch.zeros_like(wanted)
    for _ in range(_NEWTON_STEPS):
        weights = torch.softmax(logits + tilt * away, dim=-1)
        found = (weights * away).sum(dim=-1, keepdim=True)
        variance = (weights * (away - found) ** 2).sum(dim=-1, keepdim=True)
        tilt = tilt - (found / variance.clamp(min=1e-3)).clamp(-1 / sigma - 0.5, 1 / sigma + 0.5)
    return torch.softmax(logits + tilt * away, dim=-1)


def cell_centers(cells: int, device: torch.device | None = None) -> Tensor:
    """Return the centres of the ``cells + 2`` cells of a map's row, in crop sides from the crop's centre."""
    return (torch.arange(-RING, cells + RING, dtype=torch.float32, device=device) + 0.5) / cells - 0.5
