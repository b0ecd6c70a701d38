"""Drawing of faces in place: landmarks, boxes and labels.

To show a mirrored picture with readable text, flip the picture first, then draw the faces that
:func:`mirror_faces` returns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from tracker.geometry import mirror_points
from tracker.scheme import CLOSED_PARTS, MESH, MIRROR, PARTS
from tracker.types import FaceMeasures, FloatArray, ImageArray, Landmarks, TrackedFace

Style = Literal["points", "lines", "mesh"]
STYLES: tuple[Style, ...] = get_args(Style)
"""Styles of landmarks: dots, the contours of the 68-point scheme, or triangles over the whole face."""

Color = tuple[int, int, int]

# Palette of Okabe & Ito, "Color Universal Design" (2008), as BGR: distinct for every common kind of colour
# blindness. Black is left out, as it is hard to see on hair; light colours come first.
PALETTE: tuple[Color, ...] = (
    (233, 180, 86),  # sky blue
    (0, 159, 230),  # orange
    (66, 228, 240),  # yellow
    (115, 158, 0),  # bluish green
    (167, 121, 204),  # reddish purple
    (0, 94, 213),  # vermilion
    (178, 114, 0),  # blue
)
_DARK: Color = (24, 24, 24)
LIGHT: Color = (245, 245, 245)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SHIFT = 4  # fractional bits of OpenCV's coordinates: 1/16 pixel
_MIN_SCALE = 0.36  # below it, letters of OpenCV's font run together
_WIDEST_LINE = "yaw -88  pitch -88  roll -88  blinks 88"  # its width sets the text size of all lines
_LIMIT = 32_000.0  # beyond any canvas, and within OpenCV's fixed-point range


def color_of(face_id: int) -> Color:
    """Return the BGR colour of a track; consecutive ids differ."""
    return PALETTE[(face_id - 1) % len(PALETTE)]


def mirror_faces(faces: Iterable[TrackedFace], width: int) -> tuple[TrackedFace, ...]:
    """Return the faces as they are in the picture flipped left to right, ``width`` pixels wide."""
    return tuple(replace(face, landmarks=_mirrored(face.landmarks, width)) for face in faces)


def _mirrored(face: Landmarks, width: int) -> Landmarks:
    quality = None if face.quality is None else face.quality[MIRROR]
    return Landmarks(mirror_points(face.points_frame, width), face.presence, quality)


def draw_faces(canvas_bgr: ImageArray, faces: Iterable[TrackedFace], style: Style = "points") -> None:
    """Draw landmarks, tight box, id, score and, where there is room, measures of every face, in place.

    ``canvas_bgr`` is ``(H, W, 3)`` uint8; landmarks are in its pixels and may lie outside. Strokes scale with
    the face, so that small and large pictures look alike. ``style`` is one of :data:`STYLES`; another
    raises ``ValueError``.
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    for face in faces:
        points, color = face.landmarks.points_frame, color_of(face.id)
        size = math.sqrt(face.box.width * face.box.height)
        _draw_box(canvas_bgr, face, color, size)
        if style == "points":
            draw_points(canvas_bgr, points, color, size)
        elif style == "lines":
            _draw_contours(canvas_bgr, points, color, size)
        else:
            _draw_mesh(canvas_bgr, points, color, size)
        _draw_label(canvas_bgr, face, color, size)
        _draw_measures(canvas_bgr, face, color, size)


def draw_points(canvas_bgr: ImageArray, points: FloatArray, color: Color, size: float) -> None:
    """Draw a dot with a dark outline at each point, in place.

    ``canvas_bgr`` is ``(H, W, 3)`` uint8 and ``points`` ``(N, 2)`` in its pixels, drawn to 1/16 pixel.
    ``size`` is that of the face in pixels.
    """
    radius = min(max(size / 110, 0.9), 12.0)
    outline = min(max(size / 300, 0.5), 4.0)
    # All outlines first, so that none covers a neighbouring dot.
    for ring, fill in ((radius + outline, _DARK), (radius, color)):
        for x, y in _fixed(points):
            cv2.circle(canvas_bgr, (x, y), round(ring * 2**_SHIFT), fill, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _draw_contours(canvas: ImageArray, points: FloatArray, color: Color, size: float) -> None:
    thickness = min(max(round(size / 160), 1), 12)
    parts = [(_fixed(points[list(part)]), name in CLOSED_PARTS) for name, part in PARTS.items()]
    # A one-pixel line gets no outline: it would be three times as wide and hide a small face.
    for width, stroke in ((thickness + 2 * (thickness // 2), _DARK), (thickness, color)):
        for chain, closed in parts:
            cv2.polylines(canvas, [chain], closed, stroke, width, cv2.LINE_AA, _SHIFT)


def _draw_mesh(canvas: ImageArray, points: FloatArray, color: Color, size: float) -> None:
    thickness = min(max(round(size / 320), 1), 6)
    segments = _fixed(points[np.array(MESH)])
    cv2.polylines(canvas, list(segments), False, color, thickness, cv2.LINE_AA, _SHIFT)


def _draw_box(canvas: ImageArray, face: TrackedFace, color: Color, size: float) -> None:
    x0, y0, x1, y1 = face.box.xyxy
    corners = _fixed(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))
    cv2.polylines(canvas, [corners], True, color, min(max(round(size / 250), 1), 8), cv2.LINE_AA, _SHIFT)


def _draw_label(canvas: ImageArray, face: TrackedFace, color: Color, size: float) -> None:
    """Draw id and score above the box."""
    text, scale = f"{face.id}  {face.score:.2f}", min(max(size / 380, _MIN_SCALE), 2.4)
    _draw_tag(canvas, text, scale, (face.box.x0, face.box.y0 - _tag_size(text, scale)[1]), color)


def _draw_measures(canvas: ImageArray, face: TrackedFace, color: Color, size: float) -> None:
    """Draw pose and blinks below the box and no wider; nothing where the text would be illegible."""
    text = _measures_text(face.measures) if face.measures else ""
    if not text:
        return
    scale = min(size / 380, face.box.width / _tag_size(_WIDEST_LINE, 1.0)[0])
    if scale >= _MIN_SCALE:
        _draw_tag(canvas, text, scale, (face.box.x0, face.box.y1), color)


def _measures_text(measures: FaceMeasures) -> str:
    angles = {"yaw": measures.yaw_deg, "pitch": measures.pitch_deg, "roll": measures.roll_deg}
    parts = [f"{name} {round(angle):+d}" for name, angle in angles.items() if angle is not None]
    if measures.blinks:
        parts.append(f"blinks {measures.blinks}")
    return "  ".join(parts)


def _draw_tag(canvas: ImageArray, text: str, scale: float, corner: tuple[float, float], color: Color) -> None:
    """Draw text on ``color`` with its top left at ``corner``, moved inside the picture if needed."""
    (tag_w, tag_h), pad = _tag_size(text, scale), _tag_pad(scale)
    height, width = canvas.shape[:2]
    x = round(min(max(corner[0], 0), max(width - tag_w, 0)))
    y = round(min(max(corner[1], 0), max(height - tag_h, 0)))
    cv2.rectangle(canvas, (x, y), (x + tag_w, y + tag_h), color, cv2.FILLED)
    put_text(canvas, text, (x + pad, y + tag_h - pad), scale, _DARK if _is_light(color) else LIGHT)


def _tag_size(text: str, scale: float) -> tuple[int, int]:
    """Return width and height in pixels of what :func:`_draw_tag` draws."""
    text_w, text_h = text_size(text, scale)
    return text_w + 2 * _tag_pad(scale), text_h + 2 * _tag_pad(scale)


def _tag_pad(scale: float) -> int:
    return max(round(6 * scale), 2)


def _fixed(points: FloatArray) -> npt.NDArray[np.int32]:
    """Convert ``(..., 2)`` pixels to the fixed-point integers of OpenCV's ``shift`` argument."""
    fixed: npt.NDArray[np.int32] = np.rint(np.clip(points, -_LIMIT, _LIMIT) * 2**_SHIFT).astype(np.int32)
    return fixed


def text_size(text: str, scale: float) -> tuple[int, int]:
    """Return width and height in pixels of what :func:`put_text` writes at ``scale``."""
    (width, height), _ = cv2.getTextSize(text, _FONT, scale, _thickness(scale))
    return width, height


def put_text(canvas: ImageArray, text: str, origin: tuple[int, int], scale: float, color: Color) -> None:
    """Write ASCII text, in place; its baseline begins at ``origin``. OpenCV's font has no other letters."""
    cv2.putText(canvas, text, origin, _FONT, scale, color, _thickness(scale), cv2.LINE_AA)


def _thickness(scale: float) -> int:
    return max(round(1.6 * scale), 1)


def _is_light(color: Color) -> bool:
    """Return whether dark text is more legible on it: luma (ITU-R BT.601) above the middle."""
    blue, green, red = color
    return 0.114 * blue + 0.587 * green + 0.299 * red > 110
