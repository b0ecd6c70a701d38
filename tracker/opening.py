"""Opening the shipped detector, for all who need it ready to run."""

from __future__ import annotations

from tracker.backends import open_session
from tracker.detection.blazeface import BlazeFace, BoxCorrection
from tracker.weights import find_model


def open_blazeface(threads: int) -> BlazeFace:
    """The default detector on the CPU, with its fitted correction; ``threads`` 0: one per core, at most 4.

    It never runs on a GPU: it is too small to be worth the way there. Raises
    :class:`~tracker.errors.WeightsError` and :class:`~tracker.errors.BackendError`.
    """
    model = find_model("blazeface-short", "detector")
    return BlazeFace(open_session(model.verified(), "cpu", threads), BoxCorrection.from_meta(model.meta))
