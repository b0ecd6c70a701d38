"""A synthetic 68-point face for tests that need geometry, not pixels."""

from __future__ import annotations

import numpy as np

from tracker.geometry import CROP_MARGIN, CROP_SIZE, CropTransform
from tracker.types import FaceBox, FloatArray


def face_points(
    center: tuple[float, float] = (112.0, 112.0), size: float = 100.0, roll: float = 0.0
) -> FloatArray:
    """``(68, 2)``: a plausible frontal face ``size`` pixels high around ``center``, turned by ``roll``."""
    t = np.linspace(0, np.pi, 17)
    jaw = np.column_stack([-0.5 * np.cos(t), -0.1 + 0.6 * np.sin(t)])
    brow = np.column_stack([np.linspace(-0.4, -0.1, 5), [-0.4, -0.46, -0.5, -0.48, -0.45]])
    bridge = np.column_stack([np.zeros(4), np.linspace(-0.25, 0.0, 4)])
    base = np.column_stack([np.linspace(-0.1, 0.1, 5), [0.06, 0.08, 0.09, 0.08, 0.06]])
    eye = np.array(
        [[-0.33, -0.25], [-0.27, -0.29], [-0.21, -0.29], [-0.15, -0.25], [-0.21, -0.22], [-0.27, -0.22]]
    )
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    outer = np.column_stack([-0.2 * np.cos(turn), 0.25 - 0.08 * np.sin(turn)])
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    inner = np.column_stack([-0.14 * np.cos(turn), 0.25 - 0.03 * np.sin(turn)])
    flip = np.array([-1.0, 1.0])
    right_eye = (eye * flip)[[3, 2, 1, 0, 5, 4]]
    parts = [jaw, brow, (brow * flip)[::-1], bridge, base, eye, right_eye, outer, inner]
    unit = np.concatenate(parts)
    unit -= (unit.min(axis=0) + unit.max(axis=0)) / 2
    unit /= np.ptp(unit[:, 1])
    cos, sin = np.cos(roll), np.sin(roll)
    return size * unit @ np.array([[cos, sin], [-sin, cos]]) + np.asarray(center)


def canonical_points() -> FloatArray:
    """The face as a well-placed crop shows it: ``(68, 2)`` in crop pixels."""
    middle = (CROP_SIZE - 1) / 2
    return face_points((middle, middle), CROP_SIZE / CROP_MARGIN)


def face_box(center: tuple[float, float], size: float) -> FaceBox:
    """The tight box around :func:`face_points`."""
    return FaceBox.around(face_points(center, size))


def crop_of(points: FloatArray) -> CropTransform:
    """The crop that the tracker cuts around ``points``."""
    return CropTransform.from_points(points)
