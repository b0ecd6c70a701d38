"""``tracker bench``: latency of the tracking loop, per stage and in total, on this computer.

The clip is made on the fly from a shipped portrait that drifts across the frame, so neither a
camera nor data is needed. Reading and drawing are not part of ``total``.
"""

from __future__ import annotations

import importlib.resources
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from tracker.backends import default_threads, open_session
from tracker.landmarker import OnnxLandmarker
from tracker.machine import describe_machine
from tracker.opening import open_blazeface
from tracker.pipeline import FaceTracker, TrackerSettings
from tracker.types import Frame, ImageArray
from tracker.video_sink import check_output, sink_errors
from tracker.weights import find_model

WARM_UP = 20
FRAME_SIZE = (640, 480)
MODES = {"tracking": TrackerSettings(max_faces=1), "detect": TrackerSettings(max_faces=2, detect_every=1)}
"""``tracking``: the detector rests on a full house. ``detect``: it runs in every frame."""


@dataclass(frozen=True)
class Row:
    """One stage of one measurement; milliseconds per frame over the frames in which it ran."""

    backend: str
    provider: str
    model: str
    precision: str
    threads: int
    width: int
    height: int
    faces: int
    mode: str
    stage: str
    median_ms: float
    p95_ms: float
    p99_ms: float
    fps: float
    frames: int


def run_bench(
    backends: Sequence[str], models: Sequence[str], threads: int, frames: int, json_path: Path | None
) -> None:
    """Measure every backend with every model, print a table and write ``json_path`` if given.

    Raises :class:`~tracker.errors.BackendError` for a backend that does not open, and
    :class:`~tracker.errors.SinkError` when ``json_path`` cannot be written: before measuring, if its
    folder is missing.
    """
    if json_path:
        check_output(json_path)
    threads = threads or default_threads()
    rows = [
        row for backend in backends for model in models for row in _measure(backend, model, threads, frames)
    ]
    console = Console()
    for setting, group in groupby(rows, key=lambda row: (row.provider, row.model, row.threads, row.mode)):
        console.print(_table(setting, list(group)))
    if json_path:
        report = {"machine": describe_machine(), "rows": [asdict(row) for row in rows]}
        with sink_errors(json_path):
            json_path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def drifting_portrait(count: int, size: tuple[int, int] = FRAME_SIZE) -> Iterator[Frame]:
    """``count`` frames of ``size`` (width, height): a portrait that moves on a slow circle."""
    data = importlib.resources.files("tracker").joinpath("assets/astronaut.jpg").read_bytes()
    portrait = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    scale = size[1] / portrait.shape[0]
    for index in range(count):
        angle = 2 * np.pi * index / 120
        shift = (size[0] - scale * portrait.shape[1]) / 2 + 0.1 * size[0] * np.cos(angle)
        place = np.array([[scale, 0, shift], [0, scale, 0.05 * size[1] * np.sin(angle)]])
        image: ImageArray = np.asarray(cv2.warpAffine(portrait, place, size), np.uint8)
        yield Frame(image, index, index / 30, "astronaut")


def _measure(backend: str, model: str, threads: int, frames: int) -> Iterator[Row]:
    entry = find_model(model, "landmarks")
    session = open_session(entry.verified(), backend, threads)
    detector, landmarker = open_blazeface(threads), OnnxLandmarker(session)
    key = {
        "backend": backend,
        "provider": session.provider,
        "model": model,
        "precision": entry.meta["precision"],
        "threads": threads,
        "width": FRAME_SIZE[0],
        "height": FRAME_SIZE[1],
    }
    for mode, settings in MODES.items():
        faces, samples = _time_stages(FaceTracker(detector, landmarker, settings), frames)
        for stage, values in samples.items():
            yield _row({**key, "faces": faces, "mode": mode, "stage": stage}, values)


def _time_stages(tracker: FaceTracker, frames: int) -> tuple[int, dict[str, list[float]]]:
    """Most faces at once, and milliseconds of each stage in each frame after the warm-up."""
    samples: dict[str, list[float]] = {"total": []}
    faces = 0
    for frame in drifting_portrait(WARM_UP + frames):
        started = time.perf_counter()
        result = tracker.step(frame)
        total = 1000 * (time.perf_counter() - started)
        if frame.index < WARM_UP:
            continue
        faces = max(faces, len(result.faces))
        for stage, value in {**result.stage_ms, "total": total}.items():
            samples.setdefault(stage, []).append(value)
    return faces, samples


def _row(key: Mapping[str, Any], values: Sequence[float]) -> Row:
    median, p95, p99 = (float(v) for v in np.percentile(values, (50, 95, 99)))
    latency: dict[str, Any] = {
        "median_ms": round(median, 4),
        "p95_ms": round(p95, 4),
        "p99_ms": round(p99, 4),
    }
    return Row(**key, **latency, fps=round(1000 / median, 1), frames=len(values))


def _table(setting: tuple[str, str, int, str], rows: Sequence[Row]) -> Table:
    provider, model, threads, mode = setting
    title = f"{model} on {provider}, {threads} threads, {mode}, {rows[0].faces} face"
    table = Table(
        title=title, title_justify="left", caption=f"milliseconds a frame of {FRAME_SIZE[0]}x{FRAME_SIZE[1]}"
    )
    table.add_column("stage")
    for name in ("median", "p95", "p99", "FPS"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        numbers = (f"{row.median_ms:.2f}", f"{row.p95_ms:.2f}", f"{row.p99_ms:.2f}", f"{row.fps:.0f}")
        table.add_row(row.stage, *numbers)
    return table
