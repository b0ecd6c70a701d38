"""Points as distributions over the cells of a grid, and back: the one codec of all heatmap networks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

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

        A Gaussian that the grid's edge cuts off has its mean inside; here its centre is moved outwards
        until the mean is right again. Of all distributions with that mean and this width it stays the one
        of largest entropy. Points off the grid count as at its edge.
        """
        along_x, along_y = (self._axis(points[..., axis], cells) for axis in (0, 1))
        return along_y[..., :, None] * along_x[..., None, :]

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

    def _axis(self, mean: Tensor, cells: int) -> Tensor:
        centers = torch.arange(-RING, cells + RING, dtype=torch.float32, device=mean.device)
        wanted = ((mean.float() + 0.5) * cells - 0.5).clamp(0.05 - RING, cells + RING - 1.05)[..., None]
        middle = wanted.clone()
        for _ in range(_NEWTON_STEPS):
            weights = torch.softmax(-0.5 * ((centers - middle) / self.sigma) ** 2, dim=-1)
            found = (weights * centers).sum(dim=-1, keepdim=True)
            variance = (weights * (centers - found) ** 2).sum(dim=-1, keepdim=True)
            # The mean moves by variance / sigma^2 for each cell that the middle moves by.
            step = (wanted - found) * self.sigma**2 / variance.clamp(min=1e-3)
            middle = middle + step.clamp(-self.sigma, self.sigma)
        return torch.softmax(-0.5 * ((centers - middle) / self.sigma) ** 2, dim=-1)


def cell_centers(cells: int, device: torch.device | None = None) -> Tensor:
    """Where the ``cells + 2`` cells of a map's row lie, in crop sides from the crop's centre."""
    return (torch.arange(-RING, cells + RING, dtype=torch.float32, device=device) + 0.5) / cells - 0.5
