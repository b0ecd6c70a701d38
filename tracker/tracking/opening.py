"""Options of a tracker, and opening one on shipped models or on one's own."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import cv2

from tracker.errors import MisuseError
from tracker.inference.backends import MOST_THREADS, default_threads
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.detection.known_boxes import KnownBoxes, read_boxes
from tracker.inference.landmark_models import find_landmark_model, is_path
from tracker.inference.opening import (
    DETECTORS,
    OpenedLandmarker,
    detector_identity,
    open_detector,
    open_landmarker,
)
from tracker.sources.arrays import ImageLike
from tracker.system.closing import Closing
from tracker.system.machine import library_versions
from tracker.tracking.admission import Admission
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings, plain_count
from tracker.tracking.smoothing import PRESETS
from tracker.types import Frame, FrameResult

SmoothingName = Literal["off", "low", "high"]


class FaceLimits(TypedDict, total=False):
    """The fields of :class:`TrackerOptions` that limit which faces are reported."""

    min_score: float
    min_face: float


@dataclass(frozen=True)
class TrackerOptions:
    """Choice of models and of the main settings of a tracker: the options of the command line.

    ``model`` is the name of a shipped landmark model, or the path of one's own: a text that ends in
    ``.onnx``, has a separator or is the name of a file, or a path object. ``backend`` is one of
    :data:`~tracker.inference.backends.BACKENDS` or ``auto``. ``detector`` is one of
    :data:`~tracker.inference.opening.DETECTORS`, of which ``none`` takes the whole picture for its only face,
    or the path of one's own. Instead of a detector, ``boxes`` may be a file with the boxes of faces
    (:mod:`tracker.inference.detection.known_boxes`). ``threads`` 0 is one thread per core, at most 4;
    256 are allowed. At most ``max_faces`` faces are followed in a video. In a still image at most
    ``max_still_faces`` are found, all if that is None. ``smoothing`` names one of
    :data:`~tracker.tracking.smoothing.PRESETS`. Faces with a score below ``min_score``, 0..1, or a box whose
    longer side is below ``min_face`` pixels are not reported; pixels are square ones of the picture as it is
    shown. Numbers of NumPy are taken, too, and kept as Python's.

    Raises :class:`~tracker.errors.MisuseError` for values of another type or out of range. Whether the model
    and the backend exist is checked by :meth:`open`.
    """

    model: str = "resnet18"
    backend: str = "auto"
    detector: str = "blazeface"
    threads: int = 0
    max_faces: int = 8
    smoothing: SmoothingName = "low"
    max_still_faces: int | None = None
    min_score: float = 0.0
    min_face: float = 0.0
    boxes: str | None = None

    def __post_init__(self) -> None:
        self._check_choices()
        object.__setattr__(self, "threads", plain_count("threads", self.threads, least=0, most=MOST_THREADS))
        settings = self.settings()
        for name in ("max_faces", "max_still_faces", "min_score", "min_face"):
            object.__setattr__(self, name, getattr(settings, name))

    def _check_choices(self) -> None:
        """Check models, backend, detector, boxes and smoothing, and turn path objects into text."""
        for name in ("model", "detector", "boxes"):
            object.__setattr__(self, name, _plain_path(getattr(self, name)))
        for name in ("model", "backend"):
            if not isinstance(value := getattr(self, name), str):
                raise MisuseError(f"{name} is a name, as text, got {value!r:.60}")
        if self.smoothing not in tuple(PRESETS):
            raise MisuseError(f"smoothing is one of {', '.join(PRESETS)}, got {self.smoothing!r:.60}")
        if self.detector not in DETECTORS and not (isinstance(self.detector, str) and is_path(self.detector)):
            allowed = f"{', '.join(DETECTORS)} or the path of an ONNX file"
            raise MisuseError(f"detector is one of {allowed}, got {self.detector!r:.60}")
        if not isinstance(self.boxes, str | None):
            raise MisuseError(f"boxes is the path of a file, got {self.boxes!r:.60}")
        if self.boxes is not None and self.detector != "blazeface":
            raise MisuseError(f"boxes take the place of a detector, got also {self.detector!r:.60}")

    def settings(self) -> TrackerSettings:
        """Return the tracking behaviour that these options ask for.

        Without a detector one face is followed, and sought in each frame where it is not. Known boxes are
        looked up for each frame.
        """
        settings = TrackerSettings(
            self.max_faces,
            max_still_faces=self.max_still_faces,
            min_score=self.min_score,
            min_face=self.min_face,
            smoothing=PRESETS[self.smoothing],
        )
        if self.detector == "none":
            return replace(settings, max_faces=1, detect_every=1, detect_every_full=_NEVER)
        return settings if self.boxes is None else replace(settings, detect_every=1, detect_every_full=1)

    def identity(self) -> dict[str, Any]:
        """Return what results depend on, as JSON-compatible data: the options and the model files' hashes.

        The number of threads is left out, and of files only their names are kept. Raises
        :class:`~tracker.errors.WeightsError` for an unknown model and for files that cannot be used.
        """
        model = find_landmark_model(self.model)
        options = asdict(self) | {"model": model.file.name, "detector": detector_identity(self.detector)}
        del options["threads"], options["boxes"]
        options |= {} if self.boxes is None else {"boxes": read_boxes(Path(self.boxes)).sha256}
        admission = asdict(Admission.from_meta(model.file.meta))
        return {**options, "weights": model.hashes, "admission": admission}

    def open(self) -> OpenedTracker:
        """Open the models and return a tracker that is ready to run.

        Raises :class:`~tracker.errors.WeightsError` for a model that is missing or altered, and
        :class:`~tracker.errors.BackendError` for a backend or detector that does not open.
        """
        boxes = None if self.boxes is None else read_boxes(Path(self.boxes))
        opened = open_landmarker(self.model, self.backend, self.threads, faces=self.max_faces)
        return OpenedTracker(self, boxes or open_detector(self.detector, self.threads), opened, boxes)


class OpenedTracker(FaceTracker, Closing):
    """A :class:`~tracker.tracking.face_tracker.FaceTracker` that owns its models; a context manager.

    ``label`` names the model and its runtime, such as ``resnet18 int8 on CPUExecutionProvider``. ``boxes``
    are those of a file if they are the detector, else None.
    ``made_by`` holds all that results depend on to the last digit: model and its hash, versions, settings.
    """

    def __init__(
        self,
        options: TrackerOptions,
        detector: FaceDetector,
        landmarker: OpenedLandmarker,
        boxes: KnownBoxes | None = None,
    ) -> None:
        admission = Admission.from_meta(landmarker.model.file.meta)
        settings = replace(options.settings(), admission=admission)
        self._models = detector, landmarker.landmarker, settings
        super().__init__(*self._models)
        file = landmarker.file
        self.label = " ".join(filter(None, (file.name, file.precision, "on", landmarker.provider)))
        self.boxes = boxes
        detected_by = boxes.identity if boxes else detector_identity(options.detector)
        self.made_by = _made_by(options, detected_by, landmarker, settings)
        self._to_close = detector if isinstance(detector, Closing) else None
        self._closed = False

    def step(self, frame: Frame) -> FrameResult:
        """Return the faces of the next frame; MisuseError also once the tracker is closed."""
        self._check_open()
        return super().step(frame)

    def find_all(self, pictures: Sequence[Frame | ImageLike]) -> list[FrameResult]:
        """Return the faces of each picture on its own; MisuseError also once the tracker is closed."""
        self._check_open()
        return super().find_all(pictures)

    def fresh(self, smoothing: SmoothingName | None = None) -> FaceTracker:
        """Return a tracker for another video, on the same models; MisuseError once they are closed.

        ``smoothing`` is this tracker's unless it is given.
        """
        self._check_open()
        detector, landmarker, settings = self._models
        if smoothing is not None:
            settings = replace(settings, smoothing=PRESETS[smoothing])
        return FaceTracker(detector, landmarker, settings)

    def _check_open(self) -> None:
        if self._closed:
            raise MisuseError("the tracker is closed: open another one, or use it inside its with block")

    def close(self) -> None:
        """End the threads of a detector that has its own; closing twice is fine."""
        self._closed = True
        if self._to_close:
            self._to_close.close()
            self._to_close = None


_NEVER = 10**9
"""Frames after which the whole picture would be searched while a face is followed."""


def _plain_path(value: Any) -> Any:
    """Return a path object as text that is taken for a path, and anything else as it is."""
    return os.path.join(".", value) if isinstance(value, os.PathLike) else value  # noqa: PTH118


def _made_by(
    options: TrackerOptions,
    detected_by: str | dict[str, str],
    landmarker: OpenedLandmarker,
    settings: TrackerSettings,
) -> dict[str, Any]:
    model: dict[str, Any] = {
        "name": landmarker.file.name,
        "precision": landmarker.file.precision,
        "sha256": landmarker.file.sha256,
        "backend": landmarker.backend,
        "provider": landmarker.provider,
    }
    if landmarker.model.graph:
        model |= {"scheme": landmarker.model.scheme.name, **landmarker.model.described_by}
    return {
        "model": model,
        "detector": detected_by,
        "settings": asdict(settings),
        "threads": options.threads or default_threads(),
        "versions": {"python": platform.python_version(), **library_versions()},
    }


def open_tracker(
    model: str | os.PathLike[str] = "resnet18",
    backend: str = "auto",
    detector: str | os.PathLike[str] = "blazeface",
    *,
    threads: int = 0,
    max_faces: int = 8,
    smoothing: SmoothingName = "low",
    **limits: Unpack[FaceLimits],
) -> OpenedTracker:
    """Open a tracker that is ready to run: the landmark ``model`` on ``backend``, and a ``detector``.

    Both may be paths of ONNX files of one's own. Short for ``TrackerOptions(...).open()``;
    :class:`TrackerOptions` describes the values and :meth:`TrackerOptions.open` the errors. ``limits`` are
    ``min_score`` and ``min_face``, 0 unless they are given. A tracker follows the faces of one video; use
    :meth:`OpenedTracker.fresh` for the next. Nothing is sent over the network, except by the library of the
    ``mediapipe`` detector (:func:`tracker.inference.opening.open_mediapipe`).
    """
    options = TrackerOptions(
        _plain_path(model), backend, _plain_path(detector), threads, max_faces, smoothing, **limits
    )
    return options.open()


def keep_opencv_to_one_thread() -> None:
    """Switch off OpenCV's own threads in this process; for programs that do nothing but track.

    Waking them takes longer than converting and sampling a face, and they would take the cores from the
    model's threads. The command line calls it; the library leaves the setting to the program that uses it.
    """
    cv2.setNumThreads(1)
