from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cache import Trackers
from tests.examples.running import run_example
from tests.faces import astronaut
from tracker import PARTS
from tracker.types import FloatArray, ImageArray


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """The portrait upright, tilted and small, tilted the other way and large."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, angle, scale in (("a", 0, 1.0), ("b", 25, 0.8), ("c", -20, 1.5)):
        turn = cv2.getRotationMatrix2D((186, 135), angle, scale)
        turn[:, 2] += np.array([300, 300]) - [186, 135]
        image = cv2.warpAffine(astronaut(), turn, (600, 600), borderMode=cv2.BORDER_REPLICATE)
        cv2.imwrite(str(folder / f"{name}.png"), image)
    return folder


def eyes_of(points: FloatArray) -> FloatArray:
    return np.array([points[list(PARTS[eye])].mean(axis=0) for eye in ("left_eye", "right_eye")])


def crop(path: Path) -> ImageArray:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image, np.uint8)


def test_all_crops_have_the_eyes_at_the_same_pixels(photos: Path, tmp_path: Path, trackers: Trackers) -> None:
    done = run_example("aligned_crops", photos, tmp_path / "crops", "--size", 200)
    assert done.exit_code == 0, done.stderr
    with (tmp_path / "crops" / "points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [f"{name}.png-000000-1.png" for name in "abc"]
    for row in rows:
        written = np.array([[float(row[f"x{i}"]), float(row[f"y{i}"])] for i in range(68)])
        np.testing.assert_allclose(eyes_of(written), [[70, 80], [130, 80]], atol=0.01)  # 0.35, 0.65; 0.4
        image = crop(tmp_path / "crops" / row["file"])
        assert image.shape == (200, 200, 3)
        # Told by the pixels, too: the face that is found in the crop has its eyes there, and is upright.
        (face,) = trackers.opened().find(image).faces
        np.testing.assert_allclose(eyes_of(face.landmarks.points_frame), [[70, 80], [130, 80]], atol=2.5)
    first, second, third = (crop(tmp_path / "crops" / row["file"]).astype(int) for row in rows)
    middle = np.s_[60:150, 60:140]
    for other in (second, third):
        assert np.abs(first[middle] - other[middle]).mean() < 12


def test_one_frame_of_several_is_taken_from_a_film(short: Path, tmp_path: Path) -> None:
    done = run_example("aligned_crops", short, "--every", 3, cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "wrote 3 crops and points.csv into crops\n"
    names = sorted(path.name for path in (tmp_path / "crops").glob("*.png"))
    assert names == [f"short.mp4-{index:06d}-1.png" for index in (0, 3, 6)]
    assert crop(tmp_path / "crops" / names[0]).shape == (256, 256, 3)
