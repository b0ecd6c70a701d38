"""Sessions on a cluster: order, newest picture, and replicas that die or forget."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from itertools import chain, count
from typing import Any, TypeVar

import pytest

from tests.batches import LIGHT
from tests.cache import Trackers
from tests.replicas import FakeReplicas, film, local_records
from tests.serving import portrait
from tracker.errors import ClusterError, SourceError
from tracker.serve.cluster.engine import ClusterEngine
from tracker.serve.cluster.replicas import LostError, patiently
from tracker.serve.cluster.session import ClusterSession
from tracker.serve.messages import Message
from tracker.serve.worker import ReplacedError

T = TypeVar("T")

FILM = film(10)


@pytest.fixture
def replicas() -> Iterator[FakeReplicas]:
    with FakeReplicas() as opened:
        yield opened


def offer(session: ClusterSession, index: int, picture: bytes | None = None) -> Future[str]:
    message = Message(index, index / 30, time.monotonic())
    return session.offer(message, FILM[index] if picture is None else picture)


async def record(session: ClusterSession, index: int) -> Any:
    """Track a picture and return its answer, without what differs from run to run."""
    text = await asyncio.wrap_future(offer(session, index))
    answer = json.loads(text)
    assert answer.pop("latency_ms") >= 0
    return answer


def on(replicas: FakeReplicas, talk: Callable[[ClusterEngine, ClusterSession], Awaitable[T]]) -> T:
    """Run ``talk`` with an engine on ``replicas`` and a session of it."""

    async def run() -> T:
        engine = ClusterEngine(replicas)
        session = await engine.open_session(LIGHT.model, "low")
        try:
            return await talk(engine, session)
        finally:
            session.close()
            await asyncio.sleep(0)

    return asyncio.run(run())


def of_owner(replicas: FakeReplicas, name: str) -> Iterator[str]:
    """Yield names of sessions that belong to a replica."""
    return (text for text in map(str, count()) if replicas.owner(text) is replicas.alive[name])


def expected(trackers: Trackers) -> Any:
    return json.loads(json.dumps(local_records(trackers, FILM)))


def test_all_pictures_of_a_session_go_to_one_replica(replicas: FakeReplicas, trackers: Trackers) -> None:
    async def talk(_: ClusterEngine, session: ClusterSession) -> list[Any]:
        return [await record(session, index) for index in range(len(FILM))]

    assert on(replicas, talk) == expected(trackers)
    assert len({replica for replica, _ in replicas.steps}) == 1
    assert len(replicas.steps) == len(FILM)
    assert all(step.state is None for _, step in replicas.steps)  # the replica has it


def test_faces_keep_their_ids_when_the_replica_dies(replicas: FakeReplicas, trackers: Trackers) -> None:
    async def talk(_: ClusterEngine, session: ClusterSession) -> list[Any]:
        answers = [await record(session, index) for index in range(4)]
        replicas.kill(session.place.replica)
        return answers + [await record(session, index) for index in range(4, len(FILM))]

    answers = on(replicas, talk)
    assert answers == expected(trackers)
    assert answers[-1]["faces"]
    assert len({replica for replica, _ in replicas.steps}) == 2


@pytest.mark.parametrize("lost", [(0,), (3,), (3, 4, 5), (9,)])
def test_a_lost_answer_is_asked_for_again_and_each_picture_counts_once(
    lost: tuple[int, ...], trackers: Trackers
) -> None:
    async def talk(_: ClusterEngine, session: ClusterSession) -> list[Any]:
        return [await record(session, index) for index in range(len(FILM))]

    with FakeReplicas(lost_calls=lost) as replicas:
        assert on(replicas, talk) == expected(trackers)


def test_the_newest_picture_waits_and_the_ones_before_are_replaced(replicas: FakeReplicas) -> None:
    async def talk(_: ClusterEngine, session: ClusterSession) -> list[object]:
        futures = [offer(session, index) for index in range(4)]
        await asyncio.sleep(0)  # the task begins with the newest
        futures += [offer(session, index) for index in range(4, 7)]
        return await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)

    answers = on(replicas, talk)
    assert [isinstance(answer, ReplacedError) for answer in answers] == [1, 1, 1, 0, 1, 1, 0]
    assert [step.number for _, step in replicas.steps] == [3, 6]
    assert [step.done for _, step in replicas.steps] == [0, 1]


def test_what_is_no_picture_fails_alone(replicas: FakeReplicas) -> None:
    async def talk(engine: ClusterEngine, session: ClusterSession) -> Any:
        with pytest.raises(SourceError):
            await asyncio.wrap_future(offer(session, 0, b"none"))
        with pytest.raises(SourceError):
            await asyncio.wrap_future(engine.find(LIGHT.model, b"none"))
        line = await asyncio.wrap_future(engine.find(LIGHT.model, portrait()))
        assert json.loads(line)["faces"]
        return await record(session, 1)

    assert on(replicas, talk)["faces"]


def test_the_end_of_a_session_drops_its_pictures_and_forgets_it(replicas: FakeReplicas) -> None:
    async def talk(_: ClusterEngine, session: ClusterSession) -> list[Future[str]]:
        await record(session, 0)
        running = offer(session, 1)
        await asyncio.sleep(0)
        waiting = offer(session, 2)
        session.close()
        session.close()
        while not replicas.left:
            await asyncio.sleep(0.01)
        assert replicas.left == [session.place.session]
        return [running, waiting]

    running, waiting = on(replicas, talk)
    assert isinstance(running.exception(), LostError)
    with suppress(CancelledError):
        assert waiting.result() is None
    assert waiting.cancelled()


def test_new_sessions_go_to_the_replica_with_the_fewest(
    replicas: FakeReplicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the four names that are tried for each, three belong to one replica and the last to the other.
    of_each = {"r0": of_owner(replicas, "r0"), "r1": of_owner(replicas, "r1")}
    names = (next(of_each["r0" if i % 4 < 3 else "r1"]) for i in count())
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(names))

    async def talk(engine: ClusterEngine, first: ClusterSession) -> list[str]:
        sessions = [first] + [await engine.open_session(LIGHT.model, "off") for _ in range(11)]
        places = [session.place.replica for session in sessions]
        for session in sessions[1:]:
            session.close()
        return places

    places = on(replicas, talk)
    assert all(set(pair) == {"r0", "r1"} for pair in zip(places[::2], places[1::2], strict=True))


def test_faces_keep_their_ids_when_another_replica_joins(replicas: FakeReplicas, trackers: Trackers) -> None:
    async def talk(_: ClusterEngine, session: ClusterSession) -> list[Any]:
        answers = []
        for index in range(len(FILM)):
            if index == 4:
                before = await replicas.name(session.place.session)
                while await replicas.name(session.place.session) == before:
                    replicas.join()
            answers.append(await record(session, index))
        return answers

    assert on(replicas, talk) == expected(trackers)
    assert len({replica for replica, _ in replicas.steps}) == 2


def test_a_session_goes_on_after_an_answer_that_was_waited_for_in_vain(
    replicas: FakeReplicas, trackers: Trackers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.serve.cluster.session.patiently", partial(patiently, patience_s=0.2))

    async def talk(_: ClusterEngine, session: ClusterSession) -> list[Any]:
        answers = [await record(session, 0)]
        for name in list(replicas.alive):
            replicas.kill(name)
        with pytest.raises(ClusterError, match="no tracker of the cluster answers"):
            await asyncio.wrap_future(offer(session, 1))
        replicas.join()
        return answers + [await record(session, index) for index in range(1, len(FILM))]

    assert on(replicas, talk) == expected(trackers)


def test_a_still_picture_whose_answer_was_lost_is_asked_for_again(replicas: FakeReplicas) -> None:
    async def talk(engine: ClusterEngine, _: ClusterSession) -> str:
        replicas.lose_finds = 2
        return await asyncio.wrap_future(engine.find(LIGHT.model, portrait()))

    assert json.loads(on(replicas, talk))["faces"]
    assert replicas.lose_finds == 0


def test_a_silent_replica_does_not_hold_up_new_sessions(
    replicas: FakeReplicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(engine: ClusterEngine, first: ClusterSession) -> set[str]:
        silent = first.place.replica
        other = next(name for name in replicas.alive if name != silent)
        replicas.silent = silent
        monkeypatch.setattr("tracker.serve.cluster.engine._ANSWER_S", 0.2)
        names = chain.from_iterable(zip(of_owner(replicas, silent), of_owner(replicas, other), strict=True))
        monkeypatch.setattr(secrets, "token_hex", lambda _: next(names))
        places = set()
        for _ in range(3):
            session = await engine.open_session(LIGHT.model, "low")
            places.add(session.place.replica)
            session.close()
        replicas.silent = ""
        assert silent not in places
        return places

    assert len(on(replicas, talk)) == 1


def test_without_any_replica_it_is_an_error_once_patience_ends() -> None:
    calls = []

    async def never(attempt: int) -> None:
        calls.append(attempt)
        raise LostError("gone")

    with pytest.raises(ClusterError, match=r"no tracker of the cluster answers \(gone\): see `serve status`"):
        asyncio.run(patiently(never, 0.2))
    assert calls == list(range(len(calls)))
    assert len(calls) > 1
