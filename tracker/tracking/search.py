"""Where to look for new faces in the next frame of a video.

Small faces need close-ups, of which a picture has thirty or forty, and no frame may pay for all of them. A
newcomer changes what a camera sees. So once all have been looked at, two a frame, close-ups wait their turn,
one a frame, until the picture changes there; the faces that are followed already, which move all the time, do
not count. What never changes is looked at with the whole picture, one close-up each time, since a person may
also just turn round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tracker.geometry import CropTransform
from tracker.tracking.thumbnail import COLUMNS, ROWS
from tracker.types import FaceBox, FloatArray

FIRST_LOOKS = 2
"""Close-ups in a frame while there are some that nobody looked at: all forty of a large picture in twenty."""

_CHANGE = 6.0
"""Grey levels: the noise of a bad camera changes the mean of 16 pixels by two, a small face by ten."""

_HEAD = 3.0
"""Side of the square around a head, its hair and its neck, over that of the box of its points."""

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(eq=False)
class Search:
    """Chooses the close-ups to look at in each frame of one video; frames may change their size.

    State, for V close-ups and C = 18 * 32 cells of the thumbnail: ``touches`` ``(V, C)`` bool, the cells in
    reach of each close-up; ``seen`` ``(C,)``, the cells when they last changed; ``waiting`` ``(V,)`` bool,
    close-ups in which something changed; ``looked_at`` ``(V,)``, the number of the frame in which each was
    last looked at, 0 for never; ``frame``, the number of the last frame, from 1.
    """

    image_hw: tuple[int, int] = (0, 0)
    touches: BoolArray = field(default_factory=lambda: np.zeros((0, ROWS * COLUMNS), bool))
    seen: FloatArray = field(default_factory=lambda: np.zeros(ROWS * COLUMNS, np.float32))
    waiting: BoolArray = field(default_factory=lambda: np.zeros(0, bool))
    looked_at: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    frame: int = 0

    def restart(self) -> None:
        """Look everywhere anew: this is another scene."""
        self.image_hw = (0, 0)

    def close_ups(
        self,
        cells: FloatArray,
        image_hw: tuple[int, int],
        views: Sequence[CropTransform],
        followed: Sequence[FaceBox],
        in_turn: bool,
    ) -> list[int]:
        """Which of the close-ups ``views`` of a picture ``image_hw`` high and wide to look at now.

        ``cells`` is the frame's :func:`~tracker.tracking.thumbnail.thumbnail`, ``followed`` are the faces
        that need
        not be found, in frame pixels. With ``in_turn`` one at least is chosen, if there are any at all.
        """
        self.frame += 1
        if image_hw != self.image_hw or len(views) != len(self.looked_at):
            self._begin(cells, image_hw, views)
        else:
            self._note_changes(cells, followed)
        if not views or not (in_turn or self.waiting.any()):
            return []
        candidates = np.flatnonzero(self.waiting) if self.waiting.any() else np.arange(len(views))
        order = candidates[np.argsort(self.looked_at[candidates], kind="stable")]
        count = FIRST_LOOKS if self.looked_at[order[0]] == 0 else 1
        chosen = order[:count]
        self.waiting[chosen] = False
        self.looked_at[chosen] = self.frame
        return [int(i) for i in chosen]

    def _begin(self, cells: FloatArray, image_hw: tuple[int, int], views: Sequence[CropTransform]) -> None:
        self.image_hw = image_hw
        cell = max(image_hw[0] / ROWS, image_hw[1] / COLUMNS)  # a view also touches cells beyond its border
        touched = [self._cells_in(view.center, (view.side + cell) / 2) for view in views]
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
            changed &= ~self._cells_in(face.center, _HEAD / 2 * max(face.width, face.height))
        self.waiting |= self.touches[:, changed].any(axis=1)

    def _cells_in(self, center: tuple[float, float], reach: float) -> BoolArray:
        """Which cells have their middle in the square around ``center``, ``(ROWS * COLUMNS,)``."""
        height, width = self.image_hw
        x = (np.arange(COLUMNS) + 0.5) * width / COLUMNS
        y = (np.arange(ROWS) + 0.5) * height / ROWS
        inside = (np.abs(y - center[1]) <= reach)[:, None] & (np.abs(x - center[0]) <= reach)
        return inside.ravel()
