from __future__ import annotations

import math

import numpy as np
import pytest

from tests.media import picture
from tracker.drawing.heads import Head
from tracker.drawing.picture import Picture
from tracker.types import ImageArray


def test_a_picture_keeps_what_it_is_given() -> None:
    image, head = picture(1), Head((5.0, 5.0), 2.0, 3.0, 0.0)
    shown = Picture(image, 0.4, "a.mp4", (head,))
    assert shown.canvas_bgr is image
    assert (shown.time_s, shown.source, shown.newcomers) == (0.4, "a.mp4", (head,))


@pytest.mark.parametrize(
    "canvas",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)],
)
def test_a_canvas_of_another_shape_is_refused(canvas: ImageArray) -> None:
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        Picture(canvas)


def test_a_canvas_of_another_dtype_is_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        Picture(picture(1).astype(np.float32))


@pytest.mark.parametrize("time_s", [math.nan, math.inf])
def test_a_time_that_is_not_finite_is_refused(time_s: float) -> None:
    with pytest.raises(ValueError, match="time_s"):
        Picture(picture(1), time_s)
