"""Opening the shipped models, and a tracker that runs them, for all who need them ready to run."""

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
    """A :class:`~tracker.tracking.face_tracker.FaceTracker` on models that :func:`open_tracker` has opened.

    ``label`` says what runs it, such as ``resnet18 int8 on CPUExecutionProvider``. A context manager.
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
        """All that its results depend on to the last digit: model and its hash, versions, settings."""
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


def open_tracker(
    model: str = "resnet18",
    backend: str = "auto",
    detector: Literal["blazeface", "mediapipe"] = "blazeface",
    *,
    threads: int = 0,
    max_faces: int = 8,
    smoothing: Literal["off", "low", "high"] = "low",
) -> OpenedTracker:
    """A tracker that is ready to run: the shipped landmark ``model`` on ``backend``, and a ``detector``.

    The defaults are those of the command line, whose options say what each means; ``threads`` 0 is one per
    core, at most 4. The tracker follows one video; the next needs one of its own. Nothing is sent anywhere
    but by the ``mediapipe`` detector (:func:`open_mediapipe`).

    Raises ``ValueError`` for values that are none of these, :class:`~tracker.errors.WeightsError` for a
    model that is not there or altered, and :class:`~tracker.errors.BackendError` for a backend or detector
    that does not open.
    """
    if smoothing not in PRESETS or detector not in ("blazeface", "mediapipe") or threads < 0:
        raise ValueError(
            f"smoothing must be one of {', '.join(PRESETS)}, detector blazeface or mediapipe, threads >= 0; "
            f"got {smoothing!r}, {detector!r}, {threads}"
        )
    settings = TrackerSettings(max_faces=max_faces, smoothing=PRESETS[smoothing])
    opened = open_landmarker(model, backend, threads, faces=max_faces)
    finder = open_mediapipe() if detector == "mediapipe" else open_blazeface(threads)
    return OpenedTracker(finder, opened, settings, threads)
