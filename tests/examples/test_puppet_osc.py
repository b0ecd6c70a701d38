from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.examples.running import run_example

NAMES = {"JawOpen", "LeftEyeLid", "RightEyeLid", "HeadYaw", "HeadPitch", "HeadRoll"}


def received(film: Path, *options: str) -> dict[str, list[float]]:
    """Return the values that arrive at a socket of this computer, by address."""
    packets: list[bytes] = []

    def listen() -> None:
        while packet := listener.recv(4096):
            packets.append(packet)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        place = listener.getsockname()
        thread = threading.Thread(target=listen)
        thread.start()
        try:
            done = run_example("puppet_osc", film, "--to", f"127.0.0.1:{place[1]}", *options)
        finally:
            listener.sendto(b"", place)
            thread.join()
    assert done.exit_code == 0, done.stderr
    from pythonosc.osc_message import OscMessage

    values: dict[str, list[float]] = {}
    for message in map(OscMessage, packets):
        values.setdefault(message.address, []).extend(message.params)
    return values


def test_a_face_that_speaks_moves_the_jaw_and_nothing_else(speech: Path) -> None:
    values = received(speech)
    assert values.keys() == {f"/avatar/parameters/{name}" for name in NAMES}
    assert {len(sent) for sent in values.values()} == {50}  # frames of the film
    jaw = values["/avatar/parameters/JawOpen"]
    shut, opened = jaw[5], jaw[17]  # at 0.2 s and 0.7 s
    assert opened > shut + 0.2
    assert jaw[30] == pytest.approx(shut, abs=0.05)
    assert max(values["/avatar/parameters/LeftEyeLid"]) == 1
    assert min(values["/avatar/parameters/LeftEyeLid"]) > 0.9


def test_a_blink_closes_both_lids(blinks: Path) -> None:
    values = received(blinks, "--prefix", "/puppet")
    for lid in ("/puppet/LeftEyeLid", "/puppet/RightEyeLid"):
        assert values[lid][20] > 0.9
        assert min(values[lid][25:31]) < 0.4  # the blink at 1 s
    assert all(-1 <= value <= 1 for sent in values.values() for value in sent)
