"""Trial of an exported model: the user hears of it if the tracker finds no faces with it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from export.own_box import CropFit
from export.own_trial import MOST_PICTURES, Trial, try_tracker, warning_of
from tests.faces import astronaut
from tests.own_models import write_spot_model
from tracker.scheme.value import CropRule
from train.data.readers import LabelledFace

POINTS = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])


def faces(folder: Path, count: int) -> list[LabelledFace]:
    """Write the portrait so many times, and return two labelled faces of each picture."""
    paths = [folder / f"{number}.png" for number in range(count)]
    for path in paths:
        cv2.imwrite(str(path), astronaut())
    return [LabelledFace(path, POINTS, "own") for path in paths for _ in range(2)]


def fit(found: int, of: int) -> CropFit:
    return CropFit(CropRule(), of, found, fitted=True)


@pytest.mark.parametrize("bias", [50.0, -50.0])
def test_the_warning_tells_whether_the_tracker_takes_the_faces(tmp_path: Path, bias: float) -> None:
    model = write_spot_model(tmp_path / "own.onnx", about={"admission": {"bias": bias}})
    trial = try_tracker(model, faces(tmp_path, 3), fit(3, 3))
    assert trial == Trial(3, 3 if bias > 0 else 0, 3.0)
    assert (trial.warning is None) == (bias > 0)


def test_faces_that_the_detector_misses_are_not_held_against_the_model() -> None:
    assert Trial(30, 10, 12.0).warning is None
    warning = Trial(30, 4, 12.0).warning
    assert warning is not None
    assert "finds a face in 4 of 30 validation pictures" in warning


def test_a_trial_takes_some_pictures_of_many(tmp_path: Path) -> None:
    model = write_spot_model(tmp_path / "own.onnx", about={"admission": {"bias": -50.0}})
    one = faces(tmp_path, 1)[0].image.read_bytes()
    many = faces(tmp_path, 2)[:2]
    for number in range(MOST_PICTURES + 5):
        (tmp_path / f"copy{number}.png").write_bytes(one)
        many.append(LabelledFace(tmp_path / f"copy{number}.png", POINTS, "own"))
    assert try_tracker(model, many, fit(1, 2)).pictures == MOST_PICTURES


def test_a_trial_that_cannot_be_made_is_told_and_the_export_goes_on(tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(b"no model")
    told = warning_of(tmp_path / "own.onnx", faces(tmp_path, 1), fit(1, 1))
    assert told is not None
    assert told.startswith(f"warning: {tmp_path / 'own.onnx'} is written, but could not be tried on ")
    assert "\n" not in told
    model = write_spot_model(tmp_path / "own.onnx", about={"admission": {"bias": 50.0}})
    assert warning_of(model, faces(tmp_path, 1), fit(1, 1)) is None
    told = warning_of(model, [LabelledFace(tmp_path / "gone.png", POINTS, "own")], fit(1, 1))
    assert told is not None
    assert "gone.png" in told
