"""Connection to a Ray cluster: what does not answer, or is none, is an error at once."""

from __future__ import annotations

import functools
import socket
import threading
from pathlib import Path

import pytest

from tests.cache import Clips
from tests.cli import assert_one_line_error, run_cli
from tracker.errors import ClusterError
from tracker.system.cluster import connect, import_ray

pytest.importorskip("ray", reason="needs the extra cluster")


def test_without_a_cluster_on_this_computer_it_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import_ray()
    # Ray would find the cluster of a test that runs at the same time.
    monkeypatch.setattr("ray._private.services.find_gcs_addresses", functools.cache(set))
    monkeypatch.setattr("ray._private.services.find_bootstrap_address", lambda _: None)
    with pytest.raises(ClusterError, match=r"^no Ray cluster answers at auto .*: start one with"):
        connect("auto")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "nobody.invalid", "a" * 70])
def test_an_address_where_nothing_listens_is_an_error_at_once(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ClusterError, match=r"^no Ray cluster answers at "):
        connect(f"{host}:{port}")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail ready\r\n"])
def test_another_program_at_the_address_is_an_error_at_once(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            client = listening.accept()[0]
            with client:
                client.recv(100)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ClusterError, match="another program has this port"):
            connect(f"127.0.0.1:{listening.getsockname()[1]}")
        thread.join()


def test_the_command_line_says_it_in_one_line(tmp_path: Path, clips: Clips) -> None:
    for arguments in [("serve", "--port", "0"), ("batch", clips.pictures(5), "--output", tmp_path / "out")]:
        done = run_cli(*arguments, "--ray", "127.0.0.1:1")
        assert_one_line_error(done, "no Ray cluster answers at 127.0.0.1:1 ", "ray start --head")


def test_without_ray_it_says_how_to_install_it() -> None:
    done = run_cli("serve", "--port", "0", "--ray", "auto", without=["ray"])
    assert_one_line_error(done, "--ray needs Ray", "tracker68[cluster]")
