"""The whole picture as the box of its only face."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.inference.detection.whole_picture import WholePicture
from tracker.types import FaceBox


def test_the_box_holds_all_pixels() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    assert WholePicture().detect(picture) == [FaceBox(-0.5, -0.5, 59.5, 39.5)]
    assert WholePicture().detect(picture, WholePicture().views((40, 60))) == WholePicture().detect(picture)


def test_the_box_is_in_square_pixels() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    assert WholePicture().detect(picture, pixel_aspect=2.0) == [FaceBox(-0.5, -0.5, 119.5, 39.5)]


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a uint8"):
        WholePicture().detect(np.zeros((40, 60), np.uint8))
