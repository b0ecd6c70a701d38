"""Our tracker and the peers that pip can install, on the same frames in the same run.

Each contender has a process of its own and takes its turn, round after round, so that what else the computer
does meets all alike; figures to quote are ratios. The frames show one face that moves slowly. All are held to
the same cores where the system can do that; how many it were stands under the table. mediapipe and dlib have
no setting for threads from Python: they use what they find.

    python -m benchmarks.peers --mediapipe MP/bin/python --dlib DL/bin/python --backend cpu --backend openvino
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, run_command
from benchmarks.contender import Contender
from tracker.reports.bench.clip import portrait_frames
from tracker.system.machine import describe_machine, usable_cores
from train.files import replace, to_json, try_writing
from train.progress import progress_bar

_HERE = Path(__file__).resolve().parent
PEERS = {"mediapipe": "peer_mediapipe.py", "dlib": "peer_dlib.py"}
"""Scripts of the peers, the one that others are compared with first."""

WARM_UP = 20


@dataclass(frozen=True)
class Standing:
    """One contender's result: median and 95th percentile of milliseconds over ``frames``, frames with a face
    (warming up included), and the ratio of its median to the first peer's (None without a peer)."""

    name: str
    version: str
    median_ms: float
    p95_ms: float
    frames: int
    found: int
    ratio: float | None = None


def main(
    mediapipe: Annotated[
        Path | None, typer.Option(metavar="PYTHON", help="Interpreter with mediapipe.")
    ] = None,
    dlib: Annotated[Path | None, typer.Option(metavar="PYTHON", help="Interpreter with dlib-bin.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Our model; repeat for several.")] = None,
    backend: Annotated[list[str] | None, typer.Option(help="Our backend; repeat for several.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of ours, and cores for all.")] = 2,
    frames: Annotated[int, typer.Option(min=10, help="Frames of a round.")] = 300,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count.")] = 3,
    json_path: JsonOption = None,
) -> None:
    """Compare our tracker with mediapipe's FaceMesh and dlib, frame in memory to landmarks out."""
    if json_path:
        try_writing(json_path)
    peers = {name: path for name, path in (("mediapipe", mediapipe), ("dlib", dlib)) if path}
    ours = [(m, b) for m in model or ["resnet18"] for b in backend or ["cpu"]]
    with tempfile.TemporaryDirectory() as folder, _cores(threads) as cores:
        path = Path(folder) / "frames.npy"
        np.save(path, np.stack([frame.image_bgr for frame in portrait_frames(WARM_UP + frames, (640, 480))]))
        standings = compete(commands(path, peers, ours, threads), rounds)
    Console().print(_table(standings, threads, cores))
    if json_path:
        report = {
            "machine": describe_machine(),
            "threads": threads,
            "cores": cores,
            "standings": [asdict(one) for one in standings],
        }
        replace(json_path, to_json(report).encode())


def commands(
    frames: Path, peers: dict[str, Path], ours: Sequence[tuple[str, str]], threads: int
) -> dict[str, list[str]]:
    """How to start each contender, the peers first."""
    found = {name: [str(python), str(_HERE / PEERS[name]), str(frames)] for name, python in peers.items()}
    for model, backend in ours:
        options = [str(frames), model, backend, str(threads)]
        found[f"{model} on {backend}"] = [sys.executable, "-m", "benchmarks.peer_tracker", *options]
    return found


def compete(started_by: dict[str, list[str]], rounds: int) -> list[Standing]:
    """Let all contenders take ``rounds`` turns; the first frames of the first warm up and are not timed."""
    with ExitStack() as stack, progress_bar("rounds", rounds * len(started_by)) as advance:
        contenders = [stack.enter_context(Contender(*item)) for item in started_by.items()]
        times: list[list[float]] = [[] for _ in contenders]
        found = [0] * len(contenders)
        for number in range(rounds):
            for index, contender in enumerate(contenders):
                result = contender.round()
                times[index] += result.ms[WARM_UP:] if number == 0 else result.ms
                found[index] += result.found
                advance()
    # A peer is compared with the first; without one there is nothing to compare with.
    base = float(np.median(times[0])) if contenders[0].name in PEERS else None
    return [_standing(*one, base) for one in zip(contenders, times, found, strict=True)]


def _standing(contender: Contender, times: Sequence[float], found: int, base: float | None) -> Standing:
    median, p95 = (float(value) for value in np.percentile(times, (50, 95)))
    ratio = round(median / base, 3) if base else None
    return Standing(
        contender.name, contender.version, round(median, 3), round(p95, 3), len(times), found, ratio
    )


@contextmanager
def _cores(count: int) -> Iterator[int]:
    """Hold this process and those it starts to ``count`` cores, where the system can and has as many.

    Yields how many it really is.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield usable_cores()
        return
    usable = os.sched_getaffinity(0)
    held = sorted(usable)[:count]
    os.sched_setaffinity(0, held)
    try:
        yield len(held)
    finally:
        os.sched_setaffinity(0, usable)


def _table(standings: Sequence[Standing], threads: int, cores: int) -> Table:
    caption = "Milliseconds from a 640x480 frame in memory to landmarks, one face"
    table = Table(caption=f"{caption}; cores: {cores}, our threads: {threads}.")
    table.add_column("contender")
    for header in ("median", "p95", "ratio", "frames with the face"):
        table.add_column(header, justify="right")
    for one in standings:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        found = f"{one.found} of {one.frames + WARM_UP}"
        table.add_row(one.version, f"{one.median_ms:.2f}", f"{one.p95_ms:.2f}", ratio, found)
    return table


if __name__ == "__main__":
    run_command(main)
