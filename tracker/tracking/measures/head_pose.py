"""Head pose from the 68 points, by fitting a rigid mean face to them (perspective-n-point).

All angles are degrees, and 0 for an upright face that looks into the camera. Yaw is positive when the face
turns towards the right of the image (the person's left), pitch when it turns up, and roll when it turns
clockwise on screen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.types import N_POINTS, FloatArray

# Corners of the eyes and the nose, which do not move when a face speaks, smiles or blinks. Average adult in
# round millimetres, after L. Farkas, "Anthropometry of the Head and Face", 2nd ed., 1994: outer corners 90
# apart, subnasale (33) 51 below nasion (27), tip (30) 20 from subnasale; nasion 22 in front of the outer
# corners, from where a straight bridge rises by 35 degrees (the nasofacial angle is 30 to 40). Inner corners,
# nostrils and heights follow the labels of frontal faces. Rigid structure from motion (C. Tomasi, T. Kanade,
# IJCV 9, 1992) on the 300-W training labels agrees within 2 mm on every point.
# fmt: off
_FACE_MM = {
    27: (0, -3, -22), 28: (0, 9, -30), 29: (0, 20, -38), 30: (0, 32, -46),
    31: (-15, 42, -26), 32: (-8, 45, -30), 33: (0, 47, -32), 34: (8, 45, -30), 35: (15, 42, -26),
    36: (-45, 0, 0), 39: (-19, 1, -6), 42: (19, 1, -6), 45: (45, 0, 0),
}
# fmt: on
POSE_POINTS = np.array(list(_FACE_MM), np.intp)
"""Points that determine the pose, counted from 0."""

FACE_MM = np.array(list(_FACE_MM.values()), np.float64)
"""Mean face at :data:`POSE_POINTS`, ``(13, 3)`` millimetres; x right, y down, z away from the camera."""

_CENTRED_MM = FACE_MM - FACE_MM.mean(axis=0)
_PINHOLE = np.eye(3)
_MAX_RESIDUAL_MM = 8.0  # the largest of five thousand real faces is 6
_LEAST_SPREAD = 0.01  # root mean square of the points at distance 1: 30 mm at 3 m
_TINY = 1e-9

for _table in (POSE_POINTS, FACE_MM, _CENTRED_MM, _PINHOLE):
    _table.setflags(write=False)


@dataclass(frozen=True)
class HeadPose:
    """Head pose in degrees, relative to the line of sight from the camera to the face.

    ``roll_deg``, -180..180, is the slope of the line through the eyes. After turning the picture back by it,
    ``yaw_deg`` and ``pitch_deg``, both -90..90, are longitude and latitude of the direction of the face.
    Raises ``ValueError`` for angles out of range.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    def __post_init__(self) -> None:
        if not (abs(self.yaw_deg) <= 90 and abs(self.pitch_deg) <= 90 and abs(self.roll_deg) <= 180):
            raise ValueError(f"yaw and pitch must lie in -90..90, roll in -180..180, got {self}")


@dataclass(frozen=True, eq=False)
class HeadPlace:
    """Position and rotation of the mean face in camera coordinates: x right, y down, z away from the camera.

    ``rotation`` ``(3, 3)`` maps the axes of the face to those of the camera; it is the identity for an
    upright face that looks along the camera's axis. ``middle_mm`` ``(3,)`` is the mean of the points that
    determine the pose, in millimetres for an average adult; it is as rough as the assumed focal length.
    """

    rotation: FloatArray
    middle_mm: FloatArray


def head_pose(points_frame: FloatArray, image_hw: tuple[int, int]) -> HeadPose | None:
    """Return the head pose of a face, None if its points fit no face in front of the camera.

    ``points_frame`` are ``(68, 2)`` pixels of a picture of ``image_hw`` = (height, width). The camera is not
    calibrated: its focal length is taken as the longer side of the picture (a field of view of 53 degrees)
    and its axis to pass through the middle. Angles relative to the line of sight hardly depend on that.
    Points fit a face if their root mean square distance from it is at most 8 mm, on a face of natural size.

    Raises ``ValueError`` for another shape, points that are not finite, or an empty picture.
    """
    place = head_place(points_frame, image_hw)
    return _pose_of(_rotation_towards(*place.middle_mm.tolist()).T @ place.rotation) if place else None


def head_place(points_frame: FloatArray, image_hw: tuple[int, int]) -> HeadPlace | None:
    """Return the position and rotation of a face; arguments, None and errors as for :func:`head_pose`."""
    if points_frame.shape != (N_POINTS, 2) or min(image_hw) < 1:
        raise ValueError(f"points must be ({N_POINTS}, 2) in a picture, got {points_frame.shape}, {image_hw}")
    if not np.isfinite(points_frame).all():
        raise ValueError("points must be finite")
    height, width = image_hw
    rays = (points_frame[POSE_POINTS] - ((width - 1) / 2, (height - 1) / 2)) / float(max(height, width))
    x, y = (rays.sum(axis=0) / len(rays)).tolist()
    sight = _rotation_towards(x, y, 1.0)
    seen, magnified = _rays_along(sight, rays)
    fitted = _fit_face(seen) if seen is not None else None
    return HeadPlace(sight @ fitted[0], sight @ (fitted[1] * (1, 1, magnified))) if fitted else None


def _rays_along(sight: FloatArray, rays: FloatArray) -> tuple[FloatArray | None, float]:
    """Return ``rays`` ``(N, 2)`` in a camera rotated by ``sight``, at distance 1, and their magnification.

    A face further away than about three metres is magnified to that distance, since SQPnP refuses points that
    are too close together. None for points that are behind the camera or coincide.
    """
    turned = rays @ sight[:2] + sight[2]  # (x, y, 1) times the inverse of a rotation
    if turned[:, 2].min() <= 0:
        return None, 1.0
    seen: FloatArray = turned[:, :2] / turned[:, 2:]
    spread = math.sqrt(float(np.vdot(seen, seen)) / len(seen))
    if spread < _TINY:
        return None, 1.0
    magnified = max(_LEAST_SPREAD / spread, 1.0)
    return seen * magnified, magnified


def _fit_face(seen: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return rotation ``(3, 3)`` and position ``(3,)`` in millimetres of the mean face at ``seen``."""
    # SQPnP (G. Terzakis, M. Lourakis, ECCV 2020) searches all rotations: it needs no initial guess. There is
    # no second solution, as there is for flat objects, since a nose is far from flat.
    found, turn, shift = cv2.solvePnP(_CENTRED_MM, seen, _PINHOLE, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found or not all(map(math.isfinite, (*turn.ravel().tolist(), *shift.ravel().tolist()))):
        return None
    rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    middle = np.asarray(shift, np.float64)[:, 0]
    fitted = _CENTRED_MM @ rotation.T + middle
    if fitted[:, 2].min() <= 0:
        return None
    off = fitted[:, :2] / fitted[:, 2:] - seen
    residual_mm = float(middle[2]) * math.sqrt(float(np.vdot(off, off)) / len(seen))
    return (rotation, middle) if residual_mm <= _MAX_RESIDUAL_MM else None


def _rotation_towards(x: float, y: float, z: float) -> FloatArray:
    """Return the rotation ``(3, 3)`` without twist from the camera's axis to the direction ``(x, y, z)``."""
    length = math.hypot(x, y, z)
    x, y, z = x / length, y / length, z / length
    # Rodrigues' formula about (-y, x, 0), the normal of both directions.
    return np.array(
        [
            [1 - x * x / (1 + z), -x * y / (1 + z), x],
            [-x * y / (1 + z), 1 - y * y / (1 + z), y],
            [-x, -y, z],
        ]
    )


def _pose_of(rotation: FloatArray) -> HeadPose | None:
    """Return the angles of ``rotation`` = Rz(roll) Ry(-yaw) Rx(-pitch); None for a face turned away."""
    across, depth = rotation[:, 0].tolist(), rotation[2].tolist()
    if depth[2] <= 0:
        return None
    return HeadPose(
        yaw_deg=math.degrees(math.asin(min(max(depth[0], -1.0), 1.0))),
        pitch_deg=math.degrees(-math.atan2(depth[1], depth[2])),
        roll_deg=math.degrees(math.atan2(across[1], across[0])),
    )
