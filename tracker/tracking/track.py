"""What the tracker remembers of each person, and who is who when someone comes back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tracker.geometry import CropTransform
from tracker.tracking.measures.blinks import BlinkCounter
from tracker.tracking.smoothing import PointFilter
from tracker.types import FaceBox, FloatArray, Landmarks

_STILL = 0.03
"""A face that moved by less than this, in crop sides, is taken to stand: the points themselves shake."""

_COAST_S = 0.2
"""How long a face that nobody sees is thought to go on as it moved, before it is as good as standing."""

_REACH, _REACH_PER_S = 0.5, 0.8
"""How far from where it was expected a face may come back, in face widths: at once, and more each second."""

_TINY = 1e-12


@dataclass
class Track:
    """One person: where the points were last seen, unsmoothed, how they moved, and since when they are lost.

    ``crop`` is the upright crop around the points, ``velocity`` that of its centre, frame pixels a second.
    """

    id: int
    landmarks: Landmarks
    crop: CropTransform
    seen_at_s: float
    smooth: PointFilter | None = None
    lost_at_s: float | None = None
    velocity: tuple[float, float] = (0.0, 0.0)
    blinks: BlinkCounter = field(default_factory=BlinkCounter)

    @property
    def box(self) -> FaceBox:
        """The box of the last seen points."""
        return FaceBox.around(self.landmarks.points_frame)

    def follow(self, landmarks: Landmarks, crop: CropTransform, time_s: float) -> None:
        """Take in where the face was seen next; ``time_s`` is not before the last time."""
        step = [now - before for now, before in zip(crop.center, self.crop.center, strict=True)]
        elapsed = time_s - self.seen_at_s
        moved = elapsed > 0 and math.hypot(*step) > _STILL * crop.side
        self.velocity = (step[0] / elapsed, step[1] / elapsed) if moved else (0.0, 0.0)
        self.landmarks, self.crop, self.seen_at_s = landmarks, crop, time_s

    def come_back(self, landmarks: Landmarks, crop: CropTransform, time_s: float) -> None:
        """Go on after being lost: nothing is known of the motion."""
        self.landmarks, self.crop, self.seen_at_s = landmarks, crop, time_s
        self.lost_at_s, self.velocity = None, (0.0, 0.0)

    def expected_crop(self, time_s: float) -> CropTransform:
        """``crop`` where the face should be at ``time_s``: at constant velocity at first, then slower."""
        (x, y), (dx, dy) = self.crop.center, self._expected_shift(time_s)
        return replace(self.crop, center=(x + dx, y + dy))

    def expected_points(self, time_s: float) -> FloatArray:
        """The points ``(68, 2)`` at the same place."""
        return self.landmarks.points_frame + self._expected_shift(time_s)

    def _expected_shift(self, time_s: float) -> tuple[float, float]:
        coast_s = _COAST_S * -math.expm1(-max(time_s - self.seen_at_s, 0.0) / _COAST_S)
        return self.velocity[0] * coast_s, self.velocity[1] * coast_s


def reunite(lost: Sequence[Track], faces: Sequence[Landmarks], time_s: float) -> list[Track | None]:
    """Which of the ``lost`` tracks each of ``faces``, seen at ``time_s``, is; None for a new person.

    Of all ways to pair them the one with the smallest sum of distances, as far as faces lie within reach: the
    mean distance of the 68 points from where they were expected, in widths of the expected face.
    """
    costs = np.array([[_distance(track, face, time_s) for track in lost] for face in faces])
    pairs = assign(costs.reshape(len(faces), len(lost)))
    return [None if place is None else lost[place] for place in pairs]


def _distance(track: Track, face: Landmarks, time_s: float) -> float:
    """In widths of the face; infinite out of reach."""
    expected = track.expected_points(time_s)
    width = max(float(np.ptp(expected[:, 0])), float(np.ptp(expected[:, 1])))
    apart = float(np.linalg.norm(face.points_frame - expected, axis=1).mean()) / width if width else math.inf
    return apart if apart <= _REACH + _REACH_PER_S * (time_s - track.seen_at_s) else math.inf


def assign(costs: FloatArray) -> list[int | None]:
    """For each row of ``costs`` ``(R, C)`` its column, each column once: as many pairs of finite cost as
    there can be, and of these ways the cheapest in all.

    Shortest augmenting paths, as in R. Jonker, A. Volgenant, "A shortest augmenting path algorithm for
    dense and sparse linear assignment problems", Computing 38, 1987, in its plain form: a path is searched
    by Bellman and Ford, for there are a handful of faces.
    """
    rows, columns = costs.shape
    of_row: list[int | None] = [None] * rows
    of_column: list[int | None] = [None] * columns
    while True:
        path = _cheapest_path(costs, of_row, of_column)
        if path is None:
            return of_row
        for row, column in path:
            of_row[row], of_column[column] = column, row


def _cheapest_path(
    costs: FloatArray, of_row: Sequence[int | None], of_column: Sequence[int | None]
) -> list[tuple[int, int]] | None:
    """Pairs to make so that one more row has a column, at the least additional cost; None if none can be."""
    rows, columns = costs.shape
    reach = [0.0 if of_row[row] is None else math.inf for row in range(rows)]
    total, comes_from = [math.inf] * columns, [-1] * columns
    for _ in range(rows):
        for row, column in np.ndindex(rows, columns):
            cost = reach[row] + costs[row, column]
            if of_row[row] != column and cost < total[column] - _TINY:
                total[column], comes_from[column] = cost, row
                owner = of_column[column]
                if owner is not None:
                    reach[owner] = cost - costs[owner, column]
    free = [column for column in range(columns) if of_column[column] is None and total[column] < math.inf]
    if not free:
        return None
    path, place = [], min(free, key=lambda column: total[column])
    while True:
        row = comes_from[place]
        path.append((row, place))
        previous = of_row[row]
        if previous is None:
            return path
        place = previous
