"""A film for the camera of a browser: the portrait in motion, each frame with its number in it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from tests.cache import Trackers
from tests.faces import astronaut
from tracker.types import FloatArray, Frame, ImageArray

WIDTH, HEIGHT = 640, 480
FRAMES = 60
NEAR_PX = 0.005 * WIDTH
"""Largest distance of a point on the page from the tracker's; from frame to frame the face moves further."""

BIT, BITS, BITS_TOP = 20, 6, 150
"""Squares at the left that write a frame's number in black and white: their side, count and top."""


@cache
def film_frame(number: int) -> ImageArray:
    """Return a frame of the camera, ``(480, 640, 3)`` BGR: the portrait on a circle, and its number."""
    turn = 2 * math.pi * number / FRAMES
    place = np.array([[1.25, 0, 90 + 42 * math.sin(turn)], [0, 1.25, 20 + 42 * math.cos(turn)]])
    frame = cv2.warpAffine(astronaut(), place, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    for bit in range(BITS):
        top = BITS_TOP + BIT * bit
        frame[top : top + BIT, :BIT] = 255 * (number >> bit & 1)
    return np.asarray(frame, np.uint8)


def write_film(path: Path, count: int, fps: int = 25) -> Path:
    """Write the first ``count`` frames as a film that browsers play."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(count):
            out.mux(stream.encode(VideoFrame.from_ndarray(film_frame(number), format="bgr24")))
        out.mux(stream.encode(None))
    return path


def number_in(picture: ImageArray) -> int:
    """Return the number that is written in a picture of the camera, at any size."""
    scale = picture.shape[1] / WIDTH
    rows = [round(scale * (BITS_TOP + BIT * (bit + 0.5))) for bit in range(BITS)]
    return sum(int(picture[row, round(scale * BIT / 2)].mean() > 127) << bit for bit, row in enumerate(rows))


def points_of(image: ImageArray, trackers: Trackers) -> FloatArray:
    """Return the points ``(68, 2)`` of the only face that the tracker finds in a picture."""
    (face,) = trackers.opened().find(Frame(image)).faces
    return face.landmarks.points_frame


def tracked(shown: Iterable[tuple[int, float]], trackers: Trackers) -> list[FloatArray | None]:
    """Return the points that a tracker has on each of these frames, by number and time in seconds, in turn.

    None stands for a frame without a face.
    """
    tracker = trackers.fresh(smoothing="off")
    results = [tracker.step(Frame(film_frame(number), i, time_s)) for i, (number, time_s) in enumerate(shown)]
    return [result.faces[0].landmarks.points_frame if result.faces else None for result in results]


def furthest_px(drawn: ImageArray, plain: ImageArray, points: FloatArray) -> float:
    """Return how far dots in a picture are from ``points``, the larger of both ways, in its pixels.

    A dot's pixels are white where the ``plain`` picture is not. Only the face and a little around it count:
    badges and the corners of the page are white, too.
    """
    (x0, y0), (x1, y1) = points.min(axis=0).astype(int) - 15, points.max(axis=0).astype(int) + 15
    dots = (drawn.min(axis=2) > 235) & (plain.min(axis=2) < 215)
    dots[:y0] = dots[y1:] = dots[:, :x0] = dots[:, x1:] = False
    rows, columns = np.nonzero(dots)
    distances = np.hypot(columns[:, None] - points[:, 0], rows[:, None] - points[:, 1])
    return float(max(distances.min(axis=0).max(), distances.min(axis=1).max()))
