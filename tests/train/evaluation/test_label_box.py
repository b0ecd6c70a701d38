import math
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from tests.tiny import write_300w
from train.errors import DataError, RunError
from train.evaluation.families import FAMILIES
from train.evaluation.results import scores

pytest.importorskip("torch")
import torch
from torch import Tensor, nn

from train.data.readers import LabelledFace
from train.evaluation.label_box import BATCH, first_filters, label_box
from train.evaluation.labelled import LabelledSet


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> LabelledSet:
    tree = write_300w(tmp_path_factory.mktemp("tree"), train=1, test=BATCH // 2 + 3)
    return FAMILIES["resnet18"].read(tree)


class Fixed(torch.nn.Module):
    """Network that returns the rows of ``answers`` batch by batch, and records its input."""

    def __init__(self, answers: Tensor) -> None:
        super().__init__()
        self.answers = answers
        self.seen: list[Tensor] = []

    def forward(self, crops: Tensor) -> SimpleNamespace:
        start = sum(map(len, self.seen))
        self.seen.append(crops)
        return SimpleNamespace(points=self.answers[start : start + len(crops)])


def truth_in_crops(faces: LabelledSet, size: int) -> Tensor:
    """Return the labels in crop sides from the crop's centre, as the loader passes them to training."""
    from train.data.dataset import FaceCrops

    crops = FaceCrops(cast(tuple[LabelledFace, ...], faces.labels), size)
    return torch.stack([crops[i][1] for i in range(len(crops))])


@pytest.mark.parametrize("size", [64, 224])
def test_a_perfect_network_has_no_error(faces: LabelledSet, size: int) -> None:
    """Converted back to the image, the float32 labels are off by at most a few 1e-7 of the crop's side."""
    network, done = Fixed(truth_in_crops(faces, size)), []
    crops = FAMILIES["resnet18"].crops(faces, size, lambda: None)
    made = label_box(faces, network, crops, lambda: done.append(1))
    assert made.condition == "label box"
    assert np.abs(made.predicted - faces.truth).max() < 1e-4
    assert [len(batch) for batch in network.seen] == [BATCH, len(faces.images) - BATCH]
    assert all(batch.shape[1:] == (1, size, size) and batch.dtype == torch.uint8 for batch in network.seen)
    assert len(done) == len(faces.images)


def test_errors_are_per_cent_of_the_inter_ocular_distance(faces: LabelledSet) -> None:
    labels = truth_in_crops(faces, 96)
    crops = FAMILIES["resnet18"].crops(faces, 96, lambda: None)
    made = label_box(faces, Fixed(labels + torch.tensor([0.01, 0.0])), crops)
    eyes = torch.linalg.norm(labels[:, 36] - labels[:, 45], dim=-1).numpy()
    assert made.errors == pytest.approx(100 * 0.01 / eyes, rel=1e-4)
    assert scores(made)[-1].misses == 0


@pytest.mark.parametrize("answer", [torch.zeros(99, 67, 2), torch.full((99, 68, 2), math.nan)])
def test_wrong_shapes_and_non_finite_points_are_refused(faces: LabelledSet, answer: Tensor) -> None:
    crops = FAMILIES["resnet18"].crops(faces, 32, lambda: None)
    with pytest.raises(RunError, match="68 finite points"):
        label_box(faces, Fixed(answer), crops)


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    tree = write_300w(tmp_path, train=1, test=1)
    faces = FAMILIES["resnet18"].read(tree)
    faces.images[0].write_bytes(b"no image")
    with pytest.raises(DataError, match=faces.images[0].name):
        FAMILIES["resnet18"].crops(faces, 32, lambda: None)


def test_the_first_filters_are_those_that_see_the_grey_picture() -> None:
    first = nn.Conv2d(1, 6, 5)
    network = nn.Sequential(nn.Sequential(nn.BatchNorm2d(1), first), nn.Conv2d(6, 4, 3))
    filters = first_filters(network)
    assert filters is not None
    assert np.array_equal(filters, first.weight[:, 0].detach().numpy())
    assert first_filters(nn.Linear(2, 3)) is None
