"""Data types of the tracker: frames, boxes, landmarks, measures and results.

Coordinates are pixels, x to the right and y down; (0, 0) is the centre of the top-left pixel. Those of
results are pixels as stored, also where they are not square (:class:`Frame`). Names that end in ``_frame``
are in pixels of the whole image, in ``_crop`` of the square crop that a landmark model sees, in ``_s``,
``_ms``, ``_deg`` and ``_rad`` in seconds, milliseconds, degrees and radians. All types are frozen and raise
``ValueError`` for impossible values when they are created.

Landmarks, faces and results are equal if all their numbers are, exactly, also after a pickle; the times that
stages took do not count. Arrays of results stay read-only. Frames are equal only to themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tracker.boxes import FaceBox as FaceBox
from tracker.boxes import FloatArray as FloatArray
from tracker.boxes import bounds_of
from tracker.errors import Damage as Damage
from tracker.errors import MisuseError
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.ibug68 import N_POINTS as N_POINTS
from tracker.scheme.value import Scheme

ImageArray = npt.NDArray[np.uint8]
"""Picture, ``(H, W, 3)`` uint8 in OpenCV's order of channels, BGR, unless another shape is stated."""

MAX_PIXEL_ASPECT = 8.0
"""Largest ratio of the sides of a pixel, either way round."""

STAGES = ("detect", "crop", "infer", "points", "smooth", "measure")
"""Stages of tracking one frame, in order: the keys of :attr:`FrameResult.stage_ms`."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source, and its time.

    ``image_bgr`` is ``(height, width, 3)`` uint8 in OpenCV's channel order. ``index`` counts from 0 within
    ``source``. ``time_s`` is the presentation time of a video frame, the time since the first frame of a
    camera, and 0 for a still image. ``captured_s`` is the time at which the picture of a live camera arrived,
    by ``time.monotonic``; ``None`` for files. ``damage`` is set where the file is damaged. ``pixel_aspect``
    is a pixel's width over its height as the picture is shown: 2 if it is stored at half its width.
    """

    image_bgr: ImageArray
    index: int = 0
    time_s: float = 0.0
    source: str = ""
    captured_s: float | None = None
    damage: Damage | None = None
    pixel_aspect: float = 1.0

    def __post_init__(self) -> None:
        image = self.image_bgr
        if not isinstance(image, np.ndarray):
            raise MisuseError(f"image_bgr must be an array, got {type(image).__name__}: take frame_from")
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            got = f"{image.dtype} {image.shape}"
            raise MisuseError(f"image_bgr must be non-empty uint8 (H, W, 3), got {got}: take frame_from")
        are_numbers = isinstance(self.index, int) and isinstance(self.time_s, int | float)
        if not are_numbers or self.index < 0 or not math.isfinite(self.time_s):
            raise MisuseError(f"index is an int >= 0, time_s finite, got {self.index!r}, {self.time_s!r}")
        if not math.isfinite(self.captured_s or 0):
            raise ValueError(f"captured_s must be finite, got {self.captured_s}")
        if not 1 / MAX_PIXEL_ASPECT <= self.pixel_aspect <= MAX_PIXEL_ASPECT:  # in this form it refuses nan
            raise MisuseError(f"pixel_aspect must lie in 1/8..8, got {self.pixel_aspect}")

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.image_bgr.shape[0], self.image_bgr.shape[1]


def _without_default(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an instance but for the default scheme, so that its pickles stay small."""
    return {name: value for name, value in values.items() if value is not IBUG68}


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The landmarks of one face.

    ``points_frame`` is ``(P, 2)`` float, frame pixels, P the number of points of ``scheme``. ``presence`` is
    the probability 0..1 that there is a face. ``quality`` ``(P,)`` is the probability 0..1 that each point is
    good; ``None`` from models that do not estimate it. Do not change the arrays: values derived from them are
    computed only once.
    """

    points_frame: FloatArray
    presence: float = 1.0
    quality: FloatArray | None = None
    scheme: Scheme = IBUG68

    def __post_init__(self) -> None:
        count = self.scheme.n_points
        if self.points_frame.shape != (count, 2):
            raise ValueError(
                f"landmarks of {self.scheme} must be ({count}, 2), got {self.points_frame.shape}"
            )
        if not np.isfinite(self.points_frame).all() or not 0.0 <= self.presence <= 1.0:
            raise ValueError(f"landmarks must be finite, presence in 0..1, got {self.presence}")
        good = self.quality
        if good is not None and not (good.shape == (count,) and good.min() >= 0 and good.max() <= 1):
            raise ValueError(f"quality must be {count} numbers in 0..1, got {good}")

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """Least x and y, and largest x and y of the points, in frame pixels."""
        return bounds_of(self.points_frame)

    @cached_property
    def box(self) -> FaceBox:
        """Tight upright box around the points, with ``presence`` as its score, in frame pixels.

        Raises ``ValueError`` if the points have no width or no height.
        """
        return FaceBox(*self.bounds, self.presence)

    @cached_property
    def mean_quality(self) -> float | None:
        """Mean of ``quality``; ``None`` without it."""
        return None if self.quality is None else float(self.quality.sum()) / self.scheme.n_points

    def at(self, points_frame: FloatArray) -> Landmarks:
        """Return the same landmarks at other points ``(P, 2)``."""
        return Landmarks(points_frame, self.presence, self.quality, self.scheme)

    def seal(self) -> None:
        """Make the arrays read-only for good: copies on memory that NumPy refuses to make writeable again."""
        values = vars(self)
        for name in ("points_frame", "quality"):
            if (old := values[name]) is not None and (old.flags.writeable or type(old.base) is not bytes):
                values[name] = np.ndarray(old.shape, old.dtype, old.tobytes())

    def __getstate__(self) -> dict[str, Any]:
        return _without_default(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"scheme": IBUG68, **state})
        self.seal()  # a copy or a pickle of a read-only array is not

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Landmarks):
            return NotImplemented
        return self.scheme == other.scheme and self.values() == other.values()

    def __hash__(self) -> int:
        return hash((self.presence, *self.points_frame[0].tolist()))

    def values(self) -> tuple[float, list[list[float]], list[float] | None]:
        """Return presence, points and quality as plain Python values."""
        quality = None if self.quality is None else self.quality.tolist()
        return self.presence, self.points_frame.tolist(), quality


@dataclass(frozen=True)
class FaceMeasures:
    """Measures of one face, taken from its landmarks; ``None`` for those that cannot be taken.

    ``eye_open`` holds the aspect ratios (height over width) of the person's left and right eye,
    ``mouth_open`` that of the inner lips. ``yaw_deg``, ``pitch_deg`` and ``roll_deg`` are 0 for an upright
    face that looks into the camera, and positive when it turns towards the right of the image, up, and
    clockwise on screen; all three are numbers, or all three ``None``. ``blinks`` are counted from the start.
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


UNMEASURED = FaceMeasures((None, None), None, None, None, None)
"""Measures of a face of which none was taken."""


@dataclass(frozen=True)
class TrackedFace:
    """One face in one frame.

    ``id`` counts from 1 and is never reused within a run. ``measures`` are taken in square pixels, and stay
    the same when the face is shown mirrored.
    """

    id: int
    landmarks: Landmarks
    measures: FaceMeasures = UNMEASURED

    def __post_init__(self) -> None:
        if self.id < 1:
            raise ValueError(f"ids count from 1, got {self.id}")

    @property
    def box(self) -> FaceBox:
        """The tight box around the points, in frame pixels."""
        return self.landmarks.box

    @property
    def score(self) -> float:
        """Probability 0..1 that there is a face at these points."""
        return self.landmarks.presence

    def to_dict(self) -> dict[str, Any]:
        """Return the face as plain Python values, with the keys of a JSON line, not rounded."""
        _, points, quality = self.landmarks.values()
        record = {"id": self.id, "box": list(self.box.xyxy), "score": float(self.score), "landmarks": points}
        record |= {} if quality is None else {"quality": quality}
        return record | {"measures": {**asdict(self.measures), "eye_open": list(self.measures.eye_open)}}


@dataclass(frozen=True)
class FrameResult:
    """Faces of one frame, with landmarks of ``scheme``.

    ``stage_ms`` maps the :data:`STAGES` that ran to milliseconds. ``left_out`` counts faces beyond a limit,
    in a video those that the detector last saw. The rest is that of the :class:`Frame`.
    """

    faces: tuple[TrackedFace, ...]
    index: int
    time_s: float
    source: str
    image_hw: tuple[int, int]
    stage_ms: Mapping[str, float] = field(default_factory=dict, compare=False)
    damage: Damage | None = None
    left_out: int = 0
    pixel_aspect: float = 1.0
    scheme: Scheme = IBUG68

    def __getstate__(self) -> dict[str, Any]:
        return _without_default(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"scheme": IBUG68, **state})

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python values, with the keys of a JSON line, not rounded."""
        record = {"source": self.source, "frame": self.index, "time_s": self.time_s}
        record |= {"width": self.image_hw[1], "height": self.image_hw[0]}
        record |= {"faces": [face.to_dict() for face in self.faces]}
        record |= {} if self.scheme.has_points_of(IBUG68) else {"scheme": self.scheme.name}
        record |= {"pixel_aspect": self.pixel_aspect} if self.pixel_aspect != 1 else {}
        record |= {"left_out": self.left_out} if self.left_out else {}
        return record | ({"damage": asdict(self.damage)} if self.damage else {})
