"""The end of a server: answers are finished, clients told, and nothing is left; also where workers die."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.cache import Clips
from tests.cli import wait_until
from tests.leftovers import running_children
from tests.serving import TIMEOUT_S, Serving, message, portrait, serving, serving_code
from tracker.serve.service import HELPERS

PICTURE = portrait()


def ended(server: Serving, number: signal.Signals) -> int:
    """Send a signal and return the exit code; the process ends, or the test fails."""
    server.process.send_signal(number)
    return server.process.wait(TIMEOUT_S)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_with_the_exit_code_of_every_command(number: signal.Signals, code: int) -> None:
    with serving() as server:
        assert server.get("/api/health").status == 200
        assert ended(server, number) == code
        assert server.process.stderr is not None
        assert "Traceback" not in server.process.stderr.read()


def test_answers_in_progress_are_finished_and_clients_are_told(clips: Clips) -> None:
    with serving("--video", clips.faces(30)) as server:
        with server.connect("/ws/camera") as camera, server.connect("/ws/live") as live:
            camera.send(message(0.0, PICTURE))
            camera.recv(TIMEOUT_S)
            live.recv(TIMEOUT_S)
            answers: list[Any] = []
            posting = threading.Thread(target=lambda: answers.append(server.post(PICTURE)))
            posting.start()
            time.sleep(0.005)
            for index in range(1, 4):
                camera.send(message(index / 30, PICTURE))
            got = [json.loads(camera.recv(TIMEOUT_S))["frame"]]
            server.process.send_signal(signal.SIGTERM)
            codes = []
            for client in (camera, live):
                with pytest.raises(ConnectionClosed) as caught:
                    while True:
                        data = client.recv(TIMEOUT_S)
                        if client is camera:
                            got.append(json.loads(data)["frame"])
                assert caught.value.rcvd is not None
                codes.append(caught.value.rcvd.code)
        assert codes == [1001, 1001]
        assert got == list(range(1, 1 + len(got)))  # none is lost in between
        posting.join(TIMEOUT_S)
        assert [answer.status for answer in answers] == [200]
        assert server.process.wait(TIMEOUT_S) == 143


def test_clients_that_read_nothing_do_not_hold_the_end_up(clips: Clips) -> None:
    with serving("--video", clips.faces(30)) as server:
        request = b"GET /api/live.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as sleeping:
            sleeping.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
            sleeping.sendall(request)
            with server.connect("/ws/live") as awake:
                for _ in range(30):
                    awake.recv(TIMEOUT_S)
            assert ended(server, signal.SIGTERM) == 143


@pytest.mark.parametrize("path", ["/api/faces", "/ws/camera"])
def test_a_picture_that_takes_for_ever_does_not_hold_the_end_up(path: str) -> None:
    code = """
import threading
from tracker.serve import pictures
def decode(data, most_pixels):
    print("decoding", flush=True)
    threading.Event().wait()
pictures.decode = decode
from tracker.serve.server import Listener, run_server
from tracker.serve.settings import Access, ServerSettings
from tracker.tracking.opening import TrackerOptions
settings = ServerSettings(TrackerOptions("unet-light", "cpu", threads=1), Access(port=0))
with Listener(settings.access) as listener:
    run_server(listener, settings, None, print, lambda: print(*listener.addresses, flush=True))
"""
    with serving_code(code) as server, ExitStack() as stack:
        if path == "/api/faces":
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(PICTURE)}\r\n\r\n"
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S))
            raw.sendall(head.encode() + PICTURE)
        else:
            stack.enter_context(server.connect(path)).send(message(0.0, PICTURE))
        assert server.process.stdout is not None
        assert server.process.stdout.readline() == "decoding\n"
        assert ended(server, signal.SIGTERM) == 143


def test_a_client_that_stalls_loses_its_seat_and_others_get_one(clips: Clips) -> None:
    code = """
import sys
from pathlib import Path
from tracker.serve.live_source import LiveFilm
from tracker.serve.server import Listener, run_server
from tracker.serve.settings import Access, Limits, ServerSettings
from tracker.tracking.opening import TrackerOptions
settings = ServerSettings(
    TrackerOptions("unet-light", "cpu", threads=1), Access(port=0), Limits(connections=1, stalled_s=1.0)
)
with Listener(settings.access) as listener:
    say = lambda line: print(line, file=sys.stderr)
    run_server(
        listener, settings, LiveFilm(Path(sys.argv[1])), say, lambda: print(*listener.addresses, flush=True)
    )
"""
    with serving_code(code, str(clips.faces(30))) as server:
        request = b"GET /api/live.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as sleeping:
            sleeping.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
            sleeping.sendall(request)
            wait_until(lambda: server.post(PICTURE).status == 503)
            busy = server.post(PICTURE)
            assert busy.headers["retry-after"] == "1"
            with server.connect("/ws/camera") as client, pytest.raises(ConnectionClosed) as caught:
                client.recv(TIMEOUT_S)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1013
            wait_until(lambda: server.post(PICTURE).status == 200)
        # A connection that never says what it wants is closed, too.
        for sent in (b"", b"GET / HT"):
            with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as silent:
                silent.sendall(sent)
                with suppress(ConnectionError):  # it may be reset
                    assert silent.recv(1) == b""


def files_and_threads(server: Serving) -> tuple[int, int]:
    """Return how many files and threads the server's process has."""
    process = Path(f"/proc/{server.process.pid}")
    return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))


def test_connections_that_come_and_go_leave_nothing(clips: Clips) -> None:
    with serving("--video", clips.faces(30)) as server:

        def visit() -> None:
            with server.connect("/ws/camera") as camera, server.connect("/ws/live") as live:
                camera.send(message(0.0, PICTURE))
                camera.recv(TIMEOUT_S)
                live.recv(TIMEOUT_S)
            server.post(PICTURE)

        for _ in range(3):
            visit()
        files, threads = files_and_threads(server)
        for _ in range(8):
            visit()
        wait_until(lambda: files_and_threads(server)[0] <= files)
        assert files_and_threads(server)[1] <= threads + HELPERS  # some of which had nothing to do before


def workers_of(server: Serving) -> list[int]:
    """Return the process ids of the server's workers."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return [pid for pid, command in commands.items() if b"spawn_main" in command]


def test_workers_answer_like_the_thread_and_are_replaced_when_they_die() -> None:
    with serving() as plain:
        expected = plain.post(PICTURE).json
    with serving("--workers", "1") as server:
        assert server.post(PICTURE).json == expected
        assert server.post(b"no picture").status == 422
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: server.post(PICTURE).status == 200)
        assert server.post(PICTURE).json == expected
        (other,) = workers_of(server)
        assert other != worker
        assert ended(server, signal.SIGTERM) == 143
        wait_until(lambda: other not in running_children())


def test_workers_end_with_a_server_that_was_killed() -> None:
    with serving("--workers", "1") as server:
        server.post(PICTURE)
        (worker,) = workers_of(server)
        server.process.kill()
        server.process.wait()
        wait_until(lambda: worker not in running_children())
