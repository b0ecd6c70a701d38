"""Openness of eyes and mouth, measured on the 68 points of a face.

Openness is a ratio of lengths: it does not change with the size, place or roll of the face. "Left" and
"right" are the person's own in this module; :mod:`tracker.scheme.ibug68` names parts as seen in the picture.
"""

from __future__ import annotations

import math

from tracker.tracking.measures.head_pose import HeadPose
from tracker.types import FaceMeasures, FloatArray

MAX_BLINK_YAW_DEG = 45.0
"""Largest yaw at which blinks are counted."""

# First points of rings that run from corner to corner and back: six points of an eye, eight of the lips.
_LEFT_EYE, _RIGHT_EYE, _INNER_LIP = 42, 36, 60


def eye_openness(points: FloatArray) -> tuple[float | None, float | None]:
    """Return the eye aspect ratios of the person's left and right eye.

    ``points`` are ``(68, 2)`` in any coordinates. The ratio is the mean height of the eyelids' two pairs of
    points over the width from corner to corner: about 0.3 for open eyes, 0.1 to 0.15 for closed ones; None
    for an eye without width. T. Soukupova, J. Cech, "Real-Time Eye Blink Detection using Facial Landmarks",
    CVWW 2016.
    """
    return _aspect(points[_LEFT_EYE : _LEFT_EYE + 6]), _aspect(points[_RIGHT_EYE : _RIGHT_EYE + 6])


def mouth_openness(points: FloatArray) -> float | None:
    """Return the aspect ratio of the mouth: about 0 for a closed one, 1 for a round one.

    ``points`` are ``(68, 2)`` in any coordinates. The ratio is the mean height of the inner lips' three pairs
    of points over the width from corner to corner; None for a mouth without width.
    """
    return _aspect(points[_INNER_LIP : _INNER_LIP + 8])


def measure(points: FloatArray, pose: HeadPose | None, blinks: int = 0) -> FaceMeasures:
    """Return all measures of a face.

    ``points`` are ``(68, 2)`` in any coordinates, ``pose`` is the head pose of the same points and ``blinks``
    their number so far.
    """
    return FaceMeasures(
        eye_open=eye_openness(points),
        mouth_open=mouth_openness(points),
        yaw_deg=pose.yaw_deg if pose else None,
        pitch_deg=pose.pitch_deg if pose else None,
        roll_deg=pose.roll_deg if pose else None,
        blinks=blinks,
    )


def blink_openness(points: FloatArray, pose: HeadPose | None) -> float | None:
    """Return the aspect ratio of the wider eye, on which blinks are counted: a wink is no blink.

    ``points`` are ``(68, 2)`` in any coordinates. None if the face has no ``pose``, or is turned so far that
    the nose hides an eye.
    """
    ratios = [ratio for ratio in eye_openness(points) if ratio is not None]
    if not ratios or pose is None or abs(pose.yaw_deg) > MAX_BLINK_YAW_DEG:
        return None
    return max(ratios)


def _aspect(ring: FloatArray) -> float | None:
    """Return height over width of a ring of points that runs from corner to corner and back."""
    points = ring.tolist()
    half = len(points) // 2
    width = math.dist(points[0], points[half])
    if width == 0:
        return None
    heights = [math.dist(points[i], points[-i]) for i in range(1, half)]
    return sum(heights) / (half - 1) / width
