"""Is nothing lost when a run is killed? SIGKILL at random instants, then ``--resume``, byte by byte.

A video of the drifting portrait is tracked once undisturbed; then, time and again, a run is killed at a
random instant and resumed until it ends, killed some more times on the way.

    python -m benchmarks.kills --kills 20 --json kills.json
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import JsonOption, ModelOption, run_command
from tracker.errors import BenchError
from tracker.reports.bench.clip import write_clip
from tracker.system.machine import describe_machine
from train.files import replace, to_json, try_writing

SIZE = (320, 240)


def main(
    kills: Annotated[int, typer.Option(min=1, help="How often a run is killed.")] = 20,
    frames: Annotated[int, typer.Option(min=10, help="Length of the video.")] = 600,
    faces: Annotated[int, typer.Option(min=1, max=4, help="Faces in it.")] = 2,
    model: ModelOption = "unet-light",
    seed: Annotated[int, typer.Option(help="Of the random instants.")] = 0,
    json_path: JsonOption = None,
) -> None:
    """Kill and resume, and hold the results against those of an undisturbed run."""
    if json_path:
        try_writing(json_path)
    with tempfile.TemporaryDirectory() as name:
        video, whole = Path(name) / "in.mp4", Path(name) / "whole.jsonl"
        write_clip(video, frames, SIZE, faces)
        took_s = _run(video, whole, model, [])
        assert took_s is not None  # nothing limits it
        at_lines = kill_and_resume(video, whole, model, kills, took_s, random.Random(seed))
    typer.echo(f"{kills} kills, at these lines: {', '.join(map(str, at_lines))}; every run ended identically")
    if json_path:
        settings = {"model": model, "frames": frames, "faces": faces, "seed": seed}
        report = {"machine": describe_machine(), **settings, "at_lines": at_lines}
        replace(json_path, to_json(report).encode())


def kill_and_resume(
    video: Path, whole: Path, model: str, kills: int, took_s: float, rng: random.Random
) -> list[int]:
    """How many lines there were at each kill.

    Raises :class:`~tracker.errors.BenchError` when what is on disk is not the beginning of ``whole``, or a
    run that ended is not all of it.
    """
    out, expected = whole.with_name("out.jsonl"), whole.read_bytes()
    at_lines: list[int] = []
    while True:
        left = kills - len(at_lines)
        limit_s = rng.uniform(0, took_s) if left else None
        ended = _run(video, out, model, ["--resume"], limit_s) is not None
        written = out.read_bytes() if out.exists() else b""
        if not expected.startswith(written) or (ended and written != expected):
            raise BenchError(f"after {len(at_lines)} kills the results differ from an undisturbed run")
        if not ended:
            at_lines.append(written.count(b"\n"))
        elif not left:
            return at_lines
        else:
            for path in (out, out.with_name(f"{out.name}.resume")):
                path.unlink()


def _run(video: Path, out: Path, model: str, more: list[str], limit_s: float | None = None) -> float | None:
    """Seconds that the run took; None if it was killed after ``limit_s``."""
    command = [sys.executable, "-m", "tracker", "--video", str(video), "--json", str(out), "--no-window"]
    command += ["--model", model, "--backend", "cpu", "--threads", "1", *more]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _, said = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode:
        raise BenchError(f"a run ended with code {process.returncode}: {said.strip()[-200:]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    run_command(main)
