"""Fields of the JSON lines, as they are written and read."""

from __future__ import annotations

from typing import NotRequired, TypedDict


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
