"""Data types of the tracker: frames, boxes, landmarks, measures and results.

Coordinates are pixels, x to the right and y down; (0, 0) is the centre of the top-left pixel. Names that end
in ``_frame`` are in pixels of the whole image, in ``_crop`` in pixels of the square crop that a landmark
model sees, in ``_s``, ``_ms``, ``_deg`` and ``_rad`` in seconds, milliseconds, degrees and radians. All types
are frozen and raise ``ValueError`` for impossible values when they are created.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
ImageArray = npt.NDArray[np.uint8]

N_POINTS = 68
"""Landmarks of a face; :mod:`tracker.scheme` names them."""

STAGES = ("detect", "crop", "infer", "points", "smooth", "measure")
"""Stages of tracking one frame, in order: the keys of :attr:`FrameResult.stage_ms`."""


@dataclass(frozen=True)
class Damage:
    """Damage of a video file at one of its frames.

    ``lost_before`` frames are missing directly before the frame, and ``lost_after`` frames after it, at the
    end of the file (``None``: some, but the file does not tell how many). ``guessed`` is set if parts of the
    picture could not be decoded and were filled in. ``time_mended`` is set if the file states an impossible
    time, and the frame got one that fits its neighbours. ``byte`` is the position in the file at which the
    damage was noticed, ``None`` if it is not known.
    """

    lost_before: int = 0
    lost_after: int | None = 0
    guessed: bool = False
    time_mended: bool = False
    byte: int | None = None

    def __post_init__(self) -> None:
        if self.lost_before < 0 or (self.lost_after or 0) < 0 or (self.byte or 0) < 0:
            raise ValueError(f"counts and places must not be below 0, got {self}")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source, and its time.

    ``image_bgr`` is ``(height, width, 3)`` uint8 in OpenCV's channel order. ``index`` counts from 0 within
    ``source``. ``time_s`` is the presentation time of a video frame, the time since the first frame of a
    camera, and 0 for a still image. ``captured_s`` is the time at which the picture of a live camera arrived,
    by ``time.monotonic``; ``None`` for files. ``damage`` is set where the file is damaged.
    """

    image_bgr: ImageArray
    index: int = 0
    time_s: float = 0.0
    source: str = ""
    captured_s: float | None = None
    damage: Damage | None = None

    def __post_init__(self) -> None:
        image = self.image_bgr
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise ValueError(
                f"image_bgr must be a non-empty uint8 (H, W, 3) array, got {image.dtype} {image.shape}"
            )
        if self.index < 0 or not math.isfinite(self.time_s):
            raise ValueError(f"index must be >= 0 and time_s finite, got {self.index}, {self.time_s}")
        if self.captured_s is not None and not math.isfinite(self.captured_s):
            raise ValueError(f"captured_s must be finite, got {self.captured_s}")

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.image_bgr.shape[0], self.image_bgr.shape[1]


@dataclass(frozen=True)
class FaceBox:
    """Bounding box of a face in frame pixels, with a score and the head's roll.

    ``(x0, y0)`` is the top-left and ``(x1, y1)`` the bottom-right corner; both may lie outside the
    frame. ``score`` is the detector's confidence, 0..1. ``roll_rad`` is the angle of the line through the
    eyes: 0 for an upright head, positive for one that is turned clockwise on screen.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    roll_rad: float = 0.0

    def __post_init__(self) -> None:
        values = (self.x0, self.y0, self.x1, self.y1, self.score, self.roll_rad)
        if not all(map(math.isfinite, values)):
            raise ValueError(f"a face box must be finite, got {values}")
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise ValueError(f"a face box needs x1 > x0 and y1 > y0, got {values[:4]}")
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score must lie in 0..1, got {self.score}")

    @classmethod
    def around(cls, points: FloatArray, score: float = 1.0, roll_rad: float = 0.0) -> FaceBox:
        """Return the tight upright box around ``points`` ``(N, 2)``, in their coordinates."""
        (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return cls(x0, y0, x1, y1, score, roll_rad)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """``(x0, y0, x1, y1)`` in pixels."""
        return self.x0, self.y0, self.x1, self.y1

    @property
    def center(self) -> tuple[float, float]:
        """The middle of the box, ``(x, y)`` in pixels."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    def iou(self, other: FaceBox) -> float:
        """Return the intersection over union with ``other``, 0..1."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        overlap = max(width, 0.0) * max(height, 0.0)
        return overlap / (self.area + other.area - overlap)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The 68 landmarks of one face.

    ``points_frame`` is ``(68, 2)`` float, frame pixels. ``presence`` is the probability 0..1 that there is a
    face. ``quality`` ``(68,)`` is the probability 0..1 that each point is good; ``None`` from models that do
    not estimate it.
    """

    points_frame: FloatArray
    presence: float = 1.0
    quality: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.points_frame.shape != (N_POINTS, 2):
            raise ValueError(f"landmarks must be ({N_POINTS}, 2), got {self.points_frame.shape}")
        if not np.isfinite(self.points_frame).all() or not 0.0 <= self.presence <= 1.0:
            raise ValueError(f"landmarks must be finite, presence in 0..1, got {self.presence}")
        if self.quality is not None:
            shaped = self.quality.shape == (N_POINTS,)
            if not (shaped and self.quality.min() >= 0 and self.quality.max() <= 1):
                raise ValueError(f"quality must be {N_POINTS} numbers in 0..1, got {self.quality}")


@dataclass(frozen=True)
class FaceMeasures:
    """Measures of one face, taken from its landmarks; ``None`` for those that cannot be taken.

    ``eye_open`` holds the aspect ratios (height over width) of the person's left and right eye,
    ``mouth_open`` that of the inner lips. ``yaw_deg``, ``pitch_deg`` and ``roll_deg`` are 0 for an upright
    face that looks into the camera, and positive when it turns towards the right of the image, up, and
    clockwise on screen; all three are numbers, or all three ``None``. ``blinks`` are counted since the face
    was first seen; 0 in a still image.
    """

    eye_open: tuple[float | None, float | None]
    mouth_open: float | None
    yaw_deg: float | None
    pitch_deg: float | None
    roll_deg: float | None
    blinks: int = 0

    def __post_init__(self) -> None:
        ratios = [value for value in (*self.eye_open, self.mouth_open) if value is not None]
        if len(self.eye_open) != 2 or not all(0 <= value < np.inf for value in ratios):
            raise ValueError(f"openness must be finite and not below 0, for two eyes and a mouth, got {self}")
        angles = [v for v in (self.yaw_deg, self.pitch_deg, self.roll_deg) if v is not None]
        if len(angles) not in (0, 3) or not all(abs(value) <= 180 for value in angles):
            raise ValueError(f"a pose is three angles in -180..180 or none, got {self}")
        if self.blinks < 0:
            raise ValueError(f"blinks must not be below 0, got {self.blinks}")


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """One face in one frame.

    ``id`` counts from 1 and is never reused within a run. ``measures`` belong to the original picture: they
    stay the same when the face is shown mirrored.
    """

    id: int
    landmarks: Landmarks
    measures: FaceMeasures | None = None

    def __post_init__(self) -> None:
        if self.id < 1:
            raise ValueError(f"ids count from 1, got {self.id}")

    @property
    def box(self) -> FaceBox:
        """The tight box around the points, in frame pixels."""
        return FaceBox.around(self.landmarks.points_frame, score=self.landmarks.presence)

    @property
    def score(self) -> float:
        """Probability 0..1 that there is a face at these points."""
        return self.landmarks.presence


@dataclass(frozen=True, eq=False)
class FrameResult:
    """Faces of one frame.

    ``index``, ``time_s``, ``source``, ``image_hw`` (height and width in pixels) and ``damage`` are those of
    the frame. ``stage_ms`` maps the :data:`STAGES` that ran to the milliseconds they took.
    """

    faces: tuple[TrackedFace, ...]
    index: int
    time_s: float
    source: str
    image_hw: tuple[int, int]
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    damage: Damage | None = None
