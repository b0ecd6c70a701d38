"""Servers for others: token, cookie, names, TLS, and addresses that cannot be bound."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import assert_one_line_error, run_cli
from tests.serving import TIMEOUT_S, Serving, message, portrait, serving
from tracker.cli.start_serve import read_names
from tracker.errors import MisuseError, ServeError
from tracker.serve.server import Listener
from tracker.serve.settings import Access, Limits

TOKEN = "a-token-of-more_than-16"


def token_of(server: Serving) -> str:
    (token,) = parse_qs(urlsplit(server.address).query)["token"]
    return token


def refused(server: Serving, **headers: str) -> tuple[int, str]:
    """Return code and reason with which a WebSocket with these headers is closed."""
    connecting = server.connect("/ws/camera", additional_headers=headers)
    with connecting as client, pytest.raises(ConnectionClosed) as caught:
        client.recv(TIMEOUT_S)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def test_a_server_for_others_asks_for_the_token_that_it_printed() -> None:
    with serving("--host", "0.0.0.0", "--quiet") as server:
        token = token_of(server)
        assert len(token) >= 32
        assert (
            server.get("/").status == server.get("/api/info").status == server.post(portrait()).status == 401
        )
        assert server.get("/", Authorization=f"Bearer {token}x").status == 401
        assert server.get("/?token=wrong").status == 401
        assert refused(server)[0] == 1008
        assert server.get("/api/health").status == 200
        assert server.post(portrait(), Authorization=f"Bearer {token}").status == 200

        entered = server.get(f"/?token={token}")
        assert (entered.status, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"].partition(";")[0]
        assert server.get("/", Cookie=cookie).status == 200
        with server.connect("/ws/camera", additional_headers={"Cookie": cookie}) as client:
            client.ping().wait(TIMEOUT_S)
        bearer = {"Authorization": f"Bearer {token}"}
        assert server.get("/api/info", Host="evil.com", **bearer).status == 403
        assert server.get("/api/info", Host="192.168.0.7:8468", **bearer).status == 200
        assert server.get("/api/info", Host=socket.gethostname(), **bearer).status == 200


@pytest.mark.parametrize(
    ("given_", "sent"),
    [
        ("robot.example:8468", "robot.example"),
        ("Robot.Example", "robot.example:9000"),
        ("[fe80::1]:8468", "[fe80::1]"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_further_name_is_known_however_it_was_typed(given_: str, sent: str) -> None:
    with Listener(Access(port=0, names=read_names([given_]))) as listener:
        scope = {"type": "http", "path": "/", "headers": [(b"host", sent.encode())]}
        assert listener.policy.refusal(scope) is None


@pytest.mark.parametrize("name", ["", "http://robot", "a b", "robot:port", "*", "x" * 64 + "ü"])
def test_what_is_no_host_name_is_wrong_usage(name: str) -> None:
    done = run_cli("serve", "--port", "0", "--allow-host", name)
    assert done.exit_code == 2
    assert "takes a host name" in done.stderr


def test_an_unknown_name_is_refused_with_the_option_that_lets_it_in() -> None:
    with Listener(Access(port=0)) as listener:
        scope = {"type": "http", "path": "/", "headers": [(b"host", b"Robot.local:8468")]}
        refusal = listener.policy.refusal(scope)
        assert refusal is not None
        option, name = refusal.why.split()[-2:]
        assert option == "--allow-host"
    with Listener(Access(port=0, names=read_names([name]))) as listener:
        assert listener.policy.refusal(scope) is None


@pytest.mark.parametrize(("host", "is_warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_who_is_on_the_way_is_told_only_where_there_is_a_way(
    tmp_path: Path, host: str, is_warned: bool
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with serving("--host", host, "--token-file", tmp_path / "token") as server:
        assert server.get("/api/health").status == 200
        server.process.terminate()
        assert server.process.stderr is not None
        assert ("anyone on the way" in server.process.stderr.read()) == is_warned


def test_a_token_may_come_from_a_file_and_names_from_an_option(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\nmore\n")
    with serving("--token-file", tmp_path / "token", "--allow-host", "robot.example") as server:
        assert token_of(server) == TOKEN
        assert server.get("/api/info").status == 401
        assert server.get("/api/info", Host="robot.example", Authorization=f"Bearer {TOKEN}").status == 200


@pytest.mark.parametrize(
    "content", ["", "short\n", "with a space in it, long enough\n", "ümläut-0123456789\n"]
)
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content, encoding="utf-8")
    done = run_cli("serve", "--port", "0", "--token-file", tmp_path / "token", *LIGHT_ARGUMENTS)
    assert_one_line_error(done, "holds no token", "openssl rand")
    assert_one_line_error(run_cli("serve", "--token-file", tmp_path / "none"), "none", "No such file")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this computer for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    command += [
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return cert, key


def test_a_certificate_makes_it_https(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    with serving("--certificate", cert, "--key", key, "--host", "0.0.0.0") as server:
        assert server.address.startswith("https://localhost:")
        trusted = ssl.create_default_context(cafile=str(cert))
        connection = http.client.HTTPSConnection("localhost", server.port, timeout=TIMEOUT_S, context=trusted)
        connection.request("GET", f"/?token={token_of(server)}")
        answer = connection.getresponse()
        assert answer.status == 303
        assert "Secure" in answer.headers["set-cookie"]
        connection.close()
        bearer = {"Authorization": f"Bearer {token_of(server)}"}
        address = f"wss://localhost:{server.port}/ws/camera"
        with connect(address, ssl=trusted, additional_headers=bearer, proxy=None) as client:
            client.send(message(0.0, portrait()))
            assert '"faces": [{' in str(client.recv(TIMEOUT_S))
        with pytest.raises((http.client.HTTPException, OSError)):
            server.get("/api/health")


def test_files_that_are_no_pair_are_one_line(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = certificate
    (tmp_path / "no.pem").write_text("nothing")
    for files in ((key, None), (cert, cert), (tmp_path / "no.pem", None)):
        with pytest.raises(ServeError, match="no pair for TLS"):
            Listener(Access(port=0, certificate=files[0], key=files[1]))
    with pytest.raises(ServeError, match="cannot read"):
        Listener(Access(port=0, certificate=tmp_path / "gone.pem"))


def test_a_port_that_is_taken_is_one_line_with_another_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_cli("serve", "--port", port)
        assert_one_line_error(done, f"port {port}", "another program has it", f"--port {port % 65535 + 1}")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("203.0.113.7", "no such address"),
        ("no.such.host.invalid", "has no address"),
        ("localhost:8468", "the port as --port"),
        ("2001:db8::7", "no such address"),
        ("fe80::7", "no such address"),
    ],
)
def test_an_address_of_another_computer_is_one_line(host: str, words: str) -> None:
    assert_one_line_error(run_cli("serve", "--port", "0", "--host", host), words, "--host 127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3"])
def test_a_loopback_address_needs_no_token(host: str) -> None:
    with Listener(Access(host, 0)) as listener:
        assert listener.access.token is None
        assert not listener.policy.addresses
        assert host in listener.policy.names
        assert listener.addresses == (f"http://{host}:{listener.access.port}/",)


def test_addresses_for_people_name_a_host_that_can_be_typed() -> None:
    with Listener(Access("0.0.0.0", 0)) as listener:
        first, second = (urlsplit(address) for address in listener.addresses)
        assert (first.hostname, second.hostname) == ("localhost", socket.gethostname().lower())
        assert first.query == second.query == f"token={listener.access.token}"
    with Listener(Access("127.0.0.1", 0, names=("robot.local", "fe80::1"))) as named:
        _, third, fourth = (urlsplit(address) for address in named.addresses)
        assert (third.hostname, fourth.hostname) == ("robot.local", "fe80::1")
    with Listener(Access("0.0.0.0", 0)) as other:
        assert other.access.token != listener.access.token


@pytest.mark.parametrize(
    "values",
    [
        {"port": -1},
        {"port": 65536},
        {"token": "short"},
        {"token": "with spaces and so on"},
        {"key": Path("k")},
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(MisuseError):
        Access(**values)  # type: ignore[arg-type]


def test_impossible_limits_are_refused() -> None:
    with pytest.raises(MisuseError, match="connections"):
        Limits(connections=0)
    with pytest.raises(MisuseError, match="body_s"):
        Limits(body_s=float("nan"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_small_answers_are_not_held_back_by_the_network_stack(host: str) -> None:
    if host == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    with Listener(Access(host=host, port=0)) as listener:
        address = listener.socket.getsockname()[:2]
        with socket.create_connection(address, TIMEOUT_S), listener.socket.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
