"""Duplicates: boxes and tracks that show the same face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracker.tracking.track import Track
from tracker.types import FaceBox


def overlaps_any(box: FaceBox, others: Iterable[FaceBox], same_iou: float) -> bool:
    """Return whether ``box`` is the same face as one of ``others``: their IoU is at least ``same_iou``."""
    return any(box.iou(other) >= same_iou for other in others)


def without_duplicates(tracks: Sequence[Track], same_iou: float) -> list[Track]:
    """Return ``tracks`` without the younger of two live tracks that slid onto one face; lost ones stay."""
    kept: list[Track] = []
    boxes: list[FaceBox] = []
    for track in tracks:
        if not track.is_lost:
            if overlaps_any(track.box, boxes, same_iou):
                continue
            boxes.append(track.box)
        kept.append(track)
    return kept
