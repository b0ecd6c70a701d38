"""How near a video run comes to its slowest stage alone, and memory over a long video.

Writes a clip of the portrait, then times on it, in turns: decoding alone, tracking alone on frames in
memory, and the run of ``tracker --video CLIP --no-window --json FILE``, in which reading, inference and
writing overlap. With ``--hours`` a video so long is made by playing the clip over and over, and memory is
looked at on the way.

    python -m benchmarks.throughput --hours 1
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, ModelOption, ThreadsOption, run_command
from benchmarks.memory import resident_mb
from tracker.app import Outputs, run_video
from tracker.bench.clip import FPS, write_clip
from tracker.hud import Hud
from tracker.machine import describe_machine
from tracker.opening import OpenedTracker, open_tracker
from tracker.sinks import JsonSink
from tracker.sources import VideoSource
from tracker.types import Frame
from train.files import replace, to_json, try_writing
from train.progress import progress_bar

SIZE = (640, 480)


@dataclass(frozen=True)
class Speeds:
    """Frames a second, medians over all rounds."""

    decode: float
    track: float
    run: float

    @property
    def share(self) -> float:
        """The whole run's over that of the slower stage alone."""
        return self.run / min(self.decode, self.track)


@dataclass(frozen=True)
class Memory:
    """Megabytes resident after ``frames`` frames."""

    frames: int
    megabytes: float


def time_stages(clip: Path, opened: OpenedTracker, folder: Path, rounds: int) -> Speeds:
    """Each stage alone and the whole run, ``rounds`` times in turns."""
    with VideoSource(clip) as source:
        frames = list(source)

    def decode() -> None:
        with VideoSource(clip) as source:
            for _ in source:
                pass

    def track() -> None:
        tracker = opened.fresh()
        for frame in frames:
            tracker.step(frame)

    def run() -> None:
        with VideoSource(clip) as source, JsonSink(folder / "run.jsonl") as sink:
            run_video(source, opened.fresh(), Outputs(sink), Hud("run"))

    told: dict[str, list[float]] = {"decode": [], "track": [], "run": []}
    with progress_bar("timing", 3 * rounds) as advance:
        for _ in range(rounds):
            for name, stage in (("decode", decode), ("track", track), ("run", run)):
                told[name].append(len(frames) / _seconds(stage))
                advance()
    return Speeds(**{name: round(median(speeds), 1) for name, speeds in told.items()})


def run_long(clip: Path, opened: OpenedTracker, folder: Path, count: int) -> list[Memory]:
    """A run over ``count`` frames, looked at ten times."""
    looks: list[Memory] = []
    at = {count * part // 10 for part in range(1, 11)}
    done = itertools.count(1)
    with JsonSink(folder / "long.jsonl") as sink, progress_bar("a long video", count) as advance:

        def on_frame() -> None:
            advance()
            if (frames := next(done)) in at:
                looks.append(Memory(frames, resident_mb()))

        run_video(_over_and_over(clip, count), opened.fresh(), Outputs(sink), Hud("long"), None, on_frame)
    return looks


def main(
    frames: Annotated[int, typer.Option(min=10, help="Frames of the clip.")] = 600,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each.")] = 3,
    hours: Annotated[float, typer.Option(min=0, help=f"Also so long a video, {FPS} frames a second.")] = 0.0,
    model: ModelOption = "unet-light",
    threads: ThreadsOption = 1,
    json_path: JsonOption = None,
) -> None:
    """Hold the whole run against its slowest stage alone."""
    if json_path:
        try_writing(json_path)
    with tempfile.TemporaryDirectory() as name, open_tracker(model, "cpu", threads=threads) as opened:
        folder = Path(name)
        write_clip(folder / "clip.mp4", frames, SIZE)
        speeds = time_stages(folder / "clip.mp4", opened, folder, rounds)
        memory = run_long(folder / "clip.mp4", opened, folder, round(hours * 3600 * FPS)) if hours else []
    console = Console()
    console.print(_table(speeds))
    for one in memory:
        console.print(f"{one.frames} frames: {one.megabytes} MB")
    if json_path:
        report = {"machine": describe_machine(), "model": model, "threads": threads, "share": speeds.share}
        looks = [asdict(one) for one in memory]
        replace(json_path, to_json({**report, "speeds": asdict(speeds), "memory": looks}).encode())


def _over_and_over(clip: Path, count: int) -> Iterator[Frame]:
    """``count`` frames, the clip decoded anew each time it has ended."""
    index = 0
    while index < count:
        with VideoSource(clip) as source:
            for frame in itertools.islice(source, count - index):
                yield Frame(frame.image_bgr, index, index / FPS, "long")
                index += 1


def _seconds(stage: Callable[[], None]) -> float:
    started = time.perf_counter()
    stage()
    return time.perf_counter() - started


def _table(speeds: Speeds) -> Table:
    table = Table(title="frames a second", title_justify="left")
    for header in ("decoding alone", "tracking alone", "whole run", "run over the slower"):
        table.add_column(header, justify="right")
    table.add_row(f"{speeds.decode}", f"{speeds.track}", f"{speeds.run}", f"{speeds.share:.2f}")
    return table


if __name__ == "__main__":
    run_command(main)
