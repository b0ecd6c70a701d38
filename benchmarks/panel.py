"""Milliseconds of the live panel compared with those of ``tracker bench``.

The bench measures a clip in a process of its own. The live loop then tracks the same clip as
``tracker --video CLIP --max-faces 1`` does, in a window if there is a display, and its panel is read after
the last frame. They take turns, since the speed of a computer varies over time.

    python -m benchmarks.panel
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
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
from benchmarks.null_screen import NullScreen
from tracker.errors import DisplayError
from tracker.reports.bench.clip import write_clip
from tracker.reports.bench.records import BenchCase
from tracker.reports.bench.run import measure_in_process
from tracker.reports.bench.worker import WARM_UP
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import Run, run_frames
from tracker.runs.view import View
from tracker.runs.window import Screen, Window
from tracker.sources.video.source import VideoSource
from tracker.tracking.opening import open_tracker
from tracker.types import STAGES as TRACKER_STAGES
from train.progress import progress_bar

STAGES = tuple(stage for stage in TRACKER_STAGES if stage != "detect")
"""Stages that run in every frame of a tracked face."""


@dataclass(frozen=True)
class Comparison:
    """Medians of one stage over all rounds, in milliseconds, from the bench and from the panel."""

    stage: str
    bench_ms: float
    panel_ms: float

    @property
    def ratio(self) -> float:
        """The panel's median divided by the bench's."""
        return self.panel_ms / self.bench_ms


def compare(case: BenchCase, rounds: int) -> list[Comparison]:
    """Measure each stage, and all of them together, in ``rounds`` rounds."""
    medians: dict[str, list[dict[str, float]]] = {"bench": [], "panel": []}
    with progress_bar("measuring", 2 * rounds) as advance:
        for _ in range(rounds):
            for name, measure in (("bench", bench_stages), ("panel", panel_stages)):
                medians[name].append(_with_sum(measure(case)))
                advance()
    return [
        Comparison(
            stage, *(round(median(one[stage] for one in medians[name]), 4) for name in ("bench", "panel"))
        )
        for stage in (*STAGES, "together")
    ]


def bench_stages(case: BenchCase) -> dict[str, float]:
    """Return the median milliseconds of each stage in tracking mode."""
    rows, _ = measure_in_process(case)
    return {row.stage: row.median_ms for row in rows if row.mode == "tracking" and row.stage in STAGES}


def panel_stages(case: BenchCase) -> dict[str, float]:
    """Return the same from the panel after the last frame of the live loop."""
    stats = LiveStats("bench")
    with ExitStack() as stack:
        source = stack.enter_context(VideoSource(Path(case.clip)))
        tracker = stack.enter_context(
            open_tracker(case.model, case.backend, threads=case.threads, max_faces=1, smoothing="low")
        )
        view = stack.enter_context(View(_screen(stack)))
        run_frames(source, Run(tracker, view=view, stats=stats))
    return {name: stage.median_ms for name, stage in stats.loop.stages().items() if name in STAGES}


def main(
    model: ModelOption = "resnet18",
    backend: BackendOption = "cpu",
    threads: ThreadsOption = 2,
    frames: Annotated[int, typer.Option(min=10, help="Frames of a round.")] = 300,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each.")] = 3,
    json_path: JsonOption = None,
) -> None:
    """Hold the live panel's milliseconds against those of tracker bench."""
    check_outputs(json_path)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, WARM_UP + frames, (640, 480))
        found = compare(BenchCase(backend, model, None, threads, str(clip), 1, frames), rounds)
    Console().print(_table(found))
    stages = [{**asdict(one), "ratio": one.ratio} for one in found]
    write_report(json_path, model=model, backend=backend, threads=threads, stages=stages)


def _screen(stack: ExitStack) -> Screen:
    try:
        return stack.enter_context(Window("panel"))
    except DisplayError:
        return NullScreen()


def _with_sum(stages: dict[str, float]) -> dict[str, float]:
    return {**stages, "together": sum(stages.values())}


def _table(found: Sequence[Comparison]) -> Table:
    table = Table(title="milliseconds, medians", title_justify="left")
    for header in ("stage", "tracker bench", "live panel", "ratio"):
        table.add_column(header, justify="left" if header == "stage" else "right")
    for one in found:
        table.add_row(one.stage, f"{one.bench_ms:.2f}", f"{one.panel_ms:.2f}", f"{one.ratio:.2f}")
    return table


if __name__ == "__main__":
    run_command(main)
