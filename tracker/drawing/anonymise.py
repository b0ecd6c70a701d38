"""Anonymised frames: heads under a mask, or only landmarks on a plain background.

``docs/anonymise.md`` states the limits of this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from tracker.drawing.heads import Head
from tracker.drawing.masks import Mask, cover_heads
from tracker.drawing.theme import PLAIN
from tracker.geometry import Raster, Stretch
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.detection.views import View
from tracker.tracking.scene_cuts import CutDetector
from tracker.tracking.search import Search, thumbnail
from tracker.types import FloatArray, Frame, FrameResult

Mode = Literal["blur", "pixelate", "solid", "points"]

HOLD_S = 1.0
"""Seconds for which the place of a lost face stays covered."""

SEARCH_EVERY_S = 0.25
"""Seconds between searches of all close-ups of a video file; well below the delay of its output."""

_GROWTH_PER_S = 1.0  # growth of the mask over a lost face, which may have moved on


@dataclass(frozen=True, eq=False)
class Hidden:
    """A frame without recognisable faces.

    ``newcomers`` are the heads that the frame before did not have: they may have been missed there.
    """

    frame: Frame
    newcomers: tuple[Head, ...] = ()


class Anonymiser:
    """Anonymises the frames of one video in order; remembers where faces were.

    ``blur``, ``pixelate`` and ``solid`` cover every head that the tracker or ``detector`` finds, also those
    too uncertain to be reported, and for :data:`HOLD_S` the places of heads that were lost; ``mask_scale`` is
    the size of the covered ellipse over that of the head (:class:`~tracker.drawing.masks.Mask`). ``points``
    replaces the picture by a plain background to draw on; ``mask`` is ``None`` then.

    Each frame is searched as a whole and in one or two close-ups; with ``thorough`` in all close-ups every
    :data:`SEARCH_EVERY_S`, which is too slow for a live camera, and at each scene cut, across
    which no place is held. Growth and hold apply to doubtful heads, too: real profiles are among them.

    Raises ``ValueError`` for another mode, and for a scale that the mask refuses.
    """

    def __init__(
        self, mode: Mode, detector: FaceDetector, thorough: bool = True, mask_scale: float = 1.0
    ) -> None:
        if mode not in get_args(Mode):
            raise ValueError(f"mode must be one of {', '.join(get_args(Mode))}, got {mode!r}")
        self.mask = None if mode == "points" else Mask(mode, mask_scale)
        self._detector = detector
        self._thorough = thorough
        self._search = Search()
        self._cuts = CutDetector()
        self._followed: frozenset[int] = frozenset()
        self._searched_s = -math.inf
        self._known: list[tuple[Head, float]] = []

    def hide(self, frame: Frame, result: FrameResult) -> Hidden:
        """Return the next frame of the video without its faces; ``result`` is the tracker's."""
        if self.mask is None:
            return Hidden(_plain(frame))
        cells = thumbnail(frame.image_bgr)
        if self._is_cut(cells, result):
            self._known, self._searched_s = [], -math.inf
        found = self._heads(frame, result, self._next_views(frame, cells))
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
        return Hidden(_covered(frame, [*found, *held], self.mask), newcomers)

    def hide_alone(self, frame: Frame, result: FrameResult) -> Frame:
        """Return a still image without its faces; nothing is remembered."""
        if self.mask is None:
            return _plain(frame)
        return _covered(frame, self._heads(frame, result, None), self.mask)

    def _is_cut(self, cells: FloatArray, result: FrameResult) -> bool:
        """Return whether the frame, of thumbnail ``cells``, is another scene of a video file.

        A face that the tracker follows on disproves it. Should it be wrong, a face that is found again is a
        newcomer, and so covered in the frames before.
        """
        followed, self._followed = self._followed, frozenset(face.id for face in result.faces)
        return self._cuts.looks_cut(cells) and self._thorough and not followed & self._followed

    def _next_views(self, frame: Frame, cells: FloatArray) -> Sequence[View] | None:
        """Return the views for the detector to search; None for all."""
        if self._thorough and abs(frame.time_s - self._searched_s) >= SEARCH_EVERY_S:
            self._searched_s = frame.time_s
            return None
        image_hw = Raster.of(frame).square_hw
        whole, *close_ups = self._detector.views(image_hw)
        self._search.note(cells, image_hw, close_ups, followed=())
        chosen = self._search.next_close_up(idle_frames=1)
        return [whole] if chosen is None else [whole, close_ups[chosen]]

    def _heads(self, frame: Frame, result: FrameResult, views: Sequence[View] | None) -> list[Head]:
        stretch = Stretch.of(frame.pixel_aspect)
        located = [face.landmarks for face in result.faces]
        tracked = [Head.of_points(stretch.to_square(face.points_frame), face.scheme) for face in located]
        boxes = self._detector.detect(frame, views)
        return tracked + [Head.of_box(box) for box in boxes]


def _covered(frame: Frame, heads: Sequence[Head], mask: Mask) -> Frame:
    canvas = frame.image_bgr.copy()
    cover_heads(canvas, heads, mask, frame.pixel_aspect)
    return replace(frame, image_bgr=canvas)


def _plain(frame: Frame) -> Frame:
    return replace(frame, image_bgr=np.full_like(frame.image_bgr, PLAIN))
