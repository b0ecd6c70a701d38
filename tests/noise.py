"""Frames of noise, in which a blur is easily measured, for tests of anonymising."""

from __future__ import annotations

import numpy as np

from tests.shapes import face_points
from tracker.types import Frame, FrameResult, ImageArray, Landmarks, TrackedFace

PLACE = (160.0, 120.0)
"""Where a face is unless a test says otherwise: the middle of the frame."""

SIZE = 60.0
"""Size of a face in pixels."""


def noise(seed: int = 0) -> ImageArray:
    """Return a picture of noise, ``(240, 320, 3)`` uint8, brighter to the right: one scene for all seeds."""
    grain = np.random.default_rng(seed).integers(0, 192, (240, 320, 3), np.uint8)
    return grain + np.linspace(0, 63, 320).astype(np.uint8)[:, None]


def noise_frame(index: int) -> Frame:
    """Return a frame of a video at 25 frames per second; each has other noise."""
    return Frame(noise(index), index, index / 25, "a.mp4")


def faces_at(frame: Frame, *places: tuple[float, float]) -> FrameResult:
    """Return the tracker's result with a face at each of ``places``."""
    faces = tuple(TrackedFace(i, Landmarks(face_points(at, SIZE))) for i, at in enumerate(places, 1))
    return FrameResult(faces, frame.index, frame.time_s, frame.source, frame.image_hw)


def is_blurred(image: ImageArray, at: tuple[float, float] = PLACE, reach: int = 25) -> bool:
    """Return whether neighbouring pixels around ``at`` differ little; in noise they differ by about 60."""
    x, y = map(round, at)
    part = image[y - reach : y + reach, x - reach : x + reach].astype(float)
    return float(np.abs(np.diff(part, axis=1)).mean()) < 8
