"""Faces in any pose: upright, on their side and upside down, in pictures and in videos; and drawn ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.picture_changes import turned
from tests.cache import Trackers
from tests.faces import astronaut
from tracker.types import FloatArray, Frame, ImageArray

MODELS = ["unet-light", "resnet18"]

AGREES = 0.06
"""Mean distance in distances of the outer eye corners: about one of a model's own mean errors, doubled."""


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def upright_points(trackers: Trackers, model: str) -> FloatArray:
    (face,) = trackers.opened(model=model).find(Frame(astronaut())).faces
    return face.landmarks.points_frame


def distance(found: FloatArray, expected: FloatArray) -> float:
    """Return the mean distance in distances of the outer eye corners."""
    eyes = np.linalg.norm(expected[36] - expected[45])
    return float(np.linalg.norm(found - expected, axis=1).mean() / eyes)


@pytest.mark.parametrize("degrees", [90, 120, 150, 180, 225, 270])
def test_a_turned_face_in_a_picture_has_the_points_of_the_upright_one(
    trackers: Trackers, model: str, degrees: float
) -> None:
    image, points = turned(astronaut(), upright_points(trackers, model), degrees)
    (face,) = trackers.opened(model=model).find(Frame(image)).faces
    assert distance(face.landmarks.points_frame, points) < AGREES


@pytest.mark.parametrize("degrees", [105, 135, 165, 180, 195, 240])
def test_a_turned_face_in_a_video_is_right_or_not_there(
    trackers: Trackers, model: str, degrees: float
) -> None:
    image, points = turned(astronaut(), upright_points(trackers, model), degrees)
    tracker = trackers.fresh(model=model)
    for index in range(8):
        for face in tracker.step(Frame(image, index, index / 25)).faces:
            assert distance(face.landmarks.points_frame, points) < AGREES


def test_a_face_that_is_turned_over_while_it_is_followed_stays(trackers: Trackers, model: str) -> None:
    """A full turn, six degrees a frame."""
    points = upright_points(trackers, model)
    center = points.mean(axis=0)
    tracker = trackers.fresh(model=model)
    for index, degrees in enumerate(range(0, 361, 6)):
        matrix = np.asarray(cv2.getRotationMatrix2D(center.tolist(), -degrees, 1.0))
        matrix[:, 2] += 300 - center
        image = np.asarray(cv2.warpAffine(astronaut(), matrix, (600, 600)), np.uint8)
        expected = points @ matrix[:, :2].T + matrix[:, 2]
        (face,) = tracker.step(Frame(image, index, index / 25)).faces
        assert face.id == 1
        assert distance(face.landmarks.points_frame, expected) < AGREES, degrees


def smiley() -> ImageArray:
    """Draw a yellow disc with two dots and an arc."""
    image = np.full((400, 400, 3), 255, np.uint8)
    cv2.circle(image, (200, 200), 120, (0, 220, 255), -1)
    cv2.circle(image, (200, 200), 120, (0, 0, 0), 4)
    for x in (160, 240):
        cv2.ellipse(image, (x, 165), (12, 20), 0, 0, 360, (0, 0, 0), -1)
    cv2.ellipse(image, (200, 210), (70, 60), 0, 20, 160, (0, 0, 0), 6)
    return image


def test_a_smiley_is_no_face(trackers: Trackers, model: str) -> None:
    assert trackers.opened(model=model).find(Frame(smiley())).faces == ()
