"""Latency of this tracker and of peers from PyPI, on the same frames in the same run.

Each contender has a process of its own; they take turns, round after round, so that other load on the
computer affects all alike, and ratios are comparable. The frames show one face that moves slowly. All are
restricted to the same cores where the system allows it; their number is printed under the table. mediapipe
and dlib have no setting for threads in Python and use all cores they have.

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

from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from benchmarks.contender import Contender
from tracker.reports.bench.clip import portrait_frames
from tracker.system.machine import usable_cores
from train.progress import progress_bar

_HERE = Path(__file__).resolve().parent
PEERS = {"mediapipe": "peer_mediapipe.py", "dlib": "peer_dlib.py"}
"""Scripts of the peers; ratios are relative to the first."""

WARM_UP = 20


@dataclass(frozen=True)
class ContenderResult:
    """Milliseconds per frame of one contender over ``frames`` frames.

    ``found`` counts the frames with a face, warm-up included. ``ratio`` is its median divided by that of the
    first peer, or None without a peer.
    """

    name: str
    version: str
    median_ms: float
    p95_ms: float
    frames: int
    found: int
    ratio: float | None = None


def main(  # noqa: PLR0913 - options of the command line
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
    check_outputs(json_path)
    peers = {name: path for name, path in (("mediapipe", mediapipe), ("dlib", dlib)) if path}
    ours = [(m, b) for m in model or ["resnet18"] for b in backend or ["cpu"]]
    with tempfile.TemporaryDirectory() as folder, limited_cores(threads) as cores:
        path = Path(folder) / "frames.npy"
        clip = portrait_frames(WARM_UP + frames, (640, 480))
        np.save(path, np.stack([frame.image_bgr for frame in clip]))
        results = compete(commands(path, peers, ours, threads), rounds)
    Console().print(_table(results, threads, cores))
    write_report(json_path, threads=threads, cores=cores, standings=[asdict(one) for one in results])


def commands(
    frames: Path, peers: dict[str, Path], ours: Sequence[tuple[str, str]], threads: int
) -> dict[str, list[str]]:
    """Return the command that starts each contender, the peers first."""
    found = {name: [str(python), str(_HERE / PEERS[name]), str(frames)] for name, python in peers.items()}
    for model, backend in ours:
        options = [str(frames), model, backend, str(threads)]
        found[f"{model} on {backend}"] = [sys.executable, "-m", "benchmarks.peer_tracker", *options]
    return found


def compete(started_by: dict[str, list[str]], rounds: int) -> list[ContenderResult]:
    """Run ``rounds`` rounds of all contenders; the first frames of the first round are not counted."""
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
    # Ratios are relative to the first contender, if it is a peer.
    base = float(np.median(times[0])) if contenders[0].name in PEERS else None
    return [_result(*one, base) for one in zip(contenders, times, found, strict=True)]


def _result(contender: Contender, times: Sequence[float], found: int, base: float | None) -> ContenderResult:
    median, p95 = (float(value) for value in np.percentile(times, (50, 95)))
    ratio = round(median / base, 3) if base else None
    return ContenderResult(
        contender.name, contender.version, round(median, 3), round(p95, 3), len(times), found, ratio
    )


@contextmanager
def limited_cores(count: int) -> Iterator[int]:
    """Restrict this process and its children to ``count`` cores; yield the number of cores they have.

    That is smaller on a computer with fewer cores; without processor affinity nothing is restricted.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield usable_cores()
        return
    usable = os.sched_getaffinity(0)
    allowed = sorted(usable)[:count]
    os.sched_setaffinity(0, allowed)
    try:
        yield len(allowed)
    finally:
        os.sched_setaffinity(0, usable)


def _table(results: Sequence[ContenderResult], threads: int, cores: int) -> Table:
    caption = "Milliseconds from a 640x480 frame in memory to landmarks, one face"
    table = Table(caption=f"{caption}; cores: {cores}, our threads: {threads}.")
    table.add_column("contender")
    for header in ("median", "p95", "ratio", "frames with the face"):
        table.add_column(header, justify="right")
    for one in results:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        found = f"{one.found} of {one.frames + WARM_UP}"
        table.add_row(one.version, f"{one.median_ms:.2f}", f"{one.p95_ms:.2f}", ratio, found)
    return table


if __name__ == "__main__":
    run_command(main)
