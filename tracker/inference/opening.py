"""Opening the shipped models: landmark models and face detectors, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from tracker.inference.backends import open_first, open_session
from tracker.inference.detection.blazeface import BlazeFace
from tracker.inference.detection.box_correction import BoxCorrection
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.detection.mediapipe import MediaPipeDetector
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import ModelFile, find_model
from tracker.system.machine import cpu_flags

MAX_PREPARED = 4
"""Largest batch prepared when a model opens: preparing a batch size takes about as long as a frame."""

DetectorName = Literal["blazeface", "mediapipe"]


@dataclass(frozen=True)
class OpenedLandmarker:
    """A landmark model that is ready to run.

    ``file`` is the one that was chosen of the model's precisions, ``backend`` the name of the backend and
    ``provider`` what runs the model, as the runtime names it.
    """

    landmarker: OnnxLandmarker
    file: ModelFile
    backend: str
    provider: str


def open_landmarker(
    name: str, backend: str = "auto", threads: int = 0, precision: str | None = None, faces: int = 1
) -> OpenedLandmarker:
    """Open the shipped landmark model ``name`` on ``backend``.

    The file that suits the backend and this processor best is taken, unless ``precision`` names one.
    ``threads`` 0 is one per core, at most 4. The runtime is prepared for batches of up to ``faces`` crops, at
    most :data:`MAX_PREPARED`.

    Raises :class:`~tracker.errors.WeightsError` for a model or precision that does not exist or an altered
    file, and :class:`~tracker.errors.BackendError` for a backend that does not open.
    """
    model = find_model(name, "landmarks")

    def file_for(tried: str) -> ModelFile:
        return model.in_precision(precision) if precision else model.best_for(tried, cpu_flags())

    opened, session = open_first(lambda tried: file_for(tried).verified(), backend, threads)
    landmarker = OnnxLandmarker(session, min(faces, MAX_PREPARED))
    return OpenedLandmarker(landmarker, file_for(opened), opened, session.provider)


def open_blazeface(threads: int) -> BlazeFace:
    """Open the default detector on the CPU; ``threads`` 0 is one per core, at most 4.

    It never runs on a GPU: the network is so small that copying the picture there takes longer. Raises
    :class:`~tracker.errors.WeightsError` and :class:`~tracker.errors.BackendError`.
    """
    model = find_model("blazeface-short", "detector")
    return BlazeFace(open_session(model.verified(), "cpu", threads), BoxCorrection.from_meta(model.meta))


def open_mediapipe() -> MediaPipeDetector:
    """Open Google's detector on its own runtime (extra: mediapipe); close it after use.

    The library reports its use over the network, see
    :data:`tracker.inference.detection.mediapipe.NOTICES`. Raises :class:`~tracker.errors.WeightsError`
    and :class:`~tracker.errors.BackendError`.
    """
    correction = BoxCorrection.from_meta(find_model("blazeface-short", "detector").meta)
    return MediaPipeDetector(find_model("blazeface-short-tflite", "mediapipe").verified(), correction)


_DETECTORS: Mapping[DetectorName, Callable[[int], FaceDetector]] = MappingProxyType(
    {"blazeface": lambda threads: open_blazeface(threads), "mediapipe": lambda _: open_mediapipe()}
)

DETECTORS = tuple(_DETECTORS)
"""Detectors by name; :data:`DetectorName` is their type."""


def open_detector(name: DetectorName = "blazeface", threads: int = 0) -> FaceDetector:
    """Open the detector ``name``; ``threads`` 0 is one per core, at most 4.

    A tracker opens its own; this one is for what else looks for faces, such as
    :class:`~tracker.drawing.anonymise.Anonymiser`. A detector that is a
    :class:`~tracker.system.closing.Closing` has to be closed after use. Raises
    :class:`~tracker.errors.WeightsError` and :class:`~tracker.errors.BackendError`.
    """
    return _DETECTORS[name](threads)
