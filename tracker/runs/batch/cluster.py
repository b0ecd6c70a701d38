"""Workers on a Ray cluster (extra: cluster), whose nodes see inputs and outputs under the same paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tracker.errors import BatchError
from tracker.runs.batch.job import Outcome, do_job
from tracker.runs.batch.plan import Job
from tracker.runs.batch.pool import Lost
from tracker.system.closing import Closing
from tracker.tracking.opening import TrackerOptions

_ROUND_S = 1.0


class RayWorkers(Closing):
    """Tasks of the cluster at ``address`` (``auto``: this computer's), each on ``options.threads`` cores.

    Nodes that join are used, and what a node or a worker that dies was at is :class:`Lost`. Raises
    :class:`BatchError` when Ray is not installed or no cluster answers.
    """

    def __init__(self, address: str, folder: Path, options: TrackerOptions) -> None:
        self._ray = ray = import_ray()
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise BatchError(
                f"no Ray cluster answers at {address} ({str(error).strip().partition(chr(10))[0]}): "
                "start one with ray start --head, or leave --ray out"
            ) from error
        # Deaths are counted by who gives out the jobs: Ray is not to repeat any by itself.
        self._do = ray.remote(num_cpus=options.threads, max_retries=0)(do_job)
        self._arguments = (folder, options)
        self._threads = options.threads
        self._running: dict[Any, Job] = {}

    @property
    def free(self) -> int:
        """Some more than cores, so that none waits for us."""
        cores = self._ray.cluster_resources().get("CPU", 1.0)
        return max(2 * int(cores) // self._threads, 1) - len(self._running)

    def start(self, job: Job) -> None:
        self._running[self._do.remote(job, *self._arguments)] = job

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
        ready: list[Any] = []
        while not ready:  # in rounds, so that Ctrl-C gets through
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_ROUND_S)
        return [(self._running.pop(reference), self._answer(reference)) for reference in ready]

    def close(self) -> None:
        running, self._running = list(self._running), {}
        for reference in running:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()

    def _answer(self, reference: Any) -> Outcome | Lost:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            return Outcome(error=f"failed on the cluster: {str(error.cause or error).strip()[-200:]}")
        except self._ray.exceptions.RayError as error:
            return Lost(f"{type(error).__name__} on the cluster")
        return outcome


def import_ray() -> Any:
    """The module, told to report nothing. Raises :class:`BatchError` where it is not installed."""
    # Ray reports its use to its makers unless told not to; this must be set before it is imported.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise BatchError(f"--ray needs Ray ({error}): pip install 'tracker[cluster]'") from error
    return ray
