"""Head pose from the 68 points: a rigid mean face is laid over them by perspective-n-point.

All angles are degrees, and 0 for an upright face that looks into the camera. Signs are those of the
picture: yaw is positive when the face turns towards the right of the image (the person's left), pitch when
it turns up, roll when it turns clockwise on screen, as everywhere in this package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.types import N_POINTS, FloatArray

# The corners of the eyes and the nose: what keeps its place when a face speaks, smiles or blinks. An
# average adult in round millimetres, built from the distances of L. Farkas, "Anthropometry of the Head and
# Face", 2nd ed., 1994: outer corners 90 apart, subnasale (33) 51 below nasion (27), the tip (30) 20 from
# it; from a nasion 22 before the outer corners, a straight bridge rises by 35 degrees (the nasofacial angle
# is 30 to 40). Inner corners, nostrils and heights lie where labels of the 68-point scheme lie on frontal
# faces. Rigid structure from motion (C. Tomasi, T. Kanade, IJCV 9, 1992) on the 300-W training labels
# agrees within 2 mm on every point.
# fmt: off
_FACE_MM = {
    27: (0, -3, -22), 28: (0, 9, -30), 29: (0, 20, -38), 30: (0, 32, -46),
    31: (-15, 42, -26), 32: (-8, 45, -30), 33: (0, 47, -32), 34: (8, 45, -30), 35: (15, 42, -26),
    36: (-45, 0, 0), 39: (-19, 1, -6), 42: (19, 1, -6), 45: (45, 0, 0),
}
# fmt: on
POSE_POINTS = np.array(list(_FACE_MM), np.intp)
"""The points that decide the pose, counted from 0."""

FACE_MM = np.array(list(_FACE_MM.values()), np.float64)
"""``(13, 3)``: the mean face at :data:`POSE_POINTS`; x right, y down, z away from the camera."""

_CENTRED_MM = FACE_MM - FACE_MM.mean(axis=0)
_PINHOLE = np.eye(3)
_MAX_RESIDUAL_MM = 8.0  # the worst of five thousand real faces leaves 6
_LEAST_SPREAD = 0.01  # of the seen points, root mean square: 30 mm at 3 m
_TINY = 1e-9

for _table in (POSE_POINTS, FACE_MM, _CENTRED_MM, _PINHOLE):
    _table.setflags(write=False)


@dataclass(frozen=True)
class HeadPose:
    """Three angles in degrees against the line of sight from the camera to the face.

    ``roll_deg``, -180..180, is the slope of the line through the eyes. In a picture turned by it, ``yaw_deg``
    and ``pitch_deg``, both -90..90, are longitude and latitude of the direction in which the face looks.
    Raises ``ValueError`` for angles outside.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    def __post_init__(self) -> None:
        if not (abs(self.yaw_deg) <= 90 and abs(self.pitch_deg) <= 90 and abs(self.roll_deg) <= 180):
            raise ValueError(f"yaw and pitch must lie in -90..90, roll in -180..180, got {self}")


@dataclass(frozen=True, eq=False)
class HeadPlace:
    """Where the mean face lies before the camera: x right, y down, z away from it.

    ``rotation`` ``(3, 3)`` takes the axes of the face, which are those of the camera for an upright face that
    looks along the camera's axis, to the camera's. ``middle_mm`` ``(3,)`` is the mean of the points that
    decide the pose, in millimetres for an average adult; it is as rough as the focal length.
    """

    rotation: FloatArray
    middle_mm: FloatArray


def head_pose(points_frame: FloatArray, image_hw: tuple[int, int]) -> HeadPose | None:
    """The pose of the face with ``points_frame`` ``(68, 2)``, pixels of a picture ``image_hw`` high and wide.

    The camera is not known: its focal length is taken to be the longer side of the picture (which then
    spans 53 degrees) and its axis to pass through the middle. Against the line of sight, angles hardly
    depend on that.

    None where there is no sensible answer: the points are no face (8 mm and more off in the root mean
    square, on a face of natural size), or one seen from behind. Raises ``ValueError`` for another shape,
    points that are not finite, or an empty picture.
    """
    place = head_place(points_frame, image_hw)
    return _pose_of(_towards(*place.middle_mm.tolist()).T @ place.rotation) if place else None


def head_place(points_frame: FloatArray, image_hw: tuple[int, int]) -> HeadPlace | None:
    """The place of the face that :func:`head_pose` would turn; None and errors as there."""
    if points_frame.shape != (N_POINTS, 2) or min(image_hw) < 1:
        raise ValueError(f"points must be ({N_POINTS}, 2) in a picture, got {points_frame.shape}, {image_hw}")
    if not np.isfinite(points_frame).all():
        raise ValueError("points must be finite")
    height, width = image_hw
    rays = (points_frame[POSE_POINTS] - ((width - 1) / 2, (height - 1) / 2)) / float(max(height, width))
    x, y = (rays.sum(axis=0) / len(rays)).tolist()
    sight = _towards(x, y, 1.0)
    seen, nearer = _look_along(sight, rays)
    laid = _lay_face(seen) if seen is not None else None
    return HeadPlace(sight @ laid[0], sight @ (laid[1] * (1, 1, nearer))) if laid else None


def _look_along(sight: FloatArray, rays: FloatArray) -> tuple[FloatArray | None, float]:
    """``rays`` ``(N, 2)`` as a camera turned by ``sight`` sees them, at the picture's distance 1.

    A face further than about three metres is brought there, which changes nothing that could be seen of it,
    but SQPnP refuses points so close together: second comes how many times nearer it is. None for points that
    cannot be seen at all or coincide.
    """
    turned = rays @ sight[:2] + sight[2]  # (x, y, 1) times the inverse of a rotation
    if turned[:, 2].min() <= 0:
        return None, 1.0
    seen: FloatArray = turned[:, :2] / turned[:, 2:]
    spread = math.sqrt(float(np.vdot(seen, seen)) / len(seen))
    if spread < _TINY:
        return None, 1.0
    nearer = max(_LEAST_SPREAD / spread, 1.0)
    return seen * nearer, nearer


def _lay_face(seen: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Rotation ``(3, 3)`` and place ``(3,)`` in millimetres of the mean face at ``seen`` ``(13, 2)``."""
    # SQPnP (G. Terzakis, M. Lourakis, ECCV 2020) searches all rotations: there is no first guess to depend
    # on, and no second answer, since a nose is far from flat.
    found, turn, shift = cv2.solvePnP(_CENTRED_MM, seen, _PINHOLE, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found or not all(map(math.isfinite, (*turn.ravel().tolist(), *shift.ravel().tolist()))):
        return None
    rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    middle = np.asarray(shift, np.float64)[:, 0]
    laid = _CENTRED_MM @ rotation.T + middle
    if laid[:, 2].min() <= 0:
        return None
    off = laid[:, :2] / laid[:, 2:] - seen
    residual_mm = float(middle[2]) * math.sqrt(float(np.vdot(off, off)) / len(seen))
    return (rotation, middle) if residual_mm <= _MAX_RESIDUAL_MM else None


def _towards(x: float, y: float, z: float) -> FloatArray:
    """The ``(3, 3)`` rotation without twist that takes the camera's axis to the direction ``(x, y, z)``."""
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
    """Angles of ``rotation`` = Rz(roll) Ry(-yaw) Rx(-pitch); None for a face turned away."""
    across, depth = rotation[:, 0].tolist(), rotation[2].tolist()
    if depth[2] <= 0:
        return None
    return HeadPose(
        yaw_deg=math.degrees(math.asin(min(max(depth[0], -1.0), 1.0))),
        pitch_deg=math.degrees(-math.atan2(depth[1], depth[2])),
        roll_deg=math.degrees(math.atan2(across[1], across[0])),
    )
