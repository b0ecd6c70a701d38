"""Annotated copies of frames."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.drawing.faces import draw_faces, mirror_faces
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.types import Frame, FrameResult, ImageArray


def annotate(
    frame: Frame, result: FrameResult, style: DrawStyle = DEFAULT_STYLE, mirrored: bool = False
) -> ImageArray:
    """Return a copy of the frame, ``(H, W, 3)`` uint8, with its faces drawn on it.

    With ``mirrored`` the picture is flipped left to right before anything is drawn, so text stays readable.
    """
    faces = result.faces
    if mirrored:
        canvas = np.asarray(cv2.flip(frame.image_bgr, 1), np.uint8)
        faces = mirror_faces(faces, canvas.shape[1])
    else:
        canvas = frame.image_bgr.copy()
    draw_faces(canvas, faces, style)
    return canvas
