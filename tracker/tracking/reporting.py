"""Reported faces: landmarks in the stored pixels, with the measures taken of them in square ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracker.geometry import Stretch
from tracker.tracking.measures.head_pose import HeadPose, head_poses
from tracker.tracking.measures.openness import blink_openness, measure
from tracker.tracking.track import Track
from tracker.types import FaceMeasures, Frame, Landmarks, TrackedFace


def report_tracks(
    tracks: Sequence[Track], shown: Sequence[Landmarks], frame: Frame
) -> tuple[TrackedFace, ...]:
    """Return the faces of ``tracks`` in ``frame``, and count their blinks.

    ``shown`` are their smoothed landmarks, in square pixels. Blinks are counted on points that are not
    smoothed, since smoothing flattens them.
    """
    stretch = Stretch.of(frame.pixel_aspect)
    poses = head_poses(shown, stretch.square_hw(frame.image_hw))
    for track, pose in zip(tracks, poses, strict=True):
        _count_blinks(track, pose, frame.time_s)
    return tuple(
        TrackedFace(track.id, _stored(face, stretch), _measured(face, pose, track.blinks.count))
        for track, face, pose in zip(tracks, shown, poses, strict=True)
    )


def _count_blinks(track: Track, pose: HeadPose | None, time_s: float) -> None:
    openness = blink_openness(track.landmarks.points_frame, pose, track.landmarks.scheme)
    if openness is not None:
        track.blinks.update(openness, time_s)


def report_still(faces: Iterable[Landmarks], frame: Frame) -> tuple[TrackedFace, ...]:
    """Return the ``faces`` of a picture on its own, in square pixels: the largest first, with ids from 1."""
    stretch = Stretch.of(frame.pixel_aspect)
    ordered = sorted(faces, key=lambda face: -face.box.area)
    poses = head_poses(ordered, stretch.square_hw(frame.image_hw))
    return tuple(
        TrackedFace(i, _stored(face, stretch), _measured(face, pose))
        for i, (face, pose) in enumerate(zip(ordered, poses, strict=True), 1)
    )


def _measured(face: Landmarks, pose: HeadPose | None, blinks: int = 0) -> FaceMeasures:
    return measure(face.points_frame, pose, blinks, face.scheme)


def _stored(face: Landmarks, stretch: Stretch) -> Landmarks:
    """Return ``face`` in stored pixels; itself, where these are square."""
    points = stretch.to_stored(face.points_frame)
    return face if points is face.points_frame else face.at(points)
