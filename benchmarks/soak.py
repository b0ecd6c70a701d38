"""Soak test of the live loop: hours of frames as fast as they come, with recurring faults of the camera.

A network camera on this computer shows the portrait. Its pictures turn black or change size, or it is killed
and comes back. The loop tracks, draws, writes JSON and refreshes a status panel, as ``tracker --camera URL
--json FILE`` does. Memory, faces, ids and threads are reported along the way.

    python -m benchmarks.soak --hours 2
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import (
    BackendOption,
    JsonOption,
    ModelOption,
    check_outputs,
    run_command,
    write_report,
)
from benchmarks.memory import resident_mb
from benchmarks.mjpeg import MjpegServer, Picture, jpeg
from benchmarks.null_screen import NullScreen
from tracker.errors import BenchError
from tracker.reports.bench.clip import TURN, portrait_frames
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import Run, run_frames
from tracker.runs.observer import ItemObserver
from tracker.runs.outputs import Outputs
from tracker.runs.view import View
from tracker.sinks.json_lines import JsonSink
from tracker.sources.camera.source import CameraSource
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import open_tracker
from tracker.types import Frame, FrameResult
from train.progress import progress_bar

CAMERA_FPS = 30
"""Frame rate by which hours are converted to frames."""

_FASTEST_FPS = 1e5


@dataclass(frozen=True)
class Snapshot:
    """State of the process after ``frames`` frames.

    Resident memory in units of 10**6 bytes, live threads, frames with a face and ids so far, and how often
    the camera came back.
    """

    frames: int
    megabytes: float
    threads: int
    with_face: int
    ids: int
    returns: int


class Scenes:
    """Pictures of the camera: the portrait in two sizes, or black.

    The portrait drifts with the frames that the loop takes, not with those that the camera sends.
    """

    def __init__(self) -> None:
        self._small, self._large = (
            [jpeg(frame.image_bgr) for frame in portrait_frames(TURN, size)]
            for size in ((640, 480), (960, 720))
        )
        self._black = jpeg(np.zeros((480, 640, 3), np.uint8))
        self.scene = "face"
        self.position = 0

    def __call__(self, number: int) -> Picture:  # noqa: ARG002
        """Return the current picture; the ``number`` of the camera does not matter."""
        if self.scene == "black":
            return self._black
        return (self._large if self.scene == "large" else self._small)[self.position % TURN]


class FaultyCamera:
    """Camera at ``server`` with a fault every ``every`` frames: black, a new size, or a restart."""

    def __init__(self, scenes: Scenes, every: int) -> None:
        self._scenes, self._every = scenes, every
        self.server = MjpegServer(_FASTEST_FPS, scenes)
        self.returns = 0

    def frames(self, count: int) -> Iterator[Frame]:
        """Yield ``count`` frames as they come."""
        with CameraSource(self.server.url, say=self._on_message) as source:
            for seen, frame in enumerate(source, 1):
                yield frame
                self._scenes.position = seen
                if seen == count:
                    return
                if seen % self._every == 0:
                    self._cause_fault(seen // self._every)

    def close(self) -> None:
        """Stop the camera."""
        self.server.kill()

    def _cause_fault(self, turn: int) -> None:
        self._scenes.scene = ("black", "face", "large", "face")[turn % 4]
        if turn % 4 == 1:
            self.server.kill()
            self.server = MjpegServer(_FASTEST_FPS, self._scenes, self.server.port)

    def _on_message(self, line: str) -> None:
        self.returns += "is back" in line


class CountingSink(JsonSink):
    """JSON sink that counts frames, faces and ids."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.frames = self.with_face = 0
        self.ids: set[int] = set()

    def write(self, result: FrameResult) -> None:
        """Write and count one frame."""
        super().write(result)
        self.frames += 1
        self.with_face += bool(result.faces)
        self.ids.update(face.id for face in result.faces)


def soak(tracker: FaceTracker, label: str, frames: int, every: int) -> list[Snapshot]:
    """Run ``frames`` frames with a fault every ``every``; return ten snapshots, and one after closing.

    Raises :class:`~tracker.errors.BenchError` if a line of the JSON is missing or cannot be read.
    """
    snapshots: list[Snapshot] = []
    at = {frames * part // 10 for part in range(1, 11)}
    camera = FaultyCamera(Scenes(), every)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "soak.jsonl"
        stack.callback(camera.close)
        sink = stack.enter_context(CountingSink(path))
        view = stack.enter_context(View(NullScreen(), Path(folder)))
        advance = stack.enter_context(progress_bar("soaking", frames))

        def on_frame() -> None:
            advance()
            if sink.frames in at:
                snapshots.append(_snapshot(sink, camera))

        observer = ItemObserver(on_frame)
        run = Run(tracker, Outputs(results=(sink,)), observer, view=view, stats=LiveStats(label))
        run_frames(camera.frames(frames), run)
        stack.close()
        check_lines(path, frames)
        return [*snapshots, _snapshot(sink, camera)]


def check_lines(path: Path, frames: int) -> None:
    """Raise :class:`~tracker.errors.BenchError` unless ``path`` holds ``frames`` lines of JSON."""
    with path.open() as lines:
        written = sum(1 for line in lines if json.loads(line))
    if written != frames:
        raise BenchError(f"{written} lines of JSON of {frames} frames")


def _snapshot(sink: CountingSink, camera: FaultyCamera) -> Snapshot:
    alive = threading.active_count()
    return Snapshot(sink.frames, resident_mb(), alive, sink.with_face, len(sink.ids), camera.returns)


def main(
    hours: Annotated[float, typer.Option(min=0.001, help=f"At {CAMERA_FPS} frames a second.")] = 2.0,
    every: Annotated[int, typer.Option(min=1, help="Frames between troubles.")] = 1500,
    model: ModelOption = "unet-light",
    backend: BackendOption = "cpu",
    json_path: JsonOption = None,
) -> None:
    """Let the live loop run for hours, as fast as frames come."""
    check_outputs(json_path)
    before = threading.active_count()
    with open_tracker(model, backend, smoothing="low") as tracker:
        snapshots = soak(tracker, tracker.label, round(hours * 3600 * CAMERA_FPS), every)
    caption = f"{before} threads before; the last row after closing."
    table = Table(title="soak", title_justify="left", caption=caption)
    for header in ("frames", "resident, MB", "threads", "with a face", "ids", "camera came back"):
        table.add_column(header, justify="right")
    for one in snapshots:
        table.add_row(*(str(value) for value in asdict(one).values()))
    Console().print(table)
    rows = [asdict(one) for one in snapshots]
    write_report(json_path, model=model, backend=backend, threads_before=before, looks=rows)


if __name__ == "__main__":
    run_command(main)
