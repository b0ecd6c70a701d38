"""A table with the columns of OpenFace 2.0, for scripts that were written for its output.

T. Baltrusaitis, A. Zadeh, Y. C. Lim, L.-P. Morency, "OpenFace 2.0: Facial Behavior Analysis Toolkit", FG
2018. The columns are those of its ``FeatureExtraction`` in the same order, as far as they are measured here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tracker.sinks.json_lines import TableSink
from tracker.tracking.measures.head_pose import HeadPlace, head_place
from tracker.types import N_POINTS, FloatArray, FrameResult, TrackedFace

_POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")
OPENFACE_HEADER = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *_POSE,
    *(f"{axis}_{i}" for axis in "xy" for i in range(N_POINTS)),
)


class OpenFaceSink(TableSink):
    """CSV with OpenFace's columns: one row a face, and one with ``success`` 0 for a frame without any.

    ``frame`` counts from 1 and ``face_id`` from 0, so the first person is 0; ``timestamp`` is in seconds,
    ``confidence`` the score. ``x_0`` ... ``y_67`` are frame pixels, rounded to 0.01 as in the JSON lines.
    ``pose_T*`` are millimetres and ``pose_R*`` radians of
    :class:`~tracker.tracking.measures.head_pose.HeadPlace`, with
    OpenFace's axes and signs: :func:`openface_angles`; they are empty where a face has no pose. Without a
    face all numbers are 0, as OpenFace has them. Refuses to overwrite any of ``inputs``.
    """

    def __init__(self, path: Path, inputs: Iterable[Path] = ()) -> None:
        super().__init__(path, OPENFACE_HEADER, inputs)

    def write(self, result: FrameResult) -> None:
        """Append the rows of one frame, at least one."""
        frame, time_s = result.index + 1, round(result.time_s, 6)
        if result.faces:
            self._rows(_face_row(frame, time_s, face, result.image_hw) for face in result.faces)
        else:
            self._rows([[frame, 0, time_s, *[0] * (len(OPENFACE_HEADER) - 3)]])


def openface_angles(rotation: FloatArray) -> tuple[float, float, float]:
    """``pose_Rx``, ``pose_Ry`` and ``pose_Rz`` in radians of a head turned by ``rotation`` ``(3, 3)``.

    They are the Euler angles of ``rotation`` = Rx Ry Rz with x right, y down, z away from the camera: Rx is
    positive when the face turns down, Ry when it turns towards the left of the image, Rz when it turns
    clockwise on screen.
    """
    (a, b, c), (_, _, f), (_, _, i) = rotation.tolist()
    return math.atan2(-f, i), math.asin(min(max(c, -1.0), 1.0)), math.atan2(-b, a)


def _face_row(frame: int, time_s: float, face: TrackedFace, image_hw: tuple[int, int]) -> list[Any]:
    points = face.landmarks.points_frame.astype(float).round(2)
    # A face whose measures have no pose, as one seen from behind, has none here either.
    posed = face.measures is None or face.measures.yaw_deg is not None
    place = head_place(face.landmarks.points_frame, image_hw) if posed else None
    return [frame, face.id - 1, time_s, round(face.score, 4), 1, *_pose(place), *points.T.ravel().tolist()]


def _pose(place: HeadPlace | None) -> Iterator[float | str]:
    if place is None:
        yield from ("",) * len(_POSE)
        return
    yield from (round(value, 1) for value in place.middle_mm.tolist())
    yield from (round(angle, 4) for angle in openface_angles(place.rotation))
