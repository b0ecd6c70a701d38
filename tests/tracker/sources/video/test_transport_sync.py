from __future__ import annotations

from pathlib import Path

import pytest

from tracker.errors import SourceError
from tracker.sources.video.transport_sync import has_lost_sync

LAYOUTS = [(b"", b""), (b"time", b""), (b"", bytes(16))]


def _stream(layout: tuple[bytes, bytes], count: int) -> bytes:
    before, behind = layout
    return (before + b"\x47" + bytes(187) + behind) * count


@pytest.mark.parametrize("layout", LAYOUTS)
def test_whole_packets_are_in_sync_wherever_the_part_begins(
    tmp_path: Path, layout: tuple[bytes, bytes]
) -> None:
    path = tmp_path / "a.ts"
    data = _stream(layout, 10)
    path.write_bytes(data)
    stride = len(data) // 10
    for start in (0, 1, 3, 5, stride - 1, stride, stride + 7):
        assert not has_lost_sync(path, start, len(data))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packet", [0, 4, 9])
def test_a_packet_without_its_first_byte_is_noticed(
    tmp_path: Path, layout: tuple[bytes, bytes], packet: int
) -> None:
    path = tmp_path / "a.ts"
    data = bytearray(_stream(layout, 10))
    stride = len(data) // 10
    data[packet * stride : (packet + 1) * stride] = bytes(stride)
    path.write_bytes(data)
    assert has_lost_sync(path, 0, len(data))
    assert not has_lost_sync(path, (packet + 1) * stride, len(data))


def test_a_file_that_vanishes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*a\.ts"):
        has_lost_sync(tmp_path / "a.ts", 0, 188)
