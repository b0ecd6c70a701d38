"""Lost tracks: which one a new face continues, and when one is forgotten."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker.tracking.assignment import assign
from tracker.tracking.track import Track
from tracker.types import Landmarks

_REACH = 0.5
"""Largest distance from the expected position at which a face may come back, in face widths."""

_REACH_PER_S = 0.8
"""Face widths added to :data:`_REACH` for each second since the face was last seen."""


def match_lost_tracks(lost: Sequence[Track], faces: Sequence[Landmarks], time_s: float) -> list[Track | None]:
    """Return the one of the ``lost`` tracks that each of ``faces`` continues, None for a new person.

    ``faces`` were located at ``time_s``. The assignment minimises the total cost; a pair's cost is the mean
    distance of the 68 points from their expected positions, in face widths.
    """
    costs = np.array([[_distance(track, face, time_s) for track in lost] for face in faces])
    pairs = assign(costs.reshape(len(faces), len(lost)))
    return [None if place is None else lost[place] for place in pairs]


def without_forgotten(tracks: Sequence[Track], time_s: float, memory_s: float) -> list[Track]:
    """Return ``tracks`` without those that have been lost for over ``memory_s`` seconds at ``time_s``."""
    return [t for t in tracks if t.lost_at_s is None or time_s - t.lost_at_s <= memory_s]


def _distance(track: Track, face: Landmarks, time_s: float) -> float:
    """Return the distance of ``face`` from ``track`` in widths of the face; infinite out of reach."""
    expected = track.expected_points(time_s)
    width = max(float(np.ptp(expected[:, 0])), float(np.ptp(expected[:, 1])))
    apart = float(np.linalg.norm(face.points_frame - expected, axis=1).mean()) / width if width else math.inf
    return apart if apart <= _REACH + _REACH_PER_S * (time_s - track.seen_at_s) else math.inf
