"""How inference sessions should share the cores: spinning or sleeping threads, a pool each or one for both.

Detector and landmark model take turns, as in the tracking loop: landmarks in every frame, detection in every
fifth. Each way is timed back to back and at a camera's pace; at that pace a spinning pool also burns the time
between frames, which shows in the processor time. Ways have a process each and take turns, round after round.

    python -m benchmarks.sessions --json sessions.json
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import onnxruntime as ort
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, ModelOption, run_command
from tracker.inference.weights import find_model
from tracker.system.machine import describe_machine, usable_cores
from tracker.types import FloatArray
from train.files import replace, to_json, try_writing
from train.progress import progress_bar

DETECT_EVERY = 5
CAMERA_FPS = 30


@dataclass(frozen=True)
class Way:
    """How sessions use threads: how many, whether idle ones spin, and whether both sessions share them."""

    threads: int
    spinning: bool
    shared: bool


@dataclass(frozen=True)
class Cost:
    """Medians of one way over frames: milliseconds back to back (``busy_ms``) and at a camera's pace
    (``paced_ms``), and processor milliseconds a frame at that pace."""

    threads: int
    spinning: bool
    shared: bool
    busy_ms: float
    paced_ms: float
    paced_cpu_ms: float


def main(
    model: ModelOption = "resnet18",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of 30 frames of each way.")] = 5,
    json_path: JsonOption = None,
) -> None:
    """Time spinning and sleeping threads of ONNX Runtime, a pool for each session and one for both."""
    find_model(model, "landmarks")
    if json_path:
        try_writing(json_path)
    counts = sorted({1, 2, min(usable_cores(), 4)})
    ways = [Way(*way) for way in itertools.product(counts, (False, True), (False, True))]
    costs = measure(ways, model, rounds)
    Console().print(_table(costs, model))
    if json_path:
        report = {"machine": describe_machine(), "model": model, "costs": [asdict(cost) for cost in costs]}
        replace(json_path, to_json(report).encode())


def measure(ways: Sequence[Way], model: str, rounds: int, frames: int = 30) -> list[Cost]:
    """Each way's costs over ``rounds`` times ``frames`` frames, after one round that does not count."""
    found: list[list[_Round]] = [[] for _ in ways]
    with ExitStack() as stack, progress_bar("timing", (rounds + 1) * len(ways)) as advance:
        context = get_context("spawn")
        workers = [
            stack.enter_context(ProcessPoolExecutor(1, context, _Worker.open, (way, model))) for way in ways
        ]
        for number in range(rounds + 1):
            for worker, results in zip(workers, found, strict=True):
                result = worker.submit(_Worker.round, frames).result()
                if number > 0:
                    results.append(result)
                advance()
    return [_cost(way, results) for way, results in zip(ways, found, strict=True)]


class _Round(NamedTuple):
    busy_ms: list[float]
    paced_ms: list[float]
    paced_cpu_ms: float


def _cost(way: Way, rounds: Sequence[_Round]) -> Cost:
    columns = (
        [ms for one in rounds for ms in one.busy_ms],
        [ms for one in rounds for ms in one.paced_ms],
        [one.paced_cpu_ms for one in rounds],
    )
    return Cost(
        way.threads, way.spinning, way.shared, *(round(float(np.median(column)), 3) for column in columns)
    )


class _Worker:
    """The process of one way. A pool that sessions share belongs to the whole process."""

    frame: ClassVar[Callable[[int], None]]

    @classmethod
    def open(cls, way: Way, model: str) -> None:
        cls.frame = _frame_runner(way, model)

    @classmethod
    def round(cls, frames: int) -> _Round:
        busy = [_timed(cls.frame, index) for index in range(frames)]
        return _Round(busy, *_at_camera_pace(cls.frame, frames))


def _frame_runner(way: Way, model: str) -> Callable[[int], None]:
    """What one frame runs: the landmark model, and in every fifth frame the detector."""
    options = ort.SessionOptions()
    if way.shared:
        ort.set_global_thread_pool_sizes(way.threads, 1)
        options.use_per_session_threads = False
    else:
        options.intra_op_num_threads = way.threads
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if way.spinning else "0")
    entries = (find_model(model, "landmarks"), find_model("blazeface-short", "detector"))
    landmarks, detector = (
        ort.InferenceSession(str(entry.verified()), options, providers=["CPUExecutionProvider"])
        for entry in entries
    )
    feeds = [{s.get_inputs()[0].name: _noise(s.get_inputs()[0])} for s in (landmarks, detector)]

    def run(index: int) -> None:
        landmarks.run(None, feeds[0])
        if index % DETECT_EVERY == 0:
            detector.run(None, feeds[1])

    return run


def _noise(wanted: ort.NodeArg) -> FloatArray:
    shape = [size if isinstance(size, int) else 1 for size in wanted.shape]
    values = np.random.default_rng(0).uniform(0, 255, shape)
    return values.astype(np.uint8 if wanted.type == "tensor(uint8)" else np.float32)


def _timed(frame: Callable[[int], None], index: int) -> float:
    started = time.perf_counter()
    frame(index)
    return 1000 * (time.perf_counter() - started)


def _at_camera_pace(frame: Callable[[int], None], frames: int) -> tuple[list[float], float]:
    """Milliseconds of each frame at :data:`CAMERA_FPS`, and processor milliseconds a frame."""
    times = []
    burnt, due = time.process_time(), time.perf_counter()
    for index in range(frames):
        due += 1 / CAMERA_FPS
        time.sleep(max(0.0, due - time.perf_counter()))
        times.append(_timed(frame, index))
    return times, 1000 * (time.process_time() - burnt) / frames


def _table(costs: Sequence[Cost], model: str) -> Table:
    table = Table(caption=f"{model} in every frame, detector in every fifth; medians in milliseconds.")
    for header in (
        "threads",
        "idle threads",
        "pool",
        "back to back",
        "at 30 FPS",
        "processor time at 30 FPS",
    ):
        table.add_column(header, justify="right")
    for cost in costs:
        idle = "spin" if cost.spinning else "sleep"
        numbers = (f"{value:.2f}" for value in (cost.busy_ms, cost.paced_ms, cost.paced_cpu_ms))
        table.add_row(str(cost.threads), idle, "one" if cost.shared else "each", *numbers)
    return table


if __name__ == "__main__":
    run_command(main)
