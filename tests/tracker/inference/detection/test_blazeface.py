"""BlazeFace: anchors, decoding, and detection in pictures of any size."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from tests.blazeface import FakeSession, encode
from tests.faces import CONSTANT_BOX, UPRIGHT_KEYPOINTS, astronaut
from tests.strategies import floats
from tracker.errors import WeightsError
from tracker.inference.detection.anchors import decode, make_anchors
from tracker.inference.detection.blazeface import BlazeFace
from tracker.types import FaceBox, Frame

FACE_CENTER = np.array([186.0, 135.0])  # between brows and chin, ear and ear, read off the picture


Array = npt.NDArray[Any]


@pytest.mark.parametrize("size", [(128, 128), (64, 32), (48, 80)])
def test_anchors_fill_their_grids(size: tuple[int, int]) -> None:
    anchors = make_anchors(size)
    fine = 2 * (size[0] // 8) * (size[1] // 8)
    assert len(anchors) == fine + 6 * (size[0] // 16) * (size[1] // 16)
    for part, stride, per_cell in ((anchors[:fine], 8, 2), (anchors[fine:], 16, 6)):
        x, y = ((np.arange(side // stride) + 0.5) * stride for side in size)
        expected = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)  # x runs first
        np.testing.assert_array_equal(part, np.repeat(expected, per_cell, axis=0))


@given(raw=arrays(np.float64, (896, 16), elements=floats(-200, 200), fill=floats(-200, 200)))
def test_decoding_is_undone_by_encoding(raw: Array) -> None:
    before, anchors = raw.copy(), make_anchors((128, 128))
    np.testing.assert_allclose(encode(decode(raw, anchors), anchors), raw, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(raw, before)


def test_a_face_is_found_in_place(detector: BlazeFace) -> None:
    box, *others = detector.detect(Frame(astronaut()))
    assert all(other.score < box.score for other in others)
    assert box.score > 0.9
    assert math.dist(box.center, FACE_CENTER) < 0.1 * box.height
    assert 80 < box.height < 115
    assert abs(box.roll_rad) < math.radians(8)


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_turned_picture_gives_a_turned_box(detector: BlazeFace, degrees: float) -> None:
    image = astronaut()
    upright, *_ = detector.detect(Frame(image))
    # OpenCV counts angles anticlockwise on screen, we clockwise.
    turn = cv2.getRotationMatrix2D(tuple(FACE_CENTER), -degrees, 1.0)
    box, *_ = detector.detect(Frame(cv2.warpAffine(image, turn, (400, 400))))  # type: ignore[arg-type]
    assert math.degrees(box.roll_rad - upright.roll_rad) == pytest.approx(
        degrees, abs=8
    )  # the network understates roll
    expected = turn @ [*upright.center, 1.0]
    assert math.dist(box.center, expected) < 0.1 * upright.height


@pytest.mark.parametrize("factor", [0.5, 2, 4])
def test_box_grows_with_the_picture(detector: BlazeFace, factor: float) -> None:
    image = astronaut()
    small, *_ = detector.detect(Frame(image))
    resized = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    box, *_ = detector.detect(Frame(resized))  # type: ignore[arg-type]
    scaled = FaceBox(*(factor * value for value in small.xyxy))
    assert box.iou(scaled) > 0.9


@pytest.mark.parametrize("hw", [(1, 1), (1, 4000), (4000, 1), (128, 128), (6000, 8000)])
@pytest.mark.parametrize("level", [0, 127, 255])
def test_empty_pictures_of_any_size_hold_no_face(
    detector: BlazeFace, hw: tuple[int, int], level: int
) -> None:
    assert detector.detect(Frame(np.full((*hw, 3), level, np.uint8))) == []


def test_a_face_in_a_large_picture_is_found_in_place(detector: BlazeFace) -> None:
    canvas = np.full((6000, 8000, 3), 90, np.uint8)
    canvas[1000:5000, 2000:6000] = cv2.resize(astronaut(), (4000, 4000), interpolation=cv2.INTER_AREA)
    box, *_ = detector.detect(Frame(canvas))
    assert math.dist(box.center, 10 * FACE_CENTER + [2000, 1000]) < 0.1 * box.height


def test_two_faces_are_reported_best_first(detector: BlazeFace) -> None:
    image = astronaut()[:260, 80:300]
    pair = np.concatenate([image, cv2.GaussianBlur(image, (0, 0), 3)], axis=1)
    left, right = sorted(detector.detect(Frame(pair))[:2], key=lambda box: box.x0)
    assert right.center[0] - left.center[0] == pytest.approx(220, abs=8)
    scores = [box.score for box in detector.detect(Frame(pair))]
    assert scores == sorted(scores, reverse=True)


def test_the_picture_is_not_changed_and_need_not_be_contiguous(detector: BlazeFace) -> None:
    image = astronaut()
    image.setflags(write=False)
    view = np.asfortranarray(image)
    found, expected = detector.detect(Frame(view)), detector.detect(Frame(image))
    assert [box.xyxy for box in found] == [box.xyxy for box in expected]


@pytest.mark.parametrize("min_score", [0.2, 0.5, 0.9])
def test_min_score_is_a_probability_and_malformed_faces_are_dropped(min_score: float) -> None:
    boxes, logits = np.zeros((896, 16), np.float32), np.full(896, -1e4, np.float32)
    anchors = np.array([0, 400, 512, 800, 895])
    boxes[anchors, 2:4] = 5.0  # pixels of 128: small enough to touch nobody
    wanted = np.array([min_score + 0.01, min_score - 0.01, 1.0, 0.99, 0.99])
    logits[anchors] = [*np.log(wanted[:2] / (1 - wanted[:2])), 1e4, 5.0, 5.0]
    boxes[:, 4:] = UPRIGHT_KEYPOINTS.reshape(-1) / 10
    boxes[800, 2] = -5.0  # a box turned inside out
    boxes[895, 9] = np.nan
    boxes[700, 2:4], boxes[700, 4:], logits[700] = 5.0, 1.0, 5.0  # key points that all coincide
    faces = BlazeFace(FakeSession(boxes, logits), CONSTANT_BOX, min_score).detect_raw(
        np.zeros((128, 128, 3), np.uint8)
    )
    assert [face.box.score for face in faces] == pytest.approx([1.0, min_score + 0.01], abs=1e-6)
    center = make_anchors((128, 128))[512]
    np.testing.assert_allclose(faces[0].box.center, center, atol=1e-9)
    np.testing.assert_allclose(faces[0].keypoints_frame, center + UPRIGHT_KEYPOINTS / 10, atol=1e-6)


def test_a_network_with_other_outputs_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"\(896, 16\).*\(5, 16\)"):
        BlazeFace(FakeSession(np.zeros((5, 16)), np.zeros(5)), CONSTANT_BOX)


@pytest.mark.parametrize("min_score", [0.0, 1.0, -1.0, math.nan])
def test_a_min_score_out_of_range_is_refused(min_score: float) -> None:
    with pytest.raises(ValueError, match="min_score"):
        BlazeFace(FakeSession(np.zeros((896, 16)), np.zeros(896)), CONSTANT_BOX, min_score)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3)),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_arrays_of_another_type_or_shape_are_refused(detector: BlazeFace, image: Array) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\)"):
        detector.detect_raw(image)
