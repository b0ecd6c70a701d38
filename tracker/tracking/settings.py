"""How faces are followed: the settings of :class:`tracker.tracking.face_tracker.FaceTracker`."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.tracking.smoothing import OneEuro


@dataclass(frozen=True)
class TrackerSettings:
    """How faces are followed.

    ``max_faces`` at once, the largest. A new face is believed from ``new_presence`` on, one that is followed
    while it keeps ``min_presence``; likewise with the mean quality of its points, where the model judges
    them, and ``new_quality`` and ``min_quality``. With a slot free the detector looks at the whole picture
    every ``detect_every`` frames, in each frame while a face is lost, and at close-ups where
    :class:`~tracker.tracking.search.Search` sees a change; with none free every ``detect_every_full``
    frames, for a
    face ``larger`` times the size of the smallest, which then makes room. A lost face keeps its id for
    ``memory_s`` seconds; boxes are the same face from ``same_iou`` on.
    """

    max_faces: int = 8
    min_presence: float = 0.5
    new_presence: float = 0.8
    min_quality: float = 0.2
    new_quality: float = 0.35
    detect_every: int = 5
    detect_every_full: int = 30
    larger: float = 1.3
    memory_s: float = 1.0
    same_iou: float = 0.3
    smoothing: OneEuro | None = None

    def __post_init__(self) -> None:
        if min(self.max_faces, self.detect_every, self.detect_every_full) < 1 or self.memory_s < 0:
            raise ValueError(f"max_faces and detect_every must be >= 1, memory_s >= 0, got {self}")
        if not (0 < self.min_presence <= self.new_presence < 1):
            raise ValueError(f"min_presence and new_presence must lie in 0..1, in this order, got {self}")
        if not (0 <= self.min_quality <= self.new_quality < 1):
            raise ValueError(f"min_quality and new_quality must lie in 0..1, in this order, got {self}")
        if not (0 < self.same_iou < 1 < self.larger):
            raise ValueError(f"same_iou must lie in 0..1, larger above 1, got {self}")
