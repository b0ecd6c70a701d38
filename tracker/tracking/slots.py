"""Slots: which faces are followed when there are more than may be."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.tracking.lost_tracks import reach
from tracker.tracking.track import Track
from tracker.types import FaceBox


class Slots:
    """The slots of at most ``max_faces`` tracks.

    A lost track holds its slot while it may come back, unless it is doubted: the face may be of another
    scene. With all slots held the smallest track, live or lost, gives way to a face that is ``larger`` times
    as large in side length. ``tracks`` are the tracker's own list, and change with :meth:`make_room`.
    """

    def __init__(self, tracks: list[Track], max_faces: int, larger: float) -> None:
        self._tracks = tracks
        self._max_faces = max_faces
        self._larger = larger

    @property
    def to_locate(self) -> int:
        """Faces that are worth locating: each may come back, one may replace the smallest."""
        live = sum(not track.is_lost for track in self._tracks)
        return max(self._max_faces - live, 1)

    def worth_locating(self, boxes: Iterable[FaceBox], time_s: float) -> list[FaceBox]:
        """Return those of ``boxes`` that may get a slot, or be a lost face, at ``time_s``."""
        if len(self._held()) < self._max_faces:
            return list(boxes)
        lost = [track for track in self._tracks if track.is_lost]
        return [
            box for box in boxes if self._outgrown(box) or any(_near(track, box, time_s) for track in lost)
        ]

    def make_room(self, box: FaceBox) -> bool:
        """Return whether a new face with ``box`` gets a slot; end the smallest track for it if it must."""
        if len(self._held()) < self._max_faces:
            return True
        smallest = self._outgrown(box)
        if smallest:
            self._tracks.remove(smallest)
        return smallest is not None

    def _held(self) -> list[Track]:
        return [track for track in self._tracks if not (track.is_lost and track.doubted)]

    def _outgrown(self, box: FaceBox) -> Track | None:
        """Return the smallest track that holds a slot if ``box`` is much larger, else None."""
        smallest = min(self._held(), key=lambda track: track.box.area)
        return smallest if box.area > self._larger**2 * smallest.box.area else None


def _near(track: Track, box: FaceBox, time_s: float) -> bool:
    """Return whether ``box`` may be the lost ``track``; a detector's box is rough."""
    size = max(track.box.width, track.box.height)
    (x, y), (near_x, near_y) = box.center, track.expected_crop(time_s).center
    return max(abs(x - near_x), abs(y - near_y)) <= (reach(track, time_s) + 0.3) * size
