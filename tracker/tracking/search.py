"""Search for new faces in a video: which close-up to look at in the next frame.

A picture has up to some twenty close-ups, too many to look at all of them in each frame. At first, and after
a cut, each is looked at once, one a frame, coarse to fine. From then on a close-up waits for its turn, one a
frame, when the picture changes there: a new face is a change. Changes around followed faces do not count.
While nothing waits, one close-up is looked at from time to time, the one that was not looked at for longest,
since people may also just turn round.

Changes are seen in a thumbnail of the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from tracker.inference.detection.views import View
from tracker.types import FaceBox, FloatArray, ImageArray

COLUMNS, ROWS = 32, 18
"""Cells of a thumbnail."""

_SAMPLES = 4
"""Pixels that are read along each side of a cell."""

_CHANGE = 6.0
"""Grey levels: the noise of a bad camera changes the mean of 16 pixels by two, a small face by ten."""

_HEAD = 3.0
"""Side of the square around a head with hair and neck, over the side of the box of its points."""

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def thumbnail(image_bgr: ImageArray) -> FloatArray:
    """Return the mean grey level of each cell of a picture, ``(18, 32)`` float32.

    ``image_bgr`` is ``(H, W, 3)`` uint8; only its green channel, and a few pixels of each cell, are read.
    """
    height, width = image_bgr.shape[:2]
    step_y, step_x = (max(1, side // (_SAMPLES * n)) for side, n in ((height, ROWS), (width, COLUMNS)))
    samples = np.ascontiguousarray(image_bgr[step_y // 2 :: step_y, step_x // 2 :: step_x, 1])
    cells = cv2.resize(samples, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return cells.astype(np.float32)


@dataclass(eq=False)
class Search:
    """Chooses the close-ups to look at in each frame of one video; frames may change their size.

    State, for V close-ups and the C = 18 * 32 cells of a thumbnail: ``touches`` ``(V, C)``, the cells that
    each close-up shows; ``seen`` ``(C,)``, the grey level of each cell when it last changed; ``waiting``
    ``(V,)``, close-ups in which something changed; ``looked_at`` ``(V,)``, the number of the frame in which
    each was last looked at, 0 for never; ``frame``, the number of the last frame, from 1. Raises
    ``ValueError`` for arrays whose shapes do not fit.
    """

    image_hw: tuple[int, int] = (0, 0)
    touches: BoolArray = field(default_factory=lambda: np.zeros((0, ROWS * COLUMNS), bool))
    seen: FloatArray = field(default_factory=lambda: np.zeros(ROWS * COLUMNS, np.float32))
    waiting: BoolArray = field(default_factory=lambda: np.zeros(0, bool))
    looked_at: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    frame: int = 0

    def __post_init__(self) -> None:
        views = len(self.touches)
        shapes = [array.shape for array in (self.touches, self.seen, self.waiting, self.looked_at)]
        if shapes != [(views, ROWS * COLUMNS), (ROWS * COLUMNS,), (views,), (views,)]:
            raise ValueError(f"the arrays of a search have shapes that do not fit: {shapes}")

    def restart(self) -> None:
        """Look at all close-ups again, as in another scene."""
        self.image_hw = (0, 0)

    def note(
        self, cells: FloatArray, image_hw: tuple[int, int], views: Sequence[View], followed: Sequence[FaceBox]
    ) -> None:
        """Take in the next frame, whose close-ups are ``views``.

        ``cells`` is the frame's :func:`thumbnail`, ``image_hw`` its height and width in pixels, and
        ``followed`` are the boxes of faces that need not be found, frame pixels.
        """
        self.frame += 1
        if image_hw != self.image_hw or len(views) != len(self.looked_at):
            self._begin(cells, image_hw, views)
        else:
            self._note_changes(cells, followed)

    def next_close_up(self, idle_frames: int) -> int | None:
        """Return the index of the close-up to look at in the frame taken in last, None for none.

        It is one that waits, or any if no close-up was looked at for ``idle_frames`` frames.
        """
        waiting = np.flatnonzero(self.waiting)
        idle = self.frame - int(self.looked_at.max(initial=0))
        candidates = waiting if len(waiting) or idle < idle_frames else np.arange(len(self.looked_at))
        if not len(candidates):
            return None
        chosen = int(candidates[np.argmin(self.looked_at[candidates])])
        self.waiting[chosen] = False
        self.looked_at[chosen] = self.frame
        return chosen

    def _begin(self, cells: FloatArray, image_hw: tuple[int, int], views: Sequence[View]) -> None:
        self.image_hw = image_hw
        cell = max(image_hw[0] / ROWS, image_hw[1] / COLUMNS)  # a view also touches cells beyond its border
        touched = [
            self._cells_in(view.center, (view.reach[0] + cell / 2, view.reach[1] + cell / 2))
            for view in views
        ]
        self.touches = np.array(touched, bool).reshape(len(views), ROWS * COLUMNS)
        self.seen = cells.ravel().copy()
        self.waiting = np.ones(len(views), bool)
        self.looked_at = np.zeros(len(views), np.int64)

    def _note_changes(self, cells: FloatArray, followed: Sequence[FaceBox]) -> None:
        flat = cells.ravel()
        changed = np.abs(flat - self.seen) > _CHANGE
        if not changed.any():
            return
        self.seen[changed] = flat[changed]
        for face in followed:
            reach = _HEAD / 2 * max(face.width, face.height)
            changed &= ~self._cells_in(face.center, (reach, reach))
        self.waiting |= self.touches[:, changed].any(axis=1)

    def _cells_in(self, center: tuple[float, float], reach: tuple[float, float]) -> BoolArray:
        """Return a mask ``(C,)`` of the cells whose middle lies in the rectangle around ``center``.

        ``center`` is (x, y), ``reach`` half the width and height of the rectangle, all in frame pixels.
        """
        x, y = _cell_centers(self.image_hw)
        inside = (np.abs(y - center[1]) <= reach[1])[:, None] & (np.abs(x - center[0]) <= reach[0])
        return np.asarray(inside.ravel())


@lru_cache(maxsize=8)
def _cell_centers(image_hw: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Return x ``(COLUMNS,)`` and y ``(ROWS,)`` of the middles of the cells, frame pixels."""
    height, width = image_hw
    return (np.arange(COLUMNS) + 0.5) * width / COLUMNS, (np.arange(ROWS) + 0.5) * height / ROWS
