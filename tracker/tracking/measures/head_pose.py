"""Head pose from landmarks, by fitting a rigid mean face to them (perspective-n-point).

All angles are degrees, and 0 for an upright face that looks into the camera. Yaw is positive when the face
turns towards the right of the image (the person's left), pitch when it turns up, and roll when it turns
clockwise on screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import HEAD_POINTS, Scheme
from tracker.types import FloatArray, Landmarks

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
POSE_POINTS = np.array(HEAD_POINTS, np.intp)
"""Points of iBUG that determine the pose, counted from 0."""

FACE_MM = np.array([_FACE_MM[point] for point in HEAD_POINTS], np.float64)
"""Mean face at :data:`POSE_POINTS`, ``(13, 3)`` millimetres; x right, y down, z away from the camera."""

_PINHOLE = np.eye(3)
_MAX_RESIDUAL_MM = 8.0  # the largest of five thousand real faces is 6
_LEAST_SPREAD = 0.01  # root mean square of the points at distance 1: 30 mm at 3 m
_TINY = 1e-9

for _table in (POSE_POINTS, FACE_MM, _PINHOLE):
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


def head_pose(
    points_frame: FloatArray, image_hw: tuple[int, int], scheme: Scheme = IBUG68
) -> HeadPose | None:
    """Return the head pose of a face, None if its points fit no face in front of the camera.

    None, too, for schemes by which no pose is measured.

    ``points_frame`` are ``(P, 2)`` pixels of a picture of ``image_hw`` = (height, width). The camera is not
    calibrated: its focal length is taken as the longer side of the picture (a field of view of 53 degrees)
    and its axis to pass through the middle. Angles relative to the line of sight hardly depend on that.
    Points fit a face if their root mean square distance from it is at most 8 mm, on a face of natural size.

    Raises ``ValueError`` for another shape, points that are not finite, or an empty picture.
    """
    return _pose_at(head_place(points_frame, image_hw, scheme))


def head_place(
    points_frame: FloatArray, image_hw: tuple[int, int], scheme: Scheme = IBUG68
) -> HeadPlace | None:
    """Return the position and rotation of a face; arguments, None and errors as for :func:`head_pose`."""
    count = scheme.n_points
    if points_frame.shape != (count, 2) or min(image_hw) < 1:
        raise ValueError(f"points must be ({count}, 2) in a picture, got {points_frame.shape}, {image_hw}")
    if not np.isfinite(points_frame).all():
        raise ValueError("points must be finite")
    (place,) = _head_places([points_frame], image_hw, scheme)
    return place


def head_poses(faces: Sequence[Landmarks], image_hw: tuple[int, int]) -> list[HeadPose | None]:
    """Return the same as :func:`head_pose` for each of ``faces``, of one scheme, in one picture."""
    if not faces:
        return []
    places = _head_places([face.points_frame for face in faces], image_hw, faces[0].scheme)
    return [_pose_at(place) for place in places]


@lru_cache(maxsize=16)
def _rigid_face(scheme: Scheme) -> tuple[npt.NDArray[np.intp], FloatArray] | None:
    """Return the points ``(N,)`` that determine the pose, and the centred mean face ``(N, 3)`` there."""
    if (pairs := scheme.measured.pose) is None:
        return None
    face_mm = np.array([_FACE_MM[ibug] for _, ibug in pairs], np.float64)
    return np.array([own for own, _ in pairs], np.intp), face_mm - face_mm.mean(axis=0)


def _head_places(
    points_frame: Sequence[FloatArray], image_hw: tuple[int, int], scheme: Scheme
) -> list[HeadPlace | None]:
    if (rigid := _rigid_face(scheme)) is None:
        return [None] * len(points_frame)
    determining, face_mm = rigid
    height, width = image_hw
    middle = ((width - 1) / 2, (height - 1) / 2)
    rays = (np.array([points[determining] for points in points_frame]) - middle) / float(max(height, width))
    mean_rays = (rays.sum(axis=1) / len(determining)).tolist()
    sights = np.array([_rotation_towards(x, y, 1.0) for x, y in mean_rays])
    seen = _projected(rays @ sights[:, :2] + sights[:, 2:])  # (x, y, 1) times the inverse of a rotation
    return [_place_along(*each, face_mm) for each in zip(sights, seen, strict=True)]


def _place_along(sight: FloatArray, seen: FloatArray, face_mm: FloatArray) -> HeadPlace | None:
    """Return the place of a face whose points ``seen`` ``(N, 2)`` are in a camera rotated by ``sight``.

    None if they coincide or fit no face. A face further away than about three metres is magnified to that
    distance, since SQPnP refuses points that are too close together.
    """
    spread = _root_mean_square(seen)
    if not spread >= _TINY:
        return None
    magnified = max(_LEAST_SPREAD / spread, 1.0)
    fitted = _fit_face(seen * magnified, face_mm)
    if fitted is None:
        return None
    rotation, middle = fitted
    middle[2] *= magnified
    return HeadPlace(sight @ rotation, sight @ middle)


def _fit_face(seen: FloatArray, face_mm: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return rotation ``(3, 3)`` and position ``(3,)`` in millimetres of the mean face at ``seen``."""
    # SQPnP (G. Terzakis, M. Lourakis, ECCV 2020) searches all rotations: it needs no initial guess. There is
    # no second solution, as there is for flat objects, since a nose is far from flat.
    found, turn, shift = cv2.solvePnP(face_mm, seen, _PINHOLE, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return None
    rotation, middle = np.asarray(cv2.Rodrigues(turn)[0], np.float64), np.array(shift[:, 0], np.float64)
    off = _projected(face_mm @ rotation.T + middle) - seen
    residual_mm = float(middle[2]) * _root_mean_square(off)
    return (rotation, middle) if residual_mm <= _MAX_RESIDUAL_MM else None


def _projected(points: FloatArray) -> FloatArray:
    """Return ``points`` ``(..., N, 3)`` as seen at distance 1, ``(..., N, 2)``; NaN behind the camera."""
    depths = points[..., 2:]
    return np.asarray(points[..., :2] / np.where(depths > 0, depths, np.nan))


def _root_mean_square(points: FloatArray) -> float:
    """Return the root mean square distance of ``points`` ``(N, 2)`` from 0."""
    return math.sqrt(float(np.vdot(points, points)) / len(points))


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


def _pose_at(place: HeadPlace | None) -> HeadPose | None:
    """Return the angles of the rotation Rz(roll) Ry(-yaw) Rx(-pitch) relative to the line of sight.

    None without a ``place``, and for a face turned away.
    """
    if place is None:
        return None
    rotation = _rotation_towards(*place.middle_mm.tolist()).T @ place.rotation
    across, depth = rotation[:, 0].tolist(), rotation[2].tolist()
    if depth[2] <= 0:
        return None
    return HeadPose(
        yaw_deg=math.degrees(math.asin(min(max(depth[0], -1.0), 1.0))),
        pitch_deg=math.degrees(-math.atan2(depth[1], depth[2])),
        roll_deg=math.degrees(math.atan2(across[1], across[0])),
    )
