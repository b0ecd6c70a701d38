"""Face tracker: detect, match, crop, locate, smooth and measure, frame by frame.

:meth:`FaceTracker.step` follows faces through a video; :meth:`FaceTracker.find` treats one picture
on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from tracker.errors import MisuseError
from tracker.geometry import Raster
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.detection.views import View
from tracker.inference.landmarker import Landmarker
from tracker.scheme.value import Scheme
from tracker.sources.arrays import ImageLike, as_frame
from tracker.tracking.call_order import CallOrder
from tracker.tracking.crops import CropLocator
from tracker.tracking.duplicates import overlaps_any
from tracker.tracking.following import Following
from tracker.tracking.lost_tracks import match_lost_tracks, tracks_to_retry, without_forgotten
from tracker.tracking.new_faces import NewFaceSearch, find_new_faces
from tracker.tracking.reporting import report_still, report_tracks
from tracker.tracking.search import thumbnail
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.sighting import Sighting
from tracker.tracking.slots import Slots
from tracker.tracking.smoothing import PointFilter
from tracker.tracking.stage_times import StageClock
from tracker.tracking.state import TrackerState
from tracker.tracking.track import Track
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, TrackedFace

_TURN_EVERY = 5
"""Looks at the whole picture for each close-up of one in which nothing changes."""

_FULL_TURN_EVERY = 3
"""The same while all slots are taken."""

_MISSING_EVERY = 3
"""Largest number of frames between looks at the whole picture while no face is followed, or one is lost."""


class FaceTracker:
    """Finds faces and follows them through one video.

    All geometry is in square pixels (:class:`~tracker.geometry.Stretch`), results in those of the frames.
    Results are read-only, and equal if they say the same of the frame and its faces. :meth:`find` may be
    called by several threads at once, also while one calls :meth:`step`.

    >>> tracker = FaceTracker(detector, landmarker)            # doctest: +SKIP
    >>> for frame in source:                                   # doctest: +SKIP
    ...     result = tracker.step(frame)
    """

    def __init__(
        self, detector: FaceDetector, landmarker: Landmarker, settings: TrackerSettings | None = None
    ) -> None:
        self._detector = detector
        self._settings = settings or TrackerSettings()
        self._landmarker = landmarker
        self._clock = StageClock()
        self._locator = CropLocator(landmarker, self._clock)
        self._state = TrackerState()
        self._order = CallOrder()

    @property
    def scheme(self) -> Scheme:
        """Scheme of the landmarks that the model finds."""
        return self._landmarker.scheme

    def step(self, frame: Frame) -> FrameResult:
        """Return the faces of the next frame of a video; frames come in order of time.

        Raises:
            MisuseError: ``frame`` is not a frame, its time goes back, or another thread calls this method.
        """
        with self._order.take(frame):
            return self._step(frame)

    def _step(self, frame: Frame) -> FrameResult:
        self._clock.restart()
        cells = thumbnail(frame.image_bgr)
        self._follow(frame, self._state.cuts.looks_cut(cells))
        view = self._choose_view(Raster.of(frame).square_hw, cells)
        if view is not None:
            self._discover(frame, view)
        live = self._state.live
        with self._clock.stage("smooth"):
            shown = [track.smoothed(frame.time_s) for track in live]
        with self._clock.stage("measure"):
            faces = report_tracks(live, shown, frame)
        return self._result(frame, faces, self._clock.spent_ms, self._state.left_out)

    def find(self, picture: Frame | ImageLike) -> FrameResult:
        """Return all faces of one picture on its own, the largest first, with ids from 1.

        ``picture`` is a frame, an array (colours in OpenCV's order, BGR), the path of an image file or a PIL
        image, as :func:`~tracker.sources.arrays.frame_from` takes them, with its errors. Only
        ``max_still_faces`` limits the faces. Tracks do not change.
        """
        return self.find_all([picture])[0]

    def find_all(self, pictures: Sequence[Frame | ImageLike]) -> list[FrameResult]:
        """Return what :meth:`find` does for each of ``pictures``, whose crops go through the model together.

        Points may differ in the last digits from those of pictures one by one, since sums are taken in
        another order. Each result has the mean stage times of all.
        """
        frames = [as_frame(picture) for picture in pictures]
        if not frames:
            return []
        clock = StageClock()  # with a locator of its own, since several threads may search
        settings = self._settings
        searches = []
        for frame in frames:
            with clock.stage("detect"):
                boxes = self._detect(frame, None)
            picture, slots = Raster.of(frame), len(boxes)  # all, however many settings.max_faces follows
            searches.append(NewFaceSearch(picture, boxes, (), slots, settings.to_find, settings.same_iou))
        locate = CropLocator(self._landmarker, clock).locate_in_parts
        found = find_new_faces(searches, locate, self.scheme)
        with clock.stage("measure"):
            reports = [report_still(faces, frame) for frame, faces in zip(frames, found, strict=True)]
        mean_ms = {name: spent / len(frames) for name, spent in clock.spent_ms.items()}
        most = settings.max_still_faces
        return [
            self._result(frame, faces[:most], mean_ms, len(faces) - len(faces[:most]))
            for frame, faces in zip(frames, reports, strict=True)
        ]

    def state(self) -> TrackerState:
        """Return a copy of all that the next :meth:`step` depends on, besides the models and settings."""
        return deepcopy(self._state)

    def restore(self, state: TrackerState) -> None:
        """Go on from ``state``, taken from a tracker with the same models and settings.

        Raises :class:`~tracker.errors.MisuseError` for a state with landmarks of another scheme.
        """
        if others := [track for track in state.tracks if track.landmarks.scheme != self.scheme]:
            raise MisuseError(f"the model finds {self.scheme}, the state has {others[0].landmarks.scheme}")
        self._order.restart()
        self._state = deepcopy(state)

    def _follow(self, frame: Frame, looks_cut: bool) -> None:
        """Move each live track to this frame, from the crop around where its points are expected.

        Some of the lost tracks are sought in the same way. If the picture ``looks_cut``, and no face was
        found where it was expected, it is a cut: no track goes on but one whose face is recognised.
        """
        state, settings = self._state, self._settings
        state.tracks = without_forgotten(state.tracks, frame.time_s, settings.memory_s)
        state.frames += 1
        live = state.live
        sought = tracks_to_retry(state.lost, state.frames, settings.identity)
        sought = sought[: max(settings.max_faces - len(live), 0)]
        crops = [track.expected_crop(frame.time_s) for track in (*live, *sought)]
        picture = Raster.of(frame)
        seen = self._locator.locate_centred(picture, crops)
        following = Following(settings, picture.square_hw, frame.time_s)
        others = following.follow(list(zip(live, seen[: len(live)], strict=True)), looks_cut)
        if looks_cut and not state.live:
            for track in state.tracks:
                track.lose(frame.time_s, doubted=True)
            state.search.restart()
            state.frames_since_detection = None
            others = []  # the detector looks at the new scene in this frame, and orders its faces by size
        for track, face in following.bring_back(
            list(zip(sought, seen[len(live) :], strict=True)), state.live
        ):
            self._start(track, face, frame.time_s)
        for face in others:
            if not overlaps_any(face.box, [track.box for track in state.live], settings.same_iou):
                self._start(None, face, frame.time_s)

    def _choose_view(self, image_hw: tuple[int, int], cells: FloatArray) -> View | None:
        """Return the view in which to search for new faces in this frame: one at most, None for none.

        The whole picture is looked at every ``detect_every`` frames, and close-ups between. While no face is
        followed, or one is lost, there is a view in each frame; while all slots are taken, the whole picture
        every ``detect_every_full`` frames, and few close-ups.
        """
        state, settings = self._state, self._settings
        live = state.live
        whole, *close_ups = self._detector.views(image_hw)
        state.search.note(cells, image_hw, close_ups, [track.box for track in live])
        is_full = len(live) >= settings.max_faces
        is_missing = not is_full and (not live or bool(state.lost))
        every = settings.detect_every_full if is_full else settings.detect_every
        since = state.frames_since_detection
        state.frames_since_detection = since = every if since is None else since + 1
        if since < (min(every, _MISSING_EVERY) if is_missing else every):
            if is_full and (since != every // 2 or state.frames // every % _FULL_TURN_EVERY):
                return None
            idle = 1 if is_full or not live else _TURN_EVERY * settings.detect_every
            chosen = state.search.next_close_up(idle)
            if chosen is not None:
                return close_ups[chosen]
            if not is_missing:
                return None
        state.frames_since_detection = 0
        return whole

    def _discover(self, frame: Frame, view: View) -> None:
        """Start tracks on new faces; a lost track that is found again goes on under its id.

        With all slots taken the smallest face gives way to a new one that is much larger.
        """
        state, settings = self._state, self._settings
        known = [track.box for track in state.live]
        with self._clock.stage("detect"):
            detected = self._detect(frame, [view])
        boxes = [box for box in detected if not overlaps_any(box, known, settings.same_iou)]
        slots = Slots(state.tracks, settings.max_faces, settings.larger)
        seen_boxes, boxes = len(boxes), slots.worth_locating(boxes, frame.time_s)
        picture = Raster.of(frame)
        search = NewFaceSearch(picture, boxes, known, slots.to_locate, settings.to_start, settings.same_iou)
        (faces,) = find_new_faces([search], self._locator.locate, self.scheme)
        new = [Sighting.in_frame(face, picture) for face in faces]
        matches = match_lost_tracks(state.lost, new, frame.time_s, settings.identity)
        for seen, lost in zip(new, matches, strict=True):
            # A track that is doubted gave its slot away.
            if lost and (not lost.doubted or slots.make_room(seen.box)):
                self._start(lost, seen, frame.time_s)
        left_out = seen_boxes - len(boxes) + search.unasked
        for seen, lost in zip(new, matches, strict=True):
            if lost:
                continue
            if slots.make_room(seen.box):
                self._start(None, seen, frame.time_s)
            else:
                left_out += 1
        is_whole = state.frames_since_detection == 0
        state.left_out = left_out if is_whole else max(state.left_out, left_out)

    def _start(self, lost: Track | None, seen: Sighting, time_s: float) -> None:
        """Continue the ``lost`` track, or start a new one, with a new filter."""
        track = lost or self._state.new_track(seen, time_s)
        track.come_back(seen, time_s)
        smoothing = self._settings.smoothing
        track.smooth = PointFilter(smoothing, scheme=self.scheme) if smoothing else None

    def _detect(self, frame: Frame, views: Sequence[View] | None) -> list[FaceBox]:
        """Return the detector's boxes, but those of faces that are too small to be reported."""
        per_points, limits = self.scheme.crop.box_per_points, self._settings.limits
        return [box for box in self._detector.detect(frame, views) if limits.may_hold(box, per_points)]

    def _result(
        self, frame: Frame, faces: tuple[TrackedFace, ...], stage_ms: dict[str, float], left_out: int
    ) -> FrameResult:
        for face in faces:
            face.landmarks.seal()
        place = (frame.index, frame.time_s, frame.source, frame.image_hw)
        return FrameResult(faces, *place, stage_ms, frame.damage, left_out, frame.pixel_aspect, self.scheme)
