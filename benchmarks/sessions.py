"""Thread pools of inference sessions: spinning or sleeping threads, one pool per session or a shared one.

Detector and landmark model take turns, as in the tracking loop: landmarks in every frame, detection in every
fifth. Each configuration is timed back to back and at the frame rate of a camera, where a spinning pool also
uses processor time between frames. Each has a process of its own; they take turns, round after round.

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

from benchmarks.command import JsonOption, ModelOption, check_outputs, run_command, write_report
from tracker.inference.weights import find_model
from tracker.system.machine import usable_cores
from tracker.types import FloatArray
from train.progress import progress_bar

DETECT_EVERY = 5
CAMERA_FPS = 30


@dataclass(frozen=True)
class PoolConfig:
    """Thread pools of the sessions: number of threads, spinning or sleeping, shared or one per session."""

    threads: int
    spinning: bool
    shared: bool


@dataclass(frozen=True)
class Cost:
    """Median milliseconds per frame of one configuration.

    ``busy_ms`` is back to back, ``paced_ms`` at the frame rate of a camera, ``paced_cpu_ms`` the processor
    time at that rate.
    """

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
    check_outputs(json_path)
    counts = sorted({1, 2, min(usable_cores(), 4)})
    configs = [PoolConfig(*values) for values in itertools.product(counts, (False, True), (False, True))]
    costs = measure(configs, model, rounds)
    Console().print(_table(costs, model))
    write_report(json_path, model=model, costs=[asdict(cost) for cost in costs])


def measure(configs: Sequence[PoolConfig], model: str, rounds: int, frames: int = 30) -> list[Cost]:
    """Time each configuration over ``rounds`` rounds of ``frames`` frames, after one for warm-up."""
    found: list[list[_Round]] = [[] for _ in configs]
    with ExitStack() as stack, progress_bar("timing", (rounds + 1) * len(configs)) as advance:
        context = get_context("spawn")
        workers = [
            stack.enter_context(ProcessPoolExecutor(1, context, _Worker.open, (config, model)))
            for config in configs
        ]
        for number in range(rounds + 1):
            for worker, results in zip(workers, found, strict=True):
                result = worker.submit(_Worker.round, frames).result()
                if number > 0:
                    results.append(result)
                advance()
    return [_cost(config, results) for config, results in zip(configs, found, strict=True)]


class _Round(NamedTuple):
    busy_ms: list[float]
    paced_ms: list[float]
    paced_cpu_ms: float


def _cost(config: PoolConfig, rounds: Sequence[_Round]) -> Cost:
    columns = (
        [ms for one in rounds for ms in one.busy_ms],
        [ms for one in rounds for ms in one.paced_ms],
        [one.paced_cpu_ms for one in rounds],
    )
    return Cost(
        config.threads,
        config.spinning,
        config.shared,
        *(round(float(np.median(column)), 3) for column in columns),
    )


class _Worker:
    """State of the process of one configuration; a shared thread pool belongs to the whole process."""

    frame: ClassVar[Callable[[int], None]]

    @classmethod
    def open(cls, config: PoolConfig, model: str) -> None:
        cls.frame = _frame_runner(config, model)

    @classmethod
    def round(cls, frames: int) -> _Round:
        busy = [_timed(cls.frame, index) for index in range(frames)]
        return _Round(busy, *_at_camera_pace(cls.frame, frames))


def _frame_runner(config: PoolConfig, model: str) -> Callable[[int], None]:
    """Return the work of a frame: the landmark model, and in every fifth frame the detector."""
    options = _session_options(config)
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


def _session_options(config: PoolConfig) -> ort.SessionOptions:
    options = ort.SessionOptions()
    if config.shared:
        ort.set_global_thread_pool_sizes(config.threads, 1)
        options.use_per_session_threads = False
    else:
        options.intra_op_num_threads = config.threads
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if config.spinning else "0")
    return options


def _noise(model_input: ort.NodeArg) -> FloatArray:
    shape = [size if isinstance(size, int) else 1 for size in model_input.shape]
    values = np.random.default_rng(0).uniform(0, 255, shape)
    return values.astype(np.uint8 if model_input.type == "tensor(uint8)" else np.float32)


def _timed(frame: Callable[[int], None], index: int) -> float:
    started = time.perf_counter()
    frame(index)
    return 1000 * (time.perf_counter() - started)


def _at_camera_pace(frame: Callable[[int], None], frames: int) -> tuple[list[float], float]:
    """Return the milliseconds of each frame at :data:`CAMERA_FPS`, and the mean processor time."""
    times = []
    used, due = time.process_time(), time.perf_counter()
    for index in range(frames):
        due += 1 / CAMERA_FPS
        time.sleep(max(0.0, due - time.perf_counter()))
        times.append(_timed(frame, index))
    return times, 1000 * (time.process_time() - used) / frames


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
