"""Frames and faces at the size of a window."""

from __future__ import annotations

import numpy as np
import pytest

from tests.shapes import canonical_points
from tracker.runs.fitted import Fitted, scale_faces
from tracker.types import FloatArray, Frame, FrameResult, ImageArray, Landmarks, TrackedFace

DOT = (30, 20)
"""Left and top of a bright block of 4x4 pixels, around whose middle all points of the face lie."""


def scene(pixel_aspect: float = 1.0) -> tuple[Frame, FrameResult]:
    image: ImageArray = np.full((60, 80, 3), 50, np.uint8)
    x, y = DOT
    image[y : y + 4, x : x + 4] = 255
    middle = np.array([x + 1.5, y + 1.5])
    points = canonical_points()
    points = middle + (points - points.mean(axis=0)) * 5
    face = TrackedFace(1, Landmarks(points))
    return Frame(image, pixel_aspect=pixel_aspect), FrameResult((face,), 0, 0.0, "", (60, 80))


def middle_of_light(picture: ImageArray) -> FloatArray:
    weight = picture[..., 0].astype(float) - picture.min()
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    middle: FloatArray = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
    return middle


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("canvas_hw", [(60, 80), (120, 160), (30, 40), (90, 300), (400, 100)])
@pytest.mark.parametrize("pixel_aspect", [1.0, 2.0])
def test_points_stay_on_what_they_mark(
    canvas_hw: tuple[int, int], mirrored: bool, pixel_aspect: float
) -> None:
    fitted = Fitted.of(*scene(pixel_aspect), canvas_hw, mirrored)
    assert fitted.canvas_bgr.shape == (*canvas_hw, 3)
    (face,) = fitted.faces
    np.testing.assert_allclose(
        face.landmarks.points_frame.mean(axis=0), middle_of_light(fitted.picture_bgr), atol=0.35
    )


@pytest.mark.parametrize("pixel_aspect", [1.0, 2.0, 0.5])
@pytest.mark.parametrize("canvas_hw", [(90, 300), (400, 100), (7, 5), (1, 1)])
def test_the_picture_keeps_its_shape_between_black_bars(
    canvas_hw: tuple[int, int], pixel_aspect: float
) -> None:
    fitted = Fitted.of(*scene(pixel_aspect), canvas_hw, mirrored=False)
    height, width = fitted.picture_bgr.shape[:2]
    assert abs(width - height * 80 * pixel_aspect / 60) <= 2
    assert height == canvas_hw[0] or width == canvas_hw[1]
    fitted.picture_bgr[:] = 0  # a view: what is left are the bars
    assert not fitted.canvas_bgr.any()


def test_a_frame_of_the_same_size_is_copied_exactly() -> None:
    frame, result = scene()
    fitted = Fitted.of(frame, result, (60, 80), mirrored=False)
    assert np.array_equal(fitted.canvas_bgr, frame.image_bgr)
    assert fitted.faces == result.faces
    fitted.canvas_bgr[:] = 0
    assert frame.image_bgr.any()


def test_scaling_there_and_back_returns_the_points() -> None:
    _, result = scene()
    there = scale_faces(result.faces, 2.5, 0.4)
    (back,) = scale_faces(there, 1 / 2.5, 1 / 0.4)
    expected = result.faces[0].landmarks.points_frame
    np.testing.assert_allclose(back.landmarks.points_frame, expected, atol=1e-9)
