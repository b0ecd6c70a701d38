import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.tiny import write_300w
from train.errors import DataError, RunError
from train.evaluation.families import FAMILIES
from train.evaluation.results import scores

torch = pytest.importorskip("torch")
from train.evaluation.label_box import BATCH, first_filters, label_box  # noqa: E402


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory):
    tree = write_300w(tmp_path_factory.mktemp("tree"), train=1, test=BATCH // 2 + 3)
    return FAMILIES["resnet18"].read(tree)


class Fixed(torch.nn.Module):
    """Answers batch after batch with the rows of ``answers``; remembers what it was shown."""

    def __init__(self, answers) -> None:
        super().__init__()
        self.answers, self.seen = answers, []

    def forward(self, crops):
        start = sum(map(len, self.seen))
        self.seen.append(crops)
        return SimpleNamespace(points=self.answers[start : start + len(crops)])


def truth_in_crops(faces, size):
    """The labels in crop sides from the crop's centre, as the loader gives them to training."""
    from train.data.dataset import FaceCrops

    crops = FaceCrops(faces.labels, size)
    return torch.stack([crops[i][1] for i in range(len(crops))])


@pytest.mark.parametrize("size", [64, 224])
def test_a_network_that_answers_with_the_labels_has_no_error(faces, size) -> None:
    """Back in the image the float32 labels are off by at most a few 1e-7 of the crop's side."""
    network, done = Fixed(truth_in_crops(faces, size)), []
    crops = FAMILIES["resnet18"].crops(faces, size, lambda: None)
    made = label_box(faces, network, crops, lambda: done.append(1))
    assert made.condition == "label box"
    assert np.abs(made.predicted - faces.truth).max() < 1e-4
    assert [len(batch) for batch in network.seen] == [BATCH, len(faces.images) - BATCH]
    assert all(batch.shape[1:] == (1, size, size) and batch.dtype == torch.uint8 for batch in network.seen)
    assert len(done) == len(faces.images)


def test_an_error_in_crop_sides_comes_out_in_per_cent_of_the_eyes_distance(faces) -> None:
    labels = truth_in_crops(faces, 96)
    crops = FAMILIES["resnet18"].crops(faces, 96, lambda: None)
    made = label_box(faces, Fixed(labels + torch.tensor([0.01, 0.0])), crops)
    eyes = torch.linalg.norm(labels[:, 36] - labels[:, 45], dim=-1).numpy()
    assert made.errors == pytest.approx(100 * 0.01 / eyes, rel=1e-4)
    assert scores(made)[-1].misses == 0


@pytest.mark.parametrize("answer", [torch.zeros(99, 67, 2), torch.full((99, 68, 2), math.nan)])
def test_a_network_that_answers_nonsense_is_refused(faces, answer) -> None:
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
    nn = torch.nn
    network = nn.Sequential(nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 6, 5)), nn.Conv2d(6, 4, 3))
    assert np.array_equal(first_filters(network), network[0][1].weight[:, 0].detach().numpy())
    assert first_filters(nn.Linear(2, 3)) is None
