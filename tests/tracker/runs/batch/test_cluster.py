"""A batch on a Ray cluster of two nodes on this computer, one of which dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the extra cluster")

from tests.batches import LIGHT
from tests.cache import Clips
from tests.ray_cluster import ray_cluster
from tracker.runs.batch.cluster import RayWorkers
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import plan_jobs
from tracker.runs.batch.run import run_batch


@pytest.fixture
def cluster() -> Iterator[Any]:
    with ray_cluster() as running:
        yield running


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_jobs_of_a_dead_node_are_repeated(cluster: Any, tmp_path: Path, clips: Clips) -> None:
    node = cluster.add_node(num_cpus=1)
    planned = plan_jobs([clips.faces(5 + i) for i in range(8)])
    out, done = tmp_path / "out", 0

    def kill_once(*_: object) -> None:
        nonlocal done
        done += 1
        if done == 2:
            cluster.remove_node(node, allow_graceful=False)

    report = run_batch(planned, out, LIGHT, lambda _: RayWorkers(cluster.address, out, LIGHT), kill_once)
    assert report.failures == []
    assert [outcome.frames for outcome in report.outcomes.values()] == [5 + i for i in range(8)]
    for job in planned:
        do_job(job, tmp_path / "alone", LIGHT)
        assert (tmp_path / "alone" / job.name).read_bytes() == (out / job.name).read_bytes()
    assert list(out.rglob("*.part")) == []
