"""Time per file of a batch as the corpus grows, and a batch on a cluster that loses a node.

Short videos of the portrait are tracked by processes of this computer, 10, 50 and 200 of them; with ``--ray``
all of them on a Ray cluster of two nodes on this computer, one of which is killed half-way. The results of
the cluster are compared byte by byte with those of the processes.

    python -m benchmarks.corpus --json corpus.json --ray
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, ModelOption, check_outputs, run_command, write_report
from tracker.errors import BenchError
from tracker.reports.bench.clip import write_clip
from tracker.runs.batch.cluster import RayWorkers
from tracker.runs.batch.plan import Job, plan_jobs
from tracker.runs.batch.pool import Pool, Workers
from tracker.runs.batch.run import run_batch
from tracker.system.cluster import import_ray
from tracker.tracking.opening import TrackerOptions


@dataclass(frozen=True)
class Cost:
    """Duration of a batch of ``files`` files by ``workers``: seconds in total and per file, with start-up."""

    workers: str
    files: int
    seconds: float
    seconds_per_file: float


def measure(
    jobs: Sequence[Job],
    folder: Path,
    name: str,
    options: TrackerOptions,
    open_workers: Callable[[int], Workers],
    on_done: Callable[..., None] = lambda *_: None,
) -> Cost:
    """Run ``jobs`` with results in ``folder`` and time them.

    Raises :class:`~tracker.errors.BenchError` if one fails.
    """
    started = time.perf_counter()
    report = run_batch(jobs, folder, options, open_workers, on_done)
    seconds = time.perf_counter() - started
    if report.failures:
        raise BenchError(f"{len(report.failures)} files failed, the first: {report.failures[0][1]}")
    return Cost(name, len(jobs), round(seconds, 2), round(seconds / len(jobs), 4))


def run_on_two_nodes(jobs: Sequence[Job], folder: Path, options: TrackerOptions) -> Cost:
    """Run all ``jobs`` on two nodes of one core each; the second is killed when half of them are done."""
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
        open_workers = partial(_ray_workers, cluster.address, folder, options)
        return measure(jobs, folder, name, options, open_workers, kill_half_way)
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
    check_outputs(json_path)
    sizes, options = sorted(files or [10, 50, 200]), TrackerOptions(model, "cpu", threads=1)
    with tempfile.TemporaryDirectory() as name:
        folder, costs = Path(name), []
        planned = plan_jobs([make_corpus(folder / "in", sizes[-1], frames)])
        for size in sizes:
            out = folder / f"out{size}"
            open_workers = partial(_processes, processes, out, options)
            costs.append(measure(planned[:size], out, f"{processes} processes", options, open_workers))
        if ray:
            costs.append(run_on_two_nodes(planned, folder / "ray", options))
            compare(planned, folder / f"out{sizes[-1]}", folder / "ray")
    Console().print(_table(costs))
    write_report(json_path, frames=frames, costs=[asdict(cost) for cost in costs])


def make_corpus(folder: Path, files: int, frames: int) -> Path:
    """Create ``folder`` with ``files`` names of one video of the portrait."""
    folder.mkdir()
    write_clip(folder / "0000.mp4", frames, (320, 240))
    for index in range(1, files):
        os.link(folder / "0000.mp4", folder / f"{index:04d}.mp4")
    return folder


def _processes(count: int, folder: Path, options: TrackerOptions, _: int) -> Workers:
    return Pool(count, folder, options)


def _ray_workers(address: str, folder: Path, options: TrackerOptions, _: int) -> Workers:
    return RayWorkers(address, folder, options)


def _table(costs: Sequence[Cost]) -> Table:
    table = Table(title="corpus", title_justify="left")
    for header in ("workers", "files", "seconds", "seconds a file"):
        table.add_column(header, justify="left" if header == "workers" else "right")
    for cost in costs:
        table.add_row(cost.workers, str(cost.files), f"{cost.seconds:.1f}", f"{cost.seconds_per_file:.3f}")
    return table


def compare(jobs: Sequence[Job], one: Path, other: Path) -> None:
    """Raise :class:`~tracker.errors.BenchError` unless both folders hold the same results of all jobs."""
    different = [job.name for job in jobs if (one / job.name).read_bytes() != (other / job.name).read_bytes()]
    if different:
        raise BenchError(f"{len(different)} results differ, the first: {different[0]}")


if __name__ == "__main__":
    run_command(main)
