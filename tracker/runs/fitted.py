"""Frames and their faces at the size of a window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from tracker.drawing.faces import mirror_faces
from tracker.geometry import Raster
from tracker.types import Frame, FrameResult, ImageArray, Landmarks, TrackedFace


@dataclass(frozen=True, eq=False)
class Fitted:
    """A frame in the middle of a canvas between black bars, in its true shape.

    ``canvas_bgr`` is ``(H, W, 3)`` uint8, and ``picture_bgr`` a view of its part that holds the frame.
    ``faces`` are in pixels of that part.
    """

    canvas_bgr: ImageArray
    picture_bgr: ImageArray
    faces: tuple[TrackedFace, ...]

    @classmethod
    def of(cls, frame: Frame, result: FrameResult, canvas_hw: tuple[int, int], mirrored: bool) -> Fitted:
        """Scale a frame and its faces to a canvas of ``canvas_hw`` (height, width), perhaps mirrored."""
        square_hw = Raster.of(frame).square_hw
        scale = min(canvas_hw[0] / square_hw[0], canvas_hw[1] / square_hw[1])
        height = min(max(round(scale * square_hw[0]), 1), canvas_hw[0])
        width = min(max(round(scale * square_hw[1]), 1), canvas_hw[1])
        top, left = (canvas_hw[0] - height) // 2, (canvas_hw[1] - width) // 2
        canvas: ImageArray = np.zeros((*canvas_hw, 3), np.uint8)
        picture = canvas[top : top + height, left : left + width]
        scaled = _scaled(frame.image_bgr, (height, width))
        if mirrored:
            cv2.flip(scaled, 1, picture)
        else:
            picture[:] = scaled
        faces = scale_faces(result.faces, width / frame.image_bgr.shape[1], height / frame.image_bgr.shape[0])
        return cls(canvas, picture, mirror_faces(faces, width) if mirrored else faces)


def _scaled(image_bgr: ImageArray, hw: tuple[int, int]) -> ImageArray:
    """Return the image at a size of ``hw``; a much smaller one is halved first, so that all pixels count.

    Averages over areas of other than whole pixels would look the same and take many times as long.
    """
    image = image_bgr
    while image.shape[0] >= 2 * hw[0] and image.shape[1] >= 2 * hw[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_LINEAR), np.uint8)
    if image.shape[:2] == hw:
        return image
    return np.asarray(cv2.resize(image, (hw[1], hw[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


def scale_faces(faces: Iterable[TrackedFace], by_x: float, by_y: float) -> tuple[TrackedFace, ...]:
    """Return the faces as they are in the picture scaled by ``by_x`` and ``by_y``."""
    if by_x == by_y == 1:
        return tuple(faces)
    factors = np.array([by_x, by_y])
    return tuple(replace(face, landmarks=_scaled_landmarks(face.landmarks, factors)) for face in faces)


def _scaled_landmarks(face: Landmarks, factors: np.ndarray) -> Landmarks:
    # The middle of the picture's first pixel is at 0, its edge at -0.5.
    return face.at((face.points_frame + 0.5) * factors - 0.5)
