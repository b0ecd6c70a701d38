"""Options of a tracker, and opening one on the shipped models."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tracker.inference.backends import default_threads, open_first, open_session
from tracker.inference.detection.blazeface import BlazeFace, BoxCorrection
from tracker.inference.detection.mediapipe import MediaPipeDetector
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import ModelFile, find_model
from tracker.system.closing import Closing
from tracker.system.machine import cpu_flags, library_versions
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS

DetectorName = Literal["blazeface", "mediapipe"]
SmoothingName = Literal["off", "low", "high"]

MOST_PREPARED = 4
"""Faces that starting is worth a wait for: preparing a batch size takes about as long as a frame."""


@dataclass(frozen=True)
class OpenedLandmarker:
    """A landmark model that is ready: the file that was chosen, the backend, and what really runs it."""

    landmarker: OnnxLandmarker
    file: ModelFile
    backend: str
    provider: str


def open_landmarker(
    name: str, backend: str = "auto", threads: int = 0, precision: str | None = None, faces: int = 1
) -> OpenedLandmarker:
    """The shipped landmark model ``name`` on ``backend``, in the file that suits it and this processor best.

    ``threads`` 0: one per core, at most 4. ``precision`` takes that file instead. ``faces`` are expected at
    once: the runtime is warmed up for so many, at most :data:`MOST_PREPARED`. Raises
    :class:`~tracker.errors.WeightsError` and :class:`~tracker.errors.BackendError`.
    """
    model = find_model(name, "landmarks")

    def file_for(tried: str) -> ModelFile:
        return model.in_precision(precision) if precision else model.best_for(tried, cpu_flags())

    opened, session = open_first(lambda tried: file_for(tried).verified(), backend, threads)
    landmarker = OnnxLandmarker(session, min(faces, MOST_PREPARED))
    return OpenedLandmarker(landmarker, file_for(opened), opened, session.provider)


def open_blazeface(threads: int) -> BlazeFace:
    """The default detector on the CPU, with its fitted correction; ``threads`` 0: one per core, at most 4.

    It never runs on a GPU: it is too small to be worth the way there. Raises
    :class:`~tracker.errors.WeightsError` and :class:`~tracker.errors.BackendError`.
    """
    model = find_model("blazeface-short", "detector")
    return BlazeFace(open_session(model.verified(), "cpu", threads), BoxCorrection.from_meta(model.meta))


def open_mediapipe() -> MediaPipeDetector:
    """Google's detector on its own runtime (extra: mediapipe), with the fitted correction; to be closed.

    It reports its use over the network: :data:`tracker.inference.detection.mediapipe.USAGE_NOTICE`. Raises
    :class:`~tracker.errors.WeightsError` and :class:`~tracker.errors.BackendError`.
    """
    correction = BoxCorrection.from_meta(find_model("blazeface-short", "detector").meta)
    return MediaPipeDetector(find_model("blazeface-short-tflite", "detector").verified(), correction)


class OpenedTracker(FaceTracker, Closing):
    """A :class:`~tracker.tracking.face_tracker.FaceTracker` that owns its models; a context manager.

    ``label`` names the model and its runtime, such as ``resnet18 int8 on CPUExecutionProvider``.
    ``made_by`` holds all that results depend on to the last digit: model and its hash, versions, settings.
    """

    def __init__(
        self,
        detector: BlazeFace | MediaPipeDetector,
        opened: OpenedLandmarker,
        settings: TrackerSettings,
        threads: int,
    ) -> None:
        super().__init__(detector, opened.landmarker, settings)
        self.label = f"{opened.file.name} {opened.file.precision} on {opened.provider}"
        self.made_by = _made_by(detector, opened, settings, threads)
        self._to_close = detector if isinstance(detector, MediaPipeDetector) else None

    def fresh(self) -> FaceTracker:
        """A tracker for another video, on the same models."""
        return FaceTracker(self._detector, self._landmarker, self._settings)

    def close(self) -> None:
        """End the threads of a detector that has its own; closing twice is fine."""
        if self._to_close:
            self._to_close.close()
            self._to_close = None


def _made_by(
    detector: BlazeFace | MediaPipeDetector, opened: OpenedLandmarker, settings: TrackerSettings, threads: int
) -> dict[str, Any]:
    return {
        "model": {
            "name": opened.file.name,
            "precision": opened.file.precision,
            "sha256": opened.file.sha256,
            "backend": opened.backend,
            "provider": opened.provider,
        },
        "detector": "mediapipe" if isinstance(detector, MediaPipeDetector) else "blazeface",
        "settings": asdict(settings),
        "threads": threads or default_threads(),
        "versions": {"python": platform.python_version(), **library_versions()},
    }


@dataclass(frozen=True)
class TrackerOptions:
    """Choice of models and of the main settings of a tracker: the options of the command line.

    ``model`` names a shipped landmark model, ``backend`` one of
    :data:`~tracker.inference.backends.BACKENDS` or ``auto``. ``threads`` 0 is one thread per core, at most 4.
    At most ``max_faces`` faces are followed; ``smoothing`` names one of
    :data:`~tracker.tracking.smoothing.PRESETS`.

    Raises ``ValueError`` for values out of range. Whether the model and the backend exist is checked by
    :meth:`open`.
    """

    model: str = "resnet18"
    backend: str = "auto"
    detector: DetectorName = "blazeface"
    threads: int = 0
    max_faces: int = 8
    smoothing: SmoothingName = "low"

    def __post_init__(self) -> None:
        known = self.smoothing in PRESETS and self.detector in ("blazeface", "mediapipe")
        if not known or self.threads < 0:
            raise ValueError(
                f"smoothing must be one of {', '.join(PRESETS)}, detector blazeface or mediapipe, "
                f"threads >= 0; got {self.smoothing!r}, {self.detector!r}, {self.threads}"
            )
        self.settings()

    def settings(self) -> TrackerSettings:
        """Return the tracking behaviour that these options ask for."""
        return TrackerSettings(max_faces=self.max_faces, smoothing=PRESETS[self.smoothing])

    def identity(self) -> dict[str, Any]:
        """Return what results depend on, as JSON-compatible data: the options and the model files' hashes.

        The number of threads is left out. Raises :class:`~tracker.errors.WeightsError` for an unknown model.
        """
        model = find_model(self.model, "landmarks")
        files = [model.sha256, *(variant.sha256 for variant in model.variants.values())]
        options = asdict(self)
        del options["threads"]
        return {**options, "weights": files}

    def open(self) -> OpenedTracker:
        """Open the models and return a tracker that is ready to run.

        Raises :class:`~tracker.errors.WeightsError` for a model that is missing or altered, and
        :class:`~tracker.errors.BackendError` for a backend or detector that does not open.
        """
        opened = open_landmarker(self.model, self.backend, self.threads, faces=self.max_faces)
        detector = open_mediapipe() if self.detector == "mediapipe" else open_blazeface(self.threads)
        return OpenedTracker(detector, opened, self.settings(), self.threads)


def open_tracker(
    model: str = "resnet18",
    backend: str = "auto",
    detector: DetectorName = "blazeface",
    *,
    threads: int = 0,
    max_faces: int = 8,
    smoothing: SmoothingName = "low",
) -> OpenedTracker:
    """Open a tracker that is ready to run: the landmark ``model`` on ``backend``, and a ``detector``.

    Short for ``TrackerOptions(...).open()``; :class:`TrackerOptions` describes the values and
    :meth:`TrackerOptions.open` the errors. A tracker follows the faces of one video; use
    :meth:`OpenedTracker.fresh` for the next. Nothing is sent over the network, except by the library of the
    ``mediapipe`` detector (:func:`open_mediapipe`).
    """
    return TrackerOptions(model, backend, detector, threads, max_faces, smoothing).open()
