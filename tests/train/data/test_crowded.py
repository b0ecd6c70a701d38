"""Pictures of several people give no samples without a face that hold another's face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from tests.tiny import face_points
from tracker.geometry import CropTransform
from train.data import crowded as module
from train.data import dataset
from train.data.augment import PhotometricPolicy, misplace
from train.data.crowded import crowded
from train.data.dataset import FaceCrops, SampleRecipe
from train.data.faceless import FacelessPicture
from train.data.readers import LabelledFace

NEIGHBOUR_PX = 120.0
"""Distance of the second face from the first: faces are 90 px wide, crops 135 px."""


def face(name: str, subset: str = "helen", x: float = 100.0) -> LabelledFace:
    return LabelledFace(Path("data") / subset / f"{name}.jpg", face_points((x, 120.0), 90.0), subset)


def test_a_picture_with_two_labelled_faces_is_crowded() -> None:
    one, two = face("a"), face("a", x=220.0)
    assert crowded([one, two, face("b")]) == [True, True, False]


def test_a_repeated_face_is_one_person() -> None:
    assert crowded([face("a")] * 3) == [False] * 3


def test_cuts_of_one_photograph_are_crowded() -> None:
    """afw and wflw68 number the faces of a photograph; other names mean nothing."""
    assert crowded([face("1_1", "afw"), face("1_2", "afw", 110.0)]) == [True, True]
    assert crowded([face("1_1"), face("1_2", x=110.0)]) == [False, False]


def test_listed_pictures_are_crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_listed", lambda: frozenset({"lfpw/a"}))
    assert crowded([face("a", "lfpw"), face("a"), face("b", "lfpw")]) == [True, False, False]


def test_the_list_names_training_pictures_once() -> None:
    text = Path(module.__file__).with_name("crowded.txt").read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if not line.startswith("#")]
    assert names == sorted(set(names))
    assert {name.partition("/")[0] for name in names} <= {*dataset_names()}


def dataset_names() -> tuple[str, ...]:
    return ("afw", "hands", "helen", "lfpw", "profiles", "wflw68")


def test_pictures_without_a_face_are_not_crowded(tmp_path: Path) -> None:
    assert crowded([FacelessPicture(tmp_path / "x.jpg", "texture")]) == [False]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[LabelledFace, LabelledFace]:
    """Two labelled people side by side in one picture."""
    faces = []
    for x in (100.0, 100.0 + NEIGHBOUR_PX):
        faces.append(LabelledFace(tmp_path / "pair.png", face_points((x, 120.0), 90.0), "helen"))
    assert cv2.imwrite(str(tmp_path / "pair.png"), np.full((240, 320, 3), 128, np.uint8))
    return faces[0], faces[1]


def test_samples_without_a_face_hold_nobody_elses(
    pair: tuple[LabelledFace, LabelledFace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No crop places the neighbour's points as a crop of the neighbour would, up to half its size."""
    cut: list[CropTransform] = []

    def spied(crop: CropTransform, rng: np.random.Generator, *how: bool) -> CropTransform:
        cut.append(misplace(crop, rng, *how))
        return cut[-1]

    monkeypatch.setattr(dataset, "misplace", spied)
    recipe = SampleRecipe(photometry=PhotometricPolicy(*[0.0] * 7), background=1.0)

    def holding(faces: list[LabelledFace]) -> int:
        cut.clear()
        crops = FaceCrops(faces[:1] if len(faces) == 1 else faces, 64, recipe)
        for epoch in range(400):
            assert crops.at(64, epoch)[0][2] == 0
        right = CropTransform.from_points(pair[1].points)
        return sum(holds(crop, right) for crop in cut)

    assert holding([pair[0]]) > 0  # the neighbour is not known, and is cut now and then
    assert holding(list(pair)) == 0


def holds(crop: CropTransform, face_crop: CropTransform) -> bool:
    """Return whether ``crop`` shows a face as ``face_crop`` does, within the limits of training."""
    apart = np.linalg.norm(np.subtract(crop.center, face_crop.center)) / face_crop.side
    turned = abs(np.angle(np.exp(1j * (crop.angle - face_crop.angle))))
    return bool(apart < 0.25 and 0.6 < crop.side / face_crop.side < 1.7 and turned < np.deg2rad(60))
