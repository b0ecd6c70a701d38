"""The whole picture as the box of its only face."""

from __future__ import annotations

import numpy as np

from tracker.inference.detection.whole_picture import WholePicture
from tracker.types import FaceBox, Frame


def test_the_box_holds_all_pixels() -> None:
    frame, whole = Frame(np.zeros((40, 60, 3), np.uint8)), WholePicture()
    assert whole.detect(frame) == [FaceBox(-0.5, -0.5, 59.5, 39.5)]
    assert whole.detect(frame, whole.views((40, 60))) == whole.detect(frame)


def test_the_box_is_in_square_pixels() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    assert WholePicture().detect(Frame(picture, pixel_aspect=2.0)) == [FaceBox(-0.5, -0.5, 119.5, 39.5)]
