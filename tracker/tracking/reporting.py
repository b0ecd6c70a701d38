"""Reported faces: landmarks with the measures taken of them."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.tracking.measures.head_pose import head_pose
from tracker.tracking.measures.openness import blink_openness, measure
from tracker.tracking.track import Track
from tracker.types import FaceBox, Frame, Landmarks, TrackedFace


def report_track(track: Track, shown: Landmarks, frame: Frame) -> TrackedFace:
    """Return the face of ``track`` in ``frame``, and count its blinks.

    ``shown`` are its smoothed landmarks. Blinks are counted on points that are not smoothed, since smoothing
    flattens them.
    """
    pose = head_pose(shown.points_frame, frame.image_hw)
    openness = blink_openness(track.landmarks.points_frame, pose)
    if openness is not None:
        track.blinks.update(openness, frame.time_s)
    return TrackedFace(track.id, shown, measure(shown.points_frame, pose, track.blinks.count))


def report_still(faces: Iterable[Landmarks], frame: Frame) -> tuple[TrackedFace, ...]:
    """Return the ``faces`` of a picture on its own, the largest first, with ids from 1."""
    ordered = sorted(faces, key=lambda face: -FaceBox.around(face.points_frame).area)
    return tuple(
        TrackedFace(i, face, measure(face.points_frame, head_pose(face.points_frame, frame.image_hw)))
        for i, face in enumerate(ordered, 1)
    )
