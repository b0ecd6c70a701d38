"""Following: which of the faces located at expected places continue their tracks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from tracker.tracking.duplicates import overlaps_any, without_duplicates
from tracker.tracking.lost_tracks import is_near, resembles
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.sighting import Sighting
from tracker.tracking.track import Track
from tracker.types import FaceBox

Found = Sequence[tuple[Track, Sighting]]
"""Tracks, each with what was located at its expected place."""

_HEAD = 1.5
"""Size of a head over that of the box of its points."""


class Following:
    """The live and the lost tracks in one frame, judged by what was located at their expected places.

    ``image_hw`` is the height and width of the frame in pixels, ``time_s`` its time.
    """

    def __init__(self, settings: TrackerSettings, image_hw: tuple[int, int], time_s: float) -> None:
        self._settings = settings
        self._image_hw = image_hw
        self._time_s = time_s

    def follow(self, live: Found, looks_cut: bool) -> list[Sighting]:
        """Move each live track on, or lose it; return the faces that replaced the one of a track.

        ``looks_cut`` says that the whole picture looks like another scene: then a doubtful face is no reason
        to believe that it is the same, and must be recognised.
        """
        settings = self._settings
        accepts = (settings.to_resume if looks_cut else settings.to_follow).accepts
        faces = [pair for pair in live if accepts(pair[1].landmarks, self._image_hw)]
        beside = _beside_another_head([(track.id, seen.box) for track, seen in faces])
        replaced = {
            track.id: seen
            for track, seen in faces
            if track.id not in beside and self._is_replaced(track, seen, looks_cut)
        }
        same = [pair for pair in faces if pair[0].id not in replaced]
        kept = without_duplicates(same, self._time_s, settings.same_iou)
        going_on = {track.id for track, _ in kept}
        for track, _ in live:
            if track.id not in going_on:
                track.lose(self._time_s, doubted=looks_cut or track.id in replaced)
        for track, seen in kept:
            track.follow(seen, self._time_s, alone=track.id not in beside)
        boxes = [seen.box for _, seen in kept]
        return [seen for seen in replaced.values() if self._is_new(seen, boxes)]

    def bring_back(self, sought: Found, live: Sequence[Track]) -> list[tuple[Track, Sighting]]:
        """Return those of the ``sought`` lost tracks whose faces are there again, and belong to no other."""
        boxes = [track.box for track in live]
        here = []
        for track, seen in sought:
            track.tries += 1
            same = resembles(track, seen, self._settings.identity)
            if same and self._is_new(seen, boxes) and is_near(track, seen, self._time_s):
                here.append((track, seen))
        return without_duplicates(here, self._time_s, self._settings.same_iou)

    def _is_replaced(self, track: Track, seen: Sighting, looks_cut: bool) -> bool:
        """Return whether ``seen`` is another face than that of ``track``.

        It must be a face beyond doubt. Where the picture gives no reason to suspect another one, the track
        must be known well, and its last look be recent: faces turn, and looks are not kept beside others.
        """
        settings, appearance = self._settings.identity, track.appearance
        if appearance is None or seen.look is None or not self._is_new(seen, []):
            return False
        age_s = math.inf if track.looked_at_s is None else self._time_s - track.looked_at_s
        recent = age_s <= settings.replaced_within_s
        if not looks_cut and not (recent and appearance.count >= settings.known_frames):
            return False
        return appearance.is_replaced(seen.look, settings)

    def _is_new(self, seen: Sighting, boxes: Sequence[FaceBox]) -> bool:
        confident = self._settings.to_resume.accepts(seen.landmarks, self._image_hw)
        return confident and not overlaps_any(seen.box, boxes, self._settings.same_iou)


def _beside_another_head(boxes: Sequence[tuple[int, FaceBox]]) -> set[int]:
    """Return the ids of the faces of which another head may hide a part, of ``boxes`` with their ids.

    Hair and cheeks reach beyond the box.
    """
    heads = [(owner, *box.center, max(box.width, box.height)) for owner, box in boxes]
    beside: set[int] = set()
    for (owner, x, y, size), (other, other_x, other_y, other_size) in combinations(heads, 2):
        if max(abs(x - other_x), abs(y - other_y)) < _HEAD * (size + other_size) / 2:
            beside |= {owner, other}
    return beside
