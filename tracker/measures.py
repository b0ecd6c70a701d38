"""What people compute next from 68 points: how far eyes and mouth are open, and where the head is turned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.head_pose import HeadPose, head_pose
from tracker.scheme import PARTS
from tracker.types import FloatArray


@dataclass(frozen=True)
class FaceMeasures:
    """``eye_open`` (viewer's left, right) and ``mouth_open`` are ratios, 0 when closed; ``pose`` is None
    where no head fits the points."""

    eye_open: tuple[float, float]
    mouth_open: float
    pose: HeadPose | None


def measure_face(points_frame: FloatArray, image_hw: tuple[int, int]) -> FaceMeasures:
    """Of landmarks ``(68, 2)`` in pixels of a picture of ``image_hw``."""
    eyes = (eye_open(points_frame, "left_eye"), eye_open(points_frame, "right_eye"))
    return FaceMeasures(eyes, mouth_open(points_frame), head_pose(points_frame, image_hw))


def eye_open(points: FloatArray, eye: str) -> float:
    """Eye aspect ratio of ``eye`` (``left_eye`` or ``right_eye``, as the viewer sees): mean gap of the lids
    over the eye's width, about 0.3 for an open eye. 0 where the corners coincide.

    T. Soukupova and J. Cech, "Real-Time Eye Blink Detection using Facial Landmarks", CVWW 2016.
    """
    corner1, upper1, upper2, corner2, lower2, lower1 = points[list(PARTS[eye])]
    gaps = np.linalg.norm(upper1 - lower1) + np.linalg.norm(upper2 - lower2)
    return _ratio(float(gaps) / 2, corner1 - corner2)


def mouth_open(points: FloatArray) -> float:
    """Mean of the three gaps between the inner lips over the width between the inner corners of the mouth."""
    lip = points[list(PARTS["inner_lip"])]
    gaps = float(np.linalg.norm(lip[[1, 2, 3]] - lip[[7, 6, 5]], axis=1).mean())
    return _ratio(gaps, lip[0] - lip[4])


def _ratio(gap: float, across: FloatArray) -> float:
    width = float(np.linalg.norm(across))
    return gap / width if width > 0 else 0.0
