"""Hours of the live loop as fast as frames come, with everything that goes wrong on the way.

A network camera on this computer shows the portrait. Again and again its pictures turn black, change their
size, or it is killed and comes back. The loop tracks, draws, writes JSON and refreshes a status panel, as
``tracker --camera URL --json FILE`` does. What is told: memory along the way, faces, ids, and threads left.

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

from benchmarks.blind import Blind
from benchmarks.command import BackendOption, JsonOption, ModelOption, run_command
from benchmarks.memory import resident_mb
from benchmarks.mjpeg import MjpegServer, Picture, jpeg
from tracker.errors import BenchError
from tracker.reports.bench.clip import TURN, portrait_frames
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import Run, run_frames
from tracker.runs.observer import ItemObserver
from tracker.runs.outputs import Outputs
from tracker.runs.view import View
from tracker.sinks.json_lines import JsonSink
from tracker.sources.camera.source import CameraSource
from tracker.system.machine import describe_machine
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import open_tracker
from tracker.types import Frame, FrameResult
from train.files import replace, to_json, try_writing
from train.progress import progress_bar

CAMERA_FPS = 30
"""An hour is so many frames a second."""

_FASTEST_FPS = 1e5


@dataclass(frozen=True)
class Look:
    """After ``frames`` frames: megabytes resident, threads alive, frames with a face and ids so far, and how
    often the camera came back."""

    frames: int
    megabytes: float
    threads: int
    with_face: int
    ids: int
    returns: int


class Reel:
    """What the camera shows: the portrait, and by turns black or another size.

    It drifts as the loop takes frames, however many the camera sends: time is accelerated for both alike.
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
        if self.scene == "black":
            return self._black
        return (self._large if self.scene == "large" else self._small)[self.position % TURN]


class Troubled:
    """The frames of a camera at ``server``, which has troubles by turns: one every ``every`` frames."""

    def __init__(self, reel: Reel, every: int) -> None:
        self._reel, self._every = reel, every
        self.server = MjpegServer(_FASTEST_FPS, reel)
        self.returns = 0

    def frames(self, count: int) -> Iterator[Frame]:
        """``count`` frames, as they come."""
        with CameraSource(self.server.url, say=self._hear) as source:
            for seen, frame in enumerate(source, 1):
                yield frame
                self._reel.position = seen
                if seen == count:
                    return
                if seen % self._every == 0:
                    self._trouble(seen // self._every)

    def close(self) -> None:
        """End the camera."""
        self.server.kill()

    def _trouble(self, turn: int) -> None:
        self._reel.scene = ("black", "face", "large", "face")[turn % 4]
        if turn % 4 == 1:
            self.server.kill()
            self.server = MjpegServer(_FASTEST_FPS, self._reel, self.server.port)

    def _hear(self, line: str) -> None:
        self.returns += "is back" in line


class Watch(JsonSink):
    """A JSON sink that keeps count of what passes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.frames = self.with_face = 0
        self.ids: set[int] = set()

    def write(self, result: FrameResult) -> None:
        """Count and write one frame."""
        super().write(result)
        self.frames += 1
        self.with_face += bool(result.faces)
        self.ids.update(face.id for face in result.faces)


def soak(tracker: FaceTracker, label: str, frames: int, every: int) -> list[Look]:
    """Ten looks during ``frames`` frames with a trouble every ``every``; the last one when all is closed.

    Raises :class:`~tracker.errors.BenchError` if a line of the JSON is missing or cannot be read.
    """
    looks: list[Look] = []
    at = {frames * part // 10 for part in range(1, 11)}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "soak.jsonl"
        camera = Troubled(Reel(), every)
        stack.callback(camera.close)
        watch = stack.enter_context(Watch(path))
        view = stack.enter_context(View(Blind(), Path(folder)))
        advance = stack.enter_context(progress_bar("soaking", frames))

        def look() -> Look:
            alive = threading.active_count()
            return Look(watch.frames, resident_mb(), alive, watch.with_face, len(watch.ids), camera.returns)

        def on_frame() -> None:
            advance()
            if watch.frames in at:
                looks.append(look())

        outputs, observer = Outputs(results=(watch,)), ItemObserver(on_frame)
        run = Run(tracker, outputs, observer, view=view, stats=LiveStats(label))
        run_frames(camera.frames(frames), run)
        stack.close()
        with path.open() as lines:
            written = sum(1 for line in lines if json.loads(line))
        if written != frames:
            raise BenchError(f"{written} lines of JSON of {frames} frames")
        return [*looks, look()]


def main(
    hours: Annotated[float, typer.Option(min=0.001, help=f"At {CAMERA_FPS} frames a second.")] = 2.0,
    every: Annotated[int, typer.Option(min=1, help="Frames between troubles.")] = 1500,
    model: ModelOption = "unet-light",
    backend: BackendOption = "cpu",
    json_path: JsonOption = None,
) -> None:
    """Let the live loop run for hours, as fast as frames come."""
    if json_path:
        try_writing(json_path)
    before = threading.active_count()
    with open_tracker(model, backend, smoothing="low") as tracker:
        looks = soak(tracker, tracker.label, round(hours * 3600 * CAMERA_FPS), every)
    caption = f"{before} threads before; the last row after closing."
    table = Table(title="soak", title_justify="left", caption=caption)
    for header in ("frames", "resident, MB", "threads", "with a face", "ids", "camera came back"):
        table.add_column(header, justify="right")
    for one in looks:
        table.add_row(*(str(value) for value in asdict(one).values()))
    Console().print(table)
    if json_path:
        report = {"machine": describe_machine(), "model": model, "backend": backend, "threads_before": before}
        replace(json_path, to_json({**report, "looks": [asdict(one) for one in looks]}).encode())


if __name__ == "__main__":
    run_command(main)
