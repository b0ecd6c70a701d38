"""Benchmark of recall: matching, classes of size, profiles, and a run on generated data."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import recall
from benchmarks.candidates import KnownPicture, known_pictures
from benchmarks.recall import Stills, half_labelled, match, recall_by_size, size_class
from tests.faces import astronaut
from tests.shapes import canonical_points, face_box
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import FaceBox
from train.data.faces import LabelledFace
from train.data.sides import Side


def test_each_face_counts_for_one_box() -> None:
    near, far = FaceBox(0, 0, 40, 40), FaceBox(100, 0, 140, 40)
    assert sum(match([near, near, far], [near])) == 1
    assert match([near, far], [far, near]) == [True, True]
    assert match([near], []) == [False]


@pytest.mark.parametrize(
    ("height", "name"), [(23.9, None), (24, "24-32"), (47.9, "32-48"), (48, "48-64"), (900, ">=64")]
)
def test_classes_of_box_heights(height: float, name: str | None) -> None:
    assert size_class(height) == name


def test_recall_counts_boxes_by_height() -> None:
    small, large = FaceBox(0, 0, 30, 30), FaceBox(100, 0, 200, 100)
    picture = KnownPicture(Path("a.jpg"), "groups", Side.HELD_OUT, (small, large))
    tallies = recall_by_size([(picture, [large, FaceBox(400, 0, 450, 50)])])
    assert [(name, tally.found, tally.total) for name, tally in tallies.items()] == [
        ("24-32", 0, 1), ("32-48", 0, 0), ("48-64", 0, 0), (">=64", 1, 1), (">=48", 1, 1), ("false", 1, 2)
    ]  # fmt: skip
    assert str(tallies[">=48"]) == "    1 of     1   100.0 %"


def test_profiles_are_judged_by_their_labelled_points(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((300, 300, 3), np.uint8))
    points = canonical_points()
    seen = FakeLandmarker(points, quality=np.full(68, 0.9))
    stills = Stills(FaceTracker(FakeDetector(face_box((150, 150), 100)), seen))
    (found,) = stills.faces(np.zeros((300, 300, 3), np.uint8))
    visibility = np.where(np.arange(68) < 30, 2, 0).astype(np.int8)
    label = found.landmarks.points_frame.copy()
    label[30:] += 40  # guessed points do not count
    label[:30, 0] += 2
    box = FaceBox.around(label[:30])
    faces = [LabelledFace(tmp_path / "a.png", label, "profiles", visibility=visibility)]
    tally = half_labelled(faces, stills)
    assert (tally.found, tally.total) == (1, 1)
    assert tally.quality == pytest.approx([0.9])
    assert tally.errors == pytest.approx([200 / math.sqrt(box.area)])
    far = [replace(faces[0], points=label + 150)]
    assert half_labelled(far, stills).found == 0


def test_a_run_on_generated_data_counts_labels_and_false_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    groups, noface = tmp_path / "groups", tmp_path / "noface"
    groups.mkdir()
    noface.mkdir()
    for folder in (groups, noface):
        cv2.imwrite(str(folder / "a.png"), astronaut())
    (groups / "labels.csv").write_text("file,x0,y0,x1,y1,source\na.png,140,140,260,260,here\n")
    (noface / "files.csv").write_text("file,kind,origin\na.png,dog,here\n")
    tracker = FaceTracker(FakeDetector(face_box((200, 200), 100)), FakeLandmarker(canonical_points()))

    class Opened(FaceTracker):
        def __init__(self, *_: str) -> None: ...
        def __enter__(self) -> FaceTracker:
            return tracker

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(recall, "open_tracker", Opened)
    side = known_pictures(tmp_path)[0].side
    monkeypatch.setattr("benchmarks.candidates.faceless_side", lambda _: side)
    recall.main(tmp_path, side=side, report=tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())["found"]
    assert found["groups"][">=48"] == {"found": 1, "total": 1}
    assert found["noface"] == {"dog": {"found": 1, "total": 1}}
    assert "dog" in capsys.readouterr().out


def test_each_still_is_timed() -> None:
    stills = Stills(FaceTracker(FakeDetector(), FakeLandmarker(canonical_points())))
    assert stills.faces(astronaut()) == ()
    assert len(stills.ms) == 1
