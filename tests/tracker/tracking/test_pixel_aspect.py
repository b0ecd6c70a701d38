"""Non-square pixels: a film gives the same faces and measures however its pixels are shaped.

True values are those of the upright original with square pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple
from functools import cache

import cv2
import numpy as np
import pytest

from tests.faces import astronaut
from tests.portraits import portrait
from tests.scene import BLANK
from tests.shapes import canonical_points, face_box, face_points, measured
from tracker.drawing.anonymise import Anonymiser
from tracker.errors import MisuseError
from tracker.geometry import CropTransform, Stretch
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker, Located
from tracker.inference.opening import open_blazeface
from tracker.sources.arrays import frame_from
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import OpenedTracker, open_tracker
from tracker.tracking.settings import TrackerSettings
from tracker.types import FloatArray, Frame, FrameResult, ImageArray, TrackedFace

ASPECTS = (2.0, 0.5, 10 / 11, 4 / 3)
EYE_CORNERS = [36, 45]


@pytest.fixture(scope="module")
def opened() -> Iterator[OpenedTracker]:
    with open_tracker("resnet18", "cpu", threads=1) as tracker:
        yield tracker


def enlarged(image: ImageArray, factor: float) -> ImageArray:
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)


def squeezed(square: ImageArray, aspect: float) -> ImageArray:
    """Store the picture in pixels of ``aspect``, about as many."""
    height, width = square.shape[:2]
    size = (round(width / math.sqrt(aspect)), round(height * math.sqrt(aspect)))
    return np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.uint8)


def in_square(points: FloatArray, stored: ImageArray, square: ImageArray) -> FloatArray:
    """Return ``points`` of the stored picture in pixels of the square one, whose edges are the same."""
    factor = np.array(square.shape[1::-1]) / stored.shape[1::-1]
    return np.asarray((points + 0.5) * factor - 0.5)


def openness(face: TrackedFace) -> FloatArray:
    """Return the openness of both eyes and the mouth."""
    return np.array([*face.measures.eye_open, face.measures.mouth_open], float)


def assert_same_face(
    face: TrackedFace, expected: TrackedFace, stored: ImageArray, square: ImageArray, rel: float = 0.02
) -> None:
    assert face.id == expected.id
    truth = expected.landmarks.points_frame
    apart = np.linalg.norm(in_square(face.landmarks.points_frame, stored, square) - truth, axis=1)
    assert apart.max() < 0.01 * math.dist(*truth[EYE_CORNERS])
    assert openness(face) == pytest.approx(openness(expected), rel=rel)
    angles, true_angles = astuple(face.measures)[2:5], astuple(expected.measures)[2:5]
    assert angles == pytest.approx(true_angles, abs=1.0)


@cache
def people() -> ImageArray:
    """Two faces of 260 and 180 pixels side by side, one of them mirrored."""
    large, small = enlarged(astronaut(), 2.5), enlarged(np.ascontiguousarray(astronaut()[:, ::-1]), 1.75)
    canvas = np.full((1000, 1700, 3), 90, np.uint8)
    canvas[:, :1000] = large
    canvas[100:800, 1000:] = small
    return canvas


@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_picture_gives_the_same_faces_and_measures(opened: OpenedTracker, aspect: float) -> None:
    square, stored = people(), squeezed(people(), aspect)
    truth, result = opened.find(square), opened.find(frame_from(stored, pixel_aspect=aspect))
    assert len(truth.faces) == len(result.faces) == 2
    assert result.image_hw == stored.shape[:2]
    assert result.pixel_aspect == aspect
    for face, expected in zip(result.faces, truth.faces, strict=True):
        assert_same_face(face, expected, stored, square)


def drifting(opened: OpenedTracker, aspect: float) -> list[tuple[FrameResult, ImageArray, ImageArray]]:
    """Follow the two people, who drift to the left, through twelve frames of ``aspect``."""
    tracker, found = opened.fresh(), []
    for index in range(12):
        square = np.roll(people(), -4 * index, axis=1)
        stored = squeezed(square, aspect)
        found.append((tracker.step(Frame(stored, index, index / 25, pixel_aspect=aspect)), stored, square))
    return found


@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_film_gives_the_same_faces_ids_and_measures(opened: OpenedTracker, aspect: float) -> None:
    """In a single frame resampling moves a lip by a third of a pixel, and ratios differ by 4 % at most."""
    truths, found = drifting(opened, 1.0), drifting(opened, aspect)
    ratios: dict[int, list[FloatArray]] = {1: [], 2: []}
    for (truth, *_), (result, stored, square) in zip(truths, found, strict=True):
        assert [face.id for face in result.faces] == [face.id for face in truth.faces]
        for face, expected in zip(result.faces, truth.faces, strict=True):
            assert_same_face(face, expected, stored, square, rel=0.04)
            ratios[face.id].append(openness(face) / openness(expected))
    for of_face in ratios.values():
        assert np.mean(of_face, axis=0) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(("aspect", "shrunk"), [(2.0, (0.5, 1.0)), (0.5, (1.0, 0.5))])
def test_a_squeezed_picture_measures_as_one_that_was_stretched_before(
    opened: OpenedTracker, aspect: float, shrunk: tuple[float, float]
) -> None:
    """A squeezed picture gives the measures of its pixels resampled to square ones beforehand."""
    square = enlarged(portrait(), 3.0)
    stored = np.asarray(
        cv2.resize(square, None, fx=shrunk[0], fy=shrunk[1], interpolation=cv2.INTER_AREA), np.uint8
    )
    stretched = cv2.resize(stored, square.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    (expected,), (face,) = opened.find(stretched).faces, opened.find(Frame(stored, pixel_aspect=aspect)).faces
    assert_same_face(face, expected, stored, square)


def test_a_ratio_that_changes_on_the_way_changes_no_measure(opened: OpenedTracker) -> None:
    tracker, square = opened.fresh(), enlarged(portrait(), 3.0)
    results = []
    for index, aspect in enumerate([1.0] * 5 + [2.0] * 5 + [1.0] * 3):
        size = (round(square.shape[1] / aspect), square.shape[0])
        stored = np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.uint8)
        results.append(tracker.step(Frame(stored, index, index / 25, pixel_aspect=aspect)))
    assert [[face.id for face in result.faces] for result in results] == [[1]] * 13
    assert [result.pixel_aspect for result in results] == [1.0] * 5 + [2.0] * 5 + [1.0] * 3
    assert [round(result.faces[0].measures.pitch_deg or 99) for result in results] == [
        round(results[0].faces[0].measures.pitch_deg or 99)
    ] * 13


@pytest.mark.parametrize("aspect", [2.0, 0.5, 16 / 15])
def test_points_come_back_in_stored_pixels_and_measures_from_square_ones(aspect: float) -> None:
    """With a detector and a model that are exact, so is what is reported."""
    stretch = Stretch.of(aspect)
    square_hw = stretch.square_hw(BLANK.shape[:2])
    box = face_box((300, 220), 130)
    tracker = FaceTracker(FakeDetector(box), FakeLandmarker(canonical_points()), TrackerSettings())
    frame = Frame(BLANK, pixel_aspect=aspect)
    for result in (tracker.find(frame), tracker.step(frame)):
        (face,) = result.faces
        expected = face_points((300, 220), 130)
        assert face.landmarks.points_frame == pytest.approx(stretch.to_stored(expected), abs=0.05)
        assert face.box.xyxy == pytest.approx(
            (*stretch.to_stored(expected.min(axis=0)), *stretch.to_stored(expected.max(axis=0))), abs=0.05
        )
        assert face.measures.eye_open == pytest.approx(measured(expected).eye_open, rel=1e-3)
        assert result.image_hw == (480, 640) != square_hw


def test_crops_are_square_to_the_model() -> None:
    """A disc of the scene that is stored as an ellipse is a disc to the landmark model."""

    class Watching(FakeLandmarker):
        def locate(self, crops: ImageArray) -> Located:
            seen.extend(crops.copy())
            return super().locate(crops)

    for aspect in (2.0, 0.5):
        seen: list[ImageArray] = []
        stretch = Stretch.of(aspect)
        stored = np.zeros((480, 640, 3), np.uint8)
        middle = stretch.to_stored(np.array([300.0, 220.0]))
        axes = (round(40 / stretch.x), round(40 / stretch.y))
        cv2.ellipse(stored, (round(middle[0]), round(middle[1])), axes, 0, 0, 360, (255, 255, 255), -1)
        tracker = FaceTracker(FakeDetector(face_box((300, 220), 130)), Watching(canonical_points()))
        tracker.find(Frame(stored, pixel_aspect=aspect))
        crop = CropTransform.from_box(face_box((300, 220), 130))
        ys, xs = np.nonzero(seen[0] > 127)
        assert np.ptp(xs) == pytest.approx(80 / crop.scale, abs=4)
        assert np.ptp(ys) == pytest.approx(80 / crop.scale, abs=4)


@pytest.mark.parametrize("aspect", [4.0, 0.25])
def test_a_whole_face_is_blurred_in_stored_pixels(opened: OpenedTracker, aspect: float) -> None:
    """All points of the original, the chin and the forehead, are inside; far corners stay as they are."""
    square = enlarged(portrait(), 3.0)
    stored = squeezed(square, aspect)
    frame = Frame(stored, pixel_aspect=aspect)
    (face,) = opened.find(square).faces
    hidden = Anonymiser("blur", open_blazeface(1)).hide_alone(frame, opened.find(frame)).image_bgr
    changed = (hidden != stored).any(axis=2)
    points = face.landmarks.points_frame
    forehead = points[27] + 0.6 * (points[27] - points[8]) * [[0.0, 1.0]]
    factor = np.array(stored.shape[1::-1]) / square.shape[1::-1]
    for x, y in (np.concatenate([points, forehead]) + 0.5) * factor - 0.5:
        assert changed[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].mean() > 0.8
    assert not changed[-10:].any()


@pytest.mark.parametrize("aspect", [0.0, -1.0, 9.0, 0.1, math.nan, math.inf])
def test_impossible_ratios_are_refused(aspect: float) -> None:
    with pytest.raises(MisuseError, match=r"pixel_aspect must lie in 1/8\.\.8"):
        Frame(BLANK, pixel_aspect=aspect)
    with pytest.raises(MisuseError, match="pixel_aspect"):
        frame_from(BLANK, pixel_aspect=aspect)


def test_a_ratio_is_a_number() -> None:
    with pytest.raises(MisuseError, match="pixel_aspect is a number"):
        frame_from(BLANK, pixel_aspect=None)  # type: ignore[arg-type]
    with pytest.raises(MisuseError, match="pixel_aspect"):
        frame_from(BLANK, pixel_aspect="16:15")  # type: ignore[arg-type]
