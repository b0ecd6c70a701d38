"""Faces as OSC messages over UDP, for programs that make music, light and graphics: the extra ``osc``."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from tracker.errors import SinkError
from tracker.system.closing import Closing
from tracker.system.files import sink_errors
from tracker.types import FaceMeasures, FrameResult, TrackedFace

_TARGET = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]\s]+)):(?P<port>\d{1,5})", re.ASCII)

_BUNDLE_HEAD = struct.pack(">8sQ", b"#bundle", 1)  # time tag 1: at once (OSC 1.0)
_TYPES: dict[type[Any], str] = {int: "i", float: "f", str: "s"}

Message = tuple[str, tuple[int | float | str, ...]]
"""An OSC address and its arguments, which are sent as int32, float32 and string."""


class OscSink(Closing):
    """Sends each frame to ``target``, ``HOST:PORT`` or ``[IPV6]:PORT``; a context manager.

    A frame is one OSC 1.0 bundle of :func:`frame_messages`, then one of :func:`face_messages` for each face:
    a datagram each, a face's no longer than an Ethernet packet takes. UDP does not tell whether anybody
    listens: a receiver may come late and go early. The host's name is looked up once, here.

    Raises :class:`SinkError` when python-osc is not installed, for a target that is none or cannot be
    found, and when the system does not send.
    """

    def __init__(self, target: str) -> None:
        host, port = parse_target(target)
        try:
            from pythonosc.osc_message_builder import OscMessageBuilder
        except ImportError as error:
            raise SinkError(f"OSC needs python-osc ({error}): pip install 'tracker[osc]'") from error
        self._new_message = OscMessageBuilder
        self._name = f"OSC messages to {target}"
        with sink_errors(self._name):
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._address: tuple[Any, ...] = address
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def write(self, result: FrameResult) -> None:
        """Send one frame and its faces."""
        self._send(frame_messages(result))
        for face in result.faces:
            self._send(face_messages(face))

    def close(self) -> None:
        """Free the socket; closing twice is fine."""
        self._socket.close()

    def _send(self, messages: Iterable[Message]) -> None:
        # python-osc's bundles read all their messages again, which costs as much as writing them.
        bundle = _BUNDLE_HEAD + b"".join(map(self._element, messages))
        with sink_errors(self._name):
            self._socket.sendto(bundle, self._address)

    def _element(self, message: Message) -> bytes:
        """One message as it stands in a bundle, behind its length."""
        address, values = message
        builder = self._new_message(address)
        for value in values:
            builder.add_arg(value, _TYPES[type(value)])
        content: bytes = builder.build().dgram
        return struct.pack(">i", len(content)) + content


def parse_target(target: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT`` or ``[IPV6]:PORT``. Raises :class:`SinkError` for anything else."""
    found = _TARGET.fullmatch(target)
    if not found or not 0 < int(found["port"]) < 2**16:
        raise SinkError(f"cannot send OSC to {target!r}: give HOST:PORT, such as 127.0.0.1:9000")
    return found["six"] or found["host"], int(found["port"])


def frame_messages(result: FrameResult) -> Iterator[Message]:
    """What is sent of a frame as such: ``/tracker/frame`` and the ``/tracker/ids`` of its faces, if any."""
    height, width = result.image_hw
    source = result.source.encode("utf-8", "backslashreplace").decode()
    yield (
        "/tracker/frame",
        (int(result.index), float(result.time_s), width, height, len(result.faces), source),
    )
    yield "/tracker/ids", tuple(face.id for face in result.faces)


def face_messages(face: TrackedFace) -> Iterator[Message]:
    """What is sent of a face: everywhere its id comes first, and what is not known is left out.

    Coordinates are pixels of the frame, as in :class:`~tracker.types.Landmarks`.
    """
    yield "/tracker/face/box", (face.id, *map(float, face.box.xyxy), float(face.score))
    yield "/tracker/face/landmarks", (face.id, *face.landmarks.points_frame.astype(float).ravel().tolist())
    for name, values in _measures(face.measures) if face.measures else ():
        if None not in values:
            yield f"/tracker/face/{name}", (face.id, *(v for v in values if v is not None))


def _measures(measures: FaceMeasures) -> Iterator[tuple[str, tuple[int | float | None, ...]]]:
    left, right = measures.eye_open
    yield "eye_open_left", (left,)
    yield "eye_open_right", (right,)
    yield "mouth_open", (measures.mouth_open,)
    yield "head_pose", (measures.yaw_deg, measures.pitch_deg, measures.roll_deg)
    yield "blinks", (measures.blinks,)
