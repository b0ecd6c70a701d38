"""Opening the shipped models, for all who need them ready to run."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.backends import open_first, open_session
from tracker.detection.blazeface import BlazeFace, BoxCorrection
from tracker.landmarker import OnnxLandmarker
from tracker.machine import cpu_flags
from tracker.weights import ModelFile, find_model

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
