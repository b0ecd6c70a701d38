"""Opening models, shipped ones and one's own: landmark models and face detectors, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tracker.errors import WeightsError
from tracker.inference.backends import open_first, open_session
from tracker.inference.described import CheckedLandmarker, DescribedLandmarker, JudgedLandmarker
from tracker.inference.detection.blazeface import BlazeFace
from tracker.inference.detection.box_correction import BoxCorrection
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.detection.mediapipe import MediaPipeDetector
from tracker.inference.detection.own_detector import OwnDetector, read_description
from tracker.inference.detection.whole_picture import WholePicture
from tracker.inference.graph import read_graph
from tracker.inference.landmark_models import LandmarkModel, file_versions, find_landmark_model, is_path
from tracker.inference.landmarker import Landmarker, OnnxLandmarker
from tracker.inference.sessions import Session
from tracker.inference.weights import ModelFile, find_model
from tracker.system.machine import cpu_flags

MAX_PREPARED = 4
"""Largest batch prepared when a model opens: preparing a batch size takes about as long as a frame."""


@dataclass(frozen=True)
class OpenedLandmarker:
    """A landmark model that is ready to run.

    ``model`` is what was asked for, ``file`` the one that was chosen of its precisions. ``backend`` is the
    name of the backend and ``provider`` what runs the model, as the runtime names it.
    """

    landmarker: Landmarker
    model: LandmarkModel
    file: ModelFile
    backend: str
    provider: str


def open_landmarker(
    name: str, backend: str = "auto", threads: int = 0, precision: str | None = None, faces: int = 1
) -> OpenedLandmarker:
    """Open the landmark model ``name``, shipped or the path of one's own, on ``backend``.

    Of a shipped model the file that suits the backend and this processor best is taken, unless ``precision``
    names one. ``threads`` 0 is one per core, at most 4. The runtime is prepared for batches of up to
    ``faces`` crops, at most :data:`MAX_PREPARED`.

    Raises :class:`~tracker.errors.WeightsError` for a model or precision that does not exist, an altered
    file, and one that breaks the contract of :mod:`tracker.inference.landmarker`, and
    :class:`~tracker.errors.BackendError` for a backend that does not open.
    """
    model = find_landmark_model(name)
    if model.graph:
        return _open_own(model, backend, threads, precision, min(faces, MAX_PREPARED))

    def file_for(tried: str) -> ModelFile:
        file = model.file
        return file.in_precision(precision) if precision else file.best_for(tried, cpu_flags())

    opened, session = open_first(lambda tried: file_for(tried).verified(), backend, threads)
    landmarker = OnnxLandmarker(session, min(faces, MAX_PREPARED), model.scheme)
    return OpenedLandmarker(landmarker, model, file_for(opened), opened, session.provider)


def _open_own(
    model: LandmarkModel, backend: str, threads: int, precision: str | None, faces: int
) -> OpenedLandmarker:
    """Open a model of one's own, whose answers are checked, too."""
    path = model.file.path
    if precision:
        raise WeightsError(f"model {path} is one file, not several precisions: leave out --precision")
    opened, session = open_first(lambda _: path, backend, threads)
    landmarker = _own_landmarker(model, session, faces)
    if judge := model.judge:
        landmarker = JudgedLandmarker(
            landmarker, open_landmarker(judge.name, backend, threads, faces=faces).landmarker
        )
    landmarker = CheckedLandmarker(landmarker, f"model {path}")
    return OpenedLandmarker(landmarker, model, model.file, opened, session.provider)


def _own_landmarker(model: LandmarkModel, session: Session, faces: int) -> Landmarker:
    if model.description and model.graph:
        where = f"model {model.file.path}"
        return DescribedLandmarker(session, model.graph, model.description, model.scheme, where)
    return OnnxLandmarker(session, faces, model.scheme)


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


def open_own_detector(path: Path, threads: int) -> OwnDetector:
    """Open the detector in the ONNX file ``path``, described by a TOML file beside it, on the CPU.

    Raises :class:`~tracker.errors.WeightsError`, in one line, for files that cannot be used, and
    :class:`~tracker.errors.BackendError`.
    """
    graph, description = read_graph(path), read_description(path)
    return OwnDetector(open_session(path, "cpu", threads), graph, description, f"detector {path}")


_DETECTORS: Mapping[str, Callable[[int], FaceDetector]] = MappingProxyType(
    {
        "blazeface": lambda threads: open_blazeface(threads),
        "mediapipe": lambda _: open_mediapipe(),
        "none": lambda _: WholePicture(),
    }
)

DETECTORS = tuple(_DETECTORS)
"""Names of the detectors; besides there are the paths of ONNX files of one's own."""


def open_detector(name: str = "blazeface", threads: int = 0) -> FaceDetector:
    """Open the detector ``name``, one of :data:`DETECTORS` or the path of an ONNX file.

    ``threads`` 0 is one per core, at most 4. A tracker opens its own; this one is for what else looks for
    faces, such as :class:`~tracker.drawing.anonymise.Anonymiser`. A detector that is a
    :class:`~tracker.system.closing.Closing` has to be closed after use. Raises
    :class:`~tracker.errors.WeightsError`, also for an unknown name, and
    :class:`~tracker.errors.BackendError`.
    """
    if name in _DETECTORS:
        return _DETECTORS[name](threads)
    if not is_path(name):
        known = ", ".join(DETECTORS)
        raise WeightsError(f"unknown detector {name!r:.60}: choose {known}, or the path of an ONNX file")
    return open_own_detector(Path(name), threads)


def detector_identity(name: str) -> str | dict[str, Any]:
    """Return the detector ``name`` as results depend on it: one of one's own by file name and hashes.

    Raises :class:`~tracker.errors.WeightsError` for files that cannot be used.
    """
    if name in _DETECTORS:
        return name
    return dict(_own_detector_identity(Path(name), *file_versions(Path(name))))


@lru_cache(maxsize=4)
def _own_detector_identity(path: Path, *_: tuple[str, int, int] | None) -> Mapping[str, Any]:
    hashes = {"sha256": read_graph(path).sha256, "description_sha256": read_description(path).sha256}
    return {"name": path.name, **hashes}
