import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from tests.tiny import face_points, write_300w
from train.data.splits import training_faces
from train.errors import DataError
from train.studies.heatmap_losses import (
    WORTHWHILE_PX,
    pixel_targets,
)
from train.studies.losses import compare, costs_without_picture

CELLS = 56


def faces(count: int, seed: int = 0) -> Tensor:
    """Return drawn faces ``(N, 68, 2)`` in crop sides, moved at random."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        x, y = rng.normal(0, 0.03, 2)
        drawn.append(face_points((x, y), 0.7, rng.normal(0, 0.05)))
    return torch.from_numpy(np.stack(drawn)).float()


def test_picture_independent_predictions_are_measured_by_both_costs() -> None:
    known, asked = faces(20), faces(10, seed=1)
    answers = costs_without_picture(known, asked, CELLS)
    heights = pixel_targets(asked, CELLS)
    assert answers.nothing.pixels == pytest.approx(heights.square().mean().item(), rel=1e-5)
    assert answers.nothing.distributions == pytest.approx(2 * math.log(CELLS + 2), rel=1e-5)
    # The mean of the targets is their least-squares prediction; that of other targets is close to it.
    own = costs_without_picture(asked, asked, CELLS).blurred.pixels
    assert own == pytest.approx((heights - heights.mean(0)).square().mean().item(), rel=1e-5)
    assert own <= answers.blurred.pixels < answers.nothing.pixels
    assert answers.blurred.distributions < answers.nothing.distributions
    assert 0 < answers.blurred_peak < 1
    off_px = 224 * (asked - known.mean(0)).norm(dim=-1)
    assert answers.share_beyond == pytest.approx((off_px > WORTHWHILE_PX).float().mean().item())


def test_a_perfect_prediction_costs_zero_and_the_entropy_of_its_target() -> None:
    """The entropy of a Gaussian of sigma cells is ln(2 pi e sigma^2); the cut at 3 sigma takes 2 %."""
    points = faces(1).expand(4, 68, 2)
    answers = costs_without_picture(points, points, CELLS)
    assert answers.mean_face.pixels == answers.blurred.pixels == pytest.approx(0, abs=1e-9)
    assert answers.mean_face.distributions == pytest.approx(math.log(2 * math.pi * math.e * 2.5**2), rel=0.02)
    assert answers.mean_face_nme_percent == pytest.approx(0, abs=1e-4)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_300w(tmp_path_factory.mktemp("tree"), train=20)


def test_there_must_be_faces_on_both_sides(tree: Path) -> None:
    training, validation = training_faces(tree)
    with pytest.raises(DataError, match="none"):
        compare([], validation)
    with pytest.raises(DataError, match="none"):
        compare(training, [])
