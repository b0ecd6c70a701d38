"""Memory and speed of a long run, compared with the speed of its slowest stage alone.

A video of the drifting portrait is tracked as ``tracker --video IN --no-window --json OUT`` does. The run is
paused at every hundredth of it; in each pause the next frames of the same video are decoded alone, then
frames in memory are tracked alone, so that other load on the computer affects all three alike.

    python -m benchmarks.long_video --minutes 60 --json long.json
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
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
from benchmarks.memory import Memory, memory_table, resident_mb
from tracker.reports.bench.clip import FPS, TURN, endless_portrait, write_clip
from tracker.runs.loop import Run, run_video
from tracker.runs.observer import ItemObserver
from tracker.runs.outputs import Outputs
from tracker.sinks.json_lines import JsonSink
from tracker.sources.video.source import VideoSource
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import OpenedTracker, open_tracker
from tracker.types import Frame
from train.progress import progress_bar

SIZE = (640, 480)
_PAUSES = 100
_LEAST_BETWEEN = 300
"""Fewest frames between two pauses, so that the frames read ahead during a pause are negligible."""


@dataclass
class Stage:
    """Frames processed by one stage, and the time that they took."""

    frames: int = 0
    seconds: float = 0.0

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.frames / self.seconds

    def add(self, frames: int, since: float) -> None:
        """Add ``frames`` processed since ``since``, a reading of :func:`time.perf_counter`."""
        self.frames += frames
        self.seconds += time.perf_counter() - since


@dataclass
class LongRun:
    """A run over ``length`` frames of ``video``, with pauses in which its stages are timed alone."""

    video: Path
    length: int
    decode: Stage = field(default_factory=Stage)
    track: Stage = field(default_factory=Stage)
    run: Stage = field(default_factory=Stage)
    memory: list[Memory] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Speed of the run divided by that of its slower stage alone."""
        return self.run.fps / min(self.decode.fps, self.track.fps)

    def measure(self, opened: OpenedTracker) -> None:
        """Perform the run."""
        every = min(self.length, max(_LEAST_BETWEEN, self.length // _PAUSES))
        looks = {every, *(self.length * part // 10 for part in range(1, 11))}
        alone = opened.fresh()
        shown = endless_portrait(SIZE)
        for frame in islice(shown, TURN):
            alone.step(frame)
        with (
            VideoSource(self.video) as again,
            VideoSource(self.video) as source,
            JsonSink(self.video.with_suffix(".jsonl")) as sink,
            progress_bar("a long video", self.length) as advance,
        ):
            decoded, done, since = iter(again), 0, time.perf_counter()

            def on_frame() -> None:
                nonlocal done, since
                done += 1
                advance()
                if done in looks:
                    self.memory.append(Memory(done, resident_mb()))
                if done % every == 0:
                    self.run.add(every, since)
                    self._time_stages(decoded, alone, shown, max(1, every // 10))
                    since = time.perf_counter()

            outputs = Outputs(results=(sink,))
            run_video(source, Run(opened.fresh(), outputs, ItemObserver(on_frame)))

    def _time_stages(
        self, decoded: Iterator[Frame], alone: FaceTracker, shown: Iterator[Frame], frames: int
    ) -> None:
        """Decode and then track ``frames`` frames, each stage alone."""
        since = time.perf_counter()
        self.decode.add(sum(1 for _ in islice(decoded, frames)), since)
        since = time.perf_counter()
        for frame in islice(shown, frames):
            alone.step(frame)
        self.track.add(frames, since)


def main(
    minutes: Annotated[float, typer.Option(min=0.02, help=f"Length, at {FPS} frames a second.")] = 60,
    model: ModelOption = "resnet18",
    backend: BackendOption = "cpu",
    threads: ThreadsOption = 1,
    json_path: JsonOption = None,
) -> None:
    """Measure speed and memory over one long video."""
    check_outputs(json_path)
    resident_mb()  # raises before the long work where memory is unknown
    with tempfile.TemporaryDirectory() as name, open_tracker(model, backend, threads=threads) as opened:
        long = LongRun(Path(name) / "long.mp4", round(minutes * 60 * FPS))
        with progress_bar("writing it", long.length) as advance:
            write_clip(long.video, long.length, SIZE, on_frame=advance)
        long.measure(opened)
    _print(long)
    write_report(
        json_path,
        model=model,
        backend=backend,
        threads=threads,
        frames=long.length,
        frames_per_second={name: round(getattr(long, name).fps, 1) for name in ("decode", "track", "run")},
        share_of_slower=round(long.share, 3),
        memory=[asdict(one) for one in long.memory],
    )


def _print(long: LongRun) -> None:
    table = Table(title="frames a second", title_justify="left")
    for header in ("decoding alone", "tracking alone", "the run", "run over the slower"):
        table.add_column(header, justify="right")
    speeds = (f"{stage.fps:.1f}" for stage in (long.decode, long.track, long.run))
    table.add_row(*speeds, f"{long.share:.2f}")
    Console().print(table, memory_table("memory of the run", long.memory))


if __name__ == "__main__":
    run_command(main)
