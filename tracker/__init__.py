"""Real-time 68-point face landmarks: offline, private, on an ordinary CPU.

::

    from tracker import open_source, open_tracker

    with open_source("0") as source, open_tracker() as tracker:
        for frame in source:
            faces = tracker.step(frame).faces  # each with its id, landmarks, box and measures

Importing the package is quick: each name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.errors import TrackerError
    from tracker.sources.opening import Source, frame_from, open_source
    from tracker.tracking.face_tracker import FaceTracker
    from tracker.tracking.opening import OpenedTracker, open_tracker
    from tracker.types import FaceBox, FaceMeasures, Frame, FrameResult, Landmarks, TrackedFace

__all__ = [
    "FaceBox",
    "FaceMeasures",
    "FaceTracker",
    "Frame",
    "FrameResult",
    "Landmarks",
    "OpenedTracker",
    "Source",
    "TrackedFace",
    "TrackerError",
    "frame_from",
    "open_source",
    "open_tracker",
]

_HOMES = {
    "errors": ("TrackerError",),
    "sources.opening": ("Source", "frame_from", "open_source"),
    "tracking.opening": ("OpenedTracker", "open_tracker"),
    "tracking.face_tracker": ("FaceTracker",),
    "types": ("FaceBox", "FaceMeasures", "Frame", "FrameResult", "Landmarks", "TrackedFace"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
