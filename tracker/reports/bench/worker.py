"""Process that measures one case: ``python -m tracker.reports.bench.worker CASE STARTED``.

CASE is a :class:`~tracker.reports.bench.records.BenchCase` as JSON, STARTED the time in seconds since the
epoch at which the process was started. It prints one line of JSON: ``rows`` and ``process``, or ``error``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tracker.drawing.faces import draw_faces
from tracker.errors import BenchError, TrackerError
from tracker.inference.opening import open_blazeface, open_landmarker
from tracker.reports.bench.records import MODES, STAGES, BenchCase, ProcessCost, StageTiming
from tracker.sources.video.source import VideoSource
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import keep_opencv_to_one_thread
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from tracker.types import Frame, TrackedFace

WARM_UP = 20
"""Frames at the beginning that are not measured."""

FEWEST = 10
"""Least number of frames after the warm-up."""


@dataclass
class _Samples:
    """Measured milliseconds per stage, the most faces in a frame, and when the first result was there."""

    stage_ms: dict[str, list[float]] = field(default_factory=dict)
    faces: int = 0
    first_result: float | None = None


def measure(case: BenchCase, started: float) -> tuple[list[StageTiming], ProcessCost]:
    """Track the clip in each mode and time every stage of every frame after the warm-up.

    Raises :class:`~tracker.errors.TrackerError` if model, backend or clip cannot be opened, or the clip is
    too short.
    """
    keep_opencv_to_one_thread()
    opened = open_landmarker(case.model, case.backend, case.threads, case.precision, case.faces)
    detector = open_blazeface(case.threads)
    with VideoSource(Path(case.clip)) as source:
        width, height = source.size
    about: dict[str, Any] = {
        "backend": opened.backend,
        "model": opened.file.name,
        "precision": opened.file.precision or "unstated",
        "threads": case.threads,
        "width": width,
        "height": height,
    }
    timings: list[StageTiming] = []
    of_mode: list[_Samples] = []
    for mode in MODES:
        samples = _sample(FaceTracker(detector, opened.landmarker, _settings(mode, case.faces)), case)
        fields = {**about, "provider": opened.provider, "faces": samples.faces, "mode": mode}
        timings += _timings(fields, samples)
        of_mode.append(samples)
    first_result = of_mode[0].first_result
    assert first_result is not None
    faces, start_s = max(samples.faces for samples in of_mode), round(first_result - started, 3)
    return timings, ProcessCost(**about, faces=faces, start_s=start_s, peak_mb=_peak_mb())


def _settings(mode: str, faces: int) -> TrackerSettings:
    """Return settings that keep the detector at rest (all faces tracked) or make it run in every frame."""
    if mode == "tracking":
        return TrackerSettings(max_faces=faces, smoothing=PRESETS["low"])
    return TrackerSettings(max_faces=faces + 1, detect_every=1, smoothing=PRESETS["low"])


def _sample(tracker: FaceTracker, case: BenchCase) -> _Samples:
    samples = _Samples()
    for index, (stage_ms, faces) in enumerate(_time_frames(tracker, case)):
        samples.first_result = samples.first_result or time.time()
        if index >= WARM_UP:
            samples.faces = max(samples.faces, faces)
            for stage, milliseconds in stage_ms.items():
                samples.stage_ms.setdefault(stage, []).append(milliseconds)
    return samples


def _time_frames(tracker: FaceTracker, case: BenchCase) -> Iterator[tuple[dict[str, float], int]]:
    """Yield, for each frame, the milliseconds of each stage and the number of faces."""
    most = WARM_UP + case.frames
    count = 0
    with VideoSource(Path(case.clip)) as source:
        frames = iter(source)
        while count < most:
            started = time.perf_counter()
            frame = next(frames, None)
            if frame is None:
                break
            decoded = time.perf_counter()
            result = tracker.step(frame)
            done = time.perf_counter()
            total = 1000 * (done - decoded)
            stage_ms = {
                **result.stage_ms,
                "total": total,
                "other": total - sum(result.stage_ms.values()),
                "decode": 1000 * (decoded - started),
            }
            yield {**stage_ms, "draw": _time_drawing(frame, result.faces)}, len(result.faces)
            count += 1
    if count < WARM_UP + FEWEST:
        raise BenchError(f"{case.clip} has {count} frames; a measurement needs {WARM_UP + FEWEST}")


def _time_drawing(frame: Frame, faces: Sequence[TrackedFace]) -> float:
    started = time.perf_counter()
    draw_faces(frame.image_bgr.copy(), faces)
    return 1000 * (time.perf_counter() - started)


def _timings(fields: Mapping[str, Any], samples: _Samples) -> Iterator[StageTiming]:
    frames = len(samples.stage_ms["total"])
    for stage in STAGES:
        if stage in samples.stage_ms:
            yield _timing({**fields, "stage": stage}, samples.stage_ms[stage], frames)


def _timing(fields: Mapping[str, Any], samples_ms: Sequence[float], frames: int) -> StageTiming:
    """Return the timing of a stage that took ``samples_ms`` in those of ``frames`` frames where it ran."""
    median, p95, p99 = (float(value) for value in np.percentile(samples_ms, (50, 95, 99)))
    return StageTiming(
        **fields,
        median_ms=round(median, 4),
        p95_ms=round(p95, 4),
        p99_ms=round(p99, 4),
        mean_ms=round(sum(samples_ms) / frames, 4),
        fps=round(1000 / max(median, 1e-4), 1),
        frames=len(samples_ms),
    )


def _peak_mb() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def main() -> None:
    """Measure the case of the command line and print the answer, also after an error."""
    case, started = BenchCase(**json.loads(sys.argv[1])), float(sys.argv[2])
    try:
        timings, process = measure(case, started)
        answer: dict[str, Any] = {"rows": [asdict(row) for row in timings], "process": asdict(process)}
    except TrackerError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
