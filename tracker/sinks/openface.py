"""CSV table with the columns of OpenFace 2.0, for scripts written for its output.

T. Baltrusaitis, A. Zadeh, Y. C. Lim, L.-P. Morency, "OpenFace 2.0: Facial Behavior Analysis Toolkit", FG
2018. The columns are those of its ``FeatureExtraction`` that are measured here, in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from tracker.errors import MisuseError, SinkError
from tracker.geometry import Stretch
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.sinks.text import Cell, TableSink
from tracker.tracking.measures.head_pose import head_place
from tracker.types import FloatArray, FrameResult, TrackedFace

_POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")
OPENFACE_HEADER = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *_POSE,
    *(f"{axis}_{i}" for axis in "xy" for i in range(IBUG68.n_points)),
)


class OpenFaceSink(TableSink):
    """OpenFace table: one row per face, and one with ``success`` 0 for a frame without faces.

    ``frame`` counts from 1 and ``face_id`` from 0, so the first person is 0; ``timestamp`` is in seconds,
    ``confidence`` is the score. ``x_0`` ... ``y_67`` are frame pixels, rounded to 0.01 as in the JSON lines.
    ``pose_T*`` are the millimetres of :class:`~tracker.tracking.measures.head_pose.HeadPlace` and
    ``pose_R*`` radians with OpenFace's axes and signs (:func:`openface_angles`); they are empty where a face
    has no pose. Without a face all numbers are 0, as in OpenFace. Raises
    :class:`~tracker.errors.SinkError` as :class:`~tracker.sinks.text.TableSink` does, and for a ``scheme``
    other than iBUG's, whose points the columns are.
    """

    def __init__(self, path: Path | str, inputs: Iterable[Path] = (), scheme: Scheme = IBUG68) -> None:
        check_columns(path, scheme)
        super().__init__(path, OPENFACE_HEADER, inputs)

    def write(self, result: FrameResult) -> None:
        """Append the rows of one frame, at least one; MisuseError for landmarks of another scheme."""
        self._check_open()
        if not result.scheme.has_points_of(IBUG68):
            raise MisuseError(f"{_reason(result.scheme)}: take CsvSink(path, scheme=tracker.scheme)")
        frame, time_s = result.index + 1, round(result.time_s, 6)
        if result.faces:
            poses = (_pose_cells(face, result) for face in result.faces)
            faces = zip(result.faces, poses, strict=True)
            self._write_rows(_face_row(frame, time_s, face, pose) for face, pose in faces)
        else:
            self._write_rows([[frame, 0, time_s, *[0] * (len(OPENFACE_HEADER) - 3)]])


def check_columns(path: Path | str, scheme: Scheme) -> None:
    """Raise :class:`~tracker.errors.SinkError` about ``path`` unless the columns are those of ``scheme``."""
    if not scheme.has_points_of(IBUG68):
        raise SinkError(f"cannot write {path}: {_reason(scheme)}; take --csv, --parquet or --json")


def _reason(scheme: Scheme) -> str:
    return f"OpenFace's columns are the points of {IBUG68.name}, and the model finds {scheme}"


def openface_angles(rotation: FloatArray) -> tuple[float, float, float]:
    """Return ``pose_Rx``, ``pose_Ry`` and ``pose_Rz`` in radians of a head's ``rotation`` ``(3, 3)``.

    They are the Euler angles of ``rotation`` = Rx Ry Rz with x right, y down, z away from the camera: Rx is
    positive when the face turns down, Ry when it turns towards the left of the image, Rz when it turns
    clockwise on screen.
    """
    (a, b, c), (_, _, f), (_, _, i) = rotation.tolist()
    return math.atan2(-f, i), math.asin(min(max(c, -1.0), 1.0)), math.atan2(-b, a)


def _face_row(frame: int, time_s: float, face: TrackedFace, pose: Iterable[Cell]) -> list[Cell]:
    points = face.landmarks.points_frame.astype(float).round(2)
    return [frame, face.id - 1, time_s, round(face.score, 4), 1, *pose, *points.T.ravel().tolist()]


def _pose_cells(face: TrackedFace, result: FrameResult) -> list[Cell]:
    stretch = Stretch.of(result.pixel_aspect)
    # Measures without a pose, as of a face seen from behind, mean that the points allow none.
    if face.measures.yaw_deg is None:
        return [None] * len(_POSE)
    place = head_place(stretch.to_square(face.landmarks.points_frame), stretch.square_hw(result.image_hw))
    if place is None:
        return [None] * len(_POSE)
    shift = [round(value, 1) for value in place.middle_mm.tolist()]
    return [*shift, *(round(angle, 4) for angle in openface_angles(place.rotation))]
