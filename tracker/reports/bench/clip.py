"""Synthetic clip for measurements: one or several copies of the shipped portrait on a slow circle."""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Callable, Iterator
from itertools import count as count_up
from pathlib import Path

import cv2
import numpy as np

from tracker.drawing.picture import Picture
from tracker.sinks.video.sink import VideoSink
from tracker.types import Frame, ImageArray

FPS = 30
TURN = 120
"""Frames per circle."""

_DRIFT = 0.06
"""Radius of the circle, relative to the height of a portrait."""

_FACE = (75, 15, 225, 225)
"""The head in the portrait: left, top, width and height in pixels."""


def portrait_frames(count: int, size: tuple[int, int], faces: int = 1) -> Iterator[Frame]:
    """Yield ``count`` frames of ``size`` (width, height) with ``faces`` equal portraits in a grid.

    Raises ``ValueError`` if a portrait would be smaller than 60 pixels.
    """
    width, height = size
    columns = max(range(1, faces + 1), key=lambda n: min(width / n, height / -(-faces // n)), default=0)
    rows = -(-faces // columns) if columns else 0
    cell = min(width / columns, height / rows) if rows else 0.0
    if cell < 60:
        raise ValueError(f"{faces} faces do not fit into {width}x{height} pixels")
    portrait = _portrait()
    side = cell / (1 + 2 * _DRIFT)
    scale = side / portrait.shape[0]
    centers = [
        (width * (i % columns + 0.5) / columns, height * (i // columns + 0.5) / rows) for i in range(faces)
    ]
    for index in range(count):
        angle = 2 * math.pi * index / TURN
        drift = (_DRIFT * side * math.cos(angle), _DRIFT * side * math.sin(angle))
        image = np.full((height, width, 3), 90, np.uint8)
        for x, y in centers:
            _paste(image, portrait, scale, (x + drift[0] - side / 2, y + drift[1] - side / 2))
        yield Frame(image, index, index / FPS, "astronaut")


def endless_portrait(size: tuple[int, int]) -> Iterator[Frame]:
    """Yield the frames of :func:`portrait_frames` with one face endlessly, from memory."""
    images = [frame.image_bgr for frame in portrait_frames(TURN, size)]
    for index in count_up():
        yield Frame(images[index % TURN], index, index / FPS, "astronaut")


def write_clip(
    path: Path,
    count: int,
    size: tuple[int, int],
    faces: int = 1,
    on_frame: Callable[[], None] = lambda: None,
) -> None:
    """Write the frames of :func:`portrait_frames` as a video; ``on_frame`` is called after each.

    Raises :class:`~tracker.errors.SinkError` if the file cannot be written, and ``ValueError`` as that does.
    """
    with VideoSink(path) as sink:
        for frame in portrait_frames(count, size, faces):
            sink.write(Picture(frame.image_bgr, frame.time_s))
            on_frame()


def _portrait() -> ImageArray:
    data = importlib.resources.files("tracker").joinpath("assets/astronaut.jpg").read_bytes()
    whole = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    x, y, width, height = _FACE
    return whole[y : y + height, x : x + width]


def _paste(image: ImageArray, portrait: ImageArray, scale: float, corner: tuple[float, float]) -> None:
    """Draw ``portrait`` into ``image`` in place, its top-left corner at ``corner`` with subpixel accuracy."""
    place = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    size = (image.shape[1], image.shape[0])
    cv2.warpAffine(
        portrait, place, size, dst=image, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
