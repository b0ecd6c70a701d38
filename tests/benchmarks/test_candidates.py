"""Candidates of the detector: which picture and label they belong to, and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.candidates import KnownPicture, candidates, known_pictures, lines
from tests.faces import astronaut
from tests.shapes import canonical_points, face_box
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.crops import CropLocator
from tracker.tracking.stage_times import StageClock
from tracker.types import FaceBox
from train.data.sides import Side, group_side
from train.errors import DataError

NEAR, FAR = face_box((150, 150), 100), face_box((350, 350), 60)


@pytest.fixture
def picture(tmp_path: Path) -> KnownPicture:
    (tmp_path / "groups").mkdir()
    cv2.imwrite(str(tmp_path / "groups" / "a.png"), astronaut())
    far_label = FaceBox(FAR.x0 - 3, FAR.y0 - 5, FAR.x1 + 2, FAR.y1)
    return KnownPicture(tmp_path / "groups" / "a.png", "groups", Side.TRAINING, (far_label,))


@pytest.fixture
def locator() -> CropLocator:
    seen = FakeLandmarker(canonical_points(), presence=0.75, quality=np.full(68, 0.5))
    return CropLocator(seen, StageClock())


def test_each_box_is_written_with_its_label(
    picture: KnownPicture, locator: CropLocator, tmp_path: Path
) -> None:
    first, second = map(json.loads, lines(picture, tmp_path, FakeDetector(NEAR, FAR), locator))
    assert first["image"] == "groups/a.png"
    assert (first["kind"], first["side"]) == ("groups", "training")
    assert (first["label"], second["label"]) == (None, 0)
    assert (first["score"], first["presence"], first["quality"]) == (1.0, 0.75, 0.5)
    assert first["crop"][:2] == pytest.approx(NEAR.center, abs=1e-3)
    assert FaceBox(*second["box"]).iou(FAR) > 0.8


def test_a_picture_without_boxes_has_no_candidates(picture: KnownPicture, locator: CropLocator) -> None:
    assert list(candidates(picture, FakeDetector(), locator)) == []


def test_a_picture_that_cannot_be_read_is_one_line(tmp_path: Path, locator: CropLocator) -> None:
    (tmp_path / "a.jpg").write_text("no picture")
    broken = KnownPicture(tmp_path / "a.jpg", "dog", Side.TRAINING)
    with pytest.raises(DataError, match=r"a\.jpg: not an image"):
        list(candidates(broken, FakeDetector(), locator))


def test_pictures_of_all_folders_are_read_with_their_sides(tmp_path: Path) -> None:
    for folder, names in (("groups", ["g.jpg"]), ("profiles", ["wider_p_1.jpg", "cfp_001_11.jpg"])):
        (tmp_path / folder).mkdir()
        rows = [f"{name},1,2,31,42,x" for name in names]
        (tmp_path / folder / "labels.csv").write_text("\n".join(["file,x0,y0,x1,y1,source", *rows]) + "\n")
    pictures = known_pictures(tmp_path)
    assert [(one.path.name, one.kind) for one in pictures] == [
        ("g.jpg", "groups"),
        ("wider_p_1.jpg", "wider"),
    ]
    assert pictures[0].boxes == (FaceBox(1, 2, 31, 42),)
    assert pictures[0].side is group_side("g.jpg")


def test_a_soft_copy_of_a_group_photograph_is_on_the_side_of_the_sharp_one() -> None:
    assert all(group_side(f"{n}.jpg") is group_side(f"lowres_{n}.jpg") for n in range(40))
