"""Deployment of the trackers on a Ray cluster, by Ray Serve.

Ray Serve places the replicas on the nodes, starts those anew that die, and routes calls. Its HTTP proxies are
not used: they read all that clients send without limit, so that a slow client would take their memory.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tracker.errors import ClusterError, TrackerError
from tracker.serve.cluster.engine import ClusterEngine
from tracker.serve.cluster.replica import (
    ReplicaSettings,
    StateWanted,
    Step,
    Tracked,
    TrackerReplica,
    identity,
)
from tracker.serve.cluster.replicas import LostError
from tracker.serve.settings import ServerSettings
from tracker.system.closing import Closing
from tracker.system.cluster import connect, failure_of, import_ray

Say = Callable[[str], None]

_DEPLOYMENT = "trackers"
_ROUTER = "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter"
_ANSWER_S = 10.0
_POLL_S = 0.2
_SETTLE_S = 0.5
_TELL_AGAIN_S = 30.0
_SOME_S = 15.0
_NONE_S = 60.0


class DeployedReplica(TrackerReplica):
    """Replica as Ray Serve makes it, which gives it its name."""

    def __init__(self, settings: ReplicaSettings) -> None:
        context = import_ray("ray.serve").get_replica_context()
        super().__init__(settings, context.replica_id.unique_id)

    def __del__(self) -> None:
        """End the threads; Ray Serve calls this once the answers under way are finished."""
        with suppress(AttributeError):  # if it could not begin
            self.close()


def open_cluster(settings: ServerSettings, say: Say) -> ClusterEngine:
    """Start replicas on the cluster at ``settings.ray``, and return the engine that uses them.

    Each replica takes ``threads`` cores, one if that is 0. Raises
    :class:`~tracker.errors.ClusterError` if there is no cluster, or none starts.
    """
    options = replace(settings.tracker, threads=settings.tracker.threads or 1)
    replica = ReplicaSettings(options, identity(options), settings.limits)
    assert settings.ray is not None
    replicas = RayReplicas(settings.ray, settings.access.port, replica, settings.workers, say)
    return ClusterEngine(replicas)


class RayReplicas(Closing):
    """Replicas of an application of Ray Serve on the cluster at ``address``; a context manager.

    There are ``count``, or as many as there are cores for if that is 0. What an earlier server on this node
    and ``port`` has left is replaced. ``say`` takes one line for the operator. Raises
    :class:`~tracker.errors.ClusterError` if there is no cluster, or no replica starts.
    """

    def __init__(self, address: str, port: int, settings: ReplicaSettings, count: int, say: Say) -> None:
        self._serve = import_ray("ray.serve")
        self._ray, self._say = connect(address), say
        self._failures = (self._ray.exceptions.RayError, self._serve.exceptions.RayServeException)
        self._name = f"tracker-{self._ray.get_runtime_context().get_node_id()[:12]}-{port}"
        self._threads = settings.options.threads
        self._told_s: dict[str, float] = {}
        try:
            self._handle = self._deploy(settings, count)
        except self._failures as error:
            self.close()
            raise _not_started(str(error)) from error
        except BaseException:
            self.close()
            raise

    async def name(self, session: str) -> str:
        """Return the name of the replica of ``session``."""
        name: str = await self._answer(self._handle.options(session_id=session).name.remote())
        return name

    async def step(self, step: Step) -> Tracked | StateWanted | TrackerError:
        """Track the next picture of a video."""
        handle = self._handle.options(session_id=step.session)
        answer: Tracked | StateWanted | TrackerError = await self._answer(handle.step.remote(step))
        if isinstance(answer, StateWanted):
            self._tell("the trackers of the cluster have changed: some videos go on at another one")
        return answer

    async def find(self, model: str, data: bytes) -> str | TrackerError:
        """Return the JSON line of a still picture."""
        answer: str | TrackerError = await self._answer(self._handle.find.remote(model, data))
        return answer

    async def leave(self, session: str) -> None:
        """Forget a video."""
        await self._answer(self._handle.options(session_id=session).leave.remote(session))

    def close(self) -> None:
        """End the replicas and the connection to the cluster; closing twice is fine."""
        if not self._ray.is_initialized():
            return
        with suppress(*self._failures):
            self._serve.delete(self._name, _blocking=False)
            self._serve.status()  # returns once the request to delete has arrived
        self._ray.shutdown()

    async def _answer(self, response: Awaitable[Any]) -> Any:
        """Return the answer of a replica; LostError if it is dead, or silent for too long."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await response
        except self._ray.exceptions.RayTaskError as error:
            raise ClusterError(f"failed on the cluster: {failure_of(error)}") from error
        except self._failures as error:
            self._tell("a tracker of the cluster was lost: its videos go on at another one")
            raise LostError(type(error).__name__) from error
        except TimeoutError:
            self._tell(f"a tracker of the cluster does not answer within {_ANSWER_S:g} s")
            raise LostError(f"no answer within {_ANSWER_S:g} s") from None

    def _tell(self, what: str) -> None:
        """Tell the operator, who needs to know it once and not for each picture."""
        now_s = time.monotonic()
        if now_s - self._told_s.get(what, -math.inf) > _TELL_AGAIN_S:
            self._told_s[what] = now_s
            self._say(what)

    def _deploy(self, settings: ReplicaSettings, count: int) -> Any:
        """Return the handle of new replicas, at least one of which runs."""
        serve = self._serve
        logging.getLogger("ray.serve").setLevel(logging.CRITICAL)  # what matters is said by this module
        serve.start(proxy_location="Disabled")
        if self._name in serve.status().applications:
            serve.delete(self._name)
        count = count or max(self._free_cores() // self._threads, 1)
        self._say(f"starting {count} trackers on the cluster")
        deployment = serve.deployment(DeployedReplica).options(
            name=_DEPLOYMENT,
            num_replicas=count,
            max_ongoing_requests=2 * settings.limits.connections,
            ray_actor_options={"num_cpus": self._threads},
            health_check_period_s=2.0,
            health_check_timeout_s=5.0,
            graceful_shutdown_wait_loop_s=0.1,
            graceful_shutdown_timeout_s=1.0,
            logging_config={"enable_access_log": False, "log_level": "ERROR"},
            request_router_config={
                "request_router_class": _ROUTER,
                "request_router_kwargs": {"num_fallback_replicas": 0},
            },
        )
        target = serve.RunTarget(deployment.bind(settings), name=self._name, route_prefix=None)
        (handle,) = serve.run_many([target], wait_for_applications_running=False)
        self._wait(count)
        return handle

    def _free_cores(self) -> int:
        """Return how many cores are free once replicas that were just ended have given theirs back."""
        free, before = self._ray.available_resources().get("CPU", 0), -1
        while free > before:
            time.sleep(_SETTLE_S)
            free, before = self._ray.available_resources().get("CPU", 0), free
        return int(free)

    def _wait(self, count: int) -> None:
        """Wait until all replicas run, or some do and the others take long."""
        begun_s = time.monotonic()
        while (running := self._running())[0] < count:
            waited_s = time.monotonic() - begun_s
            if running[0] and waited_s > _SOME_S:
                self._say(f"only {running[0]} of {count} trackers run on the cluster: {running[1]}")
                return
            if waited_s > _NONE_S:
                raise ClusterError(
                    f"no tracker began on the cluster within {_NONE_S:g} s: it needs a node with "
                    f"{self._threads} free cores; see `ray status`, or give --threads less"
                )
            time.sleep(_POLL_S)

    def _running(self) -> tuple[int, str]:
        """Return how many replicas run, and why others do not; ClusterError if none can."""
        application = self._serve.status().applications[self._name]
        deployment = application.deployments[_DEPLOYMENT]
        if application.status == "DEPLOY_FAILED":
            raise _not_started(deployment.message)
        why = _last_line(deployment.message) or "the others begin when it has free cores"
        return int(deployment.replica_states.get("RUNNING", 0)), why


def _not_started(message: str) -> ClusterError:
    why = _last_line(message) or "see `serve status`"
    return ClusterError(f"the trackers do not start on the cluster: {why}")


def _last_line(message: str) -> str:
    """Return the error at the end of a traceback, without the names of its modules; empty without one."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return re.sub(r"^[\w.]*\.(?=\w+: )", "", lines[-1]) if lines else ""
