"""A synthetic 68-point face for tests that need geometry, not pixels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tests.tiny import template
from tracker.drawing.heads import Head
from tracker.geometry import CROP_MARGIN, CROP_SIZE
from tracker.tracking.measures.head_pose import head_pose
from tracker.tracking.measures.openness import measure
from tracker.types import FaceBox, FaceMeasures, FloatArray


def face_points(
    center: tuple[float, float] = (112.0, 112.0), size: float = 100.0, roll: float = 0.0
) -> FloatArray:
    """Return a frontal face ``(68, 2)`` in a box ``size`` pixels long, rotated by ``roll``."""
    face = template()
    unit = (face - (face.min(axis=0) + face.max(axis=0)) / 2) / np.ptp(face, axis=0).max()
    cos, sin = np.cos(roll), np.sin(roll)
    return np.asarray(size * unit @ np.array([[cos, sin], [-sin, cos]]) + np.asarray(center))


def canonical_points() -> FloatArray:
    """Return the face ``(68, 2)`` as in a well-placed crop, in crop pixels."""
    middle = (CROP_SIZE - 1) / 2
    return face_points((middle, middle), CROP_SIZE / CROP_MARGIN)


def covers(head: Head, points: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of the points ``(N, 2)`` lie in the ellipse ``head``, ``(N,)``."""
    x, y = (points - np.array(head.center)).T
    cos, sin = math.cos(head.roll_rad), math.sin(head.roll_rad)
    along, across = (x * cos + y * sin) / head.half_width, (y * cos - x * sin) / head.half_height
    return np.asarray(along**2 + across**2 <= 1)


def face_box(center: tuple[float, float], size: float) -> FaceBox:
    """Return the tight box around :func:`face_points`."""
    return FaceBox.around(face_points(center, size))


def measured(points: FloatArray) -> FaceMeasures:
    """Return the measures of ``points`` ``(68, 2)`` in a picture of 640x480."""
    return measure(points, head_pose(points, (480, 640)))
