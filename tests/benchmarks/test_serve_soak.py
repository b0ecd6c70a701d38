"""Soak of the server: the line through its memory, and short visits to a real server."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from benchmarks.serve_clients import Resources
from benchmarks.serve_soak import SETTLE_MIN, Growth, Look, Plan, soak, visit
from tests.cache import Clips
from tests.serving import portrait, serving
from tests.strategies import floats
from tracker.errors import BenchError


def looks_at(megabytes: list[float], first_min: float = SETTLE_MIN + 1) -> list[Look]:
    """Return a look a minute."""
    return [Look(first_min + i, Resources(value, 9, 7), 0) for i, value in enumerate(megabytes)]


@given(floats(-50, 50), st.integers(3, 60))
def test_growth_of_a_line_is_its_slope(slope: float, count: int) -> None:
    growth = Growth.of(looks_at([200 + slope * i / 60 for i in range(count)]))
    assert growth.looks == count
    assert growth.mb_per_hour == pytest.approx(slope, abs=0.006)
    assert growth.standard_error == 0


def test_growth_leaves_out_the_beginning() -> None:
    beginning = looks_at([0.0, 50.0, 100.0, 150.0, 190.0], first_min=1)
    assert Growth.of(beginning + looks_at([200.0] * 5)) == Growth(5, 0.0, 0.0)
    with pytest.raises(BenchError, match="--minutes 8"):
        Growth.of(beginning + looks_at([200.0] * 2))


def test_the_standard_error_is_that_of_the_textbook() -> None:
    # Residuals of the line through 0, 1, 0 are -1/3, 2/3, -1/3: sqrt(6/9 / (3 - 2) / 2) a minute.
    assert Growth.of(looks_at([0.0, 1.0, 0.0])) == Growth(3, 0.0, round(60 * (1 / 3) ** 0.5, 2))


@given(st.floats(8, 90), st.floats(1, 60))
def test_the_shortest_soak_has_looks_enough(minutes: float, every_s: float) -> None:
    plan = Plan.of(minutes, every_s)
    middles_s = [
        every_s * (turn - 0.5) for turn in range(1, plan.visits + 1) if turn % plan.visits_a_look == 0
    ]
    looks = [Look(middle_s / 60, Resources(200.0, 9, 7), 0) for middle_s in middles_s]
    assert Growth.of(looks).mb_per_hour == 0


@pytest.mark.slow
def test_every_client_of_a_visit_gets_answers(clips: Clips) -> None:
    with serving("--video", clips.faces(30)) as server:
        before = Resources.of(server.process.pid)
        done, looks = asyncio.run(soak((server.process, server.port), [portrait()], Plan(4, 2.0, 2)))
    assert [one.problem for one in done] == [""] * 4
    assert not any(one.failed for one in done)
    assert all(one.still == 1 for one in done)
    assert len(looks) == 2
    # The three that stay are connected at each look.
    assert all(look.process.files >= before.files + 3 and look.process.threads >= 3 for look in looks)


@pytest.mark.slow
def test_a_visit_without_a_live_source_has_failed() -> None:
    with serving() as server:
        one = asyncio.run(visit(server.port, [portrait()], 1.0))
    assert one.failed
    assert one.camera > 0
    assert one.live == one.mjpeg == 0
    assert "1008" in one.problem


@pytest.mark.slow
def test_a_server_that_ends_is_an_error() -> None:
    with serving() as server:
        server.process.kill()
        server.process.wait()
        with pytest.raises(BenchError, match="ended with code -9"):
            asyncio.run(soak((server.process, server.port), [portrait()], Plan(9, 0.1, 9)))
