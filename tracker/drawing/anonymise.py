"""Pictures that do not show who is in them: faces blurred, or nothing but points.

What this cannot promise stands in ``docs/privacy.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from tracker.geometry import CropTransform
from tracker.inference.detection.detector import FaceDetector
from tracker.tracking.search import Search
from tracker.tracking.thumbnail import thumbnail
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, ImageArray

Mode = Literal["blur", "points"]

HOLD_S = 1.0
"""How long the place of a face is covered after it was last seen."""

SEARCH_EVERY_S = 0.25
"""How often all close-ups of a file are searched; well within what a film looks back."""

_GROWTH_PER_S = 1.0  # of what covers a place where nobody is seen at the moment: the face may move on
_CELLS = 5  # across what covers a face: less than a face is known by
_SOFT = 0.12  # the seam, outside of what is covered, in its half width
_PLAIN = 32


@dataclass(frozen=True)
class Head:
    """An ellipse that covers a face with forehead, chin and ears, and most of the hair; frame pixels.

    ``half_width`` lies along the line through the eyes, which is turned clockwise by ``roll_rad``. Raises
    ``ValueError`` unless all are finite and the halves positive.
    """

    center: tuple[float, float]
    half_width: float
    half_height: float
    roll_rad: float

    def __post_init__(self) -> None:
        values = (*self.center, self.half_width, self.half_height, self.roll_rad)
        if not all(map(math.isfinite, values)) or min(self.half_width, self.half_height) <= 0:
            raise ValueError(f"a head is finite and has a size, got {values}")

    @classmethod
    def of_points(cls, points_frame: FloatArray) -> Head:
        """The head with ``points_frame`` ``(68, 2)``; one pixel for points that all coincide."""
        try:
            crop = CropTransform.from_points(points_frame, margin=1.0, size=2)
        except ValueError:
            x, y = points_frame[0].tolist()
            return cls((x, y), 1.0, 1.0, 0.0)
        width, height = (np.ptp(crop.to_crop(points_frame), axis=0) * crop.scale).tolist()
        return cls._around(crop.center, width, height, crop.angle)

    @classmethod
    def of_box(cls, box: FaceBox) -> Head:
        """The head in a detector's box, which is tight around the 68 points when the head is upright."""
        return cls._around(box.center, box.width, box.height, box.roll_rad)

    @classmethod
    def _around(cls, middle: tuple[float, float], width: float, height: float, roll: float) -> Head:
        """The head whose points span ``width`` and ``height`` along its own axes.

        From the brows to the chin is somewhat more than half of a head. A face turned aside is narrow, one
        turned down is low, and the head as large as before.
        """
        width, height = max(width, 0.9 * height), max(height, 0.85 * width)
        up = 0.28 * height
        center = (middle[0] + up * math.sin(roll), middle[1] - up * math.cos(roll))
        return cls(center, 0.82 * width, 0.98 * height, roll)

    def grown(self, factor: float) -> Head:
        """The same ellipse, ``factor`` times as large."""
        return replace(self, half_width=factor * self.half_width, half_height=factor * self.half_height)

    def takes_over(self, other: Head) -> bool:
        """Whether this hides ``other``: they share their middle, and it is hardly smaller."""
        near = math.dist(self.center, other.center) <= 0.5 * min(self.half_width, other.half_width)
        return near and self.half_width >= 0.6 * other.half_width


class Anonymiser:
    """Makes of each frame one that may be seen; holds where the faces of one video were.

    ``blur`` covers every face that the tracker or ``detector`` finds, whether or not it is sure enough to
    be reported, and for :data:`HOLD_S` the places where faces were just before. ``points`` leaves nothing of
    the picture: a plain ground to draw on. Each frame is searched whole and in a close-up or
    two, with ``thorough`` in all of them every :data:`SEARCH_EVERY_S`: too much for a live camera.
    """

    def __init__(self, mode: Mode, detector: FaceDetector, thorough: bool = True) -> None:
        if mode not in ("blur", "points"):
            raise ValueError(f"mode must be blur or points, got {mode!r}")
        self.mode = mode
        self._detector = detector
        self._thorough = thorough
        self._search = Search()
        self._searched_s = -math.inf
        self._known: list[tuple[Head, float]] = []
        self.newcomers: tuple[Head, ...] = ()
        """Heads in the last frame where the frame before had none: they may have been missed there."""

    def hide(self, frame: Frame, result: FrameResult) -> Frame:
        """The next frame of a video without its faces; ``result`` is the tracker's. Frames come in order."""
        if self.mode == "points":
            return _plain(frame)
        found = self._heads(frame, result, self._next_views(frame))
        known = self._known
        self.newcomers = tuple(
            head
            for head in found
            if not any(head.takes_over(old) or old.takes_over(head) for old, _ in known)
        )
        lost = [
            (old, seen_s)
            for old, seen_s in known
            if not any(head.takes_over(old) for head in found) and abs(frame.time_s - seen_s) <= HOLD_S
        ]
        self._known = [(head, frame.time_s) for head in found] + lost
        held = [old.grown(1 + _GROWTH_PER_S * abs(frame.time_s - seen_s)) for old, seen_s in lost]
        return _blurred(frame, [*found, *held])

    def hide_alone(self, frame: Frame, result: FrameResult) -> Frame:
        """A still picture without its faces; nothing is remembered."""
        return _plain(frame) if self.mode == "points" else _blurred(frame, self._heads(frame, result, None))

    def _next_views(self, frame: Frame) -> Sequence[CropTransform] | None:
        """Where the detector looks now; None: everywhere."""
        if self._thorough and abs(frame.time_s - self._searched_s) >= SEARCH_EVERY_S:
            self._searched_s = frame.time_s
            return None
        whole, *close_ups = self._detector.views(frame.image_hw)
        cells = thumbnail(frame.image_bgr)
        chosen = self._search.close_ups(cells, frame.image_hw, close_ups, followed=(), in_turn=True)
        return [whole, *(close_ups[i] for i in chosen)]

    def _heads(self, frame: Frame, result: FrameResult, views: Sequence[CropTransform] | None) -> list[Head]:
        followed = [Head.of_points(face.landmarks.points_frame) for face in result.faces]
        return followed + [Head.of_box(box) for box in self._detector.detect(frame.image_bgr, views)]


def blur_heads(canvas_bgr: ImageArray, heads: Iterable[Head]) -> None:
    """Blur what ``heads`` cover of ``(H, W, 3)`` uint8, in place, to :data:`_CELLS` patches across."""
    for head in heads:
        _blur(canvas_bgr, head)


def _blur(canvas: ImageArray, head: Head) -> None:
    height, width = canvas.shape[:2]
    cos, sin = abs(math.cos(head.roll_rad)), abs(math.sin(head.roll_rad))
    wide, tall = head.half_width, head.half_height
    seam = max(_SOFT * wide, 1.0)
    reach_x, reach_y = math.hypot(wide * cos, tall * sin) + seam, math.hypot(wide * sin, tall * cos) + seam
    (x, y) = head.center
    left, right = max(math.floor(x - reach_x), 0), min(math.ceil(x + reach_x) + 1, width)
    top, bottom = max(math.floor(y - reach_y), 0), min(math.ceil(y + reach_y) + 1, height)
    if left >= right or top >= bottom:
        return
    part = canvas[top:bottom, left:right]
    cell = max(2 * wide / _CELLS, 1.0)
    cells = (max(round((right - left) / cell), 1), max(round((bottom - top) / cell), 1))
    # The mean of each patch is all that is left of it; between patches it is smooth.
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(coarse, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    share = _share(head, seam, (left, top), (bottom - top, right - left))[..., None]
    part[:] = np.rint(part + share * (smooth.astype(np.float32) - part)).astype(np.uint8)


def _share(head: Head, seam: float, corner: tuple[int, int], hw: tuple[int, int]) -> FloatArray:
    """How much of the blur each pixel ``hw`` from ``corner`` (x, y) takes: 1 inside, 0 beyond the seam."""
    rows, columns = np.ogrid[: hw[0], : hw[1]]
    x, y = columns + (corner[0] - head.center[0]), rows + (corner[1] - head.center[1])
    cos, sin = math.cos(head.roll_rad), math.sin(head.roll_rad)
    along, across = (x * cos + y * sin) / head.half_width, (y * cos - x * sin) / head.half_height
    beyond = (np.sqrt(along**2 + across**2) - 1) * min(head.half_width, head.half_height) / seam
    return np.asarray(1 - np.clip(beyond, 0, 1), np.float32)


def _blurred(frame: Frame, heads: Sequence[Head]) -> Frame:
    canvas = frame.image_bgr.copy()
    blur_heads(canvas, heads)
    return replace(frame, image_bgr=canvas)


def _plain(frame: Frame) -> Frame:
    return replace(frame, image_bgr=np.full_like(frame.image_bgr, _PLAIN))
