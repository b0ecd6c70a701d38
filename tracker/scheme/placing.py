"""Place of a head by its points: roll, the upright square around them, and the points of a mirrored picture.

Coordinates are pixels, x to the right and y down. Angles are radians, positive clockwise on screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from tracker.boxes import FloatArray
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme

MOUTH_WEIGHT = 0.08
"""Weight of the eyes-to-mouth line in the head's roll: 7 % in a frontal face, half from 60 degrees of yaw."""


def upright_square(points: FloatArray, scheme: Scheme = IBUG68) -> tuple[tuple[float, float], float, float]:
    """Return centre (x, y), side and angle in radians of the tight square around ``points`` ``(P, 2)``.

    It is turned with the head, about the middle of the points' box along its axes; its side is the longer one
    of that box, 0 if all points coincide. In the coordinates of the points.
    """
    angle = roll_of(points, scheme)
    cos, sin = math.cos(angle), math.sin(angle)
    upright = points @ rotation(angle)
    (x0, y0), (x1, y1) = upright.min(axis=0).tolist(), upright.max(axis=0).tolist()
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (cos * x - sin * y, sin * x + cos * y), max(x1 - x0, y1 - y0), angle


def roll_of(points: FloatArray, scheme: Scheme = IBUG68) -> float:
    """Return the roll of the head in radians, clockwise on screen, also for profiles.

    ``points`` are ``(P, 2)`` in any coordinates; see :func:`roll_of_features`. It is 0 for schemes by which
    it is not measured.
    """
    if (features_of := _features(scheme)) is None:
        return 0.0
    (left_x, right_x, mouth_x), (left_y, right_y, mouth_y) = map(features_of, points.T.tolist())
    across = (right_x - left_x, right_y - left_y)
    return _roll_of_lines(across, (mouth_x - (left_x + right_x) / 2, mouth_y - (left_y + right_y) / 2))


def roll_of_features(left_eye: FloatArray, right_eye: FloatArray, mouth: FloatArray) -> float:
    """Return the roll of a head in radians, clockwise on screen, from three points ``(2,)``.

    The eye line decides while the face looks into the camera. It shrinks as the face turns, until the eyes
    coincide or change sides, so the line from the eyes to the middle of the mouth, which stays upright, takes
    over. The result is the angle of a least-squares similarity to upright eyes and mouth, in which each line
    has the weight of its length squared.
    """
    return _roll_of_lines((right_eye - left_eye).tolist(), (mouth - (left_eye + right_eye) / 2).tolist())


@lru_cache(maxsize=16)
def _features(scheme: Scheme) -> Callable[[list[float]], tuple[float, float, float]] | None:
    """Return the function from one coordinate of all points to its means over the eyes and the mouth."""
    if (upright := scheme.upright) is None:
        return None
    # A getter of one item returns no tuple; the mean of a number and itself is exact.
    groups = [
        group * 2 if len(group) == 1 else group
        for group in (upright.left_eye, upright.right_eye, upright.mouth)
    ]
    left_of, right_of, mouth_of = (itemgetter(*group) for group in groups)

    def means(coordinates: list[float]) -> tuple[float, float, float]:
        left, right, mouth = left_of(coordinates), right_of(coordinates), mouth_of(coordinates)
        return sum(left) / len(left), sum(right) / len(right), sum(mouth) / len(mouth)

    return means


def _roll_of_lines(across: Sequence[float], down: Sequence[float]) -> float:
    """Return the roll by the lines (x, y) from eye to eye and from the eyes to the mouth."""
    (across_x, across_y), (down_x, down_y) = across, down
    eyes = across_x**2 + across_y**2
    mouth = MOUTH_WEIGHT * (down_x**2 + down_y**2)
    return math.atan2(eyes * across_y - mouth * down_x, eyes * across_x + mouth * down_y)


@lru_cache(maxsize=16)
def mirror_order(scheme: Scheme) -> npt.NDArray[np.intp]:
    """Return the permutation ``(P,)`` that brings points of a mirrored picture in order, read-only.

    It changes nothing for schemes whose left and right cannot be exchanged.
    """
    order = np.array(range(scheme.n_points) if scheme.mirror is None else scheme.mirror, np.intp)
    order.setflags(write=False)
    return order


def mirror_points(points: FloatArray, width: int, scheme: Scheme = IBUG68) -> FloatArray:
    """Return the landmarks of the mirrored image: ``points`` ``(P, 2)`` of one ``width`` pixels wide."""
    flipped = points[mirror_order(scheme)]
    flipped[:, 0] = width - 1 - flipped[:, 0]
    return flipped


def rotation(angle: float) -> FloatArray:
    """Return the matrix ``(2, 2)`` by which row vectors are turned back by ``angle`` radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
