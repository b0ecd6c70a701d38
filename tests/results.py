"""Results of frames with synthetic faces, for tests of outputs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.shapes import face_points, measured
from tracker.sinks.json_lines import JsonSink
from tracker.sources.images.source import ReadFailure
from tracker.types import UNMEASURED, FaceMeasures, FrameResult, Landmarks, TrackedFace

SOME_MEASURES = FaceMeasures((0.31239, None), 0.05, -12.3456, 4.0, 179.999, blinks=3)
"""Measures with one unknown eye."""

NO_POSE = FaceMeasures((0.3, 0.29), None, None, None, None)
"""Measures of the eyes only."""

FAILURE = ReadFailure("bad.png", "not an image")


def faces_in_a_row(n_faces: int = 1, index: int = 12, source: str = "a.mp4") -> FrameResult:
    """Return one frame with ``n_faces`` faces that have no measures."""
    faces = tuple(
        TrackedFace(i + 1, Landmarks(face_points((100.123 + 40 * i, 80)), 0.98765)) for i in range(n_faces)
    )
    return FrameResult(faces, index, 0.4, source, (480, 640))


def three_measured_faces() -> FrameResult:
    """Return one frame with faces of :data:`SOME_MEASURES`, :data:`NO_POSE` and no measures."""
    plain = faces_in_a_row(3)
    measures = (SOME_MEASURES, NO_POSE, UNMEASURED)
    faces = tuple(replace(f, measures=m) for f, m in zip(plain.faces, measures, strict=True))
    return replace(plain, faces=faces)


def frames_of_one_face(count: int = 3, source: str = "in.mp4") -> list[FrameResult]:
    """Return ``count`` frames of a video: the first is empty, the others have a face with everything."""
    points = face_points((100, 80), 60)
    face = TrackedFace(1, Landmarks(points, 0.9, np.linspace(0, 1, 68)), measured(points))
    return [
        FrameResult((face,) if index else (), index, index / 25, source, (480, 640)) for index in range(count)
    ]


def write_json_lines(path: Path, results: list[FrameResult], failure: ReadFailure | None = None) -> Path:
    """Write the lines of ``results`` and of ``failure`` to ``path``, which is returned."""
    with JsonSink(path) as sink:
        for result in results:
            sink.write(result)
        if failure:
            sink.write_failure(failure)
    return path


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the parsed lines of a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
