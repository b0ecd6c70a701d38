"""Options of a tracker, and opening one on the shipped models."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypedDict, Unpack

import cv2

from tracker.errors import MisuseError
from tracker.inference.backends import MOST_THREADS, default_threads
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.opening import (
    DETECTORS,
    DetectorName,
    OpenedLandmarker,
    open_detector,
    open_landmarker,
)
from tracker.inference.weights import find_model
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

    ``model`` names a shipped landmark model, ``backend`` one of
    :data:`~tracker.inference.backends.BACKENDS` or ``auto``. ``threads`` 0 is one thread per core, at most 4;
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
    detector: DetectorName = "blazeface"
    threads: int = 0
    max_faces: int = 8
    smoothing: SmoothingName = "low"
    max_still_faces: int | None = None
    min_score: float = 0.0
    min_face: float = 0.0

    def __post_init__(self) -> None:
        for name in ("model", "backend"):
            if not isinstance(value := getattr(self, name), str):
                raise MisuseError(f"{name} is a name, as text, got {value!r:.60}")
        for name, allowed in (("detector", DETECTORS), ("smoothing", tuple(PRESETS))):
            if (value := getattr(self, name)) not in allowed:
                raise MisuseError(f"{name} is one of {', '.join(allowed)}, got {value!r:.60}")
        object.__setattr__(self, "threads", plain_count("threads", self.threads, least=0, most=MOST_THREADS))
        settings = self.settings()
        for name in ("max_faces", "max_still_faces", "min_score", "min_face"):
            object.__setattr__(self, name, getattr(settings, name))

    def settings(self) -> TrackerSettings:
        """Return the tracking behaviour that these options ask for."""
        return TrackerSettings(
            self.max_faces,
            max_still_faces=self.max_still_faces,
            min_score=self.min_score,
            min_face=self.min_face,
            smoothing=PRESETS[self.smoothing],
        )

    def identity(self) -> dict[str, Any]:
        """Return what results depend on, as JSON-compatible data: the options and the model files' hashes.

        The number of threads is left out. Raises :class:`~tracker.errors.WeightsError` for an unknown model.
        """
        model = find_model(self.model, "landmarks")
        files = [model.sha256, *(variant.sha256 for variant in model.variants.values())]
        options = asdict(self)
        del options["threads"]
        return {**options, "weights": files, "admission": asdict(Admission.from_meta(model.meta))}

    def open(self) -> OpenedTracker:
        """Open the models and return a tracker that is ready to run.

        Raises :class:`~tracker.errors.WeightsError` for a model that is missing or altered, and
        :class:`~tracker.errors.BackendError` for a backend or detector that does not open.
        """
        opened = open_landmarker(self.model, self.backend, self.threads, faces=self.max_faces)
        return OpenedTracker(self, open_detector(self.detector, self.threads), opened)


class OpenedTracker(FaceTracker, Closing):
    """A :class:`~tracker.tracking.face_tracker.FaceTracker` that owns its models; a context manager.

    ``label`` names the model and its runtime, such as ``resnet18 int8 on CPUExecutionProvider``.
    ``made_by`` holds all that results depend on to the last digit: model and its hash, versions, settings.
    """

    def __init__(self, options: TrackerOptions, detector: FaceDetector, landmarker: OpenedLandmarker) -> None:
        admission = Admission.from_meta(find_model(options.model, "landmarks").meta)
        settings = replace(options.settings(), admission=admission)
        self._models = detector, landmarker.landmarker, settings
        super().__init__(*self._models)
        file = landmarker.file
        self.label = f"{file.name} {file.precision} on {landmarker.provider}"
        self.made_by = _made_by(options, landmarker, settings)
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


def _made_by(
    options: TrackerOptions, landmarker: OpenedLandmarker, settings: TrackerSettings
) -> dict[str, Any]:
    return {
        "model": {
            "name": landmarker.file.name,
            "precision": landmarker.file.precision,
            "sha256": landmarker.file.sha256,
            "backend": landmarker.backend,
            "provider": landmarker.provider,
        },
        "detector": options.detector,
        "settings": asdict(settings),
        "threads": options.threads or default_threads(),
        "versions": {"python": platform.python_version(), **library_versions()},
    }


def open_tracker(
    model: str = "resnet18",
    backend: str = "auto",
    detector: DetectorName = "blazeface",
    *,
    threads: int = 0,
    max_faces: int = 8,
    smoothing: SmoothingName = "low",
    **limits: Unpack[FaceLimits],
) -> OpenedTracker:
    """Open a tracker that is ready to run: the landmark ``model`` on ``backend``, and a ``detector``.

    Short for ``TrackerOptions(...).open()``; :class:`TrackerOptions` describes the values and
    :meth:`TrackerOptions.open` the errors. ``limits`` are ``min_score`` and ``min_face``, 0 unless they are
    given. A tracker follows the faces of one video; use
    :meth:`OpenedTracker.fresh` for the next. Nothing is sent over the network, except by the library of the
    ``mediapipe`` detector (:func:`tracker.inference.opening.open_mediapipe`).
    """
    return TrackerOptions(model, backend, detector, threads, max_faces, smoothing, **limits).open()


def keep_opencv_to_one_thread() -> None:
    """Switch off OpenCV's own threads in this process; for programs that do nothing but track.

    Waking them takes longer than converting and sampling a face, and they would take the cores from the
    model's threads. The command line calls it; the library leaves the setting to the program that uses it.
    """
    cv2.setNumThreads(1)
