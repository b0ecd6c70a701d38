"""From frames to faces: detect, match, crop, locate, smooth, measure.

:meth:`FaceTracker.step` follows faces through a video; :meth:`FaceTracker.find` treats one picture
on its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from tracker.crops import Cut, NewFaces, crop_around, is_off, locate_twice
from tracker.cuts import CutDetector
from tracker.detection import FaceDetector
from tracker.geometry import CropTransform
from tracker.landmarker import Landmarker
from tracker.measures import blink_openness, measure
from tracker.smoothing import OneEuro, PointFilter
from tracker.together import run_together
from tracker.tracks import Track, reunite
from tracker.types import FaceBox, Frame, FrameResult, ImageArray, Landmarks, TrackedFace

_MOST_CROPS = 8
"""Crops in a batch over several pictures: GPUs hardly gain beyond, and each size is prepared for once."""


@dataclass(frozen=True)
class TrackerSettings:
    """How faces are followed.

    ``max_faces`` at once, the largest. A new face is believed from ``new_presence`` on, one that is followed
    while it keeps ``min_presence``. With a slot free the detector looks for new people every ``detect_every``
    frames, and in each frame while a face is lost; with none free every ``detect_every_full`` frames, for a
    face ``larger`` times the size of the smallest, which then makes room. A lost face keeps its id for
    ``memory_s`` seconds; boxes are the same face from ``same_iou`` on.
    """

    max_faces: int = 8
    min_presence: float = 0.5
    new_presence: float = 0.8
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
        if not (0 < self.same_iou < 1 < self.larger):
            raise ValueError(f"same_iou must lie in 0..1, larger above 1, got {self}")


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
        self._tracks: list[Track] = []
        self._last_id = 0
        self._frames_since_detection = 0
        self._turn = 0
        self._is_cut = CutDetector()
        self._stage_ms: dict[str, float] = {}

    def step(self, frame: Frame) -> FrameResult:
        """The faces of the next frame of a video; frames come in order of time."""
        self._stage_ms = {}
        if self._is_cut(frame.image_bgr):
            self._tracks = []
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
        return self.find_all([frame])[0]

    def find_all(self, frames: Sequence[Frame]) -> list[FrameResult]:
        """As :meth:`find` for each of ``frames``, whose crops go through the network together.

        Points may differ from those of pictures one by one by what a sum in another order does.
        """
        if not frames:
            return []
        self._stage_ms = {}
        slots = self._settings.max_faces
        searches = [self._new_faces(f.image_bgr, self._detect(f.image_bgr), [], slots) for f in frames]
        found = run_together(searches, self._locate_in_parts)
        with self._stage("measure"):
            reports = [_report_found(f, faces) for f, faces in zip(frames, found, strict=True)]
        self._stage_ms = {name: spent / len(frames) for name, spent in self._stage_ms.items()}
        return [self._result(frame, faces) for frame, faces in zip(frames, reports, strict=True)]

    def _follow(self, frame: Frame) -> None:
        """Move each live track to this frame, from the crop around where its points are expected."""
        live = self._live()
        crops = [track.expected_crop(frame.time_s) for track in live]
        for track, (landmarks, crop) in zip(live, self._locate_centred(frame.image_bgr, crops), strict=True):
            if landmarks.presence >= self._settings.min_presence:
                track.follow(landmarks, crop, frame.time_s)
            else:
                track.lost_at_s = frame.time_s
        self._drop_doubles()
        self._forget(frame.time_s)

    def _locate_centred(
        self, image: ImageArray, crops: Sequence[CropTransform]
    ) -> list[tuple[Landmarks, CropTransform]]:
        """Landmarks in ``crops``, and the upright crop around each; a face off the middle is seen twice."""
        seen = [
            (face, crop_around(face, crop))
            for face, crop in zip(self._locate(image, crops), crops, strict=True)
        ]
        again = [i for i, crop in enumerate(crops) if is_off(seen[i][1], crop)]
        second = [seen[i][1] for i in again]
        for i, face, crop in zip(again, self._locate(image, second), second, strict=True):
            seen[i] = face, crop_around(face, crop)
        return seen

    def _should_detect(self) -> bool:
        live = len(self._live())
        self._frames_since_detection += 1
        if live >= self._settings.max_faces:
            return self._frames_since_detection >= self._settings.detect_every_full
        someone_is_lost = live < len(self._tracks)
        due = self._frames_since_detection >= self._settings.detect_every
        return live == 0 or someone_is_lost or due

    def _discover(self, frame: Frame) -> None:
        """Start tracks on new faces; a lost track that is found again goes on under its id.

        With all slots taken the smallest face leaves for a new one that is much larger.
        """
        self._frames_since_detection = 0
        found = self._detect(frame.image_bgr, self._turn)
        self._turn += 1
        live = self._live()
        known = [track.box for track in live]
        boxes = [box for box in found if not self._is_any_of(box, known)]
        free, leaving = self._settings.max_faces - len(live), None
        if free <= 0:
            leaving = min(live, key=lambda track: _area(track.box))
            boxes = [box for box in boxes if self._is_much_larger(box, leaving.box)]
            free = 1
        new = self._locate_new(frame.image_bgr, boxes, known, free)
        if leaving and new:
            self._tracks.remove(leaving)
        lost = [track for track in self._tracks if track.lost_at_s is not None]
        for landmarks, track in zip(new, reunite(lost, new, frame.time_s), strict=True):
            self._start(track, landmarks, frame.time_s)

    def _is_much_larger(self, box: FaceBox, than: FaceBox) -> bool:
        return _area(box) > self._settings.larger**2 * _area(than)

    def _start(self, track: Track | None, landmarks: Landmarks, time_s: float) -> None:
        crop = CropTransform.from_points(landmarks.points_frame)
        if track is None:
            self._last_id += 1
            track = Track(self._last_id, landmarks, crop, time_s)
            self._tracks.append(track)
        else:
            track.come_back(landmarks, crop, time_s)
        smoothing = self._settings.smoothing
        track.smooth = PointFilter(smoothing) if smoothing else None

    def _locate_new(
        self, image: ImageArray, boxes: Sequence[FaceBox], known: Sequence[FaceBox], slots: int
    ) -> list[Landmarks]:
        return run_together([self._new_faces(image, boxes, known, slots)], self._locate_cuts)[0]

    def _new_faces(
        self, image: ImageArray, boxes: Sequence[FaceBox], known: Sequence[FaceBox], slots: int
    ) -> NewFaces:
        """Landmarks of detected faces that are none of ``known``, each once, at most ``slots``.

        The largest come first. One that turns out to be no face, or a face again, takes no slot from those
        behind it.
        """
        new: list[Landmarks] = []
        taken, waiting = list(known), sorted(boxes, key=_area, reverse=True)
        while waiting and (free := slots - len(new)) > 0:
            batch, waiting = waiting[:free], waiting[free:]
            for face in (yield from locate_twice(image, batch)):
                if face.presence < self._settings.new_presence:
                    continue  # and its points may be anything
                box = FaceBox.around(face.points_frame)
                if not self._is_any_of(box, taken):
                    new.append(face)
                    taken.append(box)
        return new

    def _locate(self, image: ImageArray, crops: Sequence[CropTransform]) -> list[Landmarks]:
        return self._locate_cuts([(image, crop) for crop in crops])

    def _locate_in_parts(self, cuts: Sequence[Cut]) -> list[Landmarks]:
        parts = (cuts[i : i + _MOST_CROPS] for i in range(0, len(cuts), _MOST_CROPS))
        return [face for part in parts for face in self._locate_cuts(part)]

    def _locate_cuts(self, cuts: Sequence[Cut]) -> list[Landmarks]:
        if not cuts:
            return []
        with self._stage("crop"):
            batch = np.stack([crop.cut(image) for image, crop in cuts])
        with self._stage("infer"):
            located = self._landmarker.locate(batch)
        quality = [None] * len(cuts) if located.quality is None else located.quality
        with self._stage("points"):
            return [
                Landmarks(crop.to_frame(points), float(score), sure)
                for (_, crop), points, score, sure in zip(
                    cuts, located.points_crop, located.presence, quality, strict=True
                )
            ]

    def _detect(self, image: ImageArray, turn: int | None = None) -> list[FaceBox]:
        with self._stage("detect"):
            return self._detector.detect(image, turn)

    def _smoothed(self, track: Track, time_s: float) -> Landmarks:
        if track.smooth is None:
            return track.landmarks
        points = track.smooth(track.landmarks.points_frame, time_s)
        return replace(track.landmarks, points_frame=points)

    def _live(self) -> list[Track]:
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


def _report(track: Track, shown: Landmarks, frame: Frame) -> TrackedFace:
    """The face with its measures; blinks are counted on points that no smoothing has dulled."""
    measures = measure(shown.points_frame, frame.image_hw)
    openness = blink_openness(track.landmarks.points_frame, measures.yaw_deg)
    if openness is not None:
        track.blinks.update(openness, frame.time_s)
    return TrackedFace(track.id, shown, replace(measures, blinks=track.blinks.count))


def _report_found(frame: Frame, found: list[Landmarks]) -> tuple[TrackedFace, ...]:
    """The faces of a picture on its own, largest first."""
    found.sort(key=lambda face: -_area(FaceBox.around(face.points_frame)))
    return tuple(
        TrackedFace(i, face, measure(face.points_frame, frame.image_hw)) for i, face in enumerate(found, 1)
    )


def _area(box: FaceBox) -> float:
    return box.width * box.height
