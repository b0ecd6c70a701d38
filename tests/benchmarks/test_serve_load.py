"""Figures of the server under load, and its clients against a real server."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from benchmarks.serve_clients import Resources, Tally, busy_client, masked, pushing_client
from benchmarks.serve_load import Fairness, Percentiles, crowd
from tests.cache import Clips
from tests.serving import portrait, serving
from tracker.errors import BenchError


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_jains_index_lies_between_one_for_all_and_one_in_n(counts: list[int]) -> None:
    fairness = Fairness.of([Tally(tracked=count) for count in counts])
    assert 1 / len(counts) - 1e-4 <= fairness.jain <= 1
    assert (fairness.jain > 0.99995) == (
        len(counts) * sum(c * c for c in counts) * 0.99995 < sum(counts) ** 2
    )
    assert (fairness.least, fairness.most) == (min(counts), max(counts))
    assert Fairness.of([Tally(tracked=counts[0])] * 5).jain == 1


def test_percentiles_need_some_times() -> None:
    assert Percentiles.of([1.0, 2.0, 3.0]).median_ms == 2
    with pytest.raises(BenchError, match="--seconds"):
        Percentiles.of([1.0])


def test_a_masked_message_is_a_whole_frame() -> None:
    data = masked(b"abc")
    assert data[0] == 0x82  # final, binary
    assert struct.unpack_from(">Q", data, 2) == (3,)
    assert data.endswith(b"\0\0\0\0abc")


@pytest.mark.slow
def test_a_small_crowd_is_served_and_leaves_nothing(clips: Clips) -> None:
    pictures = [portrait()]
    with serving("--video", clips.faces(30)) as server:
        pid, port = server.process.pid, server.port
        fairness, looks = asyncio.run(crowd(pid, port, pictures, (3, 2), 2.0))
        assert fairness.clients == 3
        assert fairness.failed == 0
        assert all(look.threads >= 3 and look.files > 3 for look in looks)
        assert Resources.of(pid).megabytes > 30


@pytest.mark.slow
def test_clients_come_back_from_a_server_that_ends() -> None:
    with serving() as server:

        async def run() -> None:
            until_s = time.monotonic() + 1.5
            clients = [busy_client(server.port, [portrait()], until_s, Tally())]
            await asyncio.gather(*clients, pushing_client(server.port, [portrait()], until_s))

        ending = asyncio.run
        ending(run())
        server.process.terminate()
        server.process.wait()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))
