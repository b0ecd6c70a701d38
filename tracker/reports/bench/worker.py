"""The process that measures one setting: ``python -m tracker.reports.bench.worker SETTING STARTED``.

SETTING is a :class:`~tracker.reports.bench.setting.Setting` as JSON, STARTED the time (seconds since the
epoch) at
which the process was asked for. It answers with one line of JSON: rows and process, or an error.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tracker.drawing.faces import draw_faces
from tracker.errors import BenchError, TrackerError
from tracker.inference.opening import open_blazeface, open_landmarker
from tracker.reports.bench.setting import MODES, STAGES, Process, Row, Setting
from tracker.sources.video.source import VideoSource
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from tracker.types import Frame

WARM_UP = 20
FEWEST = 10
"""Frames beyond the warm-up that a median can be taken of."""

Samples = dict[str, list[float]]


def measure(setting: Setting, started: float) -> tuple[list[Row], Process]:
    """Follow the faces of the clip in each mode, timing every stage of every frame after the warm-up.

    Raises :class:`~tracker.errors.TrackerError` for what does not open and a clip that is too short.
    """
    opened = open_landmarker(
        setting.model, setting.backend, setting.threads, setting.precision, setting.faces
    )
    detector = open_blazeface(setting.threads)
    with VideoSource(Path(setting.clip)) as source:
        width, height = source.size
    what: dict[str, Any] = {
        "backend": opened.backend,
        "model": setting.model,
        "precision": opened.file.precision,
        "threads": setting.threads,
        "width": width,
        "height": height,
    }
    rows: list[Row] = []
    first_s, faces = None, 0
    for mode in MODES:
        tracker = FaceTracker(detector, opened.landmarker, _settings(mode, setting.faces))
        samples: Samples = {}
        found = 0
        for index, (spent, count) in enumerate(_time_frames(tracker, setting)):
            first_s = time.time() - started if first_s is None else first_s
            if index >= WARM_UP:
                found = max(found, count)
                for stage, milliseconds in spent.items():
                    samples.setdefault(stage, []).append(milliseconds)
        faces = max(faces, found)
        key = {**what, "provider": opened.provider, "faces": found, "mode": mode}
        rows += [_row({**key, "stage": stage}, samples[stage]) for stage in STAGES if stage in samples]
    assert first_s is not None
    return rows, Process(**what, faces=faces, start_s=round(first_s, 3), peak_mb=_peak_mb())


def _settings(mode: str, faces: int) -> TrackerSettings:
    """Every face has its slot, so that the detector may rest; one more slot, and it never does."""
    if mode == "tracking":
        return TrackerSettings(max_faces=faces, smoothing=PRESETS["low"])
    return TrackerSettings(max_faces=faces + 1, detect_every=1, smoothing=PRESETS["low"])


def _time_frames(tracker: FaceTracker, setting: Setting) -> Iterator[tuple[dict[str, float], int]]:
    """Milliseconds of each stage of each frame, and how many faces were found in it."""
    wanted = WARM_UP + setting.frames
    count = 0
    with VideoSource(Path(setting.clip)) as source:
        frames = iter(source)
        while count < wanted:
            started = time.perf_counter()
            frame = next(frames, None)
            if frame is None:
                break
            decoded = time.perf_counter()
            result = tracker.step(frame)
            done = time.perf_counter()
            spent = {
                **result.stage_ms,
                "total": 1000 * (done - decoded),
                "decode": 1000 * (decoded - started),
            }
            yield {**spent, "draw": _time_drawing(frame, result.faces)}, len(result.faces)
            count += 1
    if count < WARM_UP + FEWEST:
        raise BenchError(f"{setting.clip} has {count} frames; a measurement needs {WARM_UP + FEWEST}")


def _time_drawing(frame: Frame, faces: Sequence[Any]) -> float:
    started = time.perf_counter()
    draw_faces(frame.image_bgr.copy(), faces)
    return 1000 * (time.perf_counter() - started)


def _row(key: Mapping[str, Any], values: Sequence[float]) -> Row:
    median, p95, p99 = (float(v) for v in np.percentile(values, (50, 95, 99)))
    latency: dict[str, Any] = {
        "median_ms": round(median, 4),
        "p95_ms": round(p95, 4),
        "p99_ms": round(p99, 4),
        "fps": round(1000 / max(median, 1e-4), 1),
    }
    return Row(**key, **latency, frames=len(values))


def _peak_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def main() -> None:
    """Measure what the command line asks for; an error is an answer, too."""
    setting, started = Setting(**json.loads(sys.argv[1])), float(sys.argv[2])
    try:
        rows, process = measure(setting, started)
        answer: dict[str, Any] = {"rows": [asdict(row) for row in rows], "process": asdict(process)}
    except TrackerError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
