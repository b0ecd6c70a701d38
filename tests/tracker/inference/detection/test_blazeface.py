"""BlazeFace: its geometry is exact, its merging is fair, and odd pictures do it no harm."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.faces import CONSTANT_BOX, UPRIGHT_KEYPOINTS, astronaut, blazeface
from tests.strategies import floats
from tracker.errors import BackendError, WeightsError
from tracker.inference.detection import mediapipe as mediapipe_module
from tracker.inference.detection.blazeface import (
    CLOSE_UP_MIN_SCORE,
    SAME_FACE_IOU,
    BlazeFace,
    RawFace,
    decode,
    make_anchors,
    weighted_nms,
)
from tracker.inference.detection.mediapipe import MediaPipeDetector
from tracker.inference.detection.views import close_ups
from tracker.types import FaceBox

FACE_CENTER = np.array([186.0, 135.0])  # between brows and chin, ear and ear, read off the picture


Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def detector() -> BlazeFace:
    return blazeface()


class FakeSession:
    """Answers with the boxes and logits it was given."""

    provider = "fake"

    def __init__(self, boxes: Array, logits: Array) -> None:
        self.answer = [boxes, logits]
        self.runs = 0

    def run(self, batch: Array) -> list[Array]:
        assert batch.shape == (1, 128, 128, 3)
        assert batch.dtype == np.uint8
        self.runs += 1
        return self.answer


def encode(points: Array, anchors: Array) -> Array:
    """The inverse of ``decode``, written from the definition."""
    center, size = points[:, :2].mean(axis=1), points[:, 1] - points[:, 0]
    relative = np.concatenate([center[:, None], points[:, 2:]], axis=1) - anchors[:, None]
    return 128 * np.concatenate([relative[:, :1], size[:, None], relative[:, 1:]], axis=1).reshape(-1, 16)


def faces_at(centers: Array, size: float) -> Array:
    """``(N, 8, 2)`` points of square boxes with all key points in their centre."""
    points = np.repeat(centers[:, None], 8, axis=1)
    points[:, 0] -= size / 2
    points[:, 1] += size / 2
    return points


def test_anchors_fill_their_grids() -> None:
    anchors = make_anchors()
    assert anchors.shape == (896, 2)
    for part, cells, per_cell in ((anchors[:512], 16, 2), (anchors[512:], 8, 6)):
        grid = (np.arange(cells) + 0.5) / cells
        places, counts = np.unique(part, axis=0, return_counts=True)
        assert (counts == per_cell).all()
        np.testing.assert_array_equal(
            places, np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
        )
    np.testing.assert_array_equal(
        anchors[:4], np.array([[1, 1], [1, 1], [3, 1], [3, 1]]) / 32
    )  # x runs first
    np.testing.assert_array_equal(anchors[512], [1 / 16, 1 / 16])


@given(raw=arrays(np.float64, (896, 16), elements=floats(-200, 200), fill=floats(-200, 200)))
def test_decoding_is_undone_by_encoding(raw: Array) -> None:
    before = raw.copy()
    points = decode(raw, make_anchors())
    np.testing.assert_allclose(encode(points, make_anchors()), raw, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(raw, before)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40))
def test_merging_ignores_order_and_stays_inside_the_hull(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    points = np.concatenate(
        [faces_at(rng.uniform(0, 300, (n, 2)), 100), faces_at(np.array([[900.0, 900.0]]), 100)]
    )
    points += rng.uniform(-5, 5, points.shape)
    scores = rng.permutation(np.linspace(0.5, 1.0, n + 1))  # distinct: the order of equals is undefined
    merged = weighted_nms(points, scores)
    shuffle = rng.permutation(n + 1)
    again = weighted_nms(points[shuffle], scores[shuffle])
    assert [score for _, score in merged] == [score for _, score in again]
    for (one, _), (two, _) in zip(merged, again, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-9)
        assert (one >= points.min(axis=0) - 1e-9).all()
        assert (one <= points.max(axis=0) + 1e-9).all()
    kept = [score for _, score in merged]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == 1.0
    lonely = min(merged, key=lambda face: np.abs(face[0] - 900).max())[0]
    np.testing.assert_allclose(lonely, points[-1], atol=1e-9)  # overlaps nobody, so nobody moves it


def test_merging_weighs_by_score_and_separates_at_the_threshold() -> None:
    size = 100.0
    # Two squares shifted by d overlap with IoU (size - d) / (size + d).
    limit = size * (1 - SAME_FACE_IOU) / (1 + SAME_FACE_IOU)
    near, far = (faces_at(np.array([[0.0, 0.0], [limit + step, 0.0]]), size) for step in (-0.01, 0.01))
    scores = np.array([0.9, 0.6])
    (merged,) = weighted_nms(near, scores)
    np.testing.assert_allclose(merged[0][2], [0.4 * (limit - 0.01), 0.0], atol=1e-12)
    assert merged[1] == 0.9
    assert [score for _, score in weighted_nms(far, scores)] == [0.9, 0.6]


def test_astronaut_is_found_where_she_is(detector: BlazeFace) -> None:
    (box,) = detector.detect(astronaut())
    assert box.score > 0.9
    assert math.dist(box.center, FACE_CENTER) < 0.1 * box.height
    assert 80 < box.height < 115
    assert abs(box.roll_rad) < math.radians(8)


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_turned_picture_gives_a_turned_box(detector: BlazeFace, degrees: float) -> None:
    image = astronaut()
    (upright,) = detector.detect(image)
    # OpenCV counts angles anticlockwise on screen, we clockwise.
    turn = cv2.getRotationMatrix2D(tuple(FACE_CENTER), -degrees, 1.0)
    (box,) = detector.detect(cv2.warpAffine(image, turn, (400, 400)))  # type: ignore[arg-type]
    assert math.degrees(box.roll_rad - upright.roll_rad) == pytest.approx(
        degrees, abs=8
    )  # the network understates roll
    expected = turn @ [*upright.center, 1.0]
    assert math.dist(box.center, expected) < 0.1 * upright.height


@pytest.mark.parametrize("factor", [0.5, 2, 4])
def test_box_grows_with_the_picture(detector: BlazeFace, factor: float) -> None:
    image = astronaut()
    (small,) = detector.detect(image)
    (box,) = detector.detect(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]
    scaled = FaceBox(*(factor * value for value in small.xyxy))
    assert box.iou(scaled) > 0.9


@pytest.mark.parametrize("hw", [(1, 1), (1, 4000), (4000, 1), (128, 128), (6000, 8000)])
@pytest.mark.parametrize("level", [0, 127, 255])
def test_empty_pictures_of_any_size_hold_no_face(
    detector: BlazeFace, hw: tuple[int, int], level: int
) -> None:
    assert detector.detect(np.full((*hw, 3), level, np.uint8)) == []


def test_a_face_in_a_large_picture_is_found_in_place(detector: BlazeFace) -> None:
    canvas = np.full((6000, 8000, 3), 90, np.uint8)
    canvas[1000:5000, 2000:6000] = cv2.resize(astronaut(), (4000, 4000), interpolation=cv2.INTER_AREA)
    (box,) = detector.detect(canvas)
    assert math.dist(box.center, 10 * FACE_CENTER + [2000, 1000]) < 0.1 * box.height


def test_two_people_are_two_faces_best_first(detector: BlazeFace) -> None:
    image = astronaut()[:260, 80:300]
    pair = np.concatenate([image, cv2.GaussianBlur(image, (0, 0), 3)], axis=1)
    left, right = sorted(detector.detect(pair), key=lambda box: box.x0)
    assert right.center[0] - left.center[0] == pytest.approx(220, abs=8)
    scores = [box.score for box in detector.detect(pair)]
    assert scores == sorted(scores, reverse=True)


def test_input_is_neither_changed_nor_needed_contiguous(detector: BlazeFace) -> None:
    image = astronaut()
    image.setflags(write=False)
    view = np.asfortranarray(image)
    assert [box.xyxy for box in detector.detect(view)] == [box.xyxy for box in detector.detect(image)]


def street(center: tuple[float, float], face: float) -> Array:
    """A 1080p picture with the astronaut around ``center``; her face is ``face`` pixels wide."""
    scale = face / 100
    moved = np.array([[scale, 0, center[0] - scale * 186], [0, scale, center[1] - scale * 135]])
    small = cv2.resize(astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[call-overload]
    canvas = np.full((1080, 1920, 3), 90, np.uint8)
    x0, y0 = moved[:, 2].round().astype(int)
    top, left = max(y0, 0), max(x0, 0)
    bottom, right = min(y0 + len(small), 1080), min(x0 + len(small), 1920)
    canvas[top:bottom, left:right] = small[top - y0 : bottom - y0, left - x0 : right - x0]
    return canvas


# Middles of pictures and crossings of tile borders: 360 and 720 pixels are sides of close-ups.
@pytest.mark.parametrize("center", [(960, 540), (360, 360), (720, 300), (720, 720), (60, 70), (1850, 1000)])
def test_a_face_too_small_for_the_whole_picture_is_found_in_close_ups(
    detector: BlazeFace, center: tuple[float, float]
) -> None:
    image = street(center, 70)
    assert detector.detect_raw(image) == []
    (box,) = detector.detect(image)
    assert math.dist(box.center, center) < 0.15 * box.height
    assert 0.8 * 70 < box.height < 1.15 * 70


def test_view_after_view_finds_what_all_find(detector: BlazeFace) -> None:
    image = street((720, 300), 70)
    (found,) = detector.detect(image)
    views = detector.views((1080, 1920))
    boxes = [box for view in views for box in detector.detect(image, [view])]
    assert 1 <= len(boxes) <= 8  # only views that hold the face
    assert all(box.iou(found) > 0.7 for box in boxes)


def test_each_view_is_one_run_of_the_network() -> None:
    session = FakeSession(np.zeros((896, 16), np.float32), np.full(896, -9.0, np.float32))
    blaze, image = BlazeFace(session, CONSTANT_BOX), np.zeros((1080, 1920, 3), np.uint8)
    views = blaze.views((1080, 1920))
    for looks, runs in ((views[:3], 3), (views[7:8], 1), (None, 41), ([], 0)):
        before = session.runs
        assert blaze.detect(image, looks) == []
        assert session.runs - before == runs
    assert len(blaze.views((150, 1920))) == 1


def scripted(points: Array, score: float, min_score: float = 0.5) -> BlazeFace:
    """A detector whose network sees the face ``points`` ``(8, 2)``, 0..1 of the view, in every view."""
    boxes, logits = np.zeros((896, 16), np.float32), np.full(896, -20.0, np.float32)
    boxes[:1] = encode(points[None], make_anchors()[:1])
    logits[0] = math.log(score / (1 - score))
    return BlazeFace(FakeSession(boxes, logits), CONSTANT_BOX, min_score)


@pytest.mark.parametrize(
    ("center", "kept"),
    [
        ((0.5, 0.5), range(40)),
        ((0.02, 0.5), [0, 4, *range(8, 40, 8)]),  # crosses the left border: first of each row
        ((0.98, 0.5), [3, 7, *range(15, 40, 8)]),
        ((0.5, 0.02), [*range(4), *range(8, 16)]),
        ((0.5, 0.98), [*range(4, 8), *range(32, 40)]),
        ((0.02, 0.02), [0, 8]),
    ],
)
def test_a_face_on_a_close_ups_border_counts_only_where_the_picture_ends(
    center: tuple[float, float], kept: list[int]
) -> None:
    points = faces_at(np.array([center]), 0.1)[0]
    points[2:] += UPRIGHT_KEYPOINTS / 2000
    blaze, image = scripted(points, 0.9), np.zeros((1080, 1920, 3), np.uint8)
    for index, view in enumerate(close_ups((1080, 1920), 128)):
        faces = blaze.detect_raw(image, [view])
        expected = view.to_frame(np.array(center) * 128)
        found = any(math.dist(face.box.center, expected) < 1e-3 for face in faces)
        assert found == (index in kept)
        assert len(faces) == found


@pytest.mark.parametrize(
    ("min_score", "score", "faces"),
    [
        (0.5, CLOSE_UP_MIN_SCORE - 0.01, 1),
        (0.5, CLOSE_UP_MIN_SCORE + 0.01, 2),
        (0.9, 0.89, 0),
        (0.9, 0.91, 2),
    ],
)
def test_close_ups_are_held_to_the_higher_of_two_scores(min_score: float, score: float, faces: int) -> None:
    points = faces_at(np.array([[0.5, 0.5]]), 0.1)[0]
    points[2:] += UPRIGHT_KEYPOINTS / 2000
    blaze = scripted(points, score, min_score)
    views = blaze.views((1080, 1920))[:2]
    assert len(blaze.detect_raw(np.zeros((1080, 1920, 3), np.uint8), views)) == faces


@pytest.mark.parametrize("min_score", [0.2, 0.5, 0.9])
def test_min_score_is_a_probability_and_hopeless_answers_are_dropped(min_score: float) -> None:
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
    center = 128 * make_anchors()[512]
    np.testing.assert_allclose(faces[0].box.center, center, atol=1e-9)
    np.testing.assert_allclose(faces[0].keypoints_frame, center + UPRIGHT_KEYPOINTS / 10, atol=1e-6)


def test_another_network_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"\(896, 16\).*\(5, 16\)"):
        BlazeFace(FakeSession(np.zeros((5, 16)), np.zeros(5)), CONSTANT_BOX)


@pytest.mark.parametrize("min_score", [0.0, 1.0, -1.0, math.nan])
def test_impossible_min_score_is_refused(min_score: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="min_score"):
        BlazeFace(FakeSession(np.zeros((896, 16)), np.zeros(896)), CONSTANT_BOX, min_score)
    with pytest.raises(ValueError, match="min_score"):
        MediaPipeDetector(tmp_path, CONSTANT_BOX, min_score)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3)),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_wrong_pictures_are_refused(detector: BlazeFace, image: Array) -> None:
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\)"):
        detector.detect(image)


def test_raw_face_needs_six_distinct_keypoints() -> None:
    with pytest.raises(ValueError, match=r"\(6, 2\)"):
        RawFace(FaceBox(0, 0, 1, 1), np.zeros((5, 2)))
    for bad in (np.ones((6, 2)), np.full((6, 2), math.nan)):
        with pytest.raises(ValueError, match="key points"):
            RawFace(FaceBox(0, 0, 1, 1), bad)


def test_missing_mediapipe_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mediapipe_module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BackendError, match=r"pip install 'tracker\[mediapipe\]'"):
        MediaPipeDetector(tmp_path / "x.tflite", CONSTANT_BOX)
