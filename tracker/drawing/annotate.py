"""Annotated copies of frames: faces and the status panel."""

from __future__ import annotations

import numpy as np

from tracker.drawing.faces import Style, draw_faces, mirror_faces
from tracker.drawing.panel import NO_PANEL, Panel, draw_panel
from tracker.types import Frame, FrameResult, ImageArray


def annotate(
    frame: Frame,
    result: FrameResult,
    panel: Panel = NO_PANEL,
    style: Style = "points",
    mirrored: bool = False,
) -> ImageArray:
    """Return a copy of the frame, ``(H, W, 3)`` uint8, with its faces and the panel drawn on it.

    With ``mirrored`` the picture is flipped left to right before anything is drawn, so text stays readable.
    """
    faces = result.faces
    if mirrored:
        canvas = np.ascontiguousarray(frame.image_bgr[:, ::-1])
        faces = mirror_faces(faces, canvas.shape[1])
    else:
        canvas = frame.image_bgr.copy()
    draw_faces(canvas, faces, style)
    draw_panel(canvas, panel)
    return canvas
