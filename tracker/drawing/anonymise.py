"""Anonymised frames: faces blurred, or only landmarks on a plain background.

``docs/privacy.md`` states the limits of this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tracker.drawing.heads import Head, blur_heads
from tracker.geometry import CropTransform
from tracker.inference.detection.detector import FaceDetector
from tracker.tracking.search import Search, thumbnail
from tracker.types import Frame, FrameResult

Mode = Literal["blur", "points"]

HOLD_S = 1.0
"""Seconds for which the place of a lost face stays blurred."""

SEARCH_EVERY_S = 0.25
"""Seconds between searches of all close-ups of a video file; well below the delay of its output."""

_GROWTH_PER_S = 1.0  # growth of the blur over a lost face, which may have moved on
_PLAIN = 32  # grey level of the background that replaces the picture


@dataclass(frozen=True, eq=False)
class Hidden:
    """A frame without recognisable faces.

    ``newcomers`` are the heads that the frame before did not have: they may have been missed there.
    """

    frame: Frame
    newcomers: tuple[Head, ...] = ()


class Anonymiser:
    """Anonymises the frames of one video in order; remembers where faces were.

    ``blur`` covers every face that the tracker or ``detector`` finds, also those too uncertain to be
    reported, and for :data:`HOLD_S` the places of faces that were lost. ``points`` replaces the picture by a
    plain background to draw on. Each frame is searched as a whole and in one or two close-ups; with
    ``thorough`` in all close-ups every :data:`SEARCH_EVERY_S`, which is too slow for a live camera. Raises
    ``ValueError`` for another mode.
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

    def hide(self, frame: Frame, result: FrameResult) -> Hidden:
        """Return the next frame of the video without its faces; ``result`` is the tracker's."""
        if self.mode == "points":
            return Hidden(_plain(frame))
        found = self._heads(frame, result, self._next_views(frame))
        known = self._known
        newcomers = tuple(
            head for head in found if not any(head.replaces(old) or old.replaces(head) for old, _ in known)
        )
        lost = [
            (old, seen_s)
            for old, seen_s in known
            if not any(head.replaces(old) for head in found) and abs(frame.time_s - seen_s) <= HOLD_S
        ]
        self._known = [(head, frame.time_s) for head in found] + lost
        held = [old.grown(1 + _GROWTH_PER_S * abs(frame.time_s - seen_s)) for old, seen_s in lost]
        return Hidden(_blurred(frame, [*found, *held]), newcomers)

    def hide_alone(self, frame: Frame, result: FrameResult) -> Frame:
        """Return a still image without its faces; nothing is remembered."""
        return _plain(frame) if self.mode == "points" else _blurred(frame, self._heads(frame, result, None))

    def _next_views(self, frame: Frame) -> Sequence[CropTransform] | None:
        """Return the views for the detector to search; None for all."""
        if self._thorough and abs(frame.time_s - self._searched_s) >= SEARCH_EVERY_S:
            self._searched_s = frame.time_s
            return None
        whole, *close_ups = self._detector.views(frame.image_hw)
        cells = thumbnail(frame.image_bgr)
        chosen = self._search.close_ups(cells, frame.image_hw, close_ups, followed=(), in_turn=True)
        return [whole, *(close_ups[i] for i in chosen)]

    def _heads(self, frame: Frame, result: FrameResult, views: Sequence[CropTransform] | None) -> list[Head]:
        tracked = [Head.of_points(face.landmarks.points_frame) for face in result.faces]
        return tracked + [Head.of_box(box) for box in self._detector.detect(frame.image_bgr, views)]


def _blurred(frame: Frame, heads: Sequence[Head]) -> Frame:
    canvas = frame.image_bgr.copy()
    blur_heads(canvas, heads)
    return replace(frame, image_bgr=canvas)


def _plain(frame: Frame) -> Frame:
    return replace(frame, image_bgr=np.full_like(frame.image_bgr, _PLAIN))
