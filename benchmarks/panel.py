"""Whether the live panel tells the truth: its milliseconds beside those of ``tracker bench``, in turns.

The bench measures a clip in a process of its own. The live loop then follows the same clip as
``tracker --video CLIP --max-faces 1`` does, window included where there is a screen, and its panel is read
after the last frame. Rounds take turns, since a computer is not equally fast at all times.

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

from benchmarks.blind import Blind
from benchmarks.command import BackendOption, JsonOption, ModelOption, ThreadsOption, run_command
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
from tracker.system.machine import describe_machine
from tracker.tracking.opening import open_tracker
from tracker.types import STAGES as TRACKER_STAGES
from train.files import replace, to_json, try_writing
from train.progress import progress_bar

STAGES = tuple(stage for stage in TRACKER_STAGES if stage != "detect")
"""What runs in each frame of a followed face."""


@dataclass(frozen=True)
class Comparison:
    """Medians of one stage over all rounds, milliseconds, as the bench and as the panel tell it."""

    stage: str
    bench_ms: float
    panel_ms: float

    @property
    def ratio(self) -> float:
        """The panel's over the bench's."""
        return self.panel_ms / self.bench_ms


def compare(case: BenchCase, rounds: int) -> list[Comparison]:
    """Each stage, and all of them together, in ``rounds`` turns."""
    told: dict[str, list[dict[str, float]]] = {"bench": [], "panel": []}
    with progress_bar("measuring", 2 * rounds) as advance:
        for _ in range(rounds):
            for name, ask in (("bench", ask_bench), ("panel", ask_panel)):
                told[name].append(_with_sum(ask(case)))
                advance()
    return [
        Comparison(
            stage, *(round(median(one[stage] for one in told[name]), 4) for name in ("bench", "panel"))
        )
        for stage in (*STAGES, "together")
    ]


def ask_bench(case: BenchCase) -> dict[str, float]:
    """Median milliseconds of each stage in tracking mode."""
    rows, _ = measure_in_process(case)
    return {row.stage: row.median_ms for row in rows if row.mode == "tracking" and row.stage in STAGES}


def ask_panel(case: BenchCase) -> dict[str, float]:
    """The same from the panel after the last frame of the live loop."""
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
    if json_path:
        try_writing(json_path)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, WARM_UP + frames, (640, 480))
        found = compare(BenchCase(backend, model, None, threads, str(clip), 1, frames), rounds)
    Console().print(_table(found))
    if json_path:
        report = {"machine": describe_machine(), "model": model, "backend": backend, "threads": threads}
        stages = [{**asdict(one), "ratio": one.ratio} for one in found]
        replace(json_path, to_json({**report, "stages": stages}).encode())


def _screen(stack: ExitStack) -> Screen:
    try:
        return stack.enter_context(Window("panel"))
    except DisplayError:
        return Blind()


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
