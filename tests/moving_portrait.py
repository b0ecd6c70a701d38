"""The portrait in motion, for tests and examples: it blinks, opens its mouth and turns its head.

Each picture is the portrait, warped: lids and lip are moved along the columns of the picture, and a turn of
the head shifts each pixel by its depth, that of an ellipsoid with a nose.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from tests.faces import astronaut
from tests.portraits import write_film
from tracker.types import FloatArray, ImageArray

FPS = 25
SIDE = 400
"""Width and height of the pictures in pixels; the face is about 180 pixels wide."""

_SCALE, _CORNER = 2.0, (86.0, 38.0)  # the part of the portrait that is shown, in its pixels
_EYES = (
    ((154.9, 100.5), (160.5, 97.6), (167.5, 98.4), (172.6, 103.8), (166.6, 104.4), (159.4, 103.5)),
    ((197.2, 104.9), (202.9, 100.4), (210.0, 100.2), (215.0, 104.0), (210.2, 106.3), (203.1, 106.2)),
)
_MOUTH = ((163.4, 140.0), (176.2, 142.4), (189.5, 142.8), (202.9, 141.5), (189.5, 149.8), (175.5, 149.7))
_NOSE, _CHIN_Y = (183.0, 126.0), 178.0
_FACE_WIDTH = _SCALE * 92.0


@dataclass(frozen=True)
class Pose:
    """A moment of the portrait.

    ``closed`` is the part of the eyes' height that the lids cover, 0..1, ``jaw`` how far the lower lip moves
    down, in widths of the mouth. ``yaw_deg`` and ``pitch_deg`` turn the head as the measures count them.
    """

    closed: float = 0.0
    jaw: float = 0.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0


def portrait(pose: Pose = Pose()) -> ImageArray:
    """Return the portrait in a pose, ``(SIDE, SIDE, 3)`` BGR uint8."""
    rows, columns = (values.astype(np.float32) for values in np.mgrid[:SIDE, :SIDE])
    columns, rows = _turned(columns, rows, pose)
    dark = np.ones((SIDE, SIDE), np.float32)
    if pose.jaw:
        rows, dark = _jaw_down(columns, rows, pose.jaw)
    for eye in _EYES if pose.closed else ():
        rows = _lid_down(columns, rows, eye, pose.closed)
    image = cv2.remap(_still(), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.rint(image * dark[..., None]), np.uint8)


def film(path: Path, poses: Iterable[Pose]) -> Path:
    """Write the portrait's ``poses``, one a frame at :data:`FPS`, as a film; return ``path``."""
    return write_film(path, [portrait(pose) for pose in poses])


def blinking(times_s: Iterable[float], seconds: float) -> list[Pose]:
    """Return the poses of a face that blinks at each of the times, for a fifth of a second."""
    starts = list(times_s)

    def closed(now_s: float) -> float:
        since = [now_s - start for start in starts if 0 <= now_s - start <= 0.2]
        return math.sin(math.pi * since[0] / 0.2) if since else 0.0

    return [Pose(closed=closed(index / FPS)) for index in range(round(seconds * FPS))]


@cache
def _still() -> ImageArray:
    x, y = _CORNER
    place = np.array([[_SCALE, 0, -_SCALE * x], [0, _SCALE, -_SCALE * y]])
    return np.asarray(cv2.warpAffine(astronaut(), place, (SIDE, SIDE), flags=cv2.INTER_CUBIC), np.uint8)


def _here(points: Iterable[tuple[float, float]]) -> FloatArray:
    """Return points ``(N, 2)`` of the portrait in pixels of what is shown."""
    return np.asarray(_SCALE * (np.array(list(points)) - _CORNER), np.float32)


def _turned(columns: FloatArray, rows: FloatArray, pose: Pose) -> tuple[FloatArray, FloatArray]:
    """Return where each pixel of the turned head lies in the still one; nearly so, as for small angles."""
    ((nose_x, nose_y),) = _here([_NOSE])
    across, down = columns - nose_x, rows - (nose_y - 0.1 * _FACE_WIDTH)
    inside = 1 - (across / (0.8 * _FACE_WIDTH)) ** 2 - (down / (1.0 * _FACE_WIDTH)) ** 2
    nose = np.exp(-(across**2 + (rows - nose_y) ** 2) / (2 * (0.13 * _FACE_WIDTH) ** 2))
    depth = _FACE_WIDTH * (0.6 * np.sqrt(np.maximum(inside, 0)) + 0.2 * nose)
    right, up = math.sin(math.radians(pose.yaw_deg)), math.sin(math.radians(pose.pitch_deg))
    return (columns - right * depth).astype(np.float32), (rows + up * depth).astype(np.float32)


def _lid_down(
    columns: FloatArray, rows: FloatArray, eye: tuple[tuple[float, float], ...], closed: float
) -> FloatArray:
    """Return the rows with the upper lid of ``eye``, six points, moved down by a share of its height."""
    ring = _here(eye)
    upper = np.interp(columns, ring[:4, 0], ring[:4, 1])
    lower = np.interp(columns, *ring[[0, 5, 4, 3]].T)
    fold, lid = upper - 1.5 * (lower - upper), upper + closed * 0.95 * (lower - upper)
    return _stretched(rows, (fold, lid, lower), (fold, upper, lower))


def _jaw_down(columns: FloatArray, rows: FloatArray, jaw: float) -> tuple[FloatArray, FloatArray]:
    """Return the rows with lower lip and chin moved down, and how bright each pixel is: a mouth is dark."""
    ring = _here(_MOUTH)
    width = ring[3, 0] - ring[0, 0]
    upper, lower = np.interp(columns, *ring[:4].T), np.interp(columns, *ring[[0, 5, 4, 3]].T)
    bow = np.maximum(1 - ((columns - ring[[0, 3], 0].mean()) / (width / 2)) ** 2, 0)
    shift = jaw * width * bow
    chin = np.full_like(columns, _SCALE * (_CHIN_Y - _CORNER[1]))
    below = chin + 1.5 * jaw * width
    opened = (rows > upper) & (rows < lower + shift) & (shift > 4)
    moved = _stretched(rows, (upper, lower + shift, chin + shift, below), (upper, lower, chin, below))
    return moved, np.where(opened, 0.25, 1).astype(np.float32)


def _stretched(rows: FloatArray, shown: tuple[FloatArray, ...], stored: tuple[FloatArray, ...]) -> FloatArray:
    """Return where ``rows`` lie in the picture whose places ``stored`` are shown at ``shown``, by column."""
    moved = rows.copy()
    for i in range(len(shown) - 1):
        height = np.maximum(shown[i + 1] - shown[i], 1e-6)
        share = (rows - shown[i]) / height
        between = (share >= 0) & (share < 1) & (height > 1e-3)
        moved = np.where(between, stored[i] + share * (stored[i + 1] - stored[i]), moved)
    return moved.astype(np.float32)
