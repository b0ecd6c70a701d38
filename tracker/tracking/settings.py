"""Settings of the face tracker: slots, thresholds, and how often it detects."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.tracking.smoothing import OneEuro
from tracker.types import Landmarks


@dataclass(frozen=True)
class MinConfidence:
    """The least ``presence`` of a face and, from models that judge it, mean point ``quality``, 0..1."""

    presence: float
    quality: float

    def accepts(self, face: Landmarks) -> bool:
        """Return whether ``face`` reaches both."""
        if face.presence < self.presence:
            return False
        return face.quality is None or float(face.quality.sum()) / len(face.quality) >= self.quality


@dataclass(frozen=True)
class TrackerSettings:
    """Tracking behaviour.

    At most ``max_faces`` are followed, the largest. A track starts on a face with at least ``new_presence``
    and ``new_quality`` (see :class:`MinConfidence`), and is lost below ``min_presence`` or ``min_quality``.
    A lost face keeps its id for ``memory_s`` seconds. Boxes with an IoU of at least ``same_iou`` are the same
    face. ``smoothing`` None leaves the points as they are.

    While fewer than ``max_faces`` are followed the detector looks at the whole picture every ``detect_every``
    frames, in each frame while a face is lost, and at close-ups in which
    :class:`~tracker.tracking.search.Search` sees a change. Otherwise it looks every ``detect_every_full``
    frames, and a new face replaces the smallest one if it is at least ``larger`` times as large (in side
    length).

    Raises ``ValueError`` for values out of range.
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

    @property
    def to_follow(self) -> MinConfidence:
        """The least confidence at which a track goes on."""
        return MinConfidence(self.min_presence, self.min_quality)

    @property
    def to_start(self) -> MinConfidence:
        """The least confidence at which a track starts."""
        return MinConfidence(self.new_presence, self.new_quality)

    @property
    def to_find(self) -> MinConfidence:
        """The least confidence of a face in a single picture.

        In a video a face of doubtful quality is seen better some frames later; a picture has no later frame.
        """
        return MinConfidence(self.new_presence, self.min_quality)
