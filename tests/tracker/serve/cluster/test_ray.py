"""``tracker serve --ray`` on a cluster of two nodes on this computer, one of which dies."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray.serve", reason="needs the extra cluster")

from tests.cli import wait_until
from tests.ray_cluster import ray_cluster
from tests.replicas import SETTINGS, film
from tests.serving import TIMEOUT_S, Serving, message, portrait, serving
from tracker.errors import ClusterError
from tracker.serve.cluster.deployment import RayReplicas
from tracker.serve.cluster.replica import Step, Tracked
from tracker.system.cluster import connect, import_ray

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

FILM = film(40)
CLIENTS = 6
PORT = 8468


@pytest.fixture
def cluster() -> Iterator[Any]:
    with ray_cluster() as running:
        yield running


def answers_of(server: Serving, meanwhile: Callable[[], None] = lambda: None) -> list[list[Any]]:
    """Return what each of some clients gets for the film; ``meanwhile`` happens half-way, before answers."""
    answers: list[list[Any]] = [[] for _ in range(CLIENTS)]
    with ExitStack() as stack:
        clients = [stack.enter_context(server.connect("/ws/camera")) for _ in range(CLIENTS)]
        for index, picture in enumerate(FILM):
            for client in clients:
                client.send(message(index / 30, picture))
            if index == len(FILM) // 2:
                meanwhile()
            for client, got in zip(clients, answers, strict=True):
                answer = json.loads(client.recv(TIMEOUT_S))
                assert answer.pop("latency_ms") > 0
                got.append(answer)
    return answers


def replica_processes(server: Serving) -> list[bytes]:
    """Return the command lines of the server's replicas that run on this computer."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            lines.append(path.read_bytes())
    wanted = re.compile(rb"ray::ServeReplica:tracker-\w+-%d:" % server.port)
    return [line for line in lines if wanted.match(line)]


def test_clients_lose_nothing_when_a_node_dies(cluster: Any) -> None:
    with serving() as server:
        expected = answers_of(server)
        still = server.post(portrait()).json
    node = cluster.add_node(num_cpus=1)
    with serving("--ray", cluster.address) as server:
        assert server.get("/api/health").status == 200
        assert server.post(portrait()).json == still
        assert len(replica_processes(server)) == 2

        def kill_node() -> None:
            cluster.remove_node(node, allow_graceful=False)
            wait_until(lambda: len(replica_processes(server)) == 1)  # some seconds after its node

        killed = answers_of(server, kill_node)
        assert killed == expected  # also the ids: the state of each tracker moves on
        assert server.post(portrait()).json == still
        assert server.post(b"no picture").status == 422
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(TIMEOUT_S) == 143
        assert server.process.stderr is not None
        said = server.process.stderr.read()
        assert "Traceback" not in said
        assert "some videos go on at another one" in said or "was lost" in said


def test_a_session_stays_at_its_replica_and_nothing_is_left_behind(cluster: Any) -> None:
    cluster.add_node(num_cpus=1)
    said: list[str] = []

    async def places(replicas: RayReplicas, session: str) -> set[str]:
        """Return which replicas track the pictures of a session, and which one it is told to have."""
        found = {await replicas.name(session)}
        for index, picture in enumerate(FILM[:5]):
            step = Step(session, SETTINGS.options.model, "low", index, index, index / 30, picture)
            answer = await replicas.step(step)
            assert isinstance(answer, Tracked)  # it has the state of the pictures before
            found.add(answer.replica)
        return found

    async def names(replicas: RayReplicas) -> list[set[str]]:
        return [await places(replicas, session) for session in "abcdefghij"]

    with RayReplicas(cluster.address, PORT, SETTINGS, 0, said.append) as replicas:
        found = asyncio.run(names(replicas))
        assert all(len(each) == 1 for each in found)
        assert len(set.union(*found)) == 2  # one for each core
        ray, serve = import_ray(), import_ray("ray.serve")
        assert ray.available_resources().get("CPU", 0) == 0
        assert serve.status().proxies == {}  # no port of Ray's answers requests
        ray.shutdown()  # as if the server were killed, which leaves its replicas
        with RayReplicas(cluster.address, PORT, SETTINGS, 0, said.append) as again:
            assert len(set.union(*asyncio.run(names(again)))) == 2  # the next ones take their place
    assert said == 2 * ["starting 2 trackers on the cluster"]
    ray = connect(cluster.address)
    try:
        wait_until(lambda: ray.available_resources().get("CPU", 0) == 2)
        assert serve.status().applications == {}
    finally:
        ray.shutdown()


def test_replicas_that_cannot_start_end_it_with_their_reason(cluster: Any) -> None:
    other = replace(SETTINGS, identity={**SETTINGS.identity, "version": "0.0.1"})
    with pytest.raises(
        ClusterError, match=r"do not start on the cluster: ClusterError: version on .* differ"
    ):
        RayReplicas(cluster.address, PORT, other, 1, print)
