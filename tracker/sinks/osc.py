"""OSC messages over UDP for music, light and graphics programs; needs the extra ``osc``."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from tracker.distribution import install_command
from tracker.errors import SinkError
from tracker.sinks.sink import Sink
from tracker.system.files import guarded_write
from tracker.types import FaceMeasures, FrameResult, TrackedFace

_TARGET = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]\s]+)):(?P<port>\d{1,5})", re.ASCII)

_BUNDLE_HEADER = struct.pack(">8sQ", b"#bundle", 1)  # time tag 1 means "immediately" (OSC 1.0)
_TYPES: dict[type[Any], str] = {int: "i", float: "f", str: "s"}

Message = tuple[str, tuple[int | float | str, ...]]
"""OSC address and its arguments, which are sent as int32, float32 and string."""


class OscSink(Sink):
    """OSC sender to ``target``, ``HOST:PORT`` or ``[IPV6]:PORT``; a context manager.

    Each frame is sent as one OSC 1.0 bundle of :func:`frame_messages`, then one of :func:`face_messages` per
    face. A bundle is one datagram; that of a face with up to 110 points fits into an Ethernet packet. UDP
    does not report whether anybody listens, so receivers may start and stop at any time. The host name is
    resolved once, at construction.

    Raises :class:`~tracker.errors.SinkError` when python-osc is not installed, ``target`` is malformed or
    cannot be resolved, or the system cannot send.
    """

    def __init__(self, target: str) -> None:
        host, port = parse_target(target)
        try:
            from pythonosc.osc_message_builder import OscMessageBuilder
        except ImportError as error:
            raise SinkError(f"OSC needs python-osc ({error}): {install_command('osc')}") from error
        self._new_message = OscMessageBuilder
        self._name = f"OSC messages to {target}"
        with guarded_write(self._name):
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._address: tuple[Any, ...] = address
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def write(self, result: FrameResult) -> None:
        """Send one frame and its faces."""
        self._check_open()
        self._send(frame_messages(result))
        for face in result.faces:
            self._send(face_messages(face))

    def _close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, messages: Iterable[Message]) -> None:
        # python-osc's bundle builder parses all messages again, which costs as much as building them.
        bundle = _BUNDLE_HEADER + b"".join(map(self._element, messages))
        with guarded_write(self._name):
            self._socket.sendto(bundle, self._address)

    def _element(self, message: Message) -> bytes:
        """Encode a message as an element of a bundle, after its length."""
        address, values = message
        builder = self._new_message(address)
        for value in values:
            builder.add_arg(value, _TYPES[type(value)])
        content: bytes = builder.build().dgram
        return struct.pack(">i", len(content)) + content


def parse_target(target: str) -> tuple[str, int]:
    """Parse ``HOST:PORT`` or ``[IPV6]:PORT``.

    Raises :class:`~tracker.errors.SinkError` for anything else.
    """
    found = _TARGET.fullmatch(target)
    if not found or not 0 < int(found["port"]) < 2**16:
        raise SinkError(f"cannot send OSC to {target!r}: give HOST:PORT, such as 127.0.0.1:9000")
    return found["six"] or found["host"], int(found["port"])


def frame_messages(result: FrameResult) -> Iterator[Message]:
    """Yield the messages of a frame: ``/tracker/frame`` and ``/tracker/ids``, the ids of its faces.

    ``/tracker/pixel_aspect`` follows where a pixel is not as wide as it is high.
    """
    height, width = result.image_hw
    source = result.source.encode("utf-8", "backslashreplace").decode()
    yield (
        "/tracker/frame",
        (int(result.index), float(result.time_s), width, height, len(result.faces), source),
    )
    yield "/tracker/ids", tuple(face.id for face in result.faces)
    if result.pixel_aspect != 1:
        yield "/tracker/pixel_aspect", (float(result.pixel_aspect),)


def face_messages(face: TrackedFace) -> Iterator[Message]:
    """Yield the messages of a face, each with its id first; unknown measures are left out.

    Coordinates are frame pixels, as in :class:`~tracker.types.Landmarks`.
    """
    yield "/tracker/face/box", (face.id, *map(float, face.box.xyxy), float(face.score))
    yield "/tracker/face/landmarks", (face.id, *face.landmarks.points_frame.astype(float).ravel().tolist())
    for name, values in _measures(face.measures):
        if None not in values and (name != "blinks" or face.landmarks.scheme.measured.blinks):
            yield f"/tracker/face/{name}", (face.id, *(v for v in values if v is not None))


def _measures(measures: FaceMeasures) -> Iterator[tuple[str, tuple[int | float | None, ...]]]:
    left, right = measures.eye_open
    yield "eye_open_left", (left,)
    yield "eye_open_right", (right,)
    yield "mouth_open", (measures.mouth_open,)
    yield "head_pose", (measures.yaw_deg, measures.pitch_deg, measures.roll_deg)
    yield "blinks", (measures.blinks,)
