from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from train.data.readers import LabelledFace
from train.data.splits import training_faces
from train.errors import DataError, RunError
from train.evaluation.presence import presence_report, summarise
from train.models.load import Loaded
from train.models.output import LandmarkOutput


class Always(nn.Module):
    """Network with the same presence logit for every crop; None: without presence."""

    def __init__(self, logit: float | None) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, crops: Tensor) -> LandmarkOutput:
        logit = None if self.logit is None else torch.full((len(crops),), self.logit)
        return LandmarkOutput(torch.zeros(len(crops), 68, 2), logit)


def faces_of(tiny_300w: Path) -> list[LabelledFace]:
    training, validation = training_faces(tiny_300w)
    return training + validation


def test_true_probabilities_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    presence = rng.uniform(0, 1, 20_000)
    found = summarise(presence, rng.uniform(0, 1, 20_000) < presence)
    assert found.calibration_error < 0.01  # the standard error of a row's share is 0.01 at most, weighted
    assert found.missed == pytest.approx(0.25, abs=0.02)  # of faces; int p dp below a half over that of all
    assert found.invented == pytest.approx(0.25, abs=0.02)
    assert sum(row.count for row in found.table) == 20_000


def test_overconfidence_is_a_calibration_error() -> None:
    said = np.array([0.95] * 100)
    found = summarise(said, np.arange(100) < 70)
    assert found.calibration_error == pytest.approx(0.25)
    assert (found.faces, found.others) == (70, 30)
    assert (found.missed, found.invented) == (0.0, 1.0)
    (row,) = found.table
    assert (row.low, row.high, row.count) == (0.9, 0.99, 100)


def test_presences_of_0_and_1_have_rows() -> None:
    found = summarise(np.array([0.0, 1.0]), np.array([False, True]))
    assert [row.count for row in found.table] == [1, 1]
    assert found.calibration_error == 0


def test_half_of_the_crops_are_faces(tiny_300w: Path) -> None:
    found = presence_report(Loaded(Always(-3.0), 64), faces_of(tiny_300w), draws=30)
    assert found.faces / (found.faces + found.others) == pytest.approx(0.5, abs=0.1)
    assert (found.missed, found.invented) == (1.0, 0.0)
    assert found.calibration_error == pytest.approx(0.5, abs=0.1)


def test_networks_without_presence_and_missing_faces_are_refused(tiny_300w: Path) -> None:
    with pytest.raises(RunError, match="does not judge presence"):
        presence_report(Loaded(Always(None), 64), faces_of(tiny_300w), draws=1)
    with pytest.raises(DataError, match="no face of this data validates"):
        presence_report(Loaded(Always(0.0), 64), [], draws=1)
