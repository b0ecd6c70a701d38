import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from tests.tiny import face_points
from train.configs.unet_mri import CONFIG
from train.models.losses import LandmarkLoss
from train.studies.heatmap_losses import (
    KERNEL,
    WAYS,
    WORTHWHILE_PX,
    background_share,
    highest_cell,
    pixel_targets,
)

CELLS = 56


def faces(count: int, seed: int = 0) -> Tensor:
    """Return drawn faces ``(N, 68, 2)`` in crop sides, moved at random."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        x, y = rng.normal(0, 0.03, 2)
        drawn.append(face_points((x, y), 0.7, rng.normal(0, 0.05)))
    return torch.from_numpy(np.stack(drawn)).float()


def test_pixel_targets_are_the_unnormalised_gaussian() -> None:
    """The reference is computed cell by cell, in pixels of the 224 px crop."""
    (target,) = pixel_targets(torch.tensor([[[0.1, -0.2]]]), CELLS)[0]
    for row, column in ((0, 0), (17, 34), (18, 33), (20, 30), (25, 34), (26, 34), (17, 42), (17, 41)):
        x, y = ((at - 1 + 0.5) / CELLS * 224 - 112 for at in (column, row))
        dx, dy = x - 22.4, y + 44.8
        inside = max(abs(dx), abs(dy)) <= 30
        expected = math.exp(-(dx**2 + dy**2) / 200) if inside else 0.0
        assert target[row, column].item() == pytest.approx(expected, abs=1e-6)


def test_the_compared_losses_use_the_targets_of_the_shipped_recipe() -> None:
    assert isinstance(CONFIG.loss, LandmarkLoss)
    assert CONFIG.loss.codec == KERNEL


def test_the_highest_cell_contains_the_point() -> None:
    points = faces(3)
    off = (highest_cell(pixel_targets(points, CELLS)) - points).abs().max()
    assert off.item() * CELLS <= 0.5 + 1e-4


def squared_distance_px(shift_px: float) -> float:
    """Return the squared error of a target ``shift_px`` beside another, over that of zeros, by summation."""
    points = torch.tensor([[[0.0, 0.0]], [[shift_px / 224, 0.0]]])
    target, moved = pixel_targets(points, 224)
    return float((target - moved).square().sum() / target.square().sum())


def test_a_gaussian_beyond_the_worthwhile_distance_costs_more_than_zeros() -> None:
    assert squared_distance_px(WORTHWHILE_PX - 0.5) < 1 < squared_distance_px(WORTHWHILE_PX + 0.5)


def test_pixel_losses_have_the_calculated_background_gradient() -> None:
    """The gradient is 2 (height - target) / n, times the slope of the sigmoid if there is one."""
    points = faces(2)
    target = pixel_targets(points, CELLS).double()
    outside = target == 0
    for name, value, slope in (("pixels", 0.25, 1.0), ("pixels, sigmoid", 0.5, 0.25)):
        logit = 0.25 if name == "pixels" else 0.0
        share = background_share(WAYS[name], torch.full(target.shape, logit, dtype=torch.float32), points)
        size = (slope * (value - target)).abs()
        assert share.absolute == pytest.approx((size[outside].sum() / size.sum()).item(), rel=1e-4)
        squares = size.square()
        assert share.squared == pytest.approx((squares[outside].sum() / squares.sum()).item(), rel=1e-4)


def test_zero_maps_have_no_gradient_in_the_background() -> None:
    """Where the background is already correct, all of the gradient is in the foreground."""
    points = faces(2)
    share = background_share(WAYS["pixels"], torch.zeros(2, 68, CELLS + 2, CELLS + 2), points)
    assert (share.absolute, share.squared) == (0, 0)


def test_in_a_distribution_the_background_has_at_most_half_of_the_gradient() -> None:
    """The gradient of a cross-entropy by logits sums to 0, so neither side has more than half of it."""
    points = faces(2)
    torch.manual_seed(0)
    for scale in (0.0, 1.0, 5.0):
        maps = scale * torch.randn(2, 68, CELLS + 2, CELLS + 2, requires_grad=True)
        weights = KERNEL.encode(points, CELLS)
        crossed = -(weights.flatten(2) * maps.flatten(2).log_softmax(-1)).sum(-1).mean()
        (gradient,) = torch.autograd.grad(crossed, maps)
        outside = pixel_targets(points, CELLS) == 0
        assert (gradient.abs() * outside).sum() <= 0.5 * gradient.abs().sum() * (1 + 1e-5)
