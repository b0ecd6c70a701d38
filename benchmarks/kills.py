"""Runs killed with SIGKILL at random times and resumed, compared byte by byte with an undisturbed run.

A video of the drifting portrait is tracked once without interruption. Then runs are killed at random times
and continued with ``--resume`` until they end.

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

from benchmarks.command import JsonOption, ModelOption, check_outputs, run_command, write_report
from tracker.errors import BenchError
from tracker.reports.bench.clip import write_clip

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
    check_outputs(json_path)
    with tempfile.TemporaryDirectory() as name:
        video, whole = Path(name) / "in.mp4", Path(name) / "whole.jsonl"
        write_clip(video, frames, SIZE, faces)
        took_s = _run(video, whole, model, [])
        assert took_s is not None  # without a limit it runs to its end
        at_lines = kill_and_resume(video, whole, model, kills, took_s, random.Random(seed))
    typer.echo(f"{kills} kills, at these lines: {', '.join(map(str, at_lines))}; every run ended identically")
    write_report(json_path, model=model, frames=frames, faces=faces, seed=seed, at_lines=at_lines)


def kill_and_resume(
    video: Path, whole: Path, model: str, kills: int, took_s: float, rng: random.Random
) -> list[int]:
    """Kill runs ``kills`` times; return the number of lines of results at each kill.

    Raises :class:`~tracker.errors.BenchError` if the results are ever not the beginning of ``whole``, or not
    all of it when a run has ended.
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
    """Return the duration of the run in seconds, or None if it was killed after ``limit_s``."""
    command = [sys.executable, "-m", "tracker", "--video", str(video), "--json", str(out), "--no-window"]
    command += ["--model", model, "--backend", "cpu", "--threads", "1", *more]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _, stderr = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode:
        raise BenchError(f"a run ended with code {process.returncode}: {stderr.strip()[-200:]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    run_command(main)
