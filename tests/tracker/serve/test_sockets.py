"""``/ws/camera`` with a real server and real clients: answers in order, the newest picture, misuse."""

from __future__ import annotations

import json
import socket as sockets
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.cache import Trackers
from tests.serving import TIMEOUT_S, Serving, encoded, message, portrait, serving
from tracker.serve.pictures import decode
from tracker.sinks.line_records import line_record
from tracker.types import Frame

PICTURE = portrait()


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as started:
        yield started


def received(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(TIMEOUT_S))


def closed(socket: ClientConnection) -> tuple[int, str]:
    """Return code and reason with which the server closes ``socket``."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            socket.recv(TIMEOUT_S)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def test_answers_are_those_of_a_tracker_of_its_own(server: Serving, trackers: Trackers) -> None:
    tracker = trackers.fresh()
    with server.connect("/ws/camera") as socket:
        for index in range(6):
            image = np.roll(decode(PICTURE, 10**6), index, axis=1)
            data, time_s = encoded(image), 3 + index / 30
            socket.send(message(time_s, data))
            answer = received(socket)
            assert 0 < answer.pop("latency_ms") < 1000 * TIMEOUT_S
            expected = line_record(tracker.step(Frame(decode(data, 10**6), index, time_s)))
            assert answer == json.loads(json.dumps(expected))
            assert len(answer["faces"]) == 1


def test_each_connection_has_a_tracker_of_its_own(server: Serving) -> None:
    with server.connect("/ws/camera") as one, server.connect("/ws/camera") as other:
        for socket, time_s in ((one, 100.0), (other, 1.0)):
            socket.send(message(time_s, PICTURE))
            answer = received(socket)
            assert (answer["frame"], answer["time_s"], answer["faces"][0]["id"]) == (0, time_s, 1)


def test_model_and_smoothing_are_chosen_by_the_client(server: Serving, trackers: Trackers) -> None:
    tracker = trackers.fresh(model="resnet18", smoothing="off")
    with server.connect("/ws/camera?model=resnet18&smoothing=off") as socket:
        for index in range(3):
            socket.send(message(index / 30, PICTURE))
            answer = received(socket)
            expected = tracker.step(Frame(decode(PICTURE, 10**6), index, index / 30)).faces[0]
        assert (
            answer["faces"][0]["landmarks"] == expected.landmarks.points_frame.astype(float).round(2).tolist()
        )


@pytest.mark.parametrize("query", ["model=none", "smoothing=medium", "picture=1"])
def test_an_unknown_choice_closes_the_connection(server: Serving, query: str) -> None:
    with server.connect(f"/ws/camera?{query}") as socket:
        code, reason = closed(socket)
    assert code == 1008
    assert query.partition("=")[0] in reason


def test_each_message_has_one_answer_in_order_and_the_newest_is_tracked(server: Serving) -> None:
    count = 40
    with server.connect("/ws/camera") as socket:

        def send() -> None:
            for index in range(count):
                socket.send(message(index / 30, PICTURE))

        sending = threading.Thread(target=send)
        sending.start()
        answers = [received(socket) for _ in range(count)]
        sending.join()
    assert [answer["frame"] for answer in answers] == list(range(count))
    assert [answer["time_s"] for answer in answers] == [round(index / 30, 6) for index in range(count)]
    assert {tuple(sorted(answer)) for answer in answers if "skipped" in answer} <= {
        ("frame", "skipped", "time_s")
    }
    assert "faces" in answers[-1]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an image"),
        (b"no picture", "not an image"),
        (PICTURE[: len(PICTURE) // 2], "damaged"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 60_000, 60_000), "megapixels"),
    ],
)
def test_an_unreadable_picture_is_told_and_the_next_is_tracked(
    server: Serving, data: bytes, words: str
) -> None:
    with server.connect("/ws/camera") as socket:
        socket.send(message(1.0, data))
        answer = received(socket)
        assert set(answer) == {"frame", "time_s", "error"}
        assert words in answer["error"]
        socket.send(message(2.0, PICTURE))
        assert (found := received(socket))["frame"] == 1
        assert len(found["faces"]) == 1


def test_a_picture_of_a_video_that_is_larger_than_4k_is_told_before_it_is_decoded(server: Serving) -> None:
    most = server.get("/api/info").json["limits"]["message_pixels"]
    width, height = 4096, most // 4096 + 1
    with server.connect("/ws/camera") as socket:
        socket.send(message(0.0, encoded(np.zeros((height, width, 3), np.uint8))))
        assert (
            f"{width}x{height} pixels, and this server takes at most 9 megapixels"
            in received(socket)["error"]
        )
        socket.send(message(1.0, encoded(np.zeros((2160, 4096, 3), np.uint8))))
        assert received(socket)["faces"] == []


def test_a_time_that_goes_back_is_told(server: Serving) -> None:
    with server.connect("/ws/camera") as socket:
        for time_s, works in ((5.0, True), (4.0, False), (4.5, False), (5.0, True), (6.0, True)):
            socket.send(message(time_s, PICTURE))
            answer = received(socket)
            assert ("faces" in answer) is works, answer
            assert works or "time goes back" in answer["error"]


@pytest.mark.parametrize(
    "sent",
    [
        "text",
        b"",
        b"1234567",
        message(float("nan"), PICTURE),
        message(float("inf"), PICTURE),
        message(-1e300, PICTURE),
    ],
)
def test_a_message_of_another_form_closes_after_the_answers_before_it(
    server: Serving, sent: str | bytes
) -> None:
    with server.connect("/ws/camera") as socket:
        socket.send(message(1.0, PICTURE))
        socket.send(sent)
        assert received(socket)["frame"] == 0
        code, reason = closed(socket)
    assert code == 1007
    assert "seconds" in reason


def test_a_message_that_is_too_large_closes_the_connection(server: Serving) -> None:
    limit = server.get("/api/info").json["limits"]["message_bytes"]
    for pieces in (1, 4):
        with server.connect("/ws/camera") as socket, suppress(ConnectionClosed):
            parts = [b"\0" * (limit // pieces)] * pieces
            socket.send(iter([*parts, b"\0"]))
            assert closed(socket)[0] == 1009
        # Where the client is still sending, the system may drop the close frame with the connection.
        assert socket.close_code in (1009, 1006)
    with server.connect("/ws/camera") as socket:
        socket.send(message(0.0, PICTURE) + b"\0" * (limit - len(PICTURE) - 8))
        assert len(received(socket)["faces"]) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"origin": "http://evil.com"},
        {"origin": "null"},
        {"additional_headers": {"Sec-Fetch-Site": "cross-site"}},
        {"additional_headers": {"Sec-Fetch-Site": "same-site"}},
    ],
)
def test_pages_of_other_origins_are_closed_with_the_code_of_a_policy(
    server: Serving, options: dict[str, Any]
) -> None:
    with server.connect("/ws/camera", **options) as socket:
        assert closed(socket)[0] == 1008


def test_the_page_itself_is_let_in(server: Serving) -> None:
    with server.connect("/ws/camera", origin=f"http://127.0.0.1:{server.port}") as socket:
        socket.send(message(0.0, PICTURE))
        assert len(received(socket)["faces"]) == 1


def test_a_server_without_a_live_source_says_so(server: Serving) -> None:
    with server.connect("/ws/live") as socket:
        code, reason = closed(socket)
    assert code == 1008
    assert "--camera" in reason


@pytest.mark.parametrize("path", ["/ws/none", "/ws/camera/", "/api/info", "/"])
def test_an_unknown_socket_is_closed_with_those_that_there_are(server: Serving, path: str) -> None:
    with server.connect(path) as socket:
        code, why = closed(socket)
    assert code == 1008
    assert "/ws/camera" in why


def test_clients_that_leave_abruptly_disturb_nobody(server: Serving) -> None:
    for _ in range(5):
        with server.connect("/ws/camera") as socket:
            socket.send(message(0.0, PICTURE))
            socket.socket.shutdown(sockets.SHUT_RDWR)
    with server.connect("/ws/camera") as socket:
        socket.send(message(0.0, PICTURE))
        assert len(received(socket)["faces"]) == 1
    assert server.process.poll() is None
