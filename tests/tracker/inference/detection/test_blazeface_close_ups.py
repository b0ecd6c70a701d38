"""BlazeFace in close-ups: small faces are found, once each."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from tests.blazeface import FakeSession, faces_at, scripted
from tests.faces import CONSTANT_BOX, UPRIGHT_KEYPOINTS, astronaut
from tracker.inference.detection.blazeface import BlazeFace
from tracker.inference.detection.views import close_ups
from tracker.types import Frame, ImageArray


def street(center: tuple[float, float], face: float) -> ImageArray:
    """A 1080p picture with the astronaut around ``center``; her face is ``face`` pixels wide."""
    scale = face / 100
    moved = np.array([[scale, 0, center[0] - scale * 186], [0, scale, center[1] - scale * 135]])
    small = cv2.resize(astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
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
    (box,) = detector.detect(Frame(image))
    assert math.dist(box.center, center) < 0.15 * box.height
    assert 0.8 * 70 < box.height < 1.15 * 70


def test_views_one_by_one_find_the_same_face(detector: BlazeFace) -> None:
    image = street((720, 300), 70)
    (found,) = detector.detect(Frame(image))
    views = detector.views((1080, 1920))
    boxes = [box for view in views for box in detector.detect(Frame(image), [view])]
    assert 1 <= len(boxes) <= 9  # only views that hold the face
    assert all(box.iou(found) > 0.7 for box in boxes)


def test_each_view_is_one_run_of_the_network() -> None:
    session = FakeSession(np.zeros((896, 16), np.float32), np.full(896, -9.0, np.float32))
    blaze, image = BlazeFace(session, CONSTANT_BOX), np.zeros((1080, 1920, 3), np.uint8)
    views = blaze.views((1080, 1920))
    upright, turned = 5, 3 * 3  # no face is clear, so one more turned pass is looked at
    for looks, runs in ((views[:3], 3), (views[7:8], 1), (None, upright + turned), ([], 0)):
        before = session.runs
        assert blaze.detect(Frame(image), looks) == []
        assert session.runs - before == runs


@pytest.mark.parametrize(
    "center", [(0.5, 0.5), (0.02, 0.5), (0.98, 0.5), (0.5, 0.02), (0.5, 0.98), (0.02, 0.02)]
)
def test_a_face_on_the_border_of_a_close_up_is_dropped_unless_the_picture_ends_there(
    center: tuple[float, float],
) -> None:
    points = faces_at(np.array([center]), 0.1)[0]
    points[2:] += UPRIGHT_KEYPOINTS / 2000
    blaze, image = scripted(points, 0.9), np.zeros((1080, 1920, 3), np.uint8)
    for view in close_ups((1080, 1920)):
        low, high = view.to_frame(np.array([[0.0, 0.0], view.size]))
        crosses_low = (np.array(center) < 0.05) & (low > 1)
        crosses_high = (np.array(center) > 0.95) & (high < (1919, 1079))
        faces = blaze.detect_raw(image, [view])
        assert len(faces) == (not (crosses_low | crosses_high).any())
        for face in faces:
            assert math.dist(face.box.center, view.to_frame(np.array(center) * view.size)) < 1e-3


@pytest.mark.parametrize(
    ("score", "in_views", "in_still"), [(0.39, False, False), (0.41, False, True), (0.51, True, True)]
)
def test_a_still_asks_for_less_score_than_the_views_of_a_video(
    score: float, in_views: bool, in_still: bool
) -> None:
    points = faces_at(np.array([[0.2, 0.5]]), 0.1)[0]
    points[2:] += UPRIGHT_KEYPOINTS / 2000
    blaze, image = scripted(points, score), np.zeros((1080, 1920, 3), np.uint8)
    whole, *close_ups = blaze.views((1080, 1920))
    # The face lies elsewhere in each view.
    assert len(blaze.detect_raw(image, [whole, close_ups[-1]])) == 2 * in_views
    assert bool(blaze.detect(Frame(image))) is in_still
