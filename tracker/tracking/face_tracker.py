"""From frames to faces: detect, match, crop, locate, smooth, measure.

:meth:`FaceTracker.step` follows faces through a video; :meth:`FaceTracker.find` treats one picture
on its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

import numpy as np

from tracker.geometry import CropTransform
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.landmarker import Landmarker
from tracker.tracking.crops import Cut, NewFaces, crop_around, is_off, locate_twice
from tracker.tracking.measures.head_pose import head_pose
from tracker.tracking.measures.openness import blink_openness, measure
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PointFilter
from tracker.tracking.state import TrackerState
from tracker.tracking.thumbnail import thumbnail
from tracker.tracking.together import run_together
from tracker.tracking.track import Track, reunite
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, ImageArray, Landmarks, TrackedFace

_MOST_CROPS = 8
"""Crops in a batch over several pictures: GPUs hardly gain beyond, and each size is prepared for once."""


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
        self._state = TrackerState()
        self._stage_ms: dict[str, float] = {}

    def step(self, frame: Frame) -> FrameResult:
        """The faces of the next frame of a video; frames come in order of time."""
        self._stage_ms = {}
        cells = thumbnail(frame.image_bgr)
        if self._state.cuts.is_cut(cells):
            self._state.tracks = []
            self._state.search.restart()
        self._follow(frame)
        views = self._views(frame.image_hw, cells)
        if views:
            self._discover(frame, views)
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
        # In a video a doubtful face is seen better some frames later; here this is all there is.
        slots, quality = self._settings.max_faces, self._settings.min_quality
        searches = [
            self._new_faces(f.image_bgr, self._detect(f.image_bgr), [], slots, quality) for f in frames
        ]
        found = run_together(searches, self._locate_in_parts)
        with self._stage("measure"):
            reports = [_report_found(f, faces) for f, faces in zip(frames, found, strict=True)]
        self._stage_ms = {name: spent / len(frames) for name, spent in self._stage_ms.items()}
        return [self._result(frame, faces) for frame, faces in zip(frames, reports, strict=True)]

    def state(self) -> TrackerState:
        """Return a copy of all that the next :meth:`step` depends on, besides the models and settings."""
        return deepcopy(self._state)

    def restore(self, state: TrackerState) -> None:
        """Go on where the tracker that ``state`` comes from was; it ran the same models and settings."""
        self._state = deepcopy(state)

    def _follow(self, frame: Frame) -> None:
        """Move each live track to this frame, from the crop around where its points are expected."""
        live = self._live()
        crops = [track.expected_crop(frame.time_s) for track in live]
        for track, (landmarks, crop) in zip(live, self._locate_centred(frame.image_bgr, crops), strict=True):
            if _is_sure(landmarks, self._settings.min_presence, self._settings.min_quality):
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

    def _views(self, image_hw: tuple[int, int], cells: FloatArray) -> list[CropTransform]:
        """Where to look for new people now; nowhere while all slots are taken and a look is not due."""
        live = self._live()
        self._state.frames_since_detection += 1
        is_full = len(live) >= self._settings.max_faces
        every = self._settings.detect_every_full if is_full else self._settings.detect_every
        due = self._state.frames_since_detection >= every
        if is_full and not due:
            return []
        someone_is_lost = len(live) < len(self._state.tracks)
        whole, *close_ups = self._detector.views(image_hw)
        followed = [track.box for track in live]
        chosen = self._state.search.close_ups(cells, image_hw, close_ups, followed, in_turn=due)
        views = [close_ups[i] for i in chosen]
        if due or not live or someone_is_lost:
            self._state.frames_since_detection = 0
            views.insert(0, whole)
        return views

    def _discover(self, frame: Frame, views: Sequence[CropTransform]) -> None:
        """Start tracks on new faces; a lost track that is found again goes on under its id.

        With all slots taken the smallest face leaves for a new one that is much larger.
        """
        found = self._detect(frame.image_bgr, views)
        live = self._live()
        known = [track.box for track in live]
        boxes = [box for box in found if not self._is_any_of(box, known)]
        free, leaving = self._settings.max_faces - len(live), None
        if free <= 0:
            leaving = min(live, key=lambda track: _area(track.box))
            boxes = [box for box in boxes if self._is_much_larger(box, leaving.box)]
            free = 1
        search = self._new_faces(frame.image_bgr, boxes, known, free, self._settings.new_quality)
        (new,) = run_together([search], self._locate_cuts)
        if leaving and new:
            self._state.tracks.remove(leaving)
        lost = [track for track in self._state.tracks if track.lost_at_s is not None]
        for landmarks, track in zip(new, reunite(lost, new, frame.time_s), strict=True):
            self._start(track, landmarks, frame.time_s)

    def _is_much_larger(self, box: FaceBox, than: FaceBox) -> bool:
        return _area(box) > self._settings.larger**2 * _area(than)

    def _start(self, track: Track | None, landmarks: Landmarks, time_s: float) -> None:
        crop = CropTransform.from_points(landmarks.points_frame)
        if track is None:
            self._state.last_id += 1
            track = Track(self._state.last_id, landmarks, crop, time_s)
            self._state.tracks.append(track)
        else:
            track.come_back(landmarks, crop, time_s)
        smoothing = self._settings.smoothing
        track.smooth = PointFilter(smoothing) if smoothing else None

    def _new_faces(
        self,
        image: ImageArray,
        boxes: Sequence[FaceBox],
        known: Sequence[FaceBox],
        slots: int,
        least_quality: float,
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
                if not _is_sure(face, self._settings.new_presence, least_quality):
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

    def _detect(self, image: ImageArray, views: Sequence[CropTransform] | None = None) -> list[FaceBox]:
        with self._stage("detect"):
            return self._detector.detect(image, views)

    def _smoothed(self, track: Track, time_s: float) -> Landmarks:
        if track.smooth is None:
            return track.landmarks
        points = track.smooth(track.landmarks.points_frame, time_s)
        return replace(track.landmarks, points_frame=points)

    def _live(self) -> list[Track]:
        return [track for track in self._state.tracks if track.lost_at_s is None]

    def _is_any_of(self, box: FaceBox, others: Sequence[FaceBox]) -> bool:
        return any(box.iou(other) >= self._settings.same_iou for other in others)

    def _drop_doubles(self) -> None:
        """Of two tracks that slid onto one face the older stays."""
        kept: list[FaceBox] = []
        live = self._live()
        for track in live if len(live) > 1 else ():
            if self._is_any_of(track.box, kept):
                self._state.tracks.remove(track)
            else:
                kept.append(track.box)

    def _forget(self, now_s: float) -> None:
        memory = self._settings.memory_s
        self._state.tracks = [
            t for t in self._state.tracks if t.lost_at_s is None or now_s - t.lost_at_s <= memory
        ]

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        spent = 1000 * (time.perf_counter() - started)
        self._stage_ms[name] = self._stage_ms.get(name, 0.0) + spent

    def _result(self, frame: Frame, faces: tuple[TrackedFace, ...]) -> FrameResult:
        place = (frame.index, frame.time_s, frame.source, frame.image_hw)
        return FrameResult(faces, *place, self._stage_ms, frame.damage)


def _report(track: Track, shown: Landmarks, frame: Frame) -> TrackedFace:
    """The face with its measures; blinks are counted on points that no smoothing has dulled."""
    pose = head_pose(shown.points_frame, frame.image_hw)
    openness = blink_openness(track.landmarks.points_frame, pose)
    if openness is not None:
        track.blinks.update(openness, frame.time_s)
    return TrackedFace(track.id, shown, measure(shown.points_frame, pose, track.blinks.count))


def _report_found(frame: Frame, found: list[Landmarks]) -> tuple[TrackedFace, ...]:
    """The faces of a picture on its own, largest first."""
    found.sort(key=lambda face: -_area(FaceBox.around(face.points_frame)))
    return tuple(
        TrackedFace(i, face, measure(face.points_frame, head_pose(face.points_frame, frame.image_hw)))
        for i, face in enumerate(found, 1)
    )


def _is_sure(face: Landmarks, presence: float, quality: float) -> bool:
    """Whether its presence and, where it is judged, the mean quality of its points are at least so high."""
    if face.presence < presence:
        return False
    return face.quality is None or float(face.quality.sum()) / len(face.quality) >= quality


def _area(box: FaceBox) -> float:
    return box.width * box.height
