"""Frames and trackers for runs without a camera and without models."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.shapes import canonical_points, face_box
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import Frame

GREY = 60
"""Level of all pixels of :func:`frames`."""


def frames(count: int) -> Iterator[Frame]:
    """Yield plain grey frames of 320x240 at 25 frames a second."""
    for index in range(count):
        yield Frame(np.full((240, 320, 3), GREY, np.uint8), index, index / 25, "test")


def fake_tracker(center: tuple[float, float] = (160, 120), side: float = 100) -> FaceTracker:
    """Return a tracker that finds one face at ``center``, ``side`` pixels wide, in every frame."""
    return FaceTracker(FakeDetector(face_box(center, side)), FakeLandmarker(canonical_points(), 0.9))


def left_tracker() -> FaceTracker:
    """Return a tracker that finds one face in the left half of the frames of :func:`frames`."""
    return fake_tracker((60, 90), 60)
