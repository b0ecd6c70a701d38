"""Face tracker: detect, match, crop, locate, smooth and measure, frame by frame.

:meth:`FaceTracker.step` follows faces through a video; :meth:`FaceTracker.find` treats one picture
on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from tracker.geometry import CropTransform
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.landmarker import Landmarker
from tracker.tracking.crops import CropLocator
from tracker.tracking.duplicates import overlaps_any, without_duplicates
from tracker.tracking.lost_tracks import match_lost_tracks, without_forgotten
from tracker.tracking.new_faces import NewFaceSearch, find_new_faces
from tracker.tracking.reporting import report_still, report_track
from tracker.tracking.search import thumbnail
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PointFilter
from tracker.tracking.stage_times import StageClock
from tracker.tracking.state import TrackerState
from tracker.tracking.track import Track
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, ImageArray, Landmarks, TrackedFace


class FaceTracker:
    """Finds faces and follows them through one video.

    >>> tracker = FaceTracker(detector, landmarker)            # doctest: +SKIP
    >>> for frame in source:                                   # doctest: +SKIP
    ...     result = tracker.step(frame)
    """

    def __init__(
        self, detector: FaceDetector, landmarker: Landmarker, settings: TrackerSettings | None = None
    ) -> None:
        self._detector = detector
        self._settings = settings or TrackerSettings()
        self._clock = StageClock()
        self._locator = CropLocator(landmarker, self._clock)
        self._state = TrackerState()

    def step(self, frame: Frame) -> FrameResult:
        """Return the faces of the next frame of a video; frames come in order of time."""
        self._clock.restart()
        cells = thumbnail(frame.image_bgr)
        if self._state.cuts.is_cut(cells):
            self._state.tracks = []
            self._state.search.restart()
        self._follow(frame)
        views = self._choose_views(frame.image_hw, cells)
        if views:
            self._discover(frame, views)
        live = self._state.live
        with self._clock.stage("smooth"):
            shown = [track.smoothed(frame.time_s) for track in live]
        with self._clock.stage("measure"):
            faces = tuple(report_track(*pair, frame) for pair in zip(live, shown, strict=True))
        return _result(frame, faces, self._clock.spent_ms)

    def find(self, frame: Frame) -> FrameResult:
        """Return the faces of one picture on its own, the largest first, with ids from 1.

        Tracks do not change.
        """
        return self.find_all([frame])[0]

    def find_all(self, frames: Sequence[Frame]) -> list[FrameResult]:
        """Return the same as :meth:`find` for each of ``frames``, whose crops go through the model together.

        Points may differ in the last digits from those of pictures one by one, since sums are taken in
        another order. Each result has the mean stage times of all.
        """
        if not frames:
            return []
        self._clock.restart()
        settings = self._settings
        searches = [
            NewFaceSearch(
                frame.image_bgr,
                self._detect(frame.image_bgr),
                known=(),
                slots=settings.max_faces,
                least=settings.to_find,
                same_iou=settings.same_iou,
            )
            for frame in frames
        ]
        found = find_new_faces(searches, self._locator.locate_in_parts)
        with self._clock.stage("measure"):
            reports = [report_still(faces, frame) for frame, faces in zip(frames, found, strict=True)]
        mean_ms = {name: spent / len(frames) for name, spent in self._clock.spent_ms.items()}
        return [_result(frame, faces, mean_ms) for frame, faces in zip(frames, reports, strict=True)]

    def state(self) -> TrackerState:
        """Return a copy of all that the next :meth:`step` depends on, besides the models and settings."""
        return deepcopy(self._state)

    def restore(self, state: TrackerState) -> None:
        """Go on from ``state``, taken from a tracker with the same models and settings."""
        self._state = deepcopy(state)

    def _follow(self, frame: Frame) -> None:
        """Move each live track to this frame, from the crop around where its points are expected."""
        live = self._state.live
        crops = [track.expected_crop(frame.time_s) for track in live]
        located = self._locator.locate_centred(frame.image_bgr, crops)
        for track, (landmarks, crop) in zip(live, located, strict=True):
            if self._settings.to_follow.accepts(landmarks):
                track.follow(landmarks, crop, frame.time_s)
            else:
                track.lost_at_s = frame.time_s
        tracks = without_duplicates(self._state.tracks, self._settings.same_iou)
        self._state.tracks = without_forgotten(tracks, frame.time_s, self._settings.memory_s)

    def _choose_views(self, image_hw: tuple[int, int], cells: FloatArray) -> list[CropTransform]:
        """Return the views in which to search for new faces in this frame.

        While all slots are taken there are none, except every ``detect_every_full`` frames.
        """
        state, settings = self._state, self._settings
        live = state.live
        state.frames_since_detection += 1
        is_full = len(live) >= settings.max_faces
        every = settings.detect_every_full if is_full else settings.detect_every
        is_due = state.frames_since_detection >= every
        if is_full and not is_due:
            return []
        whole, *close_ups = self._detector.views(image_hw)
        followed = [track.box for track in live]
        chosen = state.search.close_ups(cells, image_hw, close_ups, followed, in_turn=is_due)
        views = [close_ups[i] for i in chosen]
        if is_due or not live or state.lost:
            state.frames_since_detection = 0
            views.insert(0, whole)
        return views

    def _discover(self, frame: Frame, views: Sequence[CropTransform]) -> None:
        """Start tracks on new faces; a lost track that is found again goes on under its id.

        With all slots taken the smallest face gives way to a new one that is much larger.
        """
        state, settings = self._state, self._settings
        known = [track.box for track in state.live]
        boxes = [
            box
            for box in self._detect(frame.image_bgr, views)
            if not overlaps_any(box, known, settings.same_iou)
        ]
        slots, smallest = settings.max_faces - len(known), None
        if slots <= 0:
            slots, smallest = 1, min(state.live, key=lambda track: track.box.area)
            boxes = [box for box in boxes if box.area > settings.larger**2 * smallest.box.area]
        search = NewFaceSearch(frame.image_bgr, boxes, known, slots, settings.to_start, settings.same_iou)
        (new,) = find_new_faces([search], self._locator.locate)
        if smallest and new:
            state.tracks.remove(smallest)
        matches = match_lost_tracks(state.lost, new, frame.time_s)
        for landmarks, lost in zip(new, matches, strict=True):
            self._start(lost, landmarks, frame.time_s)

    def _start(self, lost: Track | None, landmarks: Landmarks, time_s: float) -> None:
        """Continue the ``lost`` track, or start a new one, with a new filter."""
        crop = CropTransform.from_points(landmarks.points_frame)
        if lost is None:
            track = self._state.new_track(landmarks, crop, time_s)
        else:
            track = lost
            track.come_back(landmarks, crop, time_s)
        smoothing = self._settings.smoothing
        track.smooth = PointFilter(smoothing) if smoothing else None

    def _detect(self, image: ImageArray, views: Sequence[CropTransform] | None = None) -> list[FaceBox]:
        with self._clock.stage("detect"):
            return self._detector.detect(image, views)


def _result(frame: Frame, faces: tuple[TrackedFace, ...], stage_ms: dict[str, float]) -> FrameResult:
    place = (frame.index, frame.time_s, frame.source, frame.image_hw)
    return FrameResult(faces, *place, stage_ms, frame.damage)
