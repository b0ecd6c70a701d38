"""One replica: its answers are those of a tracker of this computer, wherever the video came from."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from tests.batches import LIGHT
from tests.cache import Trackers
from tests.replicas import SETTINGS, film, local_records
from tests.serving import portrait
from tracker.errors import ClusterError, SourceError
from tracker.serve.cluster.replica import StateWanted, Step, Tracked, TrackerReplica, identity
from tracker.serve.stills import find_faces

T = TypeVar("T")

FILM = film(12)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def step(index: int, session: str = "a", state: bytes | None = None) -> Step:
    return Step(session, LIGHT.model, "low", index, index, index / 30, FILM[index], state)


async def tracked(replica: TrackerReplica, given: Step) -> Tracked:
    answer = await replica.step(given)
    assert isinstance(answer, Tracked)
    return answer


@pytest.fixture
def replica() -> Iterator[TrackerReplica]:
    opened = TrackerReplica(SETTINGS, "r0")
    yield opened
    opened.close()


@pytest.fixture
def other() -> Iterator[TrackerReplica]:
    opened = TrackerReplica(SETTINGS, "r1")
    yield opened
    opened.close()


def test_a_video_is_tracked_as_on_this_computer(replica: TrackerReplica, trackers: Trackers) -> None:
    async def all_of_it() -> list[Tracked]:
        return [await tracked(replica, step(index)) for index in range(len(FILM))]

    answers = run(all_of_it())
    assert [answer.record for answer in answers] == local_records(trackers, FILM)
    assert {answer.replica for answer in answers} == {"r0"}


def test_a_video_goes_on_at_another_replica_exactly(
    replica: TrackerReplica, other: TrackerReplica, trackers: Trackers
) -> None:
    async def moved() -> list[Tracked]:
        answers = [await tracked(replica, step(index)) for index in range(5)]
        assert isinstance(await other.step(step(5)), StateWanted)
        answers.append(await tracked(other, step(5, state=answers[-1].state)))
        return answers + [await tracked(other, step(index)) for index in range(6, len(FILM))]

    assert [answer.record for answer in run(moved())] == local_records(trackers, FILM)


def test_a_step_that_comes_twice_counts_once(replica: TrackerReplica, trackers: Trackers) -> None:
    async def twice() -> list[Tracked]:
        first = await tracked(replica, step(0))
        second = await tracked(replica, step(1))
        assert isinstance(await replica.step(step(1)), StateWanted)  # its answer was lost, say
        again = await tracked(replica, step(1, state=first.state))
        assert again.record == second.record
        return [first, again, await tracked(replica, step(2))]

    assert [answer.record for answer in run(twice())] == local_records(trackers, FILM[:3])


def test_steps_that_come_together_count_once(replica: TrackerReplica, trackers: Trackers) -> None:
    async def together() -> list[Tracked]:
        first = await tracked(replica, step(0))
        answers = await asyncio.gather(replica.step(step(1)), replica.step(step(1)), replica.step(step(1)))
        done = [answer for answer in answers if isinstance(answer, Tracked)]
        assert len(done) == 1
        return [first, done[0], await tracked(replica, step(2))]

    assert [answer.record for answer in run(together())] == local_records(trackers, FILM[:3])


def test_first_steps_that_come_together_count_once(replica: TrackerReplica, trackers: Trackers) -> None:
    async def together() -> list[Tracked]:
        answers = await asyncio.gather(*(replica.step(step(0)) for _ in range(3)))
        first = next(answer for answer in answers if isinstance(answer, Tracked))
        return [first, await tracked(replica, step(1)), await tracked(replica, step(2))]

    assert [answer.record for answer in run(together())] == local_records(trackers, FILM[:3])


def test_a_video_that_is_left_in_the_middle_of_a_step_is_forgotten(replica: TrackerReplica) -> None:
    async def left() -> object:
        await tracked(replica, step(0))
        running = asyncio.create_task(replica.step(step(1)))
        await asyncio.sleep(0)
        await replica.leave("a")
        assert isinstance(await running, Tracked)
        return await replica.step(step(2))

    assert isinstance(run(left()), StateWanted)


def test_only_the_last_used_videos_are_kept(replica: TrackerReplica) -> None:
    async def many() -> list[bool]:
        names = [f"v{i}" for i in range(SETTINGS.limits.connections + 1)]
        for name in names:
            await tracked(replica, step(0, name))
        return [isinstance(await replica.step(step(1, name)), StateWanted) for name in names]

    assert run(many()) == [True] + SETTINGS.limits.connections * [False]


def test_a_video_that_was_left_is_forgotten(replica: TrackerReplica) -> None:
    async def left() -> object:
        await tracked(replica, step(0))
        await replica.leave("a")
        await replica.leave("never seen")
        return await replica.step(step(1))

    assert isinstance(run(left()), StateWanted)


def test_what_is_no_picture_is_an_answer_and_does_no_harm(
    replica: TrackerReplica, trackers: Trackers
) -> None:
    async def with_a_bad_one() -> list[Tracked]:
        first = await tracked(replica, step(0))
        assert isinstance(await replica.step(replace(step(1), picture=b"none")), SourceError)
        assert isinstance(await replica.find(LIGHT.model, b"none"), SourceError)
        return [first, await tracked(replica, step(1))]

    assert [answer.record for answer in run(with_a_bad_one())] == local_records(trackers, FILM[:2])


def test_a_still_picture_is_found_as_on_this_computer(replica: TrackerReplica, trackers: Trackers) -> None:
    expected = find_faces(trackers.opened(), portrait(), SETTINGS.limits.picture_pixels)
    assert run(replica.find(LIGHT.model, portrait())) == expected


@pytest.mark.parametrize("name", ["version", "weights"])
def test_other_models_than_the_server_has_are_refused(name: str) -> None:
    here = identity(LIGHT)
    assert here[name]
    with pytest.raises(ClusterError, match=rf"^{name} on .* differ.* the same version of tracker on all"):
        TrackerReplica(replace(SETTINGS, identity={**here, name: "another"}), "r0")
