"""Options of a tracker, and opening one on the shipped models."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tracker.inference.backends import default_threads
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.opening import (
    DETECTORS,
    DetectorName,
    OpenedLandmarker,
    open_detector,
    open_landmarker,
)
from tracker.inference.weights import find_model
from tracker.system.closing import Closing
from tracker.system.machine import library_versions
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS

SmoothingName = Literal["off", "low", "high"]


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
        known = self.smoothing in PRESETS and self.detector in DETECTORS
        if not known or self.threads < 0:
            raise ValueError(
                f"smoothing must be one of {', '.join(PRESETS)}, detector {' or '.join(DETECTORS)}, "
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
        return OpenedTracker(self, open_detector(self.detector, self.threads), opened)


class OpenedTracker(FaceTracker, Closing):
    """A :class:`~tracker.tracking.face_tracker.FaceTracker` that owns its models; a context manager.

    ``label`` names the model and its runtime, such as ``resnet18 int8 on CPUExecutionProvider``.
    ``made_by`` holds all that results depend on to the last digit: model and its hash, versions, settings.
    """

    def __init__(self, options: TrackerOptions, detector: FaceDetector, landmarker: OpenedLandmarker) -> None:
        self._models = detector, landmarker.landmarker, options.settings()
        super().__init__(*self._models)
        file = landmarker.file
        self.label = f"{file.name} {file.precision} on {landmarker.provider}"
        self.made_by = _made_by(options, landmarker)
        self._to_close = detector if isinstance(detector, Closing) else None

    def fresh(self) -> FaceTracker:
        """Return a tracker for another video, on the same models."""
        return FaceTracker(*self._models)

    def close(self) -> None:
        """End the threads of a detector that has its own; closing twice is fine."""
        if self._to_close:
            self._to_close.close()
            self._to_close = None


def _made_by(options: TrackerOptions, landmarker: OpenedLandmarker) -> dict[str, Any]:
    return {
        "model": {
            "name": landmarker.file.name,
            "precision": landmarker.file.precision,
            "sha256": landmarker.file.sha256,
            "backend": landmarker.backend,
            "provider": landmarker.provider,
        },
        "detector": options.detector,
        "settings": asdict(options.settings()),
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
) -> OpenedTracker:
    """Open a tracker that is ready to run: the landmark ``model`` on ``backend``, and a ``detector``.

    Short for ``TrackerOptions(...).open()``; :class:`TrackerOptions` describes the values and
    :meth:`TrackerOptions.open` the errors. A tracker follows the faces of one video; use
    :meth:`OpenedTracker.fresh` for the next. Nothing is sent over the network, except by the library of the
    ``mediapipe`` detector (:func:`tracker.inference.opening.open_mediapipe`).
    """
    return TrackerOptions(model, backend, detector, threads, max_faces, smoothing).open()
