"""What is read off the 68 points of a face: how open eyes and mouth are, and where the head turns.

Openness is a ratio of lengths: it does not change with the size, place or roll of the face. "Left" and
"right" are the person's in everything here; :mod:`tracker.scheme` names parts from the viewer's side.
"""

from __future__ import annotations

import math

from tracker.tracking.measures.head_pose import HeadPose
from tracker.types import FaceMeasures, FloatArray

MAX_BLINK_YAW_DEG = 45.0
"""Blinks are looked for on faces turned by no more than this."""

_LEFT_EYE, _RIGHT_EYE = 42, 36  # the first points of the person's eyes; six in a ring from corner to corner
_INNER_LIP = 60  # eight in a ring, from corner to corner and back


def eye_openness(points: FloatArray) -> tuple[float | None, float | None]:
    """The eye aspect ratio of the person's left and right eye, from ``points`` ``(68, 2)`` in any frame.

    Mean height of the lids' two pairs of points over the width from corner to corner: about 0.3 for open
    eyes, 0.1 to 0.15 for closed ones. T. Soukupova, J. Cech, "Real-Time Eye Blink Detection using Facial
    Landmarks", CVWW 2016. None for an eye without width.
    """
    return _aspect(points[_LEFT_EYE : _LEFT_EYE + 6]), _aspect(points[_RIGHT_EYE : _RIGHT_EYE + 6])


def mouth_openness(points: FloatArray) -> float | None:
    """Mean height of the inner lips' three pairs of points over the width from corner to corner.

    ``points`` is ``(68, 2)`` in any frame. About 0 for a closed mouth, 1 for a round one. None for a mouth
    without width.
    """
    return _aspect(points[_INNER_LIP : _INNER_LIP + 8])


def measure(points: FloatArray, pose: HeadPose | None, blinks: int = 0) -> FaceMeasures:
    """What ``points`` ``(68, 2)``, in any frame, and the ``pose`` told from them say of a face."""
    return FaceMeasures(
        eye_open=eye_openness(points),
        mouth_open=mouth_openness(points),
        yaw_deg=pose.yaw_deg if pose else None,
        pitch_deg=pose.pitch_deg if pose else None,
        roll_deg=pose.roll_deg if pose else None,
        blinks=blinks,
    )


def blink_openness(points: FloatArray, pose: HeadPose | None) -> float | None:
    """The openness of the wider eye of ``points`` ``(68, 2)``, which tells blinks: a wink is none.

    None where blinks cannot be told: the face has no pose or turns so far that one eye hides behind the nose.
    """
    ratios = [ratio for ratio in eye_openness(points) if ratio is not None]
    if not ratios or pose is None or abs(pose.yaw_deg) > MAX_BLINK_YAW_DEG:
        return None
    return max(ratios)


def _aspect(ring: FloatArray) -> float | None:
    """Height over width of a closed ring of points that runs from corner to corner and back."""
    points = ring.tolist()
    half = len(points) // 2
    width = math.dist(points[0], points[half])
    if width == 0:
        return None
    heights = [math.dist(points[i], points[-i]) for i in range(1, half)]
    return sum(heights) / (half - 1) / width
