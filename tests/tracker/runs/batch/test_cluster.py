"""A batch on a real cluster of two nodes on this computer, one of which dies at its work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the extra cluster")

from tests.media import face_video
from tracker.errors import BatchError
from tracker.runs.batch.cluster import RayWorkers, import_ray
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import plan_jobs
from tracker.runs.batch.run import run_batch
from tracker.tracking.opening import TrackerOptions

LIGHT = TrackerOptions("unet-light", "cpu", threads=1)


@pytest.fixture
def cluster() -> Iterator[Any]:
    import_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_node_that_dies_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1)
    planned = plan_jobs([face_video(tmp_path / f"{i}.mp4", 5 + i) for i in range(8)])
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


def test_a_cluster_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(BatchError, match="no Ray cluster answers at"):
        RayWorkers("auto", tmp_path, LIGHT)
    assert time.monotonic() - started < 600  # not for ever
