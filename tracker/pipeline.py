"""From frames to faces: detect, match, crop, locate, smooth, measure.

:meth:`FaceTracker.step` follows faces through a video; :meth:`FaceTracker.find` treats one picture
on its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from tracker.blinks import BlinkCounter
from tracker.detection import FaceDetector
from tracker.geometry import CropTransform
from tracker.landmarker import Landmarker
from tracker.measures import blink_openness, measure
from tracker.smoothing import OneEuro, PointFilter
from tracker.types import FaceBox, Frame, FrameResult, ImageArray, Landmarks, TrackedFace


@dataclass(frozen=True)
class TrackerSettings:
    """How faces are followed.

    ``max_faces`` at once; a face is believed from ``min_presence`` on; with a slot free the detector
    looks for new people every ``detect_every`` frames, and in each frame while a face is lost; a lost
    face keeps its id for ``memory_s`` seconds; boxes are the same face from ``same_iou`` on.
    """

    max_faces: int = 8
    min_presence: float = 0.5
    detect_every: int = 5
    memory_s: float = 1.0
    same_iou: float = 0.3
    smoothing: OneEuro | None = None

    def __post_init__(self) -> None:
        if self.max_faces < 1 or self.detect_every < 1 or self.memory_s < 0:
            raise ValueError(f"max_faces and detect_every must be >= 1, memory_s >= 0, got {self}")
        if not (0 < self.min_presence < 1 and 0 < self.same_iou < 1):
            raise ValueError(f"min_presence and same_iou must lie in 0..1, got {self}")


@dataclass
class _Track:
    """One person: where the points were last seen, unsmoothed, and since when they are not."""

    id: int
    landmarks: Landmarks
    smooth: PointFilter | None
    lost_at_s: float | None = None
    blinks: BlinkCounter = field(default_factory=BlinkCounter)

    @property
    def box(self) -> FaceBox:
        return FaceBox.around(self.landmarks.points_frame)


class FaceTracker:
    """Finds faces and follows them; holds the tracks of one video.

    >>> tracker = FaceTracker(detector, landmarker)            # doctest: +SKIP
    >>> for frame in source:                                   # doctest: +SKIP
    ...     result = tracker.step(frame)
    """

    def __init__(
        self, detector: FaceDetector, landmarker: Landmarker, settings: TrackerSettings | None = None
    ) -> None:
        self._detector = detector
        self._landmarker = landmarker
        self._settings = settings or TrackerSettings()
        self._tracks: list[_Track] = []
        self._last_id = 0
        self._frames_since_detection = 0
        self._turn = 0
        self._stage_ms: dict[str, float] = {}

    def step(self, frame: Frame) -> FrameResult:
        """The faces of the next frame of a video; frames come in order of time."""
        self._stage_ms = {}
        self._follow(frame)
        if self._should_detect():
            self._discover(frame)
        with self._stage("smooth"):
            shown = [self._smoothed(track, frame.time_s) for track in self._live()]
        with self._stage("measure"):
            faces = tuple(
                _report(track, landmarks, frame) for track, landmarks in zip(self._live(), shown, strict=True)
            )
        return self._result(frame, faces)

    def find(self, frame: Frame) -> FrameResult:
        """The faces of one picture on its own, largest first, ids from 1; tracks are not touched."""
        self._stage_ms = {}
        found = self._locate_new(frame.image_bgr, self._detect(frame.image_bgr), [])
        found.sort(key=lambda face: -_area(FaceBox.around(face.points_frame)))
        with self._stage("measure"):
            faces = tuple(
                TrackedFace(i, face, measure(face.points_frame, frame.image_hw))
                for i, face in enumerate(found, 1)
            )
        return self._result(frame, faces)

    def _follow(self, frame: Frame) -> None:
        """Move each live track to this frame, from the crop around its last points."""
        live = self._live()
        crops = [CropTransform.from_points(track.landmarks.points_frame) for track in live]
        for track, landmarks in zip(live, self._locate(frame.image_bgr, crops), strict=True):
            if landmarks.presence >= self._settings.min_presence:
                track.landmarks = landmarks
            else:
                track.lost_at_s = frame.time_s
        self._drop_doubles()
        self._forget(frame.time_s)

    def _should_detect(self) -> bool:
        live = len(self._live())
        self._frames_since_detection += 1
        if live >= self._settings.max_faces:
            return False
        someone_is_lost = live < len(self._tracks)
        due = self._frames_since_detection >= self._settings.detect_every
        return live == 0 or someone_is_lost or due

    def _discover(self, frame: Frame) -> None:
        """Start tracks on new faces; a lost track that is found again goes on under its id."""
        self._frames_since_detection = 0
        live = [track.box for track in self._live()]
        found = self._detect(frame.image_bgr, self._turn)
        self._turn += 1
        boxes = [box for box in found if not self._is_any_of(box, live)]
        for landmarks in self._locate_new(frame.image_bgr, boxes, live):
            self._start(landmarks)

    def _start(self, landmarks: Landmarks) -> None:
        box = FaceBox.around(landmarks.points_frame)
        lost = [track for track in self._tracks if track.lost_at_s is not None]
        nearest = max(lost, key=lambda track: track.box.iou(box), default=None)
        if nearest is None or nearest.box.iou(box) < self._settings.same_iou:
            self._last_id += 1
            nearest = _Track(self._last_id, landmarks, None)
            self._tracks.append(nearest)
        smoothing = self._settings.smoothing
        nearest.smooth = PointFilter(smoothing) if smoothing else None
        nearest.landmarks, nearest.lost_at_s = landmarks, None

    def _locate_new(
        self, image: ImageArray, boxes: Sequence[FaceBox], known: Sequence[FaceBox]
    ) -> list[Landmarks]:
        """Landmarks of detected faces, each once, as many as find a slot beside those of ``known``.

        ``boxes`` come best first. One that turns out to be no face, or a face again, takes no slot from
        those behind it.
        """
        new: list[Landmarks] = []
        taken, waiting = list(known), list(boxes)
        while waiting and (free := self._settings.max_faces - len(taken)) > 0:
            batch, waiting = waiting[:free], waiting[free:]
            for face in self._locate_twice(image, batch):
                box = FaceBox.around(face.points_frame)
                if face.presence >= self._settings.min_presence and not self._is_any_of(box, taken):
                    new.append(face)
                    taken.append(box)
        return new

    def _locate_twice(self, image: ImageArray, boxes: Sequence[FaceBox]) -> list[Landmarks]:
        """Landmarks in detected ``boxes``: a first answer places the crop for the second."""
        first = self._locate(image, [CropTransform.from_box(box) for box in boxes])
        return self._locate(image, [CropTransform.from_points(face.points_frame) for face in first])

    def _locate(self, image: ImageArray, crops: Sequence[CropTransform]) -> list[Landmarks]:
        if not crops:
            return []
        with self._stage("crop"):
            batch = np.stack([crop.cut(image) for crop in crops])
        with self._stage("infer"):
            located = self._landmarker.locate(batch)
        quality = [None] * len(crops) if located.quality is None else located.quality
        with self._stage("points"):
            return [
                Landmarks(crop.to_frame(points), float(score), sure)
                for crop, points, score, sure in zip(
                    crops, located.points_crop, located.presence, quality, strict=True
                )
            ]

    def _detect(self, image: ImageArray, turn: int | None = None) -> list[FaceBox]:
        with self._stage("detect"):
            return self._detector.detect(image, turn)

    def _smoothed(self, track: _Track, time_s: float) -> Landmarks:
        if track.smooth is None:
            return track.landmarks
        points = track.smooth(track.landmarks.points_frame, time_s)
        return replace(track.landmarks, points_frame=points)

    def _live(self) -> list[_Track]:
        return [track for track in self._tracks if track.lost_at_s is None]

    def _is_any_of(self, box: FaceBox, others: Sequence[FaceBox]) -> bool:
        return any(box.iou(other) >= self._settings.same_iou for other in others)

    def _drop_doubles(self) -> None:
        """Of two tracks that slid onto one face the older stays."""
        kept: list[FaceBox] = []
        live = self._live()
        for track in live if len(live) > 1 else ():
            if self._is_any_of(track.box, kept):
                self._tracks.remove(track)
            else:
                kept.append(track.box)

    def _forget(self, now_s: float) -> None:
        memory = self._settings.memory_s
        self._tracks = [t for t in self._tracks if t.lost_at_s is None or now_s - t.lost_at_s <= memory]

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        spent = 1000 * (time.perf_counter() - started)
        self._stage_ms[name] = self._stage_ms.get(name, 0.0) + spent

    def _result(self, frame: Frame, faces: tuple[TrackedFace, ...]) -> FrameResult:
        return FrameResult(faces, frame.index, frame.time_s, frame.source, frame.image_hw, self._stage_ms)


def _report(track: _Track, shown: Landmarks, frame: Frame) -> TrackedFace:
    """The face with its measures; blinks are counted on points that no smoothing has dulled."""
    measures = measure(shown.points_frame, frame.image_hw)
    openness = blink_openness(track.landmarks.points_frame, measures.yaw_deg)
    if openness is not None:
        track.blinks.update(openness, frame.time_s)
    return TrackedFace(track.id, shown, replace(measures, blinks=track.blinks.count))


def _area(box: FaceBox) -> float:
    return box.width * box.height
