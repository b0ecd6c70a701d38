"""Where a head is turned, from its landmarks and a mean face in three dimensions.

The mean face is ``assets/mean_face.json``: millimetres from the tip of the nose, x to the viewer's right, y
down, z away from the viewer, looking straight at them. ``python -m train mean-face`` makes it from labelled
photographs. Only its nose and eye corners are used: brows, lids, lips and jaw move, and the labels of the jaw
follow the outline that is seen.
"""

from __future__ import annotations

import importlib.resources
import json
import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tracker.scheme import PARTS
from tracker.types import N_POINTS, FloatArray

Float64Array = npt.NDArray[np.float64]


RIGID = np.array([*PARTS["nose_bridge"], *PARTS["nose_base"], 36, 39, 42, 45], np.intp)
"""Points that no expression moves much."""


def _mean_face() -> Float64Array:
    text = importlib.resources.files("tracker").joinpath("assets/mean_face.json").read_text(encoding="ascii")
    return np.array(json.loads(text), np.float64)


MEAN_FACE = _mean_face()
"""``(68, 3)`` millimetres."""

_SHAPE = MEAN_FACE[RIGID]
_MIDDLE = _SHAPE.mean(axis=0)
_TO_AFFINE = np.linalg.pinv((_SHAPE - _MIDDLE).T)


@dataclass(frozen=True)
class HeadPose:
    """Angles in degrees, 0 for a head that is upright and looks at the camera.

    ``yaw`` is positive when the face turns to the viewer's right, ``pitch`` when it turns up, ``roll`` when
    it tilts clockwise on screen. The head turns by yaw about its own axis first, then by pitch, then by roll.
    """

    yaw: float
    pitch: float
    roll: float


def head_pose(points_frame: FloatArray, image_hw: tuple[int, int]) -> HeadPose | None:
    """Pose of the head whose landmarks ``(68, 2)`` are seen in a picture of ``image_hw``; None if none fits.

    The camera is not known: its focal length is taken to be the longer side of the picture (a field of view
    of 53 degrees, about a webcam's), its axis to go through the middle. Weak perspective gives the start
    (D. F. DeMenthon and L. S. Davis, "Model-Based Object Pose in 25 Lines of Code", IJCV 15, 1995),
    ``cv2.solvePnP`` the answer. Raises ``ValueError`` for points of another shape.
    """
    if points_frame.shape != (N_POINTS, 2):
        raise ValueError(f"landmarks must be ({N_POINTS}, 2), got {points_frame.shape}")
    seen = np.asarray(points_frame, np.float64)[RIGID]
    start = _weak_perspective(seen)
    if start is None:
        return None
    rotation, scale = start
    focal, (height, width) = float(max(image_hw)), image_hw
    camera = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    middle = seen.mean(axis=0) - camera[:2, 2]
    depth = focal / scale
    shift = np.array([*(middle * depth / focal), depth]) - rotation @ _MIDDLE
    turn, _ = cv2.Rodrigues(rotation)
    found, turn, moved = cv2.solvePnP(
        _SHAPE, seen, camera, None, turn, shift[:, None], useExtrinsicGuess=True, flags=cv2.SOLVEPNP_ITERATIVE
    )
    if not found or not np.isfinite(turn).all() or float(moved[2, 0]) <= 0:
        return None
    return _angles(np.asarray(cv2.Rodrigues(turn)[0], np.float64))


def _weak_perspective(seen: Float64Array) -> tuple[Float64Array, float] | None:
    """The rotation ``(3, 3)`` nearest to the affine map of the face onto ``seen``; pixels a millimetre."""
    affine = (seen - seen.mean(axis=0)).T @ _TO_AFFINE
    u, scales, v = np.linalg.svd(affine, full_matrices=False)
    if not scales[1] > 1e-9:  # all points on a line, or in one place
        return None
    first, second = u @ v
    return np.stack([first, second, np.cross(first, second)]), float(scales.mean())


def _angles(rotation: Float64Array) -> HeadPose:
    """Of ``rotation`` = roll about z * pitch about x * yaw about y, in the camera's axes (z away)."""
    # Last row: cos(pitch) sin(yaw), -sin(pitch), cos(pitch) cos(yaw); the second column has the roll.
    pitch = math.asin(max(-1.0, min(1.0, -float(rotation[2, 1]))))
    yaw = math.atan2(float(rotation[2, 0]), float(rotation[2, 2]))
    roll = math.atan2(-float(rotation[0, 1]), float(rotation[1, 1]))
    return HeadPose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))
