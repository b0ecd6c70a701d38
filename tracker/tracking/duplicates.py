"""Duplicates: boxes and tracks that show the same face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracker.tracking.sighting import Sighting
from tracker.tracking.track import Track
from tracker.types import FaceBox, Landmarks


def overlaps_any(box: FaceBox, others: Iterable[FaceBox], same_iou: float) -> bool:
    """Return whether ``box`` is the same face as one of ``others``: their IoU is at least ``same_iou``."""
    return any(box.iou(other) >= same_iou for other in others)


def best_of_rivals(faces: Sequence[Landmarks], same_iou: float) -> list[Landmarks]:
    """Return ``faces`` in their order, without those that overlap a more confident one.

    A face may have been located both upright and upside down: the landmarks that fit are surer.
    """
    boxes = [face.box for face in faces]
    kept: list[int] = []
    for i in sorted(range(len(faces)), key=lambda i: -confidence(faces[i])):
        if not overlaps_any(boxes[i], [boxes[j] for j in kept], same_iou):
            kept.append(i)
    return [faces[i] for i in sorted(kept)]


def confidence(face: Landmarks) -> float:
    """Return the presence of ``face``, times the mean quality of its points where the model judges it."""
    return face.presence * (1.0 if face.quality is None else float(face.quality.mean()))


def without_duplicates(
    found: Sequence[tuple[Track, Sighting]], time_s: float, same_iou: float
) -> list[tuple[Track, Sighting]]:
    """Return ``found`` with one track for each face: of those that overlap the one that was expected there.

    ``found`` pairs tracks with what was located for them at ``time_s``, before they follow it.
    """
    boxes = [seen.box for _, seen in found]
    if not any(overlaps_any(box, boxes[:i], same_iou) for i, box in enumerate(boxes)):
        return list(found)
    misfits = [_misfit(track, seen, time_s) for track, seen in found]
    kept: list[int] = []
    for i in sorted(range(len(found)), key=lambda i: misfits[i]):
        if not overlaps_any(boxes[i], (boxes[k] for k in kept), same_iou):
            kept.append(i)
    return [found[i] for i in sorted(kept)]


def _misfit(track: Track, seen: Sighting, time_s: float) -> float:
    """Return how badly ``seen`` fits ``track``: its distance in widths of the face, and its other look.

    Equal for both, the older track stays: sorting is stable.
    """
    alike = track.likeness(seen.look)
    (apart,) = track.distances(seen.landmarks.points_frame[None], time_s).tolist()
    return float(apart) + (0.0 if alike is None else 1 - alike)
