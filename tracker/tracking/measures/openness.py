"""Openness of eyes and mouth, measured on rings of points of a face.

Openness is a ratio of lengths: it does not change with the size, place or roll of the face. "Left" and
"right" are the person's own in this module; schemes name parts as seen in the picture.
"""

from __future__ import annotations

import math
from functools import lru_cache

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.tracking.measures.head_pose import HeadPose
from tracker.types import FaceMeasures, FloatArray

MAX_BLINK_YAW_DEG = 45.0
"""Largest yaw at which blinks are counted."""

Ring = slice | list[int] | None


def eye_openness(points: FloatArray, scheme: Scheme = IBUG68) -> tuple[float | None, float | None]:
    """Return the eye aspect ratios of the person's left and right eye.

    ``points`` are ``(P, 2)`` in any coordinates. The ratio is the mean height of the eyelids' pairs of points
    over the width from corner to corner: about 0.3 for open eyes, 0.1 to 0.15 for closed ones; None for an
    eye without width, and for schemes by which eyes are not measured. T. Soukupova, J. Cech, "Real-Time Eye
    Blink Detection using Facial Landmarks", CVWW 2016.
    """
    left, right, _ = _rings(scheme)
    return _aspect(points, left), _aspect(points, right)


def mouth_openness(points: FloatArray, scheme: Scheme = IBUG68) -> float | None:
    """Return the aspect ratio of the mouth: about 0 for a closed one, 1 for a round one.

    ``points`` are ``(P, 2)`` in any coordinates. The ratio is the mean height of the inner lips' pairs of
    points over the width from corner to corner; None for a mouth without width, and for schemes by which the
    mouth is not measured.
    """
    return _aspect(points, _rings(scheme)[2])


def measure(
    points: FloatArray, pose: HeadPose | None, blinks: int = 0, scheme: Scheme = IBUG68
) -> FaceMeasures:
    """Return all measures of a face that its ``scheme`` allows.

    ``points`` are ``(P, 2)`` in any coordinates, ``pose`` is the head pose of the same points and ``blinks``
    their number so far.
    """
    return FaceMeasures(
        eye_open=eye_openness(points, scheme),
        mouth_open=mouth_openness(points, scheme),
        yaw_deg=pose.yaw_deg if pose else None,
        pitch_deg=pose.pitch_deg if pose else None,
        roll_deg=pose.roll_deg if pose else None,
        blinks=blinks,
    )


def blink_openness(points: FloatArray, pose: HeadPose | None, scheme: Scheme = IBUG68) -> float | None:
    """Return the aspect ratio of the wider eye, on which blinks are counted: a wink is no blink.

    ``points`` are ``(P, 2)`` in any coordinates. None if the face has no ``pose``, or is turned so far that
    the nose hides an eye.
    """
    ratios = [ratio for ratio in eye_openness(points, scheme) if ratio is not None]
    if not ratios or pose is None or abs(pose.yaw_deg) > MAX_BLINK_YAW_DEG:
        return None
    return max(ratios)


@lru_cache(maxsize=16)
def _rings(scheme: Scheme) -> tuple[Ring, Ring, Ring]:
    """Return the rings of the person's left eye, right eye and mouth, as indices of points."""
    measured = scheme.measured
    return _indices(measured.right_eye), _indices(measured.left_eye), _indices(measured.mouth)


def _indices(ring: tuple[int, ...] | None) -> Ring:
    if ring is None:
        return None
    first, end = ring[0], ring[0] + len(ring)
    return slice(first, end) if ring == tuple(range(first, end)) else list(ring)


def _aspect(all_points: FloatArray, ring: Ring) -> float | None:
    """Return height over width of a ring of points that runs from corner to corner and back."""
    if ring is None:
        return None
    points = all_points[ring].tolist()
    half = len(points) // 2
    width = math.dist(points[0], points[half])
    if width == 0:
        return None
    heights = [math.dist(points[i], points[-i]) for i in range(1, half)]
    return sum(heights) / (half - 1) / width
