from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from tests.tiny import face_points, template
from tests.train.data.test_head import seen
from tracker.geometry import CropTransform, mirror_points
from tracker.types import FloatArray
from train.data.faces import COVERED, GUESSED, VISIBLE
from train.data.sides import Side
from train.models.output import LandmarkOutput
from train.studies.pseudo_labels import PseudoLabel
from train.studies.turned_labels import MASK_POINTS, Guess, hidden, label_turned, look, side_of

SIDE = 0.6 * template()


class Teacher(nn.Module):
    """Network that sees the same face in every crop, with ``noise`` crop sides of its own in each view."""

    def __init__(self, noise: float = 0.0, presence: float = 2.0) -> None:
        super().__init__()
        self.noise, self.presence = noise, presence
        self.random = torch.Generator().manual_seed(0)

    def forward(self, crops: Tensor) -> LandmarkOutput:
        points = torch.from_numpy(SIDE).float().expand(len(crops), -1, -1)
        points = points + self.noise * torch.randn(points.shape, generator=self.random)
        return LandmarkOutput(points, torch.full((len(crops),), self.presence))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "face.png"
    assert cv2.imwrite(str(path), np.full((100, 100), 99, np.uint8))
    return path


def labelled(
    monkeypatch: pytest.MonkeyPatch, picture: Path, views: FloatArray, presence: float, masked: bool = False
) -> list[PseudoLabel]:
    """Labels of one picture whose views are as told."""
    monkeypatch.setattr("train.studies.turned_labels.look", lambda *_: (views, presence))
    guess = Guess(picture, CropTransform((50.0, 50.0), 60.0), masked)
    return list(label_turned(Teacher(), 32, [guess]))


def views(noise: float, points: FloatArray | None = None) -> FloatArray:
    """Six views of a face 110 pixels wide, with ``noise`` pixels of their own."""
    rng = np.random.default_rng(0)
    return (face_points() if points is None else points) + rng.normal(0, noise, (6, 68, 2))


def test_views_of_one_answer_differ_by_their_turn_only() -> None:
    image, crop = np.zeros((100, 100), np.uint8), CropTransform((50.0, 50.0), 60.0, size=32)
    views, presence = look(Teacher(), image, crop, 32)
    assert views.shape == (6, 68, 2)
    assert presence == pytest.approx(1 / (1 + np.exp(-2.0)))
    # The teacher sees the same face in each crop, and a mirrored one in each mirrored crop.
    mirrored = mirror_points(SIDE, width=1)
    assert np.abs(views[1] - crop.to_frame(SIDE * 32 + 15.5)).max() < 1e-4
    assert np.abs(views[4] - crop.to_frame(mirrored * 32 + 15.5)).max() < 1e-4


def test_views_that_agree_make_a_label(monkeypatch: pytest.MonkeyPatch, picture: Path) -> None:
    (label,) = labelled(monkeypatch, picture, views(0.5), 0.9)
    assert (label.image, label.presence) == (picture, 0.9)
    assert np.abs(label.points - face_points()).max() < 2
    assert 0 < label.spread_percent < 1.5
    assert label.visibility is not None
    assert (label.visibility == VISIBLE).all()


def test_a_face_without_presence_or_agreement_is_not_labelled(
    monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    assert labelled(monkeypatch, picture, views(0.5), 0.4) == []
    assert labelled(monkeypatch, picture, views(10.0), 0.9) == []
    assert labelled(monkeypatch, picture, np.ones((6, 68, 2)), 0.9) == []


def test_points_whose_views_disagree_are_only_guessed(monkeypatch: pytest.MonkeyPatch, picture: Path) -> None:
    apart = views(0.2)
    apart[::2, 8] += 15
    (label,) = labelled(monkeypatch, picture, apart, 0.9)
    assert label.visibility is not None
    assert np.flatnonzero(label.visibility == GUESSED).tolist() == [8]


def test_points_under_a_mask_count_as_covered(monkeypatch: pytest.MonkeyPatch, picture: Path) -> None:
    (label,) = labelled(monkeypatch, picture, views(0.2), 0.9, masked=True)
    assert label.visibility is not None
    assert np.flatnonzero(label.visibility == COVERED).tolist() == MASK_POINTS.tolist()


def test_the_far_half_of_a_turned_face_is_only_guessed(
    monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    (label,) = labelled(monkeypatch, picture, views(0.2, seen(65)), 0.9)
    assert label.visibility is not None
    assert label.visibility[[16, 45, 54]].tolist() == [GUESSED] * 3
    assert label.visibility[[0, 30, 36, 48]].tolist() == [VISIBLE] * 4


def test_the_far_half_of_a_strongly_turned_face_is_hidden() -> None:
    assert not hidden(face_points()).any()
    assert hidden(seen(65))[[16, 45, 54]].all()
    assert not hidden(seen(65))[[0, 30, 36, 48]].any()
    assert hidden(seen(-65))[[0, 36, 48]].all()


def test_faces_of_few_people_are_never_held_out() -> None:
    assert {side_of(f"maskbox_{number:03}.jpg") for number in range(113)} == {Side.TRAINING}
    assert {side_of(f"mask_{number:03}.jpg") for number in range(242)} == set(Side)
    assert side_of("aflw80_0700-image49713.jpg") is side_of("aflw80_9999-image49713.jpg")
