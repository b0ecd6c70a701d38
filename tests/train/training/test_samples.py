"""The sheets of samples and the plot of curves that a run writes."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from tests.train.training.runs import CONFIG, Faces, WholeRun
from tracker.geometry import CropTransform
from train.data.dataset import SampleRecipe
from train.training.folder import CURVES, SAMPLES
from train.training.samples import write_samples
from train.training.task import landmark_task

SIDE = 192


def sheets(faces: Faces, folder: Path, background: float = 0.0) -> list[np.ndarray]:
    config = replace(CONFIG, recipe=SampleRecipe(background=background))
    task = landmark_task(config, *faces)
    crops, _ = task.read(lambda: None)
    write_samples(folder, config, task, crops)
    read = [cv2.imread(str(folder / name)) for name in SAMPLES]
    assert all(sheet is not None for sheet in read)
    return [np.asarray(sheet) for sheet in read]


def green(picture: np.ndarray) -> np.ndarray:
    blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
    return np.asarray((green > blue + 60) & (green > red + 60))


def test_plain_samples_are_the_canonical_crops_with_their_points(faces: Faces, tmp_path: Path) -> None:
    plain, augmented = sheets(faces, tmp_path)
    assert plain.shape == augmented.shape == (2 * (SIDE + 4), 6 * (SIDE + 4), 3)
    marks = green(plain[:SIDE, :SIDE])
    points = faces[0][0].points
    crop = CropTransform.from_points(points, size=32)
    expected = (crop.to_crop(points) + 0.5) * SIDE / 32 - 0.5
    for x, y in expected:
        assert marks[round(y), round(x)]
    assert marks.sum() < 68 * 16
    assert (plain[:SIDE, :SIDE] != augmented[:SIDE, :SIDE]).mean() > 0.2


def test_samples_without_a_face_have_no_points(faces: Faces, tmp_path: Path) -> None:
    plain, augmented = sheets(faces, tmp_path, background=1.0)
    assert green(plain).any()
    assert not green(augmented).any()


def test_a_run_draws_its_curves(whole_run: WholeRun) -> None:
    picture = cv2.imread(str(whole_run[0] / CURVES))
    assert picture is not None
    for colour in ((196, 127, 47), (43, 96, 209)):  # training and validation, BGR
        assert (np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum() > 100
