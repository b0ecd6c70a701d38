"""Speed and memory of training samples, measured briefly on a few pictures."""

from __future__ import annotations

import json
import mmap
import multiprocessing
import os
import sys
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

pytest.importorskip("torch")

import typer
from typer.testing import CliRunner

from benchmarks import training_loader
from benchmarks.processes import family, peak_memory, processor_s
from tests.cli import assert_one_line_error, run_main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux")

MB = 10**6

app = typer.Typer()
app.command()(training_loader.main)


@pytest.mark.slow
def test_speed_and_memory_are_measured_for_each_number_of_workers(tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    options = ["--pictures", "24", "--width", "900", "--height", "700", "--seconds", "1", "--batch-size", "8"]
    done = CliRunner().invoke(app, [*options, "--workers", "0", "--workers", "1", "--json", str(out)])
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    assert [row["workers"] for row in report["rows"]] == [0, 1]
    assert report["faces"] == 24
    for row in report["rows"]:
        assert min(row["read_s"], row["per_s"], row["per_processor_s"]) >= 0
        assert 50 < row["anonymous_mb"] <= row["total_mb"] < 5000


@pytest.mark.slow
def test_an_unknown_start_is_one_line() -> None:
    from benchmarks.command import run_command

    done = run_main(lambda: run_command(training_loader.main), "--start", "no", package="benchmarks")
    assert_one_line_error(done, "cannot start by 'no'", program="benchmark")


def hold(shared: mmap.mmap, own: int, ready: Event, done: Event) -> None:
    """Touch all of ``shared``, have ``own`` bytes besides, use the processor, and wait for ``done``."""
    held = bytearray(b"x") * own
    touched = sum(shared[at] for at in range(0, len(shared), 4096)) + len(held)
    while time.process_time() < 0.3:
        touched += 1
    ready.set()
    done.wait(60)


def with_two_processes(shared: mmap.mmap, own: int) -> float:
    """Return the peak memory of this process with two that :func:`hold` so much, in MB."""
    context = multiprocessing.get_context("fork")
    ready, done = [context.Event() for _ in range(2)], context.Event()
    processes = [context.Process(target=hold, args=(shared, own, one, done)) for one in ready]
    used = processor_s(os.getpid())
    for process in processes:
        process.start()
    try:
        assert all(one.wait(60) for one in ready)
        assert {os.getpid(), *(process.pid for process in processes)} <= set(family(os.getpid()))
        assert processor_s(os.getpid()) - used >= 0.5
        with peak_memory(os.getpid(), every_s=0.05) as peak:
            time.sleep(0.5)
    finally:
        done.set()
        for process in processes:
            process.join()
    return peak.total_mb


def test_memory_of_all_processes_counts_and_what_they_share_counts_once() -> None:
    # Large, since this process may let go of some megabytes of its own in between.
    little, much = mmap.mmap(-1, MB), mmap.mmap(-1, 300 * MB)
    alone = with_two_processes(little, 0)
    assert with_two_processes(little, 200 * MB) - alone == pytest.approx(400, abs=60)
    assert with_two_processes(much, 0) - alone == pytest.approx(299, abs=60)
