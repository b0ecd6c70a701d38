"""Pictures over HTTP, with a real server: the command line's answers, and the right status for misuse."""

from __future__ import annotations

import json
import re
import socket
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import run_cli
from tests.faces import astronaut
from tests.media import jpeg_with_exif, with_hidden_frame
from tests.own_models import FIVE, write_spot_model
from tests.serving import Serving, encoded, portrait, serving, serving_code
from tracker.distribution import version
from tracker.inference.weights import load_manifest
from tracker.scheme.ibug68 import EDGES, MESH
from tracker.tracking.smoothing import PRESETS
from tracker.types import ImageArray


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as started:
        yield started


def line_of(path: Path) -> dict[str, object]:
    """Return the line that the command line writes for a picture."""
    done = run_cli("--images", path, "--json", "-", *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    line: dict[str, object] = json.loads(done.stdout)
    return line


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_a_picture_has_the_line_of_the_command_line(server: Serving, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(portrait(suffix))
    answer = server.post(path.read_bytes())
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {**line_of(path), "source": ""}
    assert len(answer.json["faces"]) == 1


def test_a_progressive_picture_and_what_lies_behind_a_picture_are_no_bomb(server: Serving) -> None:
    assert server.post(many_scans(5)).status == 200
    film_behind = portrait() + b"\xff\xda\0\2" * 200  # as in motion photos of phones
    assert server.post(film_behind).status == 200


def test_a_turned_photograph_is_upright(server: Serving, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    turned: ImageArray = np.ascontiguousarray(np.rot90(astronaut()))
    path.write_bytes(jpeg_with_exif(turned, 6))
    answer = server.post(path.read_bytes(), content_type="image/jpeg").json
    assert answer == {**line_of(path), "source": ""}
    assert len(answer["faces"]) == 1


def test_a_picture_without_faces_has_an_empty_list(server: Serving) -> None:
    answer = server.post(encoded(np.full((48, 64, 3), 90, np.uint8)))
    assert (answer.status, answer.json["faces"]) == (200, [])
    assert (answer.json["width"], answer.json["height"]) == (64, 48)


@pytest.mark.parametrize("size", [(1, 32_766), (32_766, 1), (1, 1)])
def test_pictures_of_extreme_sides_are_searched(server: Serving, size: tuple[int, int]) -> None:
    answer = server.post(encoded(np.zeros((*size, 3), np.uint8), ".png"))
    assert (answer.status, answer.json["faces"]) == (200, [])


def test_an_unforeseen_error_is_json_for_the_client_and_one_line_for_the_operator() -> None:
    code = """
import sys
from tracker.serve import pictures
pictures.decode = lambda data, most_pixels: 1 / 0
from tracker.serve.server import Listener, run_server
from tracker.serve.settings import Access, ServerSettings
from tracker.tracking.opening import TrackerOptions
say = lambda line: print(line, file=sys.stderr)
settings = ServerSettings(TrackerOptions("unet-light", "cpu", threads=1), Access(port=0))
with Listener(settings.access) as listener:
    run_server(listener, settings, None, say, lambda: print(*listener.addresses, flush=True))
"""
    with serving_code(code) as failing:
        answer = failing.post(portrait())
        assert (answer.status, set(answer.json)) == (500, {"error"})
        failing.process.terminate()
        assert failing.process.stderr is not None
        said = failing.process.stderr.read()
    assert said == "an unexpected error on '/api/faces': ZeroDivisionError: division by zero\n"


def test_the_model_is_chosen_by_name(server: Serving) -> None:
    light = server.post(portrait()).json
    assert server.post(portrait(), "?model=unet-light").json == light
    other = server.post(portrait(), "?model=resnet18")
    assert other.status == 200
    assert other.json != light


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that states a size and holds nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (head, data, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def hidden_size() -> bytes:
    """Return a JPEG of 60000x60000 pixels with a frame of 16x16 behind a marker that has no length."""
    data = portrait()
    at = data.index(b"\xff\xc0") + 5
    return with_hidden_frame(data[:at] + struct.pack(">HH", 60_000, 60_000) + data[at + 4 :], b"\xff\x01")


def many_scans(count: int, before: bytes = b"") -> bytes:
    """Return a progressive JPEG whose last scan, which refines what is known, comes ``count`` times.

    ``before`` comes before each of them.
    """
    data = cv2.imencode(".jpg", astronaut(), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    last = data.rindex(b"\xff\xda")
    return data[:last] + (before + data[last:-2]) * count + data[-2:]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "empty"),
        (b"no picture", 422, "not an image"),
        (portrait()[:3000], 422, "damaged"),
        (portrait(".png")[:3000], 422, "damaged"),
        (portrait()[:30], 422, "damaged"),
        (bomb(60_000, 60_000), 413, "60000x60000"),
        (bomb(10_000, 5_001), 413, "at most 50 megapixels"),
        (bomb(10_000, 5_000), 422, "damaged"),
        (hidden_size(), 413, "60000x60000"),
        (many_scans(200), 413, "more than 100 scans"),
        (many_scans(200, b"\xff\x01"), 413, "more than 100 scans"),
        (many_scans(200, b"\xff\x02"), 413, "more than 100 scans"),
        (encoded(np.zeros((1, 32_767, 3), np.uint8), ".png"), 422, "32766 pixels a side"),
        (encoded(np.zeros((32_767, 1, 3), np.uint8), ".png"), 422, "32766 pixels a side"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(
    server: Serving, body: bytes, status: int, words: str
) -> None:
    answer = server.post(body)
    assert answer.status == status
    assert set(answer.json) == {"error"}
    assert words in answer.json["error"]
    assert "\n" not in answer.json["error"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("image/png", 200),
        ("image/jpeg; charset=binary", 200),
        ("application/octet-stream", 200),
        ("application/x-www-form-urlencoded", 200),  # of curl --data-binary
        ("multipart/form-data; boundary=x", 415),
        ("application/json", 415),
        ("text/plain", 415),
    ],
)
def test_the_type_must_be_one_of_a_picture(server: Serving, kind: str, status: int) -> None:
    assert server.post(portrait(), content_type=kind).status == status


def test_a_length_is_needed(server: Serving) -> None:
    sent = b"POST /api/faces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    chunked = sent + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert server.exchange(chunked).startswith(b"HTTP/1.1 411 ")
    assert server.exchange(sent + b"Content-Length: x\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_picture_that_is_too_large_is_refused_before_it_is_sent(server: Serving) -> None:
    head = b"POST /api/faces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 33554433\r\n"
    assert server.exchange(head + b"Expect: 100-continue\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    assert server.exchange(head + b"\r\nabc").startswith(b"HTTP/1.1 413 ")


def test_a_picture_that_is_too_large_is_refused_after_it_was_sent(server: Serving) -> None:
    answer = server.post(b"\xff" * (33 << 20))  # such a client reads nothing before
    assert answer.status == 413
    assert "32 MiB" in answer.json["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/faces", 405),
        ("PUT", "/api/faces", 405),
        ("OPTIONS", "/api/faces", 405),
        ("POST", "/api/info", 405),
        ("POST", "/", 405),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/info/", 404),
        ("POST", "/api/faces/", 404),
        ("GET", "/page/nothing.js", 404),
        ("GET", "/page/../settings.py", 404),
        ("GET", "/page/%2e%2e%2fsettings.py", 404),
        ("GET", "/page/%2fetc%2fpasswd", 404),
        ("GET", "/api/live.mjpg", 404),
        ("HEAD", "/api/health", 200),
        ("GET", "/ws/camera", 404),
    ],
)
def test_other_methods_and_paths_are_refused(server: Serving, method: str, path: str, status: int) -> None:
    answer = server.request(method, path)
    assert answer.status == status
    if status >= 400:
        assert set(answer.json) == {"error"}
        if status == 405:
            assert answer.json["error"] == ("use POST" if path == "/api/faces" else "use GET, HEAD")
        else:
            assert {"openapi.json", "--camera", "page"} & set(re.findall(r"[\w.-]+", answer.json["error"]))
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?model=none", "choose one of resnet18"),
        ("?modle=unet", "'modle'"),
        ("?model=", "choose one of"),
        ("?model=unet&model=unet-light", "model is given twice"),
    ],
)
def test_an_unknown_parameter_is_refused_with_those_that_are_known(
    server: Serving, query: str, words: str
) -> None:
    answer = server.post(portrait(), query)
    assert answer.status == 400
    assert words in answer.json["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.com"},
        {"Origin": "http://evil.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_origins_are_refused(server: Serving, headers: dict[str, str]) -> None:
    answer = server.request("POST", "/api/faces", portrait(), headers)
    assert answer.status == 403
    assert server.request("GET", "/api/info", headers=headers).status == 403


def test_the_info_says_what_the_server_is_and_takes(server: Serving) -> None:
    info = server.get("/api/info").json
    landmark_models = [name for name, model in load_manifest().items() if model.kind == "landmarks"]
    assert info["version"] == version()
    assert (info["model"], info["models"]) == ("unet-light", landmark_models)
    assert (info["backend"], info["provider"]) == ("cpu", "CPUExecutionProvider")
    assert (info["smoothing"], info["smoothings"]) == ("low", list(PRESETS))
    assert (info["live"], info["anonymise"], info["max_faces"]) == (None, None, 8)
    assert info["limits"]["connections"] == 64
    scheme = info["scheme"]
    assert (scheme["points"], tuple(map(tuple, scheme["edges"]))) == (68, EDGES)
    assert tuple(map(tuple, scheme["mesh"])) == MESH


def test_a_model_of_ones_own_is_the_only_one_and_brings_its_scheme(tmp_path: Path) -> None:
    path = write_spot_model(tmp_path / "corners.onnx")
    with serving("--model", path, "--detector", "none") as own:
        info = own.get("/api/info").json
        assert (info["model"], info["models"]) == ("corners", ["corners"])
        scheme = info["scheme"]
        assert (scheme["name"], scheme["points"]) == (FIVE.name, FIVE.n_points)
        assert tuple(map(tuple, scheme["edges"])) == tuple(map(tuple, scheme["mesh"])) == FIVE.edges
        answer = own.post(portrait()).json
        assert (answer["scheme"], len(answer["faces"][0]["landmarks"])) == (FIVE.name, FIVE.n_points)
        assert own.post(portrait(), "?model=corners").json == answer
        assert own.post(portrait(), "?model=unet-light").status == 400
        assert str(tmp_path) not in json.dumps(info)


def test_the_page_and_its_files_are_served(server: Serving) -> None:
    page = server.get("/")
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "server" not in page.headers


def test_many_pictures_at_once_have_the_answers_of_each(server: Serving) -> None:
    bodies = [portrait(), encoded(np.zeros((32, 32, 3), np.uint8)), b"no picture", portrait(".png")] * 4
    expected = [server.post(body).body for body in bodies[:4]] * 4
    with ThreadPoolExecutor(8) as threads:
        assert [answer.body for answer in threads.map(server.post, bodies)] == expected


def test_a_client_that_leaves_in_the_middle_disturbs_nobody(server: Serving) -> None:
    head = b"POST /api/faces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    for sent in (b"", head, head + b"\xff\xd8", b"\0" * 100, b"GET / HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(sent)
    assert server.post(portrait()).status == 200
    assert server.process.poll() is None
