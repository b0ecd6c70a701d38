"""Latency of this tracker and of peers from PyPI, on the same frames in the same run.

Each contender has a process of its own; they take turns, round after round, so that other load on the
computer affects all alike, and ratios are comparable. The frames show one face that moves slowly. All are
restricted to the same cores where the system allows it; their number is printed under the table. mediapipe
and dlib have no setting for threads in Python and use all cores they have.

With ``--stills`` all of them also treat every tenth frame as a picture on its own, in processes beside those
of the video and in the same rounds: each picture is searched anew, and ours looks for faces of any pose.

    python -m benchmarks.peers --mediapipe MP/bin/python --dlib DL/bin/python --backend cpu --backend openvino
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from benchmarks.contender import Contender
from benchmarks.peer_loop import MODES
from tracker.reports.bench.clip import portrait_frames
from tracker.system.machine import usable_cores
from train.progress import progress_bar

_HERE = Path(__file__).resolve().parent
PEERS = {"mediapipe": "peer_mediapipe.py", "dlib": "peer_dlib.py"}
"""Scripts of the peers; ratios are relative to the first."""

STILL_EVERY = 10
"""Frames of the video for one still."""

WARM_UP = {"video": 20, "stills": 20 // STILL_EVERY}
"""Frames of the first round that are not counted, by mode."""


@dataclass(frozen=True)
class Entrant:
    """A contender to be started by ``command``; ``mode`` is one of :data:`~benchmarks.peer_loop.MODES`."""

    name: str
    mode: str
    command: Sequence[str]


@dataclass(frozen=True)
class Ours:
    """Our tracker as a contender: the model, its backend and threads, and how many faces it follows."""

    model: str
    backend: str
    threads: int
    max_faces: int = 1


@dataclass(frozen=True)
class ContenderResult:
    """Milliseconds per frame of one contender in one mode over ``frames`` frames.

    ``found`` counts the frames with a face, warm-up included. ``ratio`` is its median divided by that of the
    first peer in the same mode, ``mean_ratio`` the same of the means; None without a peer.
    """

    name: str
    version: str
    mode: str
    median_ms: float
    p95_ms: float
    mean_ms: float
    frames: int
    found: int
    ratio: float | None = None
    mean_ratio: float | None = None


def main(  # noqa: PLR0913 - options of the command line
    mediapipe: Annotated[
        Path | None, typer.Option(metavar="PYTHON", help="Interpreter with mediapipe.")
    ] = None,
    dlib: Annotated[Path | None, typer.Option(metavar="PYTHON", help="Interpreter with dlib-bin.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Our model; repeat for several.")] = None,
    backend: Annotated[list[str] | None, typer.Option(help="Our backend; repeat for several.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of ours, and cores for all.")] = 2,
    max_faces: Annotated[int, typer.Option(min=1, help="Faces that ours follows at most.")] = 1,
    stills: Annotated[bool, typer.Option("--stills", help="Measure pictures on their own, too.")] = False,
    frames: Annotated[int, typer.Option(min=10, help="Frames of a round.")] = 300,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count.")] = 3,
    json_path: JsonOption = None,
) -> None:
    """Compare our tracker with mediapipe's FaceMesh and dlib, frame in memory to landmarks out."""
    check_outputs(json_path)
    peers = {name: path for name, path in (("mediapipe", mediapipe), ("dlib", dlib)) if path}
    ours = [Ours(m, b, threads, max_faces) for m in model or ["resnet18"] for b in backend or ["cpu"]]
    with tempfile.TemporaryDirectory() as folder, limited_cores(threads) as cores:
        clips = write_clips(Path(folder), frames)
        modes = MODES if stills else MODES[:1]
        results = compete([one for mode in modes for one in entrants(mode, clips[mode], peers, ours)], rounds)
    Console().print(_table(results, ours[0], cores))
    standings = [asdict(one) for one in results]
    write_report(json_path, threads=threads, cores=cores, max_faces=max_faces, standings=standings)


def write_clips(folder: Path, frames: int) -> dict[str, Path]:
    """Write the frames of each mode as an array into ``folder``; return the files by mode."""
    clip = [frame.image_bgr for frame in portrait_frames(WARM_UP["video"] + frames, (640, 480))]
    paths = {mode: folder / f"{mode}.npy" for mode in MODES}
    np.save(paths["video"], np.stack(clip))
    np.save(paths["stills"], np.stack(clip[::STILL_EVERY]))
    return paths


def entrants(mode: str, frames: Path, peers: Mapping[str, Path], ours: Sequence[Ours]) -> list[Entrant]:
    """Return the contenders of one mode on the array ``frames``, the peers first.

    ``peers`` are interpreters by the name of the peer.
    """
    found = [
        Entrant(name, mode, [str(python), str(_HERE / PEERS[name]), str(frames), mode])
        for name, python in peers.items()
    ]
    for one in ours:
        options = [str(frames), mode, one.model, one.backend, str(one.threads), str(one.max_faces)]
        command = [sys.executable, "-m", "benchmarks.peer_tracker", *options]
        found.append(Entrant(f"{one.model} on {one.backend}", mode, command))
    return found


def compete(starters: Sequence[Entrant], rounds: int) -> list[ContenderResult]:
    """Run ``rounds`` rounds of all contenders; the first frames of the first round are not counted."""
    with ExitStack() as stack, progress_bar("rounds", rounds * len(starters)) as advance:
        contenders = [stack.enter_context(Contender(one.name, one.command)) for one in starters]
        times: list[list[float]] = [[] for _ in contenders]
        found = [0] * len(contenders)
        for number in range(rounds):
            for index, contender in enumerate(contenders):
                result = contender.round()
                times[index] += result.ms[WARM_UP[starters[index].mode] :] if number == 0 else result.ms
                found[index] += result.found
                advance()
    modes = [one.mode for one in starters]
    return with_ratios([_result(*one) for one in zip(contenders, modes, times, found, strict=True)])


def _result(contender: Contender, mode: str, times: Sequence[float], found: int) -> ContenderResult:
    median, p95 = (float(value) for value in np.percentile(times, (50, 95)))
    return ContenderResult(
        name=contender.name,
        version=contender.version,
        mode=mode,
        median_ms=round(median, 3),
        p95_ms=round(p95, 3),
        mean_ms=round(float(np.mean(times)), 3),
        frames=len(times),
        found=found,
    )


def with_ratios(results: Sequence[ContenderResult]) -> list[ContenderResult]:
    """Return ``results`` with their ratios to the first contender of the same mode, if that is a peer."""
    rated = []
    for one in results:
        base = next(other for other in results if other.mode == one.mode)
        if base.name in PEERS:
            ratios = round(one.median_ms / base.median_ms, 3), round(one.mean_ms / base.mean_ms, 3)
            rated.append(replace(one, ratio=ratios[0], mean_ratio=ratios[1]))
        else:
            rated.append(one)
    return rated


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


def _table(results: Sequence[ContenderResult], ours: Ours, cores: int) -> Table:
    follows = "one face" if ours.max_faces == 1 else f"at most {ours.max_faces} faces"
    table = Table(
        caption="Milliseconds from a 640x480 frame in memory to landmarks, one face in it; ratios to the "
        f"first peer in the same mode. Ours follows {follows} on video and finds all in stills. "
        f"Cores: {cores}, our threads: {ours.threads}."
    )
    table.add_column("contender")
    table.add_column("mode")
    for header in ("median", "ratio", "p95", "mean", "ratio", "with a face"):
        table.add_column(header, justify="right")
    for one in results:
        ratios = ["" if value is None else f"{value:.2f}" for value in (one.ratio, one.mean_ratio)]
        median, p95, mean = (f"{value:.2f}" for value in (one.median_ms, one.p95_ms, one.mean_ms))
        found = f"{one.found} of {one.frames + WARM_UP[one.mode]}"
        table.add_row(
            one.version.removesuffix("ExecutionProvider"),
            one.mode,
            median,
            ratios[0],
            p95,
            mean,
            ratios[1],
            found,
        )
    return table


if __name__ == "__main__":
    run_command(main)
