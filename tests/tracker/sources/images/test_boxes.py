from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.sources.images.boxes import is_avif, is_heif, picture_properties
from tracker.sources.orientation import Orientation


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def _file(properties: list[bytes], order: list[int], brand: bytes = b"avif", wide: bool = False) -> bytes:
    """Return a container whose item 7 has the ``properties`` numbered in ``order``, and item 1 the first."""
    numbers = b"".join(struct.pack(">H", 0x8000 | n) if wide else bytes([0x80 | n]) for n in order)
    first = struct.pack(">H", 1) if wide else b"\1"
    name = ">I" if wide else ">H"
    entries = struct.pack(name, 1) + b"\1" + first + struct.pack(name, 7) + bytes([len(order)]) + numbers
    ipma = bytes([wide, 0, 0, wide]) + struct.pack(">I", 2) + entries
    iprp = _box(b"ipco", b"".join(properties)) + _box(b"ipma", ipma)
    pitm = bytes(4) + struct.pack(">H", 7)
    meta = bytes(4) + _box(b"hdlr", bytes(20)) + _box(b"pitm", pitm) + _box(b"iprp", iprp)
    return _box(b"ftyp", brand + bytes(4) + b"mif1") + _box(b"meta", meta) + _box(b"mdat", bytes(9))


_TURN, _MIRROR = _box(b"irot", b"\1"), _box(b"imir", b"\1")
_LEFT, _SWAPPED = Orientation.from_quarter_turns(1), Orientation(flip_x=True)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    ("order", "turns"), [([], ()), ([1], (_LEFT,)), ([1, 2], (_LEFT, _SWAPPED)), ([2, 1], (_SWAPPED, _LEFT))]
)
def test_properties_apply_in_the_order_of_the_container(
    order: list[int], turns: tuple[Orientation, ...], wide: bool
) -> None:
    assert picture_properties(_file([_TURN, _MIRROR], order, wide=wide)).turns == turns


def test_only_the_primary_item_counts() -> None:
    assert picture_properties(_file([_TURN], [])).turns == ()


@pytest.mark.parametrize(("flags", "bits"), [(0, 8), (0x40, 10), (0x60, 12)])
def test_the_depth_of_a_grid_is_that_of_its_tiles(flags: int, bits: int) -> None:
    depth = _box(b"av1C", bytes([0x81, 0, flags, 0]))
    assert picture_properties(_file([depth], [1])).bits == bits
    assert picture_properties(_file([depth], [])).bits == bits


def test_transfer_and_primaries() -> None:
    found = picture_properties(_file([_box(b"colr", b"nclx" + struct.pack(">HHHB", 9, 16, 9, 128))], [1]))
    assert (found.primaries, found.transfer) == (9, 16)
    assert picture_properties(_file([_box(b"colr", b"prof" + bytes(9))], [1])).transfer == 2


def test_brands_tell_avif_from_heic() -> None:
    avif, heic = _file([], []), _file([], [], b"heic")
    assert (is_heif(avif), is_avif(avif)) == (True, True)
    assert (is_heif(heic), is_avif(heic)) == (True, False)
    assert not is_heif(_box(b"ftyp", b"isom" + bytes(4)))
    assert not is_heif(b"")


@given(data=st.binary(max_size=64), keep=st.integers(0, 200), at=st.integers(0, 199))
def test_any_bytes_give_properties_or_a_value_error(data: bytes, keep: int, at: int) -> None:
    whole = _file([_TURN, _MIRROR, _box(b"irot", b""), _box(b"colr", b"nclx")], [1, 2, 3, 4])
    for file in (data, whole[:keep], whole[:at] + data + whole[at + len(data) :]):
        try:
            picture_properties(file)
        except ValueError:
            continue
