"""OSC over a real local socket, parsed by python-osc."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.results import NO_POSE, SOME_MEASURES
from tests.shapes import face_points
from tracker.errors import SinkError
from tracker.sinks.osc import OscSink, face_messages, parse_target
from tracker.types import UNMEASURED, FaceMeasures, FrameResult, Landmarks, TrackedFace

osc_packet = pytest.importorskip("pythonosc.osc_packet")

FULL = FaceMeasures((0.31, 0.29), 0.05, -12.5, 4.0, 1.5, blinks=3)
Messages = list[tuple[str, list[Any]]]


class Receiver:
    """UDP socket on 127.0.0.1 or ::1."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(10)
        self.socket.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.largest = 0

    def bundle(self) -> Messages:
        data = self.socket.recv(65536)
        assert data.startswith(b"#bundle\0")
        self.largest = max(self.largest, len(data))
        return [
            (timed.message.address, timed.message.params) for timed in osc_packet.OscPacket(data).messages
        ]

    def is_empty(self) -> bool:
        self.socket.setblocking(False)
        try:
            self.socket.recv(65536)
        except BlockingIOError:
            return True
        return False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.socket.close()


def _face(number: int, measures: FaceMeasures = FULL) -> TrackedFace:
    points = face_points((100.125 + 40 * number, 80.5)).astype(np.float32)
    return TrackedFace(number, Landmarks(points, 0.875), measures)


def _result(*faces: TrackedFace, source: str = "a.mp4") -> FrameResult:
    return FrameResult(faces, 12, 0.5, source, (480, 640))


def test_a_frame_is_sent_as_documented(receiver: Receiver) -> None:
    faces = _face(1), _face(7)
    with OscSink(f"127.0.0.1:{receiver.port}") as sink:
        sink.write(_result(*faces))
    assert receiver.bundle() == [
        ("/tracker/frame", [12, 0.5, 640, 480, 2, "a.mp4"]),
        ("/tracker/ids", [1, 7]),
    ]
    for face in faces:
        messages = dict(receiver.bundle())
        assert messages.pop("/tracker/face/box") == pytest.approx([face.id, *face.box.xyxy, 0.875])
        identity, *values = messages.pop("/tracker/face/landmarks")
        assert identity == face.id
        np.testing.assert_array_equal(np.reshape(values, (68, 2)), face.landmarks.points_frame)
        assert messages.pop("/tracker/face/eye_open_left") == [face.id, pytest.approx(0.31)]
        assert messages.pop("/tracker/face/eye_open_right") == [face.id, pytest.approx(0.29)]
        assert messages.pop("/tracker/face/mouth_open") == [face.id, pytest.approx(0.05)]
        assert messages.pop("/tracker/face/head_pose") == [face.id, -12.5, 4.0, 1.5]
        assert messages.pop("/tracker/face/blinks") == [face.id, 3]
        assert not messages
    assert receiver.is_empty()
    assert receiver.largest <= 1472  # what an Ethernet packet of 1500 bytes leaves for UDP over IPv4


def test_a_frame_without_faces_has_no_ids(receiver: Receiver) -> None:
    with OscSink(f"localhost:{receiver.port}") as sink:
        sink.write(_result(source="müde\udcff.png"))
    frame, ids = receiver.bundle()
    assert frame == ("/tracker/frame", [12, 0.5, 640, 480, 0, "müde\\udcff.png"])
    assert ids == ("/tracker/ids", [])
    assert receiver.is_empty()


@pytest.mark.parametrize(
    ("measures", "missing"),
    [
        (SOME_MEASURES, {"eye_open_right"}),
        (NO_POSE, {"mouth_open", "head_pose"}),
        (UNMEASURED, {"eye_open_left", "eye_open_right", "mouth_open", "head_pose"}),
    ],
)
def test_unknown_measures_are_not_sent(measures: FaceMeasures, missing: set[str]) -> None:
    everything = {address for address, _ in face_messages(_face(1))}
    sent = {address for address, _ in face_messages(_face(1, measures))}
    assert everything - sent == {f"/tracker/face/{name}" for name in missing}


def test_receivers_may_start_and_stop_at_any_time(receiver: Receiver) -> None:
    with OscSink(f"127.0.0.1:{receiver.port}") as sink:
        sink.write(_result())
        assert receiver.bundle()
        receiver.socket.close()
        for _ in range(3):  # by now the system has reported the closed port
            sink.write(_result(_face(1)))
        late = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with late:
            late.settimeout(10)
            late.bind(("127.0.0.1", receiver.port))
            sink.write(replace(_result(), index=99))
            assert b"/tracker/frame" in late.recv(65536)


def test_ipv6_targets_are_reached() -> None:
    try:
        receiver = Receiver(socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with OscSink(f"[::1]:{receiver.port}") as sink:
        sink.write(_result())
    assert receiver.bundle()[0][0] == "/tracker/frame"
    receiver.socket.close()


@pytest.mark.parametrize(
    "target", ["", "9000", "localhost", ":9000", "host:", "host:0", "host:65536", "::1:9000", "a b:1", "h:٣"]
)
def test_malformed_targets_are_refused(target: str) -> None:
    with pytest.raises(SinkError, match=r"give HOST:PORT, such as 127\.0\.0\.1:9000"):
        OscSink(target)


def test_host_and_port_are_parsed() -> None:
    assert parse_target("stage.local:9000") == ("stage.local", 9000)
    assert parse_target("[fe80::1%eth0]:1") == ("fe80::1%eth0", 1)


def test_a_socket_error_is_a_message_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "sendto", refuse)
    with (
        OscSink("127.0.0.1:9000") as sink,
        pytest.raises(SinkError, match=r"cannot write OSC messages to 127\.0\.0\.1:9000: ") as caught,
    ):
        sink.write(_result())
    assert "\n" not in str(caught.value)


def test_the_shape_of_pixels_is_sent_where_they_are_not_square(receiver: Receiver) -> None:
    result = FrameResult((), 7, 0.28, "a.mpg", (576, 720), pixel_aspect=16 / 15)
    with OscSink(f"127.0.0.1:{receiver.port}") as sink:
        sink.write(result)
        sink.write(replace(result, pixel_aspect=1.0))
    assert receiver.bundle()[2] == ("/tracker/pixel_aspect", [pytest.approx(16 / 15)])
    assert [address for address, _ in receiver.bundle()] == ["/tracker/frame", "/tracker/ids"]
