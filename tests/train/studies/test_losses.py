import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from tests.tiny import face_points, write_300w
from train.cli import main as cli
from train.configs.unet_mri import CONFIG
from train.data.splits import training_faces
from train.errors import DataError
from train.studies.heatmap_losses import (
    KERNEL,
    WAYS,
    WORTHWHILE_PX,
    background_share,
    highest_cell,
    pixel_targets,
)
from train.studies.losses import compare, costs_without_picture

CELLS = 56


def faces(count: int, seed: int = 0) -> Tensor:
    """``(N, 68, 2)`` in crop sides: the drawn face, moved about."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        x, y = rng.normal(0, 0.03, 2)
        drawn.append(face_points((x, y), 0.7, rng.normal(0, 0.05)))
    return torch.from_numpy(np.stack(drawn)).float()


def test_pixel_targets_are_the_unnormalised_gaussian() -> None:
    """Independent of our code: one cell after the other, in pixels of the 224 px crop."""
    (target,) = pixel_targets(torch.tensor([[[0.1, -0.2]]]), CELLS)[0]
    for row, column in ((0, 0), (17, 34), (18, 33), (20, 30), (25, 34), (26, 34), (17, 42), (17, 41)):
        x, y = ((at - 1 + 0.5) / CELLS * 224 - 112 for at in (column, row))
        dx, dy = x - 22.4, y + 44.8
        inside = max(abs(dx), abs(dy)) <= 30
        expected = math.exp(-(dx**2 + dy**2) / 200) if inside else 0.0
        assert target[row, column].item() == pytest.approx(expected, abs=1e-6)


def test_the_compared_losses_use_the_targets_of_the_shipped_recipe() -> None:
    assert CONFIG.loss.codec == KERNEL


def test_the_highest_cell_contains_the_point() -> None:
    points = faces(3)
    off = (highest_cell(pixel_targets(points, CELLS)) - points).abs().max()
    assert off.item() * CELLS <= 0.5 + 1e-4


def squared_distance_px(shift_px: float) -> float:
    """Squared error of a target drawn ``shift_px`` beside another, over that of zeros: sums, no formula."""
    points = torch.tensor([[[0.0, 0.0]], [[shift_px / 224, 0.0]]])
    target, moved = pixel_targets(points, 224)
    return float((target - moved).square().sum() / target.square().sum())


def test_a_gaussian_beyond_the_worthwhile_distance_costs_more_than_zeros() -> None:
    assert squared_distance_px(WORTHWHILE_PX - 0.5) < 1 < squared_distance_px(WORTHWHILE_PX + 0.5)


def test_pixel_losses_have_the_calculated_background_gradient() -> None:
    """By hand: the gradient is 2 (height - target) / n, times the slope of the sigmoid where there is one."""
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
    """Where the background is right already, all of the gradient is in the foreground."""
    points = faces(2)
    share = background_share(WAYS["pixels"], torch.zeros(2, 68, CELLS + 2, CELLS + 2), points)
    assert (share.absolute, share.squared) == (0, 0)


def test_in_a_distribution_the_background_has_at_most_half_of_the_gradient() -> None:
    """The gradient of a cross-entropy by logits sums to 0: neither side has more than half of it."""
    points = faces(2)
    torch.manual_seed(0)
    for scale in (0.0, 1.0, 5.0):
        maps = scale * torch.randn(2, 68, CELLS + 2, CELLS + 2, requires_grad=True)
        weights = KERNEL.encode(points, CELLS)
        crossed = -(weights.flatten(2) * maps.flatten(2).log_softmax(-1)).sum(-1).mean()
        (gradient,) = torch.autograd.grad(crossed, maps)
        outside = pixel_targets(points, CELLS) == 0
        assert (gradient.abs() * outside).sum() <= 0.5 * gradient.abs().sum() * (1 + 1e-5)


def test_picture_independent_predictions_are_measured_by_both_costs() -> None:
    known, asked = faces(20), faces(10, seed=1)
    answers = costs_without_picture(known, asked, CELLS)
    heights = pixel_targets(asked, CELLS)
    assert answers.nothing.pixels == pytest.approx(heights.square().mean().item(), rel=1e-5)
    assert answers.nothing.distributions == pytest.approx(2 * math.log(CELLS + 2), rel=1e-5)
    # The mean of the targets themselves is their least-squares answer; that of others is near it.
    own = costs_without_picture(asked, asked, CELLS).blurred.pixels
    assert own == pytest.approx((heights - heights.mean(0)).square().mean().item(), rel=1e-5)
    assert own <= answers.blurred.pixels < answers.nothing.pixels
    assert answers.blurred.distributions < answers.nothing.distributions
    assert 0 < answers.blurred_peak < 1
    off_px = 224 * (asked - known.mean(0)).norm(dim=-1)
    assert answers.share_beyond == pytest.approx((off_px > WORTHWHILE_PX).float().mean().item())


def test_a_perfect_prediction_costs_zero_and_the_entropy_of_its_target() -> None:
    """Of a Gaussian of sigma cells in the plane: ln(2 pi e sigma^2), here cut at 3 sigma, which takes 2 %."""
    points = faces(1).expand(4, 68, 2)
    answers = costs_without_picture(points, points, CELLS)
    assert answers.mean_face.pixels == answers.blurred.pixels == pytest.approx(0, abs=1e-9)
    assert answers.mean_face.distributions == pytest.approx(math.log(2 * math.pi * math.e * 2.5**2), rel=0.02)
    assert answers.mean_face_nme_percent == pytest.approx(0, abs=1e-4)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_300w(tmp_path_factory.mktemp("tree"), train=20)


def test_the_command_prints_and_writes_all_figures(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    arguments = ["--data", tree, "--limit", 8, "--epochs", 1, "--threads", 1, "--json", path]
    monkeypatch.setattr(sys, "argv", ["train", "compare-losses", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 0
    figures = json.loads(path.read_text())
    assert (figures["faces"], figures["epochs"]) == (8, 1)
    assert 0.9 < figures["background"] < 0.95  # 60x60 px of 224x224 are 7.2 %
    assert list(figures["ways"]) == list(WAYS)
    for way in figures["ways"].values():
        assert way["nme_percent"] > 0
        assert way["peak"] > 0
        for share in (way["fresh"], way["trained"]):
            assert 0 <= share["squared"] <= 1
            assert 0 <= share["absolute"] <= 1
    assert figures["ways"]["pixels, sigmoid"]["fresh"]["absolute"] > 0.9
    printed = capsys.readouterr().out
    assert all(name in printed for name in WAYS)
    assert f"{figures['ways']['distributions']['nme_percent']:.1f}" in printed


def test_there_must_be_faces_on_both_sides(tree: Path) -> None:
    training, validation = training_faces(tree)
    with pytest.raises(DataError, match="none"):
        compare([], validation)
    with pytest.raises(DataError, match="none"):
        compare(training, [])
