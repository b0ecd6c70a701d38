"""Settings of the face tracker: slots, thresholds, and how often it detects."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cached_property
from numbers import Integral, Real

from tracker.errors import MisuseError
from tracker.tracking.admission import Admission, Entry, MinConfidence, ReportLimits
from tracker.tracking.smoothing import OneEuro


@dataclass(frozen=True)
class IdentitySettings:
    """Evidence by which a track keeps its id, and how lost tracks are sought.

    A face is replaced by another one where its look and its points jump. Between frames of one person at
    25 to 30 frames per second 99 % of the looks change by less than 0.47 (half of them by 0.03) and 99 % of
    the points by less than 0.02 crop sides; looks of two people differ by more than 0.57 in 95 % of the
    pairs, their points by more than 0.025 (five real clips; 1320 pairs of FairFace). A jump must also be
    ``replaced_ratio`` times what is usual for the track, and the look must resemble the track's usual one by
    less than ``replaced_usual``: in those clips one person's likeness to the usual look stays above 0.43.

    Unless the whole picture looks like another scene, only a track of at least ``known_frames`` is judged,
    and only over at most ``replaced_within_s`` seconds:
    in half a second a head turns.

    A lost face comes back with a look that resembles it by at least ``return_look``: in a third of a second
    98 % of the looks of one person do. After what looked like a cut ``return_look_doubted`` is asked for,
    which no two of the 1320 pairs reach.

    All lost tracks are sought at their expected places in the ``retry_all`` frames after the loss, then one
    in every ``retry_every`` frames, in turn: a missing frame or two is over by then.
    """

    known_frames: int = 4
    replaced_jump: float = 0.5
    replaced_ratio: float = 2.5
    replaced_shape: float = 0.015
    replaced_usual: float = 0.35
    replaced_within_s: float = 0.2
    return_look: float = 0.15
    return_look_doubted: float = 0.72
    retry_all: int = 3
    retry_every: int = 2

    def __post_init__(self) -> None:
        if min(self.known_frames, self.retry_every) < 1 or self.retry_all < 0:
            raise ValueError(f"known_frames and retry_every must be >= 1, retry_all >= 0, got {self}")
        if not (self.return_look <= self.return_look_doubted < 1 and 0 < self.replaced_jump < 2):
            raise ValueError(f"looks are compared on a scale of -1..1, got {self}")


@dataclass(frozen=True)
class TrackerSettings:
    """Tracking behaviour.

    In a video at most ``max_faces`` faces are followed, the largest; in a still image all are found, or the
    largest ``max_still_faces``. A detection counts as a face if ``admission`` gives it a probability of at
    least ``start_probability``, in a still image ``still_probability``: in a video a doubtful face may be
    seen better some frames later. At 0.84 no picture without people has a face on the tuning
    side of the data (``python -m benchmarks.admission``). A track is lost below ``min_presence`` or
    ``min_quality``. A lost one that is sought without the detector is found from ``new_presence`` and
    ``new_quality`` on (see :class:`~tracker.tracking.admission.MinConfidence`).

    A face is also lost while less than ``min_inside`` of its points lie inside the picture, and found from
    ``new_inside`` on. A lost face keeps its id for ``memory_s`` seconds, and its slot; a new face takes the
    slot only if it is ``larger``. :class:`IdentitySettings` say what shows that a face is the same. Boxes
    with an IoU of at least ``same_iou`` are the same face. ``smoothing`` None leaves the points as they are.

    While fewer than ``max_faces`` are followed the detector looks at the whole picture every ``detect_every``
    frames, in each frame while a face is lost, and at close-ups in which
    :class:`~tracker.tracking.search.Search` sees a change. Otherwise it looks every ``detect_every_full``
    frames, and a new face replaces the smallest one if it is at least ``larger`` times as large (in side
    length).

    Faces with a presence below ``min_score``, or whose box around the points has a longer side of less than
    ``min_face`` square pixels, are not reported: they start no track, take no slot, and a track that falls
    below is lost.

    Numbers of NumPy are taken, too, and kept as Python's. Raises :class:`~tracker.errors.MisuseError`, a
    ``ValueError``, for values of another type or out of range.
    """

    max_faces: int = 8
    max_still_faces: int | None = None
    min_presence: float = 0.5
    new_presence: float = 0.8
    min_quality: float = 0.2
    new_quality: float = 0.35
    start_probability: float = 0.9
    still_probability: float = 0.84
    admission: Admission = field(default_factory=Admission)
    detect_every: int = 5
    detect_every_full: int = 30
    larger: float = 1.3
    memory_s: float = 3.0
    same_iou: float = 0.3
    min_inside: float = 0.45
    new_inside: float = 0.55
    min_score: float = 0.0
    min_face: float = 0.0
    smoothing: OneEuro | None = None
    identity: IdentitySettings = IdentitySettings()

    def __post_init__(self) -> None:
        for name in ("max_faces", "max_still_faces", "detect_every", "detect_every_full"):
            if (count := getattr(self, name)) is not None or name != "max_still_faces":
                object.__setattr__(self, name, plain_count(name, count, least=1))
        for name in _NUMBERS:
            most = 1.0 if name == "min_score" else math.inf
            object.__setattr__(self, name, plain_number(name, getattr(self, name), most))
        if not (0 < self.min_presence <= self.new_presence < 1):
            raise MisuseError(f"min_presence and new_presence must lie in 0..1, in this order, got {self}")
        if not (0 <= self.min_quality <= self.new_quality < 1):
            raise MisuseError(f"min_quality and new_quality must lie in 0..1, in this order, got {self}")
        if not (0 <= self.still_probability <= self.start_probability < 1):
            raise MisuseError(
                f"still_probability and start_probability must lie in 0..1, in this order, got {self}"
            )
        if not (0 <= self.min_inside <= self.new_inside <= 1):
            raise MisuseError(f"min_inside and new_inside must lie in 0..1, in this order, got {self}")
        if not (0 < self.same_iou < 1 < self.larger):
            raise MisuseError(f"same_iou must lie in 0..1, larger above 1, got {self}")

    @cached_property
    def limits(self) -> ReportLimits:
        """The limits of the faces that are reported."""
        return ReportLimits(self.min_score, self.min_face)

    @cached_property
    def to_follow(self) -> MinConfidence:
        """The least confidence at which a track goes on."""
        return MinConfidence(self.min_presence, self.min_quality, self.min_inside, self.limits)

    @cached_property
    def to_resume(self) -> MinConfidence:
        """The least confidence at which a face is sure without the detector."""
        return MinConfidence(self.new_presence, self.new_quality, self.new_inside, self.limits)

    @cached_property
    def to_start(self) -> Entry:
        """The decision whether a detected face starts a track, or a lost one comes back."""
        least = MinConfidence(self.min_presence, self.min_quality, self.new_inside, self.limits)
        return Entry(self.admission, self.start_probability, least, doubts_upright=True)

    @cached_property
    def to_find(self) -> Entry:
        """The decision whether a face in a single picture is reported."""
        return Entry(self.admission, self.still_probability, MinConfidence(0.0, 0.0, limits=self.limits))


# Types are text here, as annotations are not evaluated.
_NUMBERS = tuple(entry.name for entry in fields(TrackerSettings) if entry.type == "float")


def plain_count(name: str, value: object, least: int, most: float = math.inf) -> int:
    """Return the argument ``name`` as an int, also that of another library, such as ``numpy.int64``.

    Raises :class:`~tracker.errors.MisuseError` unless it is a whole number ``least``..``most``.
    """
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or not least <= int(value) <= most:  # type: ignore[call-overload]  # it is a whole number
        allowed = f"from {least} on" if most == math.inf else f"in {least}..{most:g}"
        raise MisuseError(f"{name} is a whole number (int) {allowed}, got {value!r:.60}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def plain_number(name: str, value: object, most: float = math.inf) -> float:
    """Return the argument ``name`` as a float, also that of another library, such as ``numpy.float32``.

    Raises :class:`~tracker.errors.MisuseError` unless it is a finite number 0..``most``.
    """
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):  # of a whole number that no float can hold
            number = float(value)
    if not math.isfinite(number) or not 0 <= number <= most:
        allowed = "from 0 on" if most == math.inf else f"in 0..{most:g}"
        raise MisuseError(f"{name} is a number {allowed}, got {value!r:.60}")
    return number
