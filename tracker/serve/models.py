"""Landmark models by name, each opened when a client first asks for it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from tracker.inference.landmark_models import is_path
from tracker.inference.weights import load_manifest
from tracker.system.closing import Closing
from tracker.tracking.opening import OpenedTracker, TrackerOptions


def model_names(chosen: str) -> tuple[str, ...]:
    """Return the names of the landmark models that clients may choose from if ``chosen`` is the default.

    These are the shipped ones; but a model of one's own is the only one, by the name of its file, since a
    page draws the points of one scheme. Raises :class:`~tracker.errors.WeightsError` if there is no usable
    manifest.
    """
    if is_path(chosen):
        return (Path(chosen).stem,)
    return tuple(model.name for model in load_manifest().values() if model.kind == "landmarks")


class Models(Closing):
    """Trackers by the name of their model, on common ``options``; a context manager.

    Several threads may use it. The model of the options opens at once.

    Raises :class:`~tracker.errors.WeightsError` and :class:`~tracker.errors.BackendError`.
    """

    def __init__(self, options: TrackerOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._opened: dict[str, OpenedTracker] = {}
        self.get(options.model)

    def get(self, name: str) -> OpenedTracker:
        """Return the tracker on the model ``name``, which opens now unless it was used before.

        ``name`` is one of :func:`model_names`, or the model of the options.
        """
        if is_path(self._options.model):
            name = self._options.model
        with self._lock:
            if name not in self._opened:
                self._opened[name] = replace(self._options, model=name).open()
            return self._opened[name]

    def close(self) -> None:
        """Close all; closing twice is fine."""
        with self._lock:
            for tracker in self._opened.values():
                tracker.close()
            self._opened.clear()
