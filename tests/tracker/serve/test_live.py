"""The server's own film and camera: points with their picture, MJPEG, anonymising, slow viewers, the end."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from tests.cache import Clips, Trackers
from tests.cli import assert_one_line_error, run_cli, wait_until
from tests.media import mjpeg_server, write_video
from tests.serving import TIMEOUT_S, Serving, live_message, serving
from tracker.serve.pictures import decode
from tracker.types import ImageArray


@pytest.fixture(scope="module")
def server(clips: Clips) -> Iterator[Serving]:
    with serving("--video", clips.faces(30)) as started:
        yield started


def parts(server: Serving, count: int) -> list[ImageArray]:
    """Return the first pictures of the MJPEG stream."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    connection.request("GET", "/api/live.mjpg")
    answer = connection.getresponse()
    assert answer.status == 200
    kind = answer.headers["content-type"]
    assert kind == "multipart/x-mixed-replace; boundary=picture"
    found = []
    for _ in range(count):
        assert answer.readline() == b"--picture\r\n"
        head = http.client.parse_headers(answer)
        assert head["content-type"] == "image/jpeg"
        found.append(decode(answer.read(int(head["content-length"])), 10**6))
        assert answer.readline() == b"\r\n"
    connection.close()
    return found


def test_the_info_names_the_source(server: Serving, clips: Clips) -> None:
    live = server.get("/api/info").json["live"]
    assert live == {"name": clips.faces(30).name, "width": 320, "height": 320}


def test_points_come_in_one_message_with_their_picture(server: Serving, trackers: Trackers) -> None:
    """The picture went through JPEG, so its face is found again within a pixel and a half."""
    with server.connect("/ws/live") as socket:
        for _ in range(5):
            line, data = live_message(socket.recv(TIMEOUT_S))
            found = trackers.opened().find(decode(data, 10**6)).faces
            assert (line["width"], line["height"], len(line["faces"])) == (320, 320, 1)
            points = np.array(line["faces"][0]["landmarks"])
            assert np.abs(points - found[0].landmarks.points_frame).mean() < 1.5


def test_the_film_begins_again_with_frames_in_order(server: Serving) -> None:
    with server.connect("/ws/live?picture=0") as socket:
        frames = [json.loads(socket.recv(TIMEOUT_S))["frame"] for _ in range(60)]
    steps = np.diff(frames)
    assert (steps != 0).all()  # none comes twice
    assert (steps < 0).any()
    assert max(frames) <= 29


def test_a_viewer_has_nothing_to_say(server: Serving) -> None:
    with server.connect("/ws/live?picture=0") as socket:
        socket.send("hello")
        socket.send(b"\0" * 100)
        assert json.loads(socket.recv(TIMEOUT_S))["faces"] is not None


def test_an_unknown_value_closes_the_connection(server: Serving) -> None:
    with server.connect("/ws/live?picture=2") as socket, pytest.raises(ConnectionClosed) as caught:
        socket.recv(TIMEOUT_S)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


def test_mjpeg_shows_the_drawn_picture(server: Serving) -> None:
    """Points are white: a drawn picture has them where the plain one has skin."""
    with server.connect("/ws/live") as socket:
        line, data = live_message(socket.recv(TIMEOUT_S))
    plain, drawn = decode(data, 10**6), parts(server, 3)[-1]
    assert drawn.shape == plain.shape
    x0, y0, x1, y1 = (int(value) for value in line["faces"][0]["box"])
    inside = (slice(y0, y1), slice(x0 - 10, x1 + 10))
    white = [(np.min(image[inside], axis=2) > 235).sum() for image in (plain, drawn)]
    assert white[1] > white[0] + 20


def test_a_viewer_that_reads_nothing_does_not_hold_others_up(server: Serving) -> None:
    with server.connect("/ws/live") as sleeping, server.connect("/ws/live?picture=0") as awake:
        sleeping.recv(TIMEOUT_S)
        for _ in range(40):
            awake.recv(TIMEOUT_S)


@pytest.mark.parametrize("mode", ["solid", "points"])
def test_anonymising_covers_what_is_sent_out(clips: Clips, trackers: Trackers, mode: str) -> None:
    with serving("--video", clips.faces(30), "--anonymise", mode) as server:
        assert server.get("/api/info").json["anonymise"] == mode
        with server.connect("/ws/live") as socket:
            for _ in range(8):
                line, data = live_message(socket.recv(TIMEOUT_S))
                assert len(line["faces"]) == 1
                picture = decode(data, 10**6)
                assert trackers.opened().find(picture).faces == ()
        drawn = parts(server, 2)[-1]
        eyes = np.array(line["faces"][0]["landmarks"])[36:48].mean(axis=0).astype(int)
        size = 8
        patch = picture[eyes[1] - size : eyes[1] + size, eyes[0] - size : eyes[0] + size]
        assert np.ptp(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY)) < 8  # one colour, but for JPEG
        assert drawn.shape == picture.shape


def test_a_camera_is_shown_and_its_loss_does_not_end_the_server() -> None:
    with mjpeg_server() as camera, serving("--camera", camera.url) as server:
        assert server.get("/api/info").json["live"]["name"].startswith("http://127.0.0.1")
        with server.connect("/ws/live") as socket:
            first = live_message(socket.recv(TIMEOUT_S))[0]
            second = live_message(socket.recv(TIMEOUT_S))[0]
            assert second["frame"] > first["frame"]
            camera.kill()
            assert server.get("/api/health").status == 200


def test_nothing_is_tracked_while_nobody_watches(clips: Clips) -> None:
    with serving("--video", clips.faces(30)) as server:

        def cpu_s() -> float:
            fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / 100

        with server.connect("/ws/live") as socket:
            for _ in range(25):
                socket.recv(TIMEOUT_S)
            before = cpu_s()
            for _ in range(25):
                socket.recv(TIMEOUT_S)
            watched = cpu_s() - before
        before = cpu_s()
        time.sleep(1.0)  # as long as 25 frames take
        assert cpu_s() - before < max(watched / 2, 0.1)


def test_a_source_that_does_not_open_is_one_line_before_anything_serves() -> None:
    done = run_cli("serve", "--port", "0", "--video", "gone.mp4")
    assert_one_line_error(done, "gone.mp4")
    assert done.stdout == ""


def test_a_film_that_vanishes_ends_the_viewing_only(clips: Clips, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(clips.faces(30).read_bytes())
    with serving("--video", film) as server, server.connect("/ws/live?picture=0") as socket:
        socket.recv(TIMEOUT_S)
        film.unlink()
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                socket.recv(TIMEOUT_S)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1011
        wait_until(lambda: server.get("/api/info").json["live"] is None)
        answer = server.get("/api/live.mjpg")
        assert answer.status == 404
        assert "has ended" in answer.json["error"]
        server.process.terminate()
        assert server.process.stderr is not None
        assert f"{film}: No such file or directory: nothing is shown live" in server.process.stderr.read()


def test_a_film_that_was_replaced_is_shown_at_its_own_size(clips: Clips, tmp_path: Path) -> None:
    film, other = tmp_path / "film.mp4", tmp_path / "other.mp4"
    film.write_bytes(clips.faces(30).read_bytes())
    write_video(other)
    with serving("--video", film) as server, server.connect("/ws/live?picture=0") as socket:
        socket.recv(TIMEOUT_S)
        other.replace(film)
        while json.loads(socket.recv(TIMEOUT_S))["width"] != 64:
            pass
        live = server.get("/api/info").json["live"]
    assert (live["width"], live["height"]) == (64, 48)
