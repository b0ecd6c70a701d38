"""Tracks of synthetic faces for tests."""

from __future__ import annotations

from tests.shapes import face_points
from tracker.geometry import CropTransform
from tracker.tracking.track import Track
from tracker.types import Landmarks

FPS = 30.0


def face_at(x: float, y: float, width: float = 100.0) -> Landmarks:
    return Landmarks(face_points((x, y), width), 0.9)


def track_at(x: float, y: float, track_id: int = 1, time_s: float = 0.0) -> Track:
    face = face_at(x, y)
    return Track(track_id, face, CropTransform.from_points(face.points_frame), time_s)


def move(track: Track, x: float, y: float, time_s: float) -> None:
    face = face_at(x, y)
    track.follow(face, CropTransform.from_points(face.points_frame), time_s)
