"""Where to look for new faces in the next frame of a video.

Small faces need close-ups, of which a picture has thirty or forty, and no frame may pay for all of them. A
newcomer changes what a camera sees. So once all have been looked at, two a frame, close-ups wait their turn,
one a frame, until the picture changes there; the faces that are followed already, which move all the time, do
not count. What never changes is looked at with the whole picture, one close-up each time, since a person may
also just turn round.
"""

from __future__ import annotations

from collections.abc import Sequence

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


class Search:
    """Chooses the views of each frame of one video; frames may change their size."""

    def __init__(self) -> None:
        self._image_hw = (0, 0)
        self._touches: BoolArray = np.zeros((0, ROWS * COLUMNS), bool)
        self._seen = np.zeros(ROWS * COLUMNS, np.float32)
        self._waiting: BoolArray = np.zeros(0, bool)
        self._looked_at = np.zeros(0, np.int64)
        self._frame = 0

    def restart(self) -> None:
        """Look everywhere anew: this is another scene."""
        self._image_hw = (0, 0)

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
        self._frame += 1
        if image_hw != self._image_hw or len(views) != len(self._looked_at):
            self._begin(cells, image_hw, views)
        else:
            self._note_changes(cells, followed)
        if not views or not (in_turn or self._waiting.any()):
            return []
        candidates = np.flatnonzero(self._waiting) if self._waiting.any() else np.arange(len(views))
        order = candidates[np.argsort(self._looked_at[candidates], kind="stable")]
        count = FIRST_LOOKS if self._looked_at[order[0]] == 0 else 1
        chosen = order[:count]
        self._waiting[chosen] = False
        self._looked_at[chosen] = self._frame
        return [int(i) for i in chosen]

    def _begin(self, cells: FloatArray, image_hw: tuple[int, int], views: Sequence[CropTransform]) -> None:
        self._image_hw = image_hw
        cell = max(image_hw[0] / ROWS, image_hw[1] / COLUMNS)  # a view also touches cells beyond its border
        touched = [self._cells_in(view.center, (view.side + cell) / 2) for view in views]
        self._touches = np.array(touched, bool).reshape(len(views), ROWS * COLUMNS)
        self._seen = cells.ravel().copy()
        self._waiting = np.ones(len(views), bool)
        self._looked_at = np.zeros(len(views), np.int64)

    def _note_changes(self, cells: FloatArray, followed: Sequence[FaceBox]) -> None:
        flat = cells.ravel()
        changed = np.abs(flat - self._seen) > _CHANGE
        if not changed.any():
            return
        self._seen[changed] = flat[changed]
        for face in followed:
            changed &= ~self._cells_in(face.center, _HEAD / 2 * max(face.width, face.height))
        self._waiting |= self._touches[:, changed].any(axis=1)

    def _cells_in(self, center: tuple[float, float], reach: float) -> BoolArray:
        """Which cells have their middle in the square around ``center``, ``(ROWS * COLUMNS,)``."""
        height, width = self._image_hw
        x = (np.arange(COLUMNS) + 0.5) * width / COLUMNS
        y = (np.arange(ROWS) + 0.5) * height / ROWS
        inside = (np.abs(y - center[1]) <= reach)[:, None] & (np.abs(x - center[0]) <= reach)
        return inside.ravel()
