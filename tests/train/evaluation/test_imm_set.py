from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tracker.scheme.imm58 import IMM58
from train.data.splits import IMM_PEOPLE
from train.errors import DataError
from train.evaluation.families import FAMILIES
from train.evaluation.results import scores

pytest.importorskip("torch")
import torch
from torch import Tensor

from train.evaluation.label_box import label_box
from train.evaluation.labelled import LabelCrops, LabelledSet
from train.evaluation.results import Evaluation

WIDTH, HEIGHT = 320, 240


def write_imm(folder: Path, people: Iterable[int], shots: Iterable[int] = range(1, 7)) -> None:
    """Write pictures half as large as the database's, each with 58 different points."""
    folder.mkdir(parents=True)
    for person in people:
        for shot in shots:
            rng = np.random.default_rng((person, shot))
            relative = rng.uniform(0.2, 0.8, (58, 2))
            name = f"{person:02d}-{shot}m"
            picture = rng.integers(0, 255, (HEIGHT, WIDTH), np.uint8)
            assert cv2.imwrite(str(folder / f"{name}.jpg"), picture)
            rows = [f"0 0 {x:.8f} {y:.8f} {i} 0 0" for i, (x, y) in enumerate(relative)]
            (folder / f"{name}.asf").write_text("\n".join(["# made", "58", *rows, f"{name}.jpg"]) + "\n")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    write_imm(root / "imm_face_db", [1, 32, *range(33, 41)])
    return root


class Shifted(torch.nn.Module):
    """Network that returns the labels, moved by ``shift`` crop sides."""

    def __init__(self, crops: LabelCrops, shift: tuple[float, float]) -> None:
        super().__init__()
        self.answers = torch.stack([crops[i][1] for i in range(len(crops))]) + torch.tensor(shift)
        self.shapes: list[torch.Size] = []

    def forward(self, pictures: Tensor) -> SimpleNamespace:
        start = sum(shape[0] for shape in self.shapes)
        self.shapes.append(pictures.shape)
        return SimpleNamespace(points=self.answers[start : start + len(pictures)])


def evaluated(
    tree: Path, model: str, size: int, shift: tuple[float, float]
) -> tuple[LabelledSet, Shifted, Evaluation]:
    family = FAMILIES[model]
    faces = family.read(tree)
    crops = family.crops(faces, size, lambda: None)
    network = Shifted(crops, shift)
    return faces, network, label_box(faces, network, crops)


def test_the_test_set_is_the_complete_test_people(tree: Path) -> None:
    faces = FAMILIES["face58"].read(tree)
    assert len(faces.images) == 48
    assert {image.name[:2] for image in faces.images} == {str(person) for person in range(33, 41)}
    assert faces.people == tuple(person for person in range(33, 41) for _ in range(6))
    assert set(faces.subsets) == {IMM_PEOPLE} == set(FAMILIES["face58"].subsets)


def test_an_incomplete_subset_is_named_as_such(tmp_path: Path) -> None:
    write_imm(tmp_path / "imm_face_db", range(33, 41), shots=range(1, 6))
    assert set(FAMILIES["face58"].read(tmp_path).subsets) == {f"40 shots of {IMM_PEOPLE}"}


def test_missing_test_people_are_refused(tmp_path: Path) -> None:
    write_imm(tmp_path / "imm_face_db", [1, 2])
    with pytest.raises(DataError, match=f"none of {IMM_PEOPLE}"):
        FAMILIES["nose-fan"].read(tmp_path)


@pytest.mark.parametrize("model", ["nose-funnel", "nose-fan"])
def test_the_nose_is_measured_in_pixels_of_640x480(tree: Path, model: str) -> None:
    """3 and 4 hundredths of the width are 19.2 and 25.6 px of 640, so 32 px, in smaller pictures too."""
    _, network, made = evaluated(tree, model, 80, (0.03, 0.04))
    (result,) = scores(made)
    assert made.condition == "whole picture"
    assert result.mean == pytest.approx(32, abs=1e-3)
    assert result.median == pytest.approx(32, abs=1e-3)
    assert result.failure_rate == 1
    assert {tuple(shape[1:]) for shape in network.shapes} == {(1, 60, 80)}
    (near,) = scores(evaluated(tree, model, 80, (0.018, 0.0))[2])
    assert near.mean == pytest.approx(11.52, abs=1e-3)
    assert near.failure_rate == 0


def test_face58_errors_are_per_cent_of_the_inter_ocular_distance(tree: Path) -> None:
    faces, network, made = evaluated(tree, "face58", 240, (0.01, 0.0))
    eyes = np.linalg.norm(faces.truth[:, 13] - faces.truth[:, 21], axis=-1)
    assert made.errors == pytest.approx(100 * 0.01 * WIDTH / eyes, rel=1e-4)
    (result,) = scores(made)
    assert set(result.parts) == {"jaw", "eyes", "brows", "mouth", "nose"}
    parts = faces.measure.parts.values()
    assert sorted(i for part in parts for i in part) == list(range(IMM58.n_points))
    assert {tuple(shape[1:]) for shape in network.shapes} == {(1, 180, 240)}


def test_the_outer_eye_corners_of_the_real_faces_are_farthest_from_the_other_eye(data_dir: Path) -> None:
    """On average over all people and shots, and in each eye."""
    from train.data.imm import imm_shots

    points = np.array([shot.points for shot in imm_shots(data_dir)])
    first, second = points[:, 13:21], points[:, 21:29]
    far = [
        start + np.linalg.norm(eye - other.mean(axis=1, keepdims=True), axis=-1).mean(axis=0).argmax()
        for start, eye, other in ((13, first, second), (21, second, first))
    ]
    assert IMM58.normaliser is not None
    assert sorted(IMM58.normaliser) == far
    left, right = IMM58.normaliser
    assert (points[:, left, 0] < points[:, right, 0]).all()
