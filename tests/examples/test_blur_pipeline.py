from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.examples.running import run_example
from tests.media import frame_count
from tests.moving_portrait import SIDE
from tracker.types import ImageArray


def opencv_pictures(path: Path) -> list[ImageArray]:
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while (read := capture.read())[0]:
        pictures.append(np.asarray(read[1], np.uint8))
    capture.release()
    return pictures


def detail(image: ImageArray) -> float:
    return float(np.abs(cv2.Laplacian(image, cv2.CV_64F)).mean())


def test_faces_are_blurred_and_all_else_is_that_of_the_pipeline(short: Path, tmp_path: Path) -> None:
    done = run_example("blur_pipeline", short, tmp_path / "out_%02d.png")
    assert done.exit_code == 0, done.stderr
    read = opencv_pictures(short)
    assert len(list(tmp_path.iterdir())) == len(read) == 8
    for number, given in enumerate(read, 1):
        mirrored = np.ascontiguousarray(given[:, ::-1])
        blurred = np.asarray(cv2.imread(str(tmp_path / f"out_{number:02d}.png")), np.uint8)
        face = np.s_[100:260, SIDE - 290 : SIDE - 110]
        assert detail(blurred[face]) < 0.2 * detail(mirrored[face])
        np.testing.assert_array_equal(blurred[:, :20], mirrored[:, :20])
        np.testing.assert_array_equal(blurred[-8:], mirrored[-8:])


def test_a_film_comes_out(short: Path, tmp_path: Path) -> None:
    assert run_example("blur_pipeline", short, cwd=tmp_path).exit_code == 0
    assert frame_count(tmp_path / "blurred.mp4") == 8


def test_what_opencv_cannot_open_is_one_line(tmp_path: Path) -> None:
    done = run_example("blur_pipeline", tmp_path / "gone.mp4")
    assert done.exit_code == 1
    assert "blur_pipeline: OpenCV cannot open" in done.stderr
