"""Thread pools of inference sessions: how idle threads wait, one pool per session or a shared one.

Detector and landmark model take turns, as in the tracking loop: landmarks in every frame, detection in every
fifth. Each configuration is timed back to back, alone and while another process keeps one core busy, and at
the frame rate of a camera, where a spinning pool also uses processor time between frames. Each has a process
of its own; they take turns, round after round.

    python -m benchmarks.sessions --json sessions.json
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from types import MappingProxyType
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import onnxruntime as ort
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, ModelOption, check_outputs, run_command, write_report
from tracker.errors import BenchError
from tracker.inference.detection.views import COARSEST
from tracker.inference.sessions import IDLE_THREADS, SPIN_US
from tracker.inference.weights import find_model
from tracker.system.machine import usable_cores
from tracker.types import FloatArray
from train.progress import progress_bar

DETECT_EVERY = 5
CAMERA_FPS = 30

IDLE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "spin": {"session.intra_op.allow_spinning": "1"},
        "sleep": {"session.intra_op.allow_spinning": "0"},
        "shipped": IDLE_THREADS,
    }
)
"""Options of a session for threads without work: always spinning, asleep, or as the tracker has it."""

_BUSY = """
import os, sys, threading
def leave():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=leave, daemon=True).start()
print("busy", flush=True)
while True:
    pass
"""
"""Program that keeps a core busy until its input ends, be it that the process which started it was killed."""


@dataclass(frozen=True)
class PoolConfig:
    """Thread pools of the sessions: number of threads, what idle ones do, shared or one per session.

    ``idle`` is a key of :data:`IDLE`. A shared pool spins: ONNX Runtime applies these options to a session's
    own pool only. Raises ``ValueError`` for another one.
    """

    threads: int
    idle: str
    shared: bool

    def __post_init__(self) -> None:
        if self.idle not in IDLE or (self.shared and self.idle != "spin"):
            raise ValueError(f"idle must be one of {', '.join(IDLE)}, spin in a shared pool; got {self}")


@dataclass(frozen=True)
class Cost:
    """Median milliseconds per frame of one configuration.

    ``busy_ms`` is back to back, ``contended_ms`` the same while another process keeps one core busy,
    ``paced_ms`` at the frame rate of a camera, ``paced_cpu_ms`` the processor time at that rate.
    """

    threads: int
    idle: str
    shared: bool
    busy_ms: float
    contended_ms: float
    paced_ms: float
    paced_cpu_ms: float


def main(
    model: ModelOption = "resnet18",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of 30 frames of each way.")] = 5,
    json_path: JsonOption = None,
) -> None:
    """Time ways of ONNX Runtime's threads to wait for work, a pool for each session and one for both."""
    find_model(model, "landmarks")
    check_outputs(json_path)
    costs = measure(configurations(sorted({1, 2, min(usable_cores(), 4)})), model, rounds)
    Console().print(_table(costs, model))
    write_report(json_path, model=model, costs=[asdict(cost) for cost in costs])


def configurations(counts: Sequence[int]) -> list[PoolConfig]:
    """Return every configuration for each number of threads in ``counts``."""
    ways = [*((idle, False) for idle in IDLE), ("spin", True)]
    return [PoolConfig(threads, *way) for threads, way in itertools.product(counts, ways)]


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
                result = _round(worker, frames)
                if number > 0:
                    results.append(result)
                advance()
    return [_cost(config, results) for config, results in zip(configs, found, strict=True)]


@contextmanager
def busy_core() -> Iterator[subprocess.Popen[str]]:
    """Keep one core busy for the ``with`` block, by another process, which is yielded.

    Raises :class:`~tracker.errors.BenchError` if that process does not start.
    """
    command = [sys.executable, "-c", _BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline().strip() != "busy":
                raise BenchError("the process that keeps a core busy did not start: try again")
            yield process
        finally:
            process.kill()


def _round(worker: ProcessPoolExecutor, frames: int) -> _Round:
    busy_ms = worker.submit(_Worker.back_to_back, frames).result()
    paced = worker.submit(_Worker.paced, frames).result()
    with busy_core():
        contended_ms = worker.submit(_Worker.back_to_back, frames).result()
    return _Round(busy_ms, contended_ms, *paced)


class _Round(NamedTuple):
    busy_ms: list[float]
    contended_ms: list[float]
    paced_ms: list[float]
    paced_cpu_ms: float


def _cost(config: PoolConfig, rounds: Sequence[_Round]) -> Cost:
    columns = (
        [ms for one in rounds for ms in one.busy_ms],
        [ms for one in rounds for ms in one.contended_ms],
        [ms for one in rounds for ms in one.paced_ms],
        [one.paced_cpu_ms for one in rounds],
    )
    return Cost(
        config.threads,
        config.idle,
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
    def back_to_back(cls, frames: int) -> list[float]:
        return [_timed(cls.frame, index) for index in range(frames)]

    @classmethod
    def paced(cls, frames: int) -> tuple[list[float], float]:
        return _at_camera_pace(cls.frame, frames)


def _frame_runner(config: PoolConfig, model: str) -> Callable[[int], None]:
    """Return the work of a frame: the landmark model, and in every fifth frame the detector."""
    options = session_options(config)
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


def session_options(config: PoolConfig) -> ort.SessionOptions:
    """Return the options of both sessions in this configuration."""
    options = ort.SessionOptions()
    if config.shared:
        ort.set_global_thread_pool_sizes(config.threads, 1)
        options.use_per_session_threads = False
    else:
        options.intra_op_num_threads = config.threads
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    for key, value in IDLE[config.idle].items():
        options.add_session_config_entry(key, value)
    return options


def _noise(model_input: ort.NodeArg) -> FloatArray:
    """Return noise for ``model_input``: one picture, of the detector's usual size where any fits."""
    batch, *sides = model_input.shape
    shape = [batch if isinstance(batch, int) else 1]
    shape += [size if isinstance(size, int) else COARSEST for size in sides]
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
    table = Table(
        caption=f"{model} in every frame, detector in every fifth; medians in milliseconds. Shipped: idle "
        f"threads spin for {SPIN_US} microseconds within a run and sleep after it."
    )
    for header in (
        "threads",
        "idle threads",
        "pool",
        "back to back",
        "one core busy",
        "at 30 FPS",
        "processor time at 30 FPS",
    ):
        table.add_column(header, justify="right")
    for cost in costs:
        figures = (cost.busy_ms, cost.contended_ms, cost.paced_ms, cost.paced_cpu_ms)
        numbers = (f"{value:.2f}" for value in figures)
        table.add_row(str(cost.threads), cost.idle, "one" if cost.shared else "each", *numbers)
    return table


if __name__ == "__main__":
    run_command(main)
