"""Drawing of faces in place: points, lines, mesh, corners with the id, and labels.

To show a mirrored picture with readable text, flip the picture first, then draw the faces that
:func:`mirror_faces` returns. Where pixels are not square, dots and letters are drawn as if they were: they
are stretched with the picture when it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from tracker.drawing.contours import Paths, contours_of, mesh_of
from tracker.drawing.dots import draw_dots
from tracker.drawing.strokes import Polyline, draw_paths
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.drawing.text import draw_pill, draw_plate, draw_text, text_size
from tracker.drawing.theme import (
    DOT,
    INK,
    LIGHT,
    Color,
    color_of,
    corner_width,
    dot_radius,
    line_width,
    mesh_width,
    picture_scale,
    pill_height,
    ring_width,
)
from tracker.scheme.placing import mirror_order, mirror_points
from tracker.tracking.sighting import detector_box
from tracker.types import FaceBox, FaceMeasures, FloatArray, ImageArray, Landmarks, TrackedFace

_OUTSIDE = 0.08  # distance of the corners from the tight box, as a share of the face's size
_ARM = 0.16  # length of a corner's arms, as a share of the box's sides
_LABEL = 1.25  # greatest width of a label over that of the corners

# Ends and bends of the four corners: left or right, top or bottom, and arms along x and y.
_SIDES = np.array([(x, y) for x in (0, 1) for y in (0, 1) for _ in range(3)])
_ARMS = np.array([arm for x in (1, -1) for y in (1, -1) for arm in ((x, 0), (0, 0), (0, y))])
_CORNERS: tuple[Polyline, ...] = tuple((start, start + 3, False) for start in range(0, 12, 3))


def mirror_faces(faces: Iterable[TrackedFace], width: int) -> tuple[TrackedFace, ...]:
    """Return the faces as they are in the picture flipped left to right, ``width`` pixels wide."""
    return tuple(replace(face, landmarks=_mirrored(face.landmarks, width)) for face in faces)


def _mirrored(face: Landmarks, width: int) -> Landmarks:
    scheme = face.scheme
    quality = None if face.quality is None else face.quality[mirror_order(scheme)]
    mirrored = Landmarks(mirror_points(face.points_frame, width, scheme), face.presence, quality, scheme)
    mirrored.seal()
    return mirrored


def draw_faces(
    canvas_bgr: ImageArray, faces: Iterable[TrackedFace], style: DrawStyle = DEFAULT_STYLE
) -> None:
    """Draw every face in place, as ``style`` says.

    ``canvas_bgr`` is ``(H, W, 3)`` uint8; landmarks are in its pixels and may lie outside. Strokes scale with
    the face, so that small and large faces look alike; each face has the colour of its id.
    """
    scale = picture_scale((canvas_bgr.shape[0], canvas_bgr.shape[1]))
    for face in faces:
        _draw_face(canvas_bgr, face, style, scale)


def _draw_face(canvas: ImageArray, face: TrackedFace, style: DrawStyle, scale: float) -> None:
    points, color = face.landmarks.points_frame, color_of(face.id)
    box = detector_box(face.landmarks)  # of the whole face, also if the points span only its middle
    size = math.sqrt(box.width * box.height)
    width, radius = line_width(size, scale), dot_radius(size, scale)
    if "mesh" in style.layers:
        _draw_lines(canvas, points, mesh_of(face.landmarks.scheme), mesh_width(size, scale), color)
    if "lines" in style.layers:
        _draw_lines(canvas, points, contours_of(face.landmarks.scheme), width, color)
    if "points" in style.layers:
        draw_dots(canvas, points, radius, ring_width(size, scale), (DOT, INK))
    around = _around(box, size)
    if "box" in style.layers:
        draw_paths(canvas, _corners(around), _CORNERS, corner_width(size, scale), color)
        height = pill_height(size, scale)
        draw_pill(canvas, str(face.id), (around[0], around[1] - 0.25 * height), height, color)
    if style.labels:
        _draw_labels(canvas, face, around, pill_height(size, scale))


def _draw_lines(canvas: ImageArray, points: FloatArray, paths: Paths, width: float, color: Color) -> None:
    order, lines = paths
    if lines:  # a scheme may have none
        draw_paths(canvas, points[order], lines, width, color)


def _around(box: FaceBox, size: float) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the corners, a little outside ``box``."""
    x0, y0, x1, y1 = box.xyxy
    outside = _OUTSIDE * size
    return x0 - outside, y0 - 1.5 * outside, x1 + outside, y1 + outside


def _corners(around: tuple[float, float, float, float]) -> FloatArray:
    """Return end, bend and end ``(12, 2)`` of the four corners in turn."""
    box = np.array(around)
    size = box[2:] - box[:2]
    return np.asarray(box[:2] + _SIDES * size + _ARM * size.min() * _ARMS)


def _draw_labels(
    canvas: ImageArray, face: TrackedFace, around: tuple[float, float, float, float], height: float
) -> None:
    """Draw score, pose and blinks below the corners, as many as fit under the face.

    They are moved into the picture where they would stand out.
    """
    size, pad = max(round(0.55 * height), 10), round(0.3 * height)
    texts = [f"{face.score:.2f}", *_measures_texts(face.measures)]
    most = _LABEL * (around[2] - around[0]) - 2 * pad
    while len(texts) > 1 and text_size("  ".join(texts), size)[0] > most:
        texts.pop()
    text = "  ".join(texts)
    text_w, text_h = text_size(text, size)
    width, height_px = text_w + 2 * pad, text_h + pad // 2
    x = min(max((around[0] + around[2] - width) / 2, 0), max(canvas.shape[1] - width, 0))
    y = min(max(around[3] + 0.25 * height, 0), max(canvas.shape[0] - height_px, 0))
    draw_plate(canvas, (x, y), (width, height_px), height_px / 2)
    draw_text(canvas, text, (x + pad, y + pad // 4), size, LIGHT)


def _measures_texts(measures: FaceMeasures) -> list[str]:
    angles = {"yaw": measures.yaw_deg, "pitch": measures.pitch_deg, "roll": measures.roll_deg}
    texts = [f"{name} {round(angle):+d}" for name, angle in angles.items() if angle is not None]
    return [*texts, f"blinks {measures.blinks}"] if measures.blinks else texts
