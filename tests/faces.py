"""Faces for tests: a picture that anyone may ship, and the shipped detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tracker.inference.backends import open_session
from tracker.inference.detection.blazeface import BlazeFace
from tracker.inference.detection.box_correction import BoxCorrection
from tracker.inference.weights import find_model
from tracker.types import ImageArray

HERE = Path(__file__).resolve().parent

CONSTANT_BOX = BoxCorrection(np.array([[0], [0], [3], [2]]) * np.eye(1, 13))
UPRIGHT_KEYPOINTS = np.array([[-20, -12], [20, -12], [0, 8], [0, 25], [-42, -5], [42, -5]], np.float64)
"""BlazeFace's six key points of an upright head around (0, 0), pixels."""


def astronaut() -> ImageArray:
    """``(400, 400, 3)`` BGR uint8: one face, about 100 pixels wide, around (186, 135)."""
    image = cv2.imread(str(HERE / "data" / "astronaut.png"))
    assert image is not None
    return np.asarray(image, np.uint8)


def blazeface(min_score: float = 0.5) -> BlazeFace:
    """The shipped detector with its shipped correction, on one CPU thread."""
    model = find_model("blazeface-short", "detector")
    correction = BoxCorrection.from_meta(model.meta)
    return BlazeFace(open_session(model.verified(), "cpu", threads=1), correction, min_score)
