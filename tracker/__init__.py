"""Real-time 68-point face landmarks: offline, private, on an ordinary CPU.

::

    from tracker import open_source, open_tracker

    with open_source("0") as source, open_tracker() as tracker:
        for frame in source:
            faces = tracker.step(frame).faces  # each with its id, landmarks, box and measures

Importing the package is quick: each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.drawing.annotate import annotate
    from tracker.drawing.anonymise import Anonymiser
    from tracker.drawing.faces import draw_faces, mirror_faces
    from tracker.drawing.heads import Head
    from tracker.drawing.panel import Panel
    from tracker.drawing.picture import Picture
    from tracker.errors import (
        BackendError,
        BatchError,
        BenchError,
        DisplayError,
        ReaderGoneError,
        ResultsError,
        SinkError,
        SourceError,
        TrackerError,
        WeightsError,
    )
    from tracker.inference.detection.detector import FaceDetector
    from tracker.inference.landmarker import Landmarker
    from tracker.sinks.csv_table import CsvSink
    from tracker.sinks.images import ImageSink
    from tracker.sinks.json_lines import FaceLine, JsonSink, ResultLine, Results, read_results
    from tracker.sinks.labels import DlibSink, PtsSink
    from tracker.sinks.openface import OpenFaceSink
    from tracker.sinks.osc import OscSink
    from tracker.sinks.parquet import ParquetSink
    from tracker.sinks.protocols import FailureSink, PictureSink, ResultSink
    from tracker.sinks.video.numbered import NumberedImageSink
    from tracker.sinks.video.sink import VideoSink
    from tracker.sinks.virtual_camera import VirtualCamera
    from tracker.sources.film import Film
    from tracker.sources.images.source import ReadFailure
    from tracker.sources.opening import Source, frame_from, open_source
    from tracker.tracking.face_tracker import FaceTracker
    from tracker.tracking.opening import OpenedTracker, TrackerOptions, open_tracker
    from tracker.tracking.settings import TrackerSettings
    from tracker.tracking.smoothing import OneEuro
    from tracker.tracking.state import TrackerState
    from tracker.types import Damage, FaceBox, FaceMeasures, Frame, FrameResult, Landmarks, TrackedFace

    __version__: str

__all__ = [
    "Anonymiser",
    "BackendError",
    "BatchError",
    "BenchError",
    "CsvSink",
    "Damage",
    "DisplayError",
    "DlibSink",
    "FaceBox",
    "FaceDetector",
    "FaceLine",
    "FaceMeasures",
    "FaceTracker",
    "FailureSink",
    "Film",
    "Frame",
    "FrameResult",
    "Head",
    "ImageSink",
    "JsonSink",
    "Landmarker",
    "Landmarks",
    "NumberedImageSink",
    "OneEuro",
    "OpenFaceSink",
    "OpenedTracker",
    "OscSink",
    "Panel",
    "ParquetSink",
    "Picture",
    "PictureSink",
    "PtsSink",
    "ReadFailure",
    "ReaderGoneError",
    "ResultLine",
    "ResultSink",
    "Results",
    "ResultsError",
    "SinkError",
    "Source",
    "SourceError",
    "TrackedFace",
    "TrackerError",
    "TrackerOptions",
    "TrackerSettings",
    "TrackerState",
    "VideoSink",
    "VirtualCamera",
    "WeightsError",
    "annotate",
    "draw_faces",
    "frame_from",
    "mirror_faces",
    "open_source",
    "open_tracker",
    "read_results",
]

_MODULES = {
    "drawing.annotate": ("annotate",),
    "drawing.anonymise": ("Anonymiser",),
    "drawing.faces": ("draw_faces", "mirror_faces"),
    "drawing.heads": ("Head",),
    "drawing.panel": ("Panel",),
    "drawing.picture": ("Picture",),
    "errors": (
        *("BackendError", "BatchError", "BenchError", "DisplayError", "ReaderGoneError"),
        *("ResultsError", "SinkError", "SourceError", "TrackerError", "WeightsError"),
    ),
    "inference.detection.detector": ("FaceDetector",),
    "inference.landmarker": ("Landmarker",),
    "sinks.csv_table": ("CsvSink",),
    "sinks.images": ("ImageSink",),
    "sinks.json_lines": ("FaceLine", "JsonSink", "ResultLine", "Results", "read_results"),
    "sinks.labels": ("DlibSink", "PtsSink"),
    "sinks.openface": ("OpenFaceSink",),
    "sinks.osc": ("OscSink",),
    "sinks.parquet": ("ParquetSink",),
    "sinks.protocols": ("FailureSink", "PictureSink", "ResultSink"),
    "sinks.video.numbered": ("NumberedImageSink",),
    "sinks.video.sink": ("VideoSink",),
    "sinks.virtual_camera": ("VirtualCamera",),
    "sources.film": ("Film",),
    "sources.images.source": ("ReadFailure",),
    "sources.opening": ("Source", "frame_from", "open_source"),
    "tracking.face_tracker": ("FaceTracker",),
    "tracking.opening": ("OpenedTracker", "TrackerOptions", "open_tracker"),
    "tracking.settings": ("TrackerSettings",),
    "tracking.smoothing": ("OneEuro",),
    "tracking.state": ("TrackerState",),
    "types": ("Damage", "FaceBox", "FaceMeasures", "Frame", "FrameResult", "Landmarks", "TrackedFace"),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("tracker")
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
