"""A scripted BlazeFace network, and its output written from the definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.faces import CONSTANT_BOX
from tracker.inference.detection.blazeface import BlazeFace, make_anchors

Array = npt.NDArray[Any]


class FakeSession:
    """Session that returns the given boxes and logits for each input."""

    provider = "fake"
    prepares_each_shape = False

    def __init__(self, boxes: Array, logits: Array) -> None:
        self.answer = [boxes, logits]
        self.runs = 0

    def run(self, batch: Array) -> list[Array]:
        assert batch.shape == (1, 128, 128, 3)
        assert batch.dtype == np.uint8
        self.runs += 1
        return self.answer


def encode(points: Array, anchors: Array) -> Array:
    """Encode points ``(N, 8, 2)`` as network output ``(N, 16)``: the inverse of ``decode``."""
    center, size = points[:, :2].mean(axis=1), points[:, 1] - points[:, 0]
    relative = np.concatenate([center[:, None], points[:, 2:]], axis=1) - anchors[:, None]
    return 128 * np.concatenate([relative[:, :1], size[:, None], relative[:, 1:]], axis=1).reshape(-1, 16)


def faces_at(centers: Array, size: float) -> Array:
    """Points ``(N, 8, 2)`` of square boxes with all key points in their centre."""
    points = np.repeat(centers[:, None], 8, axis=1)
    points[:, 0] -= size / 2
    points[:, 1] += size / 2
    return points


def scripted(points: Array, score: float, min_score: float = 0.5) -> BlazeFace:
    """Detector whose network sees the face ``points`` ``(8, 2)``, 0..1 of the view, in each view."""
    boxes, logits = np.zeros((896, 16), np.float32), np.full(896, -20.0, np.float32)
    boxes[:1] = encode(points[None], make_anchors()[:1])
    logits[0] = math.log(score / (1 - score))
    return BlazeFace(FakeSession(boxes, logits), CONSTANT_BOX, min_score)
