"""Latency against the number of faces and the frame size, and memory against the length of a video.

Times are those of ``tracker bench``, each case in a process of its own; memory is that of this process, which
tracks one face through an endless clip.

    python -m benchmarks.scaling --json scaling.json --plot scaling.png
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks.command import (
    BackendOption,
    JsonOption,
    ModelOption,
    ThreadsOption,
    check_outputs,
    run_command,
    write_report,
)
from benchmarks.memory import Memory, memory_table, resident_mb
from tracker.errors import BenchError
from tracker.inference.opening import open_blazeface, open_landmarker
from tracker.reports.bench.clip import endless_portrait
from tracker.reports.bench.records import BenchGrid, StageTiming
from tracker.reports.bench.run import measure_all
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS
from train.evaluation.figures import PALETTE, plain_axes, png
from train.files import replace
from train.progress import progress_bar

FACES, SIZES = (1, 2, 3, 5), ((640, 480), (1280, 720), (1920, 1080))


@dataclass(frozen=True)
class Latency:
    """Median milliseconds per frame of one case in tracking mode, without detection.

    ``beside_ms`` is the part of ``total_ms`` outside inference; ``further_ms`` its increase per face beyond
    the first, None for one face.
    """

    faces: int
    width: int
    height: int
    total_ms: float
    infer_ms: float
    beside_ms: float
    further_ms: float | None = None


def main(  # noqa: PLR0913 - options of the command line
    model: ModelOption = "resnet18",
    backend: BackendOption = "cpu",
    threads: ThreadsOption = 2,
    frames: Annotated[int, typer.Option(min=10, help="Frames of each timing.")] = 300,
    length: Annotated[int, typer.Option(min=10, help="Frames of the long video.")] = 10_000,
    json_path: JsonOption = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw them, too.")] = None,
) -> None:
    """Measure what more faces, larger frames and longer videos cost."""
    check_outputs(json_path, plot)
    resident_mb()  # raises before the long work where memory is unknown
    by_faces = time_cases(model, backend, threads, frames, SIZES[:1], FACES)
    by_size = time_cases(model, backend, threads, frames, SIZES, FACES[:1])
    memory = track_long(model, backend, threads, length)
    tables = _step_table("faces", by_faces), _step_table("frame sizes", by_size)
    Console().print(*tables, memory_table("length of the video", memory))
    write_report(
        json_path,
        model=model,
        backend=backend,
        threads=threads,
        faces=[asdict(one) for one in by_faces],
        sizes=[asdict(one) for one in by_size],
        memory=[asdict(one) for one in memory],
    )
    if plot:
        replace(plot, png(_figure(by_faces, by_size, memory)))


def time_cases(
    model: str,
    backend: str,
    threads: int,
    frames: int,
    sizes: Sequence[tuple[int, int]],
    faces: Sequence[int],
) -> list[Latency]:
    """Measure tracking mode for each combination of size and number of faces.

    Raises :class:`~tracker.errors.BenchError` if not all faces were tracked.
    """
    grid = BenchGrid((backend,), (model,), (None,), (threads,), tuple(sizes), tuple(faces), frames)
    rows = [row for row in measure_all(grid).timings if row.mode == "tracking"]
    steps: list[Latency] = []
    for (width, height), count in itertools.product(sizes, faces):
        stages = {r.stage: r for r in rows if (r.width, r.height, r.faces) == (width, height, count)}
        if "total" not in stages:
            raise BenchError(f"not all of {count} faces were followed at {width}x{height}")
        steps.append(_step(stages, steps[0] if steps else None))
    return steps


def _step(stages: dict[str, StageTiming], first: Latency | None) -> Latency:
    total, infer = stages["total"], stages["infer"]
    beside = total.median_ms - infer.median_ms
    more = total.faces - first.faces if first else 0
    further = (beside - first.beside_ms) / more if first and more else None
    return Latency(
        total.faces, total.width, total.height, total.median_ms, infer.median_ms, round(beside, 4), further
    )


def track_long(model: str, backend: str, threads: int, length: int) -> list[Memory]:
    """Measure resident memory ten times over ``length`` frames, and after the first hundredth of them."""
    opened = open_landmarker(model, backend, threads)
    settings = TrackerSettings(max_faces=1, smoothing=PRESETS["low"])
    tracker = FaceTracker(open_blazeface(threads), opened.landmarker, settings)
    measured_at = {max(1, length // 100), *(length * part // 10 for part in range(1, 11))}
    memory = []
    with progress_bar("following a long video", length) as advance:
        for done, frame in enumerate(itertools.islice(endless_portrait(SIZES[0]), length), 1):
            tracker.step(frame)
            if done in measured_at:
                memory.append(Memory(done, resident_mb()))
            advance()
    return memory


def _step_table(title: str, steps: Sequence[Latency]) -> Table:
    table = Table(title=title, title_justify="left", caption="Medians in milliseconds, tracking.")
    for header in ("frame", "faces", "total", "inference", "beside it", "beside it, each further face"):
        table.add_column(header, justify="right")
    for s in steps:
        further = "" if s.further_ms is None else f"{s.further_ms:.2f}"
        numbers = (f"{value:.2f}" for value in (s.total_ms, s.infer_ms, s.beside_ms))
        table.add_row(f"{s.width}x{s.height}", str(s.faces), *numbers, further)
    return table


def _figure(by_faces: Sequence[Latency], by_size: Sequence[Latency], memory: Sequence[Memory]) -> Figure:
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    panels = figure.subplots(1, 3)
    places = ([step.faces for step in by_faces], [step.width * step.height / 1e6 for step in by_size])
    labels = ("faces", "megapixels of the frame")
    for axes, x, label, steps in zip(panels, places, labels, (by_faces, by_size), strict=False):
        axes.plot(x, [step.total_ms for step in steps], "o-", color=PALETTE[1], label="total")
        axes.plot(x, [step.infer_ms for step in steps], "o-", color=PALETTE[0], label="inference")
        axes.set_xlabel(label, fontsize=9)
        axes.set_ylabel("ms a frame", fontsize=9)
        axes.legend(fontsize=8, frameon=False)
    panels[2].plot([one.frames for one in memory], [one.megabytes for one in memory], "o-", color=PALETTE[2])
    panels[2].set_xlabel("frames", fontsize=9)
    panels[2].set_ylabel("resident memory, MB", fontsize=9)
    for axes in panels:
        axes.set_ylim(bottom=0)
        plain_axes(axes)
    return figure


if __name__ == "__main__":
    run_command(main)
