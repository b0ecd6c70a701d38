"""Workers on a Ray cluster (extra ``cluster``).

Its nodes must see inputs and outputs under the same paths.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import Job
from tracker.runs.batch.pool import Lost
from tracker.runs.batch.records import Outcome
from tracker.system.closing import Closing
from tracker.system.cluster import connect, failure_of
from tracker.tracking.opening import TrackerOptions

_POLL_S = 1.0


class RayWorkers(Closing):
    """Jobs as tasks of the cluster at ``address`` (``auto``: this computer's).

    Each takes ``options.threads`` cores. Nodes that join later are used. The job of a node or worker that
    dies is :class:`~tracker.runs.batch.pool.Lost`. Raises :class:`~tracker.errors.ClusterError` when Ray is
    not installed or no cluster answers.
    """

    def __init__(self, address: str, folder: Path, options: TrackerOptions) -> None:
        self._ray = ray = connect(address)
        # run_batch counts and repeats lost jobs, so Ray must not.
        self._do = ray.remote(num_cpus=options.threads, max_retries=0)(do_job)
        self._arguments = (folder, options)
        self._threads = options.threads
        self._running: dict[Any, Job] = {}

    @property
    def free(self) -> int:
        """Number of jobs that may be started now: some more than there are cores, so that none is idle."""
        cores = self._ray.cluster_resources().get("CPU", 1.0)
        return max(2 * int(cores) // self._threads, 1) - len(self._running)

    def start(self, job: Job) -> None:
        """Submit ``job`` to the cluster."""
        self._running[self._do.remote(job, *self._arguments)] = job

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
        """Wait for at least one job to end."""
        ready: list[Any] = []
        while not ready:  # polls, so that Ctrl-C gets through
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_POLL_S)
        return [(self._running.pop(reference), self._answer(reference)) for reference in ready]

    def close(self) -> None:
        """Cancel running jobs and disconnect; closing twice is fine."""
        running, self._running = list(self._running), {}
        for reference in running:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()

    def _answer(self, reference: Any) -> Outcome | Lost:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            return Outcome(error=f"failed on the cluster: {failure_of(error)}")
        except self._ray.exceptions.RayError as error:
            return Lost(f"{type(error).__name__} on the cluster")
        return outcome
