"""A scripted BlazeFace network, and its output written from the definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.faces import CONSTANT_BOX
from tracker.inference.detection.anchors import make_anchors
from tracker.inference.detection.blazeface import BlazeFace

Array = npt.NDArray[Any]


class FakeSession:
    """Session that returns the given boxes and logits for 128 x 128 pixels, and no face for other sizes."""

    provider = "fake"
    prepares_each_shape = False

    def __init__(self, boxes: Array, logits: Array) -> None:
        self.answer = [boxes, logits]
        self.runs = 0

    def run(self, batch: Array) -> list[Array]:
        assert batch.dtype == np.uint8
        self.runs += 1
        _, height, width, _ = batch.shape
        return self.answer if height == width == 128 else self.answer_for((width, height))

    def answer_for(self, size: tuple[int, int]) -> list[Array]:
        count = len(make_anchors(size))
        return [np.zeros((count, 16), np.float32), np.full(count, -20.0, np.float32)]


class ScriptedSession(FakeSession):
    """Session that sees the face ``points`` ``(8, 2)``, 0..1 of the view, in each view."""

    def __init__(self, points: Array, score: float) -> None:
        self._points, self._score = points, score
        super().__init__(*self.answer_for((128, 128)))

    def answer_for(self, size: tuple[int, int]) -> list[Array]:
        boxes, logits = super().answer_for(size)
        boxes[:1] = encode(self._points[None] * size, make_anchors(size)[:1])
        logits[0] = math.log(self._score / (1 - self._score))
        return [boxes, logits]


def encode(points: Array, anchors: Array) -> Array:
    """Encode points ``(N, 8, 2)``, pixels, as network output ``(N, 16)``: the inverse of ``decode``."""
    center, size = points[:, :2].mean(axis=1), points[:, 1] - points[:, 0]
    relative = np.concatenate([center[:, None], points[:, 2:]], axis=1) - anchors[:, None]
    return np.concatenate([relative[:, :1], size[:, None], relative[:, 1:]], axis=1).reshape(-1, 16)


def faces_at(centers: Array, size: float) -> Array:
    """Points ``(N, 8, 2)`` of square boxes with all key points in their centre."""
    points = np.repeat(centers[:, None], 8, axis=1)
    points[:, 0] -= size / 2
    points[:, 1] += size / 2
    return points


def scripted(points: Array, score: float, min_score: float = 0.5) -> BlazeFace:
    """Detector whose network sees the face ``points`` ``(8, 2)``, 0..1 of the view, in each view."""
    return BlazeFace(ScriptedSession(points, score), CONSTANT_BOX, min_score)
