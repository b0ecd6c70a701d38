"""What a file of a batch costs as the corpus grows, and a cluster that loses a node on the way.

Makes short videos of the portrait, tracks 10, 50 and 200 of them by processes of this computer, and, with
``--ray``, all of them on a Ray cluster of two nodes on this computer, one of which is killed half-way. All
results are held against those of one process, byte by byte.

    python -m benchmarks.corpus --json corpus.json --ray
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, ModelOption, run_command
from tracker.errors import BenchError
from tracker.reports.bench.clip import write_clip
from tracker.runs.batch.cluster import RayWorkers, import_ray
from tracker.runs.batch.plan import Job, plan_jobs
from tracker.runs.batch.pool import Pool, Workers
from tracker.runs.batch.run import run_batch
from tracker.system.machine import describe_machine
from tracker.tracking.opening import TrackerOptions
from train.files import replace, to_json, try_writing


@dataclass(frozen=True)
class Cost:
    """A batch of ``files`` by ``workers``: seconds in all and for each file, its first included."""

    workers: str
    files: int
    seconds: float
    seconds_per_file: float


def measure(
    jobs: Sequence[Job], folder: Path, name: str, options: TrackerOptions, opened: Callable[[int], Workers],
    on_done: Callable[..., None] = lambda *_: None,
) -> Cost:  # fmt: skip
    """Do ``jobs`` into ``folder``. Raises :class:`~tracker.errors.BenchError` if one fails."""
    started = time.perf_counter()
    report = run_batch(jobs, folder, options, opened, on_done)
    seconds = time.perf_counter() - started
    if report.failures:
        raise BenchError(f"{len(report.failures)} files failed, the first: {report.failures[0][1]}")
    return Cost(name, len(jobs), round(seconds, 2), round(seconds / len(jobs), 4))


def on_two_nodes(jobs: Sequence[Job], folder: Path, options: TrackerOptions) -> Cost:
    """All ``jobs`` on two nodes of one core; the second is killed when half of them are done."""
    import_ray()
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    node = cluster.add_node(num_cpus=1)
    done = 0

    def kill_half_way(*_: Any) -> None:
        nonlocal done
        done += 1
        if done == len(jobs) // 2:
            cluster.remove_node(node, allow_graceful=False)

    try:
        name = "two Ray nodes, one killed"
        opened = lambda _: RayWorkers(cluster.address, folder, options)  # noqa: E731
        return measure(jobs, folder, name, options, opened, kill_half_way)
    finally:
        cluster.shutdown()


def main(
    files: Annotated[list[int] | None, typer.Option(min=1, help="Files; repeat for several corpora.")] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each video.")] = 30,
    processes: Annotated[int, typer.Option(min=1, help="Processes of this computer.")] = 2,
    model: ModelOption = "unet-light",
    ray: Annotated[bool, typer.Option("--ray", help="Also on a cluster that loses a node.")] = False,
    json_path: JsonOption = None,
) -> None:
    """Measure what a file costs as the corpus grows."""
    if json_path:
        try_writing(json_path)
    sizes, options = sorted(files or [10, 50, 200]), TrackerOptions(model, "cpu", threads=1)
    with tempfile.TemporaryDirectory() as folder:
        corpus, costs = Path(folder) / "in", []
        corpus.mkdir()
        write_clip(corpus / "0000.mp4", frames, (320, 240))
        for index in range(1, sizes[-1]):
            os.link(corpus / "0000.mp4", corpus / f"{index:04d}.mp4")
        planned = plan_jobs([corpus])
        for size in sizes:
            out = Path(folder) / f"out{size}"
            opened = lambda _, out=out: Pool(processes, out, options)  # noqa: E731
            costs.append(measure(planned[:size], out, f"{processes} processes", options, opened))
        if ray:
            costs.append(on_two_nodes(planned, Path(folder) / "ray", options))
            compare(planned, Path(folder) / f"out{sizes[-1]}", Path(folder) / "ray")
    table = Table(title="corpus", title_justify="left")
    for header in ("workers", "files", "seconds", "seconds a file"):
        table.add_column(header, justify="left" if header == "workers" else "right")
    for cost in costs:
        table.add_row(cost.workers, str(cost.files), f"{cost.seconds:.1f}", f"{cost.seconds_per_file:.3f}")
    Console().print(table)
    if json_path:
        report = {"machine": describe_machine(), "frames": frames, "costs": [asdict(cost) for cost in costs]}
        replace(json_path, to_json(report).encode())


def compare(jobs: Sequence[Job], one: Path, other: Path) -> None:
    """Raise :class:`~tracker.errors.BenchError` unless both folders hold the same results of all jobs."""
    different = [job.name for job in jobs if (one / job.name).read_bytes() != (other / job.name).read_bytes()]
    if different:
        raise BenchError(f"{len(different)} results differ, the first: {different[0]}")


if __name__ == "__main__":
    run_command(main)
