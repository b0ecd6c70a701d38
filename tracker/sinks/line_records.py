"""Fields of a JSON line: one frame or image, its faces and their measures, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import NotRequired, TypedDict

from tracker.scheme.ibug68 import IBUG68
from tracker.types import FaceMeasures, FrameResult, TrackedFace


class MeasuresRecord(TypedDict):
    """Fields of :class:`~tracker.types.FaceMeasures` in a line; null for an unknown measure."""

    eye_open: list[float | None]
    mouth_open: float | None
    yaw_deg: float | None
    pitch_deg: float | None
    roll_deg: float | None
    blinks: int


class FaceRecord(TypedDict):
    """A face in a line.

    ``box`` is ``[x0, y0, x1, y1]`` and ``landmarks`` one ``[x, y]`` a point, in frame pixels, rounded to
    0.01. ``quality``, one number 0..1 a point, comes from models that judge it.
    """

    id: int
    box: list[float]
    score: float
    landmarks: list[list[float]]
    quality: NotRequired[list[float]]
    measures: NotRequired[MeasuresRecord]


class LineRecord(TypedDict):
    """A line: one frame or image.

    ``time_s`` is in seconds, ``width`` and ``height`` are in pixels as stored, as all coordinates are;
    ``scheme`` names the scheme of the landmarks where it is not iBUG's. ``pixel_aspect`` is the width of a
    pixel over its height where that is not 1. ``left_out`` counts faces beyond a limit. ``damage`` holds the
    fields of :class:`~tracker.types.Damage` where a video is damaged, ``error`` the reason why an image could
    not be read.
    """

    source: str
    frame: int
    time_s: float
    width: int
    height: int
    faces: list[FaceRecord]
    scheme: NotRequired[str]
    pixel_aspect: NotRequired[float]
    left_out: NotRequired[int]
    damage: NotRequired[dict[str, int | bool | None]]
    error: NotRequired[str]


def line_record(result: FrameResult) -> LineRecord:
    """Return the line of one frame or image, also if it has no faces, with rounded numbers."""
    height, width = result.image_hw
    record: LineRecord = {
        "source": result.source,
        "frame": result.index,
        "time_s": round(result.time_s, 6),
        "width": width,
        "height": height,
        "faces": [face_record(face) for face in result.faces],
    }
    if not result.scheme.has_points_of(IBUG68):
        record["scheme"] = result.scheme.name
    if result.pixel_aspect != 1:
        record["pixel_aspect"] = round(result.pixel_aspect, 6)
    if result.left_out:
        record["left_out"] = result.left_out
    if result.damage:
        record["damage"] = asdict(result.damage)
    return record


def face_record(face: TrackedFace) -> FaceRecord:
    """Return a face as it is written, with rounded numbers."""
    record: FaceRecord = {
        "id": face.id,
        "box": [round(v, 2) for v in face.box.xyxy],
        "score": round(face.score, 4),
        "landmarks": face.landmarks.points_frame.astype(float).round(2).tolist(),
    }
    if face.landmarks.quality is not None:
        record["quality"] = face.landmarks.quality.astype(float).round(3).tolist()
    record["measures"] = _measures_record(face.measures)
    return record


def _measures_record(measures: FaceMeasures) -> MeasuresRecord:
    return {
        "eye_open": [_rounded(ratio, 4) for ratio in measures.eye_open],
        "mouth_open": _rounded(measures.mouth_open, 4),
        "yaw_deg": _rounded(measures.yaw_deg, 2),
        "pitch_deg": _rounded(measures.pitch_deg, 2),
        "roll_deg": _rounded(measures.roll_deg, 2),
        "blinks": measures.blinks,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
