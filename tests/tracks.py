"""Tracks of synthetic faces for tests."""

from __future__ import annotations

import numpy as np

from tests.shapes import face_points
from tracker.geometry import CropTransform
from tracker.tracking.appearance import LOOK_SIZE, Look
from tracker.tracking.sighting import Sighting
from tracker.tracking.track import Track
from tracker.types import Landmarks

FPS = 30.0


def face_at(x: float, y: float, width: float = 100.0) -> Landmarks:
    return Landmarks(face_points((x, y), width), 0.9)


def track_at(x: float, y: float, track_id: int = 1, time_s: float = 0.0) -> Track:
    face = face_at(x, y)
    return Track(track_id, face, CropTransform.from_points(face.points_frame), time_s)


def look(seed: int, noise: float = 0.0) -> Look:
    """The look of a drawn person, with some noise of the camera; shapes differ by person, too."""
    person = np.random.default_rng(seed)
    cells = person.standard_normal((LOOK_SIZE, LOOK_SIZE)) + noise * np.random.default_rng(
        99 + seed
    ).standard_normal((LOOK_SIZE, LOOK_SIZE))
    return Look(np.asarray(cells / np.linalg.norm(cells), np.float32), person.normal(0, 0.02, (68, 2)))


def sighting_at(x: float, y: float, width: float = 100.0, seen: Look | None = None) -> Sighting:
    face = face_at(x, y, width)
    return Sighting(face, CropTransform.from_points(face.points_frame), seen)


def move(track: Track, x: float, y: float, time_s: float) -> None:
    track.follow(sighting_at(x, y), time_s)
