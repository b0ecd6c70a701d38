"""Properties of the main picture in a HEIF container (AVIF, HEIC): orientation, bit depth, colour.

Image decoders return the pixels as coded. What turns them is in the container (ISO/IEC 23008-12, 6.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tracker.sources.orientation import Orientation

Box = tuple[bytes, bytes]

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


@dataclass(frozen=True)
class PictureProperties:
    """Properties of a picture in a HEIF container.

    ``turns`` make the picture upright, one after the other. ``bits`` is the depth of a sample, as far as AV1
    states it. ``primaries`` and ``transfer`` are numbers of ITU-T H.273, 2 where they are not stated.
    """

    turns: tuple[Orientation, ...] = ()
    bits: int = 8
    primaries: int = 2
    transfer: int = 2


def is_heif(data: bytes) -> bool:
    """Return whether the file ``data`` is a picture in a HEIF container, AVIF included."""
    return data[4:8] == b"ftyp" and bool(_brands(data) & (_AVIF_BRANDS | _HEIC_BRANDS))


def is_avif(data: bytes) -> bool:
    """Return whether the HEIF container ``data`` holds AV1."""
    return bool(_brands(data) & _AVIF_BRANDS)


def picture_properties(data: bytes) -> PictureProperties:
    """Return the properties of the primary item of the HEIF container ``data``.

    Raises:
        ValueError: The container is damaged.
    """
    turns: list[Orientation] = []
    primaries = transfer = 2
    tiles = data.find(b"av1C")  # where the picture is a grid, only its tiles state their depth
    depth = data[tiles + 4 : tiles + 8] if tiles >= 0 else b""
    try:
        for kind, payload in _primary_item(data):
            if kind == b"irot":  # counterclockwise
                turns.append(Orientation.from_quarter_turns(payload[0] & 3))
            elif kind == b"imir":  # 1: left and right are exchanged; 0: top and bottom
                turns.append(Orientation(flip_x=payload[0] & 1 == 1, flip_y=payload[0] & 1 == 0))
            elif kind == b"av1C":
                depth = payload
            elif kind == b"colr" and payload.startswith(b"nclx"):
                primaries, transfer = struct.unpack_from(">HH", payload, 4)
    except (struct.error, IndexError) as error:
        raise ValueError("the container is cut off") from error
    return PictureProperties(tuple(turns), _av1_bits(depth), primaries, transfer)


def _av1_bits(configuration: bytes) -> int:
    """Return the bits of a sample that an ``av1C`` box states (AV1 in ISOBMFF, 2.3.3), 8 without one."""
    flags = configuration[2] if len(configuration) > 2 else 0
    is_high, is_twelve = flags >> 6 & 1, flags >> 5 & 1
    return 12 if is_twelve else 10 if is_high else 8


def _brands(data: bytes) -> frozenset[bytes]:
    """Return the major and the compatible brands (ISO/IEC 14496-12, 4.3)."""
    end = min(int.from_bytes(data[:4], "big"), len(data), 1024)
    return frozenset(data[at : at + 4] for at in (8, *range(16, end - 3, 4)))


def _boxes(data: bytes) -> Iterator[Box]:
    """Yield kind and payload of each box (ISO/IEC 14496-12, 4.2).

    Raises:
        ValueError: A length is impossible.
    """
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = at + length if length else len(data)
        if end < start or end > len(data):
            raise ValueError("a box has an impossible length")
        yield kind, data[start:end]
        at = end


def _primary_item(data: bytes) -> Iterator[Box]:
    """Yield the properties of the primary item in the order in which they apply."""
    # Media data may be cut off, or follow the metadata with any length: only the metadata must be whole.
    meta = next((payload for kind, payload in _leading_boxes(data) if kind == b"meta"), None)
    if meta is None:
        return
    inside = dict(_boxes(meta[4:]))
    if b"pitm" not in inside or b"iprp" not in inside:
        return
    primary = int.from_bytes(inside[b"pitm"][4:], "big")
    properties: list[Box] = []
    for kind, payload in _boxes(inside[b"iprp"]):
        if kind == b"ipco":
            properties = list(_boxes(payload))
        elif kind == b"ipma":
            for number in _associations(payload, primary):
                if 1 <= number <= len(properties):  # 0: none
                    yield properties[number - 1]


def _leading_boxes(data: bytes) -> Iterator[Box]:
    """Yield the boxes of a file up to one that reaches beyond its end."""
    try:
        yield from _boxes(data)
    except ValueError:
        return


def _associations(payload: bytes, item: int) -> Iterator[int]:
    """Yield the numbers of the properties of ``item`` in an ``ipma`` box (ISO/IEC 23008-12, 9.3.1)."""
    version, flags = payload[0], payload[3]
    width, mask = (2, 0x7FFF) if flags & 1 else (1, 0x7F)  # the first bit says whether it is essential
    (entries,) = struct.unpack_from(">I", payload, 4)
    at = 8
    for _ in range(entries):
        (name,) = struct.unpack_from(">I" if version else ">H", payload, at)
        at += 4 if version else 2
        count = payload[at]
        at += 1
        for _ in range(count):
            number = int.from_bytes(payload[at : at + width], "big") & mask
            at += width
            if name == item:
                yield number
