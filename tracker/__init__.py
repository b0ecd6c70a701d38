"""Real-time face landmarks: offline, private, on an ordinary CPU.

::

    from tracker import open_source, open_tracker

    with open_source("0") as source, open_tracker() as tracker:
        for frame in source:
            faces = tracker.step(frame).faces  # each with its id, landmarks, box and measures

``open_sink`` writes what comes out to a table or a video, ``annotate`` draws it, and ``frames_from`` takes
the pictures of a program's own; ``examples/`` in the repository has complete programs.

Importing the package is quick: each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.drawing.annotate import annotate
    from tracker.drawing.anonymise import Anonymiser, Hidden
    from tracker.drawing.faces import draw_faces, mirror_faces
    from tracker.drawing.heads import Head
    from tracker.drawing.picture import Picture
    from tracker.drawing.style import DrawStyle
    from tracker.drawing.text import Span, draw_badge
    from tracker.errors import (
        BackendError,
        BatchError,
        BenchError,
        ClusterError,
        DisplayError,
        MisuseError,
        ReaderGoneError,
        ResultsError,
        ServeError,
        SinkError,
        SourceError,
        TrackerError,
        WeightsError,
    )
    from tracker.geometry import Stretch
    from tracker.inference.detection.detector import FaceDetector
    from tracker.inference.detection.views import View
    from tracker.inference.landmarker import Landmarker, Located
    from tracker.inference.opening import open_detector
    from tracker.scheme.ibug68 import EDGES, MIRROR, N_POINTS, PARTS
    from tracker.scheme.shipped import SCHEMES
    from tracker.scheme.value import Scheme
    from tracker.sinks.csv_table import CsvSink, read_table, results_table
    from tracker.sinks.images import ImageSink
    from tracker.sinks.json_lines import FaceLine, JsonSink, ResultLine, Results, read_results
    from tracker.sinks.labels import DlibSink, PtsSink
    from tracker.sinks.openface import OpenFaceSink
    from tracker.sinks.opening import FileSink, open_sink
    from tracker.sinks.osc import OscSink
    from tracker.sinks.parquet import ParquetSink
    from tracker.sinks.protocols import FailureSink, PictureSink, ResultSink
    from tracker.sinks.video.numbered import NumberedImageSink
    from tracker.sinks.video.sink import VideoSink
    from tracker.sinks.virtual_camera import VirtualCamera
    from tracker.sources.arrays import ImageLike, frame_from, frames_from
    from tracker.sources.film import Film
    from tracker.sources.images.source import ReadFailure
    from tracker.sources.opening import Source, open_source
    from tracker.tracking.admission import Admission
    from tracker.tracking.face_tracker import FaceTracker
    from tracker.tracking.opening import OpenedTracker, TrackerOptions, open_tracker
    from tracker.tracking.settings import IdentitySettings, TrackerSettings
    from tracker.tracking.smoothing import OneEuro
    from tracker.tracking.state import TrackerState
    from tracker.types import (
        Damage,
        FaceBox,
        FaceMeasures,
        Frame,
        FrameResult,
        ImageArray,
        Landmarks,
        TrackedFace,
    )

    __version__: str

__all__ = [
    "EDGES",
    "MIRROR",
    "N_POINTS",
    "PARTS",
    "SCHEMES",
    "Admission",
    "Anonymiser",
    "BackendError",
    "BatchError",
    "BenchError",
    "ClusterError",
    "CsvSink",
    "Damage",
    "DisplayError",
    "DlibSink",
    "DrawStyle",
    "FaceBox",
    "FaceDetector",
    "FaceLine",
    "FaceMeasures",
    "FaceTracker",
    "FailureSink",
    "FileSink",
    "Film",
    "Frame",
    "FrameResult",
    "Head",
    "Hidden",
    "IdentitySettings",
    "ImageArray",
    "ImageLike",
    "ImageSink",
    "JsonSink",
    "Landmarker",
    "Landmarks",
    "Located",
    "MisuseError",
    "NumberedImageSink",
    "OneEuro",
    "OpenFaceSink",
    "OpenedTracker",
    "OscSink",
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
    "Scheme",
    "ServeError",
    "SinkError",
    "Source",
    "SourceError",
    "Span",
    "Stretch",
    "TrackedFace",
    "TrackerError",
    "TrackerOptions",
    "TrackerSettings",
    "TrackerState",
    "VideoSink",
    "View",
    "VirtualCamera",
    "WeightsError",
    "annotate",
    "draw_badge",
    "draw_faces",
    "frame_from",
    "frames_from",
    "mirror_faces",
    "open_detector",
    "open_sink",
    "open_source",
    "open_tracker",
    "read_results",
    "read_table",
    "results_table",
]

_MODULES = {
    "drawing.annotate": ("annotate",),
    "drawing.anonymise": ("Anonymiser", "Hidden"),
    "drawing.faces": ("draw_faces", "mirror_faces"),
    "drawing.heads": ("Head",),
    "drawing.picture": ("Picture",),
    "drawing.style": ("DrawStyle",),
    "drawing.text": ("Span", "draw_badge"),
    "errors": (
        *("BackendError", "BatchError", "BenchError", "ClusterError", "DisplayError"),
        *("MisuseError", "ReaderGoneError"),
        *("ResultsError", "ServeError", "SinkError", "SourceError", "TrackerError", "WeightsError"),
    ),
    "geometry": ("Stretch",),
    "inference.detection.detector": ("FaceDetector",),
    "inference.detection.views": ("View",),
    "inference.landmarker": ("Landmarker", "Located"),
    "inference.opening": ("open_detector",),
    "scheme.ibug68": ("EDGES", "MIRROR", "N_POINTS", "PARTS"),
    "scheme.shipped": ("SCHEMES",),
    "scheme.value": ("Scheme",),
    "sinks.csv_table": ("CsvSink", "read_table", "results_table"),
    "sinks.images": ("ImageSink",),
    "sinks.json_lines": ("FaceLine", "JsonSink", "ResultLine", "Results", "read_results"),
    "sinks.labels": ("DlibSink", "PtsSink"),
    "sinks.openface": ("OpenFaceSink",),
    "sinks.opening": ("FileSink", "open_sink"),
    "sinks.osc": ("OscSink",),
    "sinks.parquet": ("ParquetSink",),
    "sinks.protocols": ("FailureSink", "PictureSink", "ResultSink"),
    "sinks.video.numbered": ("NumberedImageSink",),
    "sinks.video.sink": ("VideoSink",),
    "sinks.virtual_camera": ("VirtualCamera",),
    "sources.film": ("Film",),
    "sources.images.source": ("ReadFailure",),
    "sources.arrays": ("ImageLike", "frame_from", "frames_from"),
    "sources.opening": ("Source", "open_source"),
    "tracking.admission": ("Admission",),
    "tracking.face_tracker": ("FaceTracker",),
    "tracking.opening": ("OpenedTracker", "TrackerOptions", "open_tracker"),
    "tracking.settings": ("IdentitySettings", "TrackerSettings"),
    "tracking.smoothing": ("OneEuro",),
    "tracking.state": ("TrackerState",),
    "types": (
        *("Damage", "FaceBox", "FaceMeasures", "Frame", "FrameResult"),
        *("ImageArray", "Landmarks", "TrackedFace"),
    ),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from tracker.distribution import version

        return version()
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
