"""Lost tracks: where they are sought, which one a face continues, and when one is forgotten."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker.tracking.assignment import assign
from tracker.tracking.settings import IdentitySettings
from tracker.tracking.sighting import Sighting
from tracker.tracking.track import Track
from tracker.types import FloatArray

_REACH = 0.5
"""Largest distance from the expected position at which a face may come back, in face widths."""

_MAX_REACH = 1.3
"""Limit to which :data:`_REACH` grows while the face is lost, in face widths."""

_REACH_PER_S = 0.8
"""Face widths added to :data:`_REACH` for each second since the face was last seen."""


def match_lost_tracks(
    lost: Sequence[Track], faces: Sequence[Sighting], time_s: float, settings: IdentitySettings
) -> list[Track | None]:
    """Return the one of the ``lost`` tracks that each of ``faces`` continues, None for a new person.

    ``faces`` were located at ``time_s``. The assignment minimises the total cost; a pair's cost is the mean
    distance of the points from their expected positions, in face widths.
    """
    costs = np.full((len(faces), len(lost)), math.inf)
    if lost and faces:
        points = np.stack([face.landmarks.points_frame for face in faces])
        for column, track in enumerate(lost):
            costs[:, column] = _distances(track, points, time_s)
    for row, column in np.argwhere(np.isfinite(costs)):
        if not resembles(lost[column], faces[row], settings):
            costs[row, column] = math.inf
    return [None if place is None else lost[place] for place in assign(costs)]


def resembles(track: Track, seen: Sighting, settings: IdentitySettings) -> bool:
    """Return whether ``seen`` may be the face of the lost ``track``, by its look.

    A track that is doubted must be recognised; any other must only not be contradicted.
    """
    alike = track.likeness(seen.look)
    if track.doubted:
        return alike is not None and alike >= settings.return_look_doubted
    return alike is None or alike >= settings.return_look


def is_near(track: Track, seen: Sighting, time_s: float) -> bool:
    """Return whether ``seen`` lies where the lost ``track`` may come back."""
    return bool(np.isfinite(_distances(track, seen.landmarks.points_frame[None], time_s))[0])


def tracks_to_retry(lost: Sequence[Track], frame: int, settings: IdentitySettings) -> list[Track]:
    """Return those of the ``lost`` tracks to seek at their expected places now.

    ``frame`` counts the frames of the video.
    """
    recent = [track for track in lost if track.tries < settings.retry_all]
    others = [track for track in lost if track.tries >= settings.retry_all]
    if others and frame % settings.retry_every == 0:
        recent.append(min(others, key=lambda track: track.tries))
    return recent


def without_forgotten(tracks: Sequence[Track], time_s: float, memory_s: float) -> list[Track]:
    """Return ``tracks`` without those that have been lost for over ``memory_s`` seconds at ``time_s``."""
    return [t for t in tracks if t.lost_at_s is None or time_s - t.lost_at_s <= memory_s]


def reach(track: Track, time_s: float) -> float:
    """Return how far from its expected place a lost track may come back, in widths of the face."""
    return min(_REACH + _REACH_PER_S * (time_s - track.seen_at_s), _MAX_REACH)


def _distances(track: Track, points: FloatArray, time_s: float) -> FloatArray:
    """Return the distances of faces ``(F, P, 2)`` from ``track`` in widths; infinite out of reach."""
    apart = track.distances(points, time_s)
    return np.where(apart <= reach(track, time_s), apart, math.inf)
